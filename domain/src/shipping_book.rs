//! A shipping book: all shipping zones with their services, weight bands and prices, in one stream.
//!
//! The house has one, and each seller may have one for its parts of orders.
//!
//! ```text
//! (empty) ──zone set, zone removed──▶ …
//! ```
//!
//! A destination is in one zone: the one that names its country and area, or else its country, or else the one without
//! countries, which is the rest of the world. With an empty book the house does not charge for shipping, and a seller uses that of the
//! house.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use crate::Currency;
use crate::bounded::Bounded;
use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, SellerId, ShippingBookId};
use crate::money::Price;
use crate::product::TaxClass;
use crate::tax_book::{AREAS_MAX, COUNTRIES_MAX, holds, is_area};
use crate::text::{Country, Name, PostalCode, Slug};

mod overlap;
mod rejections;

use overlap::Destinations;
pub use rejections::{BANDS_MAX, DAYS_MAX, Rejection, SERVICES_MAX, ZONES_MAX};

/// The id of the book of the house.
pub fn id() -> ShippingBookId {
    ShippingBookId::from_uuid(uuid::Uuid::from_u128(1))
}

/// The id of the book of a seller.
pub fn of_seller(seller: SellerId) -> ShippingBookId {
    ShippingBookId::from_uuid(seller.uuid())
}

/// A shipping zone and its services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ShippingZone))]
pub struct Zone {
    /// The slug of the zone.
    pub zone: Slug,
    /// The name.
    pub name: Name,
    /// ISO 3166 codes; empty for the rest of the world.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Bounded<Vec<Country>, { COUNTRIES_MAX }>,
    /// Prefixes of the zone's postal codes, at most three capital letters and digits each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Bounded<Vec<PostalCode>, { AREAS_MAX }>,
    /// The ways of shipping there.
    pub services: Bounded<Vec<Service>, { SERVICES_MAX }>,
}

/// A shipping service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ShippingService))]
pub struct Service {
    /// The slug of the service; the same in every zone that has it.
    pub service: Slug,
    /// The name.
    pub name: Name,
    /// The name of the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub carrier: Option<Name>,
    /// Prices by weight, lightest first.
    #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
    pub bands: Bounded<Vec<Band>, { BANDS_MAX }>,
    /// The subtotal from which shipping is free, once per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free_over: Bounded<Vec<Price>, { BANDS_MAX }>,
    /// The delivery time.
    pub days: Days,
    /// `standard` by default.
    #[serde(default, skip_serializing_if = "is_standard")]
    pub tax_class: TaxClass,
}

/// The price up to a weight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Band {
    /// The maximum weight, in grams.
    pub up_to_g: u32,
    /// Once per currency.
    pub prices: Bounded<Vec<Price>, { BANDS_MAX }>,
}

/// Delivery time in working days after dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"min": 2, "max": 4})))]
pub struct Days {
    /// At the earliest.
    pub min: u16,
    /// At the latest.
    pub max: u16,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_standard(class: &TaxClass) -> bool {
    *class == TaxClass::Standard
}

/// What happened to the shipping book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A zone was set; this replaces the earlier zone of this name.
    ZoneSet(Zone),
    /// A zone was removed.
    ZoneRemoved {
        /// The zone.
        zone: Slug,
    },
}

impl crate::Event for Event {}

/// The commands of the shipping book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set all zones; they replace the earlier ones.
    Set {
        /// The zones, each once.
        zones: Vec<Zone>,
    },
}

/// The state of the shipping book.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ShippingBook {
    /// The zones.
    pub zones: BTreeMap<Slug, Zone>,
}

