//! The tax book: the tax rates of all countries, by class and date, in one stream.
//!
//! ```text
//! (empty) ──country set, country removed, rounding set──▶ …
//! ```
//!
//! A country that is not in the book is not taxed. Whether prices include tax is set per country: either the tax is part of the
//! price, or it is added to it. Rates have a start date, so next year's can be entered today, and an order is taxed at the
//! rates of the day it is placed on.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::basis_points::BasisPoints;
use crate::bounded::Bounded;
use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, TaxBookId};
use crate::product::TaxClass;
use crate::tax_rate::{TaxRate, TaxRateError};
use crate::text::{Country, Name, PostalCode};

/// The maximum number of rates of a country or a region: a class that changes every other year for half a century.
pub const RATES_MAX: usize = 100;
/// The maximum number of regions of a country.
pub const REGIONS_MAX: usize = 50;
/// The maximum number of countries: ISO 3166 has 249.
pub const COUNTRIES_MAX: usize = 250;
/// The maximum number of areas of a region or a shipping zone: three digits give a thousand.
pub const AREAS_MAX: usize = 1_000;

/// The maximum number of characters of an area: as much of its postal code as a destination holds in the clear.
pub const AREA_MAX: usize = 3;

/// The id of the one book.
pub fn id() -> TaxBookId {
    TaxBookId::from_uuid(uuid::Uuid::from_u128(1))
}

/// The taxes of a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CountryTax {
    /// ISO 3166 alpha-2 country code.
    #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"pattern": "^[A-Za-z]{2}$", "example": "DE"}})))]
    pub country: Country,
    /// Whether prices include tax there; true by default.
    #[serde(default = "yes")]
    pub prices_include_tax: bool,
    /// Its rates, in any order.
    pub rates: Bounded<Vec<Rate>, { RATES_MAX }>,
    /// Regions with tax rates of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Bounded<Vec<Region>, { REGIONS_MAX }>,
}

/// A rate that applies from a given day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RateFields", into = "RateFields")]
pub struct Rate {
    /// The tax class.
    pub class: TaxClass,
    /// The rate: written as `rate_bps`, in hundredths of a percent, and with `rate_ppm`, in millionths, where it has more digits.
    pub rate: TaxRate,
    /// The first day of it, in UTC.
    pub valid_from: NaiveDate,
}

/// A rate that applies from a given day on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = TaxRate))]
struct RateFields {
    /// The tax class.
    class: TaxClass,
    /// In basis points (hundredths of a percent). This or `rate_ppm` is required; answers always have it, rounded if the rate
    /// has more digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    rate_bps: Option<BasisPoints>,
    /// In millionths, for rates with more digits: 88750 is 8.875 %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 88_750, maximum = 1_000_000, nullable = false))]
    rate_ppm: Option<u32>,
    /// The first day of the rate, in UTC.
    valid_from: NaiveDate,
}

#[cfg(feature = "openapi")]
crate::openapi::value!(Rate, crate::openapi::within::<RateFields>(), RateFields);

impl From<Rate> for RateFields {
    fn from(Rate { class, rate, valid_from }: Rate) -> Self {
        Self { class, rate_bps: Some(rate.rounded_bps()), rate_ppm: rate.ppm_beyond_bps(), valid_from }
    }
}

impl TryFrom<RateFields> for Rate {
    type Error = TaxRateError;
    fn try_from(fields: RateFields) -> Result<Self, TaxRateError> {
        let RateFields { class, rate_bps, rate_ppm, valid_from } = fields;
        Ok(Self { class, rate: TaxRate::given(rate_bps, rate_ppm)?, valid_from })
    }
}

/// How the taxes of an order are rounded to the smallest unit of its currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// The tax of each line and of the shipping is rounded.
    #[default]
    Line,
    /// The tax of each rate is rounded, for everything taxed at it together (EN 16931, rule BR-CO-17). Lines and shipping get
    /// their parts of it by largest remainder, so that their sum is exact.
    Rate,
}

impl Rounding {
    /// Whether it is the default, which is not stored.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::Line
    }
}

/// A region with tax rates of its own, such as an island.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Region {
    /// The name.
    pub name: Name,
    /// Prefixes of its postal codes, at most three capital letters and digits each.
    #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
    pub areas: Bounded<Vec<PostalCode>, { AREAS_MAX }>,
    /// Its rates, in any order.
    pub rates: Bounded<Vec<Rate>, { RATES_MAX }>,
}

fn yes() -> bool {
    true
}

/// What happened to the tax book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The taxes of a country were set; this replaces the earlier ones.
    CountrySet(CountryTax),
    /// The taxes of a country were removed.
    CountryRemoved {
        /// The country.
        country: Country,
    },
    /// The rounding of taxes was set, for orders that are placed from now on.
    RoundingSet {
        /// How taxes are rounded.
        rounding: Rounding,
    },
}

impl crate::Event for Event {}

/// The commands of the tax book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set all countries; they replace the earlier ones.
    Set {
        /// The countries, each once.
        countries: Vec<CountryTax>,
        /// How taxes are rounded; if absent, this stays as it is.
        rounding: Option<Rounding>,
    },
}

