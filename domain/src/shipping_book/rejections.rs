//! What can be in the way of a change to the shipping book, its limits among it.

use crate::tax_book::{AREA_MAX, AREAS_MAX, COUNTRIES_MAX};
use crate::text::{Country, Slug};

/// Most zones of a shop: more than there are countries.
pub const ZONES_MAX: usize = 300;
/// Most services in a zone: what a person can choose from.
pub const SERVICES_MAX: usize = 20;
/// Most bands of a service, and most prices in a band.
pub const BANDS_MAX: usize = 50;
/// Longest delivery, in working days: slow freight around the world.
pub const DAYS_MAX: u16 = 180;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        ZoneTwice { at: usize } => Invalid at "/zones/{at}/zone": "two zones have the same name";
        NoCode { at: usize, country: Country } => Invalid at "/zones/{at}/countries":
            "`{country}` is not a country; use an ISO 3166 code such as DE";
        NoArea { at: usize } => Invalid at "/zones/{at}/areas":
            "an area must be a postal code prefix of the zone's countries, of at most {AREA_MAX} capital letters and digits";
        Overlap { at: usize, other: Slug } => Invalid at "/zones/{at}/countries": "this zone overlaps with {other}";
        ServiceTwice { at: usize, service: Slug } => Invalid at "/zones/{at}/services":
            "the service {service} is listed twice";
        NoService { at: usize, service: Slug } => Invalid at "/zones/{at}/services":
            "the service {service} needs 1 to {BANDS_MAX} bands of rising weight, one price per currency, and at \
             most {DAYS_MAX} days";
        TooMany => Invalid at "/zones":
            "a shop has at most {ZONES_MAX} zones, and a zone {COUNTRIES_MAX} countries, {AREAS_MAX} areas and \
             {SERVICES_MAX} services";
    }
}