impl Decider for ShippingBook {
    const CATEGORY: &'static str = "shipping_book";
    const SINGLETON: bool = true;
    type Id = ShippingBookId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Set { zones } => {
                if zones.len() > ZONES_MAX {
                    return Err(Rejection::TooMany);
                }
                let mut names = BTreeSet::new();
                let mut before = Destinations::default();
                for (at, zone) in zones.iter().enumerate() {
                    if !names.insert(&zone.zone) {
                        return Err(Rejection::ZoneTwice { at });
                    }
                    check(at, zone)?;
                    if let Some(other) = before.add(at, &zone.countries, &zone.areas) {
                        return Err(Rejection::Overlap { at, other: zones[other].zone.clone() });
                    }
                }
                let gone = self.zones.keys().filter(|known| !names.contains(known));
                let gone = gone.map(|zone| Event::ZoneRemoved { zone: zone.clone() });
                let set = zones.iter().filter(|zone| self.zones.get(&zone.zone) != Some(*zone));
                Ok(gone.chain(set.cloned().map(Event::ZoneSet)).collect())
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::ZoneSet(zone) => self.zones.insert(zone.zone.clone(), zone.clone()),
            Event::ZoneRemoved { zone } => self.zones.remove(zone),
        };
        self
    }
}

fn check(at: usize, zone: &Zone) -> Result<(), Rejection> {
    if zone.countries.len() > COUNTRIES_MAX || zone.areas.len() > AREAS_MAX || zone.services.len() > SERVICES_MAX {
        return Err(Rejection::TooMany);
    }
    if let Some(country) = zone.countries.iter().find(|country| !country.is_code()) {
        return Err(Rejection::NoCode { at, country: country.clone() });
    }
    if let Some(country) = twice(&zone.countries) {
        return Err(Rejection::CountryTwice { at, country: country.clone() });
    }
    if let Some(area) = twice(&zone.areas) {
        return Err(Rejection::AreaTwice { at, area: area.clone() });
    }
    if !zone.areas.iter().all(is_area) || (zone.countries.is_empty() && !zone.areas.is_empty()) {
        return Err(Rejection::NoArea { at });
    }
    let mut names = BTreeSet::new();
    for service in &zone.services {
        if !names.insert(&service.service) {
            return Err(Rejection::ServiceTwice { at, service: service.service.clone() });
        }
        check_service(at, service)?;
    }
    Ok(())
}

/// The first element of a list that is in it before.
fn twice<T: Ord>(all: &[T]) -> Option<&T> {
    let mut before = BTreeSet::new();
    all.iter().find(|one| !before.insert(*one))
}

fn check_service(at: usize, service: &Service) -> Result<(), Rejection> {
    let wrong = || Rejection::NoService { at, service: service.service.clone() };
    let once = |prices: &[Price]| {
        let currencies: HashSet<Currency> = prices.iter().map(|price| price.currency()).collect();
        prices.len() <= BANDS_MAX && currencies.len() == prices.len()
    };
    let bands = &service.bands;
    if bands.is_empty() || bands.len() > BANDS_MAX {
        return Err(wrong());
    }
    let rising = bands.windows(2).all(|pair| pair[0].up_to_g < pair[1].up_to_g);
    let days = service.days.min <= service.days.max && service.days.max <= DAYS_MAX;
    if !rising || !days || !once(&service.free_over) || !bands.iter().all(|band| once(&band.prices)) {
        return Err(wrong());
    }
    Ok(())
}

impl ShippingBook {
    /// The zone of a destination.
    pub fn zone(&self, country: &Country, area: Option<&PostalCode>) -> Option<&Zone> {
        let named = |zone: &&Zone| zone.countries.contains(country);
        let zones = || self.zones.values();
        let within = zones().filter(named).find(|zone| area.is_some_and(|area| holds(&zone.areas, area)));
        within
            .or_else(|| zones().filter(named).find(|zone| zone.areas.is_empty()))
            .or_else(|| zones().find(|zone| zone.countries.is_empty()))
    }
}

impl Service {
    /// The price in a currency at a weight; none if the service does not carry the weight or has no price in the currency.
    pub fn price(&self, weight_g: u64, currency: Currency) -> Option<Price> {
        let prices = |band: &Band| band.prices.iter().find(|price| price.currency() == currency).copied();
        self.bands.iter().filter(|band| u64::from(band.up_to_g) >= weight_g).find_map(prices)
    }
}

#[cfg(test)]
mod tests;