/// The state of the tax book.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TaxBook {
    /// The taxes of each country.
    pub countries: BTreeMap<Country, CountryTax>,
    /// How taxes are rounded.
    pub rounding: Rounding,
}

/// The tax rate that applies to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The rate.
    pub rate: TaxRate,
    /// Whether the price includes it.
    pub included: bool,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        NoCode { at: usize, country: Country } => Invalid at "/countries/{at}/country":
            "`{country}` is not a country; use an ISO 3166 code such as DE";
        CountryTwice { at: usize, country: Country } => Invalid at "/countries/{at}/country":
            "the country {country} is listed twice";
        RateTwice { at: usize, valid_from: NaiveDate } => Invalid at "/countries/{at}/rates":
            "two rates of the same class start on {valid_from}";
        NoArea { at: usize } => Invalid at "/countries/{at}/regions":
            "an area must be a postal code prefix of at most {AREA_MAX} capital letters and digits";
        TooMany { at: usize } => Invalid at "/countries/{at}/rates":
            "a country has at most {RATES_MAX} rates and {REGIONS_MAX} regions of {RATES_MAX} rates and {AREAS_MAX} \
             areas";
    }
}

impl Decider for TaxBook {
    const CATEGORY: &'static str = "tax_book";
    const SINGLETON: bool = true;
    type Id = TaxBookId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Set { countries, rounding } => {
                let mut kept = BTreeSet::new();
                for (at, tax) in countries.iter().enumerate() {
                    check(at, tax)?;
                    if !kept.insert(&tax.country) {
                        return Err(Rejection::CountryTwice { at, country: tax.country.clone() });
                    }
                }
                let gone = self.countries.keys().filter(|known| !kept.contains(known));
                let gone = gone.map(|country| Event::CountryRemoved { country: country.clone() });
                let set = countries.iter().filter(|tax| self.countries.get(&tax.country) != Some(*tax));
                let rounding = rounding.filter(|rounding| *rounding != self.rounding);
                let rounded = rounding.map(|rounding| Event::RoundingSet { rounding });
                Ok(gone.chain(set.cloned().map(Event::CountrySet)).chain(rounded).collect())
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::CountrySet(tax) => drop(self.countries.insert(tax.country.clone(), tax.clone())),
            Event::CountryRemoved { country } => drop(self.countries.remove(country)),
            Event::RoundingSet { rounding } => self.rounding = *rounding,
        }
        self
    }
}

fn check(at: usize, tax: &CountryTax) -> Result<(), Rejection> {
    if !tax.country.is_code() {
        return Err(Rejection::NoCode { at, country: tax.country.clone() });
    }
    if tax.regions.len() > REGIONS_MAX || tax.regions.iter().any(|region| region.areas.len() > AREAS_MAX) {
        return Err(Rejection::TooMany { at });
    }
    if tax.regions.iter().any(|region| region.areas.is_empty() || !region.areas.iter().all(is_area)) {
        return Err(Rejection::NoArea { at });
    }
    for rates in tax.regions.iter().map(|region| &region.rates).chain([&tax.rates]) {
        if rates.len() > RATES_MAX {
            return Err(Rejection::TooMany { at });
        }
        let mut begun = BTreeSet::new();
        for rate in rates {
            if !begun.insert((rate.class, rate.valid_from)) {
                return Err(Rejection::RateTwice { at, valid_from: rate.valid_from });
            }
        }
    }
    Ok(())
}

impl TaxBook {
    /// The tax rate of a class of goods in a country, and in an area of it, if known; none if they are not taxed.
    pub fn applied(
        &self,
        country: &Country,
        area: Option<&PostalCode>,
        class: TaxClass,
        at: DateTime<Utc>,
    ) -> Option<Applied> {
        let tax = self.countries.get(country)?;
        let region = area.and_then(|area| tax.regions.iter().find(|region| holds(&region.areas, area)));
        let rates = region.map_or(&tax.rates, |region| &region.rates);
        let rate = rate(rates, class, at.date_naive())?;
        Some(Applied { rate, included: tax.prices_include_tax })
    }
}

/// Whether a text can be an area: the start of a postal code.
pub(crate) fn is_area(text: &PostalCode) -> bool {
    let text = text.as_str();
    text.len() <= AREA_MAX && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether an area is one of these, or within one of these.
pub(crate) fn holds(areas: &[PostalCode], area: &PostalCode) -> bool {
    areas.iter().any(|beginning| area.as_str().starts_with(beginning.as_str()))
}

/// The rate of a class on a day. In a country without this class, the next higher class applies.
fn rate(rates: &[Rate], class: TaxClass, day: NaiveDate) -> Option<TaxRate> {
    let own = rates.iter().filter(|rate| rate.class == class && rate.valid_from <= day);
    if let Some(rate) = own.max_by_key(|rate| rate.valid_from) {
        return Some(rate.rate);
    }
    match class {
        TaxClass::Zero => Some(TaxRate::ZERO),
        TaxClass::SuperReduced => rate(rates, TaxClass::Reduced, day),
        TaxClass::Reduced => rate(rates, TaxClass::Standard, day),
        TaxClass::Standard => None,
    }
}

#[cfg(test)]
mod tests;
