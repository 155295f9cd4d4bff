//! What can be in the way of a change to the shipping book.

use super::{BANDS_MAX, DAYS_MAX, SERVICES_MAX, ZONES_MAX};
use crate::decider::Kind;
use crate::tax_book::{AREA_MAX, AREAS_MAX, COUNTRIES_MAX};
use crate::text::{Country, Slug};

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// Two zones have one name.
    #[error("two zones have the same name")]
    ZoneTwice {
        /// The index of the second.
        at: usize,
    },
    /// A country is not named by its code.
    #[error("`{country}` is not a country; use an ISO 3166 code such as DE")]
    NoCode {
        /// The index of the zone.
        at: usize,
        /// What it is named.
        country: Country,
    },
    /// An area says more than a destination tells, or is of no country.
    #[error(
        "an area is the beginning of a postal code of the zone's countries: at most {AREA_MAX} capitals and digits"
    )]
    NoArea {
        /// The index of the zone.
        at: usize,
    },
    /// A destination would be in two zones.
    #[error("this zone overlaps with {other}")]
    Overlap {
        /// The index of the zone.
        at: usize,
        /// The other zone.
        other: Slug,
    },
    /// Two services of a zone have one name.
    #[error("the service {service} is listed twice")]
    ServiceTwice {
        /// The index of the zone.
        at: usize,
        /// The service.
        service: Slug,
    },
    /// A service is not one.
    #[error(
        "the service {service} needs 1 to {BANDS_MAX} bands of rising weight, one price per currency, and at most {DAYS_MAX} days"
    )]
    NoService {
        /// The index of the zone.
        at: usize,
        /// The service.
        service: Slug,
    },
    /// There are too many zones, or too many countries, areas or services in one.
    #[error(
        "a shop has at most {ZONES_MAX} zones, and a zone {COUNTRIES_MAX} countries, {AREAS_MAX} areas and {SERVICES_MAX} services"
    )]
    TooMany,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::ZoneTwice { .. } => "zone_twice",
            Self::NoCode { .. } => "no_code",
            Self::NoArea { .. } => "no_area",
            Self::Overlap { .. } => "overlap",
            Self::ServiceTwice { .. } => "service_twice",
            Self::NoService { .. } => "no_service",
            Self::TooMany => "too_many",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::ZoneTwice { .. }
            | Self::NoCode { .. }
            | Self::NoArea { .. }
            | Self::Overlap { .. }
            | Self::ServiceTwice { .. }
            | Self::NoService { .. }
            | Self::TooMany => Kind::Invalid,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::ZoneTwice { at } => Some(format!("/zones/{at}/zone")),
            Self::NoCode { at, .. } | Self::Overlap { at, .. } => Some(format!("/zones/{at}/countries")),
            Self::NoArea { at } => Some(format!("/zones/{at}/areas")),
            Self::ServiceTwice { at, .. } | Self::NoService { at, .. } => Some(format!("/zones/{at}/services")),
            Self::TooMany => Some("/zones".to_owned()),
        }
    }
}
