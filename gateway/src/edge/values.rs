//! The values that parameters of a query can have, and what is said of others. Each is read with its query, so that all faults are told
//! at once.

use std::str::FromStr;

use byteshop_domain::openapi::{Described, KnownFormat};
use byteshop_projections::page::LIMIT_MAX;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use utoipa::PartialSchema as _;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};

use crate::edge::positions;
use crate::edge::version::{AT_TAKES, digits};

/// Last year that is written with four digits. Postgres has no times before 4713 BC, and a far year is a mistake.
const YEAR_MAX: i32 = 9_999;

/// The size of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(u32);

/// A time (RFC 3339).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub(crate) DateTime<Utc>);

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(pub(crate) NaiveDate);

/// A day, which begins at midnight (UTC), or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayOrTime(pub(crate) DateTime<Utc>);

/// A moment of the log: a time, or a position, whose value only the edge knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The time.
    Time(DateTime<Utc>),
    /// A position.
    Position,
}

impl Limit {
    /// So many items, if a page may have so many.
    pub(crate) fn new(limit: u32) -> Result<Self, String> {
        let fits = (1..=LIMIT_MAX).contains(&limit);
        fits.then_some(Self(limit)).ok_or_else(|| format!("must be an integer between 1 and {LIMIT_MAX}"))
    }

    /// How many items.
    pub(crate) fn get(self) -> u32 {
        self.0
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What is no number is not between them either.
        Self::new(text.parse().unwrap_or_default())
    }
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let time = DateTime::parse_from_rfc3339(text).map_err(|_| "must be a time such as 2026-01-31T12:00:00Z")?;
        of_our_era(time.to_utc()).map(Self)
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        of_our_era(text.parse().map_err(|_| "must be a date such as 2026-01-31")?).map(Self)
    }
}

impl FromStr for DayOrTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let moment = day.or_else(|_| DateTime::parse_from_rfc3339(text).map(|moment| moment.to_utc()));
        of_our_era(moment.map_err(|_| "must be a day such as 2026-11-20 or an RFC 3339 time")?).map(Self)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with(positions::PREFIX) || digits(text).is_some() {
            return Ok(Self::Position);
        }
        DateTime::parse_from_rfc3339(text).map(|time| Self::Time(time.to_utc())).map_err(|_| AT_TAKES.to_owned())
    }
}

/// Refuses years that are certainly a mistake.
fn of_our_era<T: Datelike>(moment: T) -> Result<T, String> {
    let far = !(1..=YEAR_MAX).contains(&moment.year());
    if far { Err(format!("must be in the years 1 to {YEAR_MAX}")) } else { Ok(moment) }
}

macro_rules! read_from_text {
    ($($of:ty)*) => {$(
        impl<'de> Deserialize<'de> for $of {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

read_from_text! { Limit Time Day DayOrTime Moment }

/// Gives types the schemas of values, which the document has wherever they are used.
macro_rules! values {
    ($($of:ty => $schema:expr;)+) => {$(
        impl byteshop_domain::openapi::ComposeSchema for $of {
            fn compose(_: Vec<byteshop_domain::openapi::Described>) -> byteshop_domain::openapi::Described {
                $schema
            }
        }

        impl utoipa::ToSchema for $of {
            fn name() -> std::borrow::Cow<'static, str> {
                byteshop_domain::openapi::name_of_value::<Self>()
            }
        }
    )+};
}

pub(crate) use values;

values! {
    Limit => page_size();
    Time => formatted(Type::String, KnownFormat::DateTime).into();
    Day => formatted(Type::String, KnownFormat::Date).into();
    DayOrTime => String::schema();
    Moment => String::schema();
}

fn formatted(kind: Type, format: KnownFormat) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).format(Some(SchemaFormat::KnownFormat(format)))
}

fn page_size() -> Described {
    formatted(Type::Integer, KnownFormat::Int32).minimum(Some(1)).maximum(Some(LIMIT_MAX)).into()
}

/// What is said of a parameter of the query.
pub(crate) fn said(parameter: &str, detail: &str) -> String {
    format!("{parameter}: {detail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_says_what_it_takes() {
        let limit = |text: &str| text.parse().map(Limit::get);
        assert_eq!((limit("1"), limit("100")), (Ok(1), Ok(100)));
        for text in ["0", "101", "-1", "1.5", "x", "", "99999999999"] {
            assert_eq!(limit(text), Err("must be an integer between 1 and 100".to_owned()), "{text}");
        }
        assert!("2026-01-31T12:00:00+02:00".parse::<Time>().is_ok() && "2026-01-31".parse::<Day>().is_ok());
        assert_eq!("2026-01-31".parse::<DayOrTime>().unwrap().0.to_rfc3339(), "2026-01-31T00:00:00+00:00");
        assert_eq!("yesterday".parse::<Time>().unwrap_err(), "must be a time such as 2026-01-31T12:00:00Z");
        assert_eq!("2026-02-30".parse::<Day>().unwrap_err(), "must be a date such as 2026-01-31");
        assert_eq!("0000-01-01".parse::<Day>().unwrap_err(), "must be in the years 1 to 9999");
        assert_eq!("+20000-01-01".parse::<DayOrTime>().unwrap_err(), "must be in the years 1 to 9999");
        assert!(matches!("7".parse(), Ok(Moment::Position)) && matches!("pos_x".parse(), Ok(Moment::Position)));
        assert_eq!("-1".parse::<Moment>().unwrap_err(), AT_TAKES);
    }
}
