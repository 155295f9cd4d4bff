//! Why the shipping book refuses a command, and its limits.

use crate::tax_book::{AREA_MAX, AREAS_MAX, COUNTRIES_MAX};
use crate::text::{Country, PostalCode, Slug};

/// The maximum number of zones: more than there are countries.
pub const ZONES_MAX: usize = 300;
/// The maximum number of services of a zone: as many as a person can choose from.
pub const SERVICES_MAX: usize = 20;
/// The maximum number of bands of a service, and of prices of a band.
pub const BANDS_MAX: usize = 50;
/// The longest delivery time in working days: slow freight around the world.
pub const DAYS_MAX: u16 = 180;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        ZoneTwice { at: usize } => Invalid at "/zones/{at}/zone": "two zones have the same name";
        NoCode { at: usize, country: Country } => Invalid at "/zones/{at}/countries":
            "`{country}` is not a country; use an ISO 3166 code such as DE";
        CountryTwice { at: usize, country: Country } => Invalid at "/zones/{at}/countries":
            "the country {country} is listed twice";
        AreaTwice { at: usize, area: PostalCode } => Invalid at "/zones/{at}/areas": "the area {area} is listed twice";
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
