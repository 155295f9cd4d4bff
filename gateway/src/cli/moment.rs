//! Moments on the command line: a time (RFC 3339), a day, how long ago, a position of the log, a version of a thing.

use byteshop_eventstore::Clock;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

/// A moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After the event at this position.
    Position(i64),
    /// After everything that was recorded up to this time.
    Time(DateTime<Utc>),
}

/// A moment in the life of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At a moment of the log.
    Moment(Moment),
    /// At this version of it.
    Version(i64),
}

const TIMES: &str =
    "a time such as 2026-11-20T08:00:00Z, a day such as 2026-11-20, or how long ago such as 30m, 1h or 2d";

/// The first moment that is meant: a day begins at midnight (UTC).
pub fn since(text: &str) -> Result<DateTime<Utc>, String> {
    match day(text) {
        Some(day) => Ok(midnight(day)),
        None => time(text).ok_or_else(|| format!("not {TIMES}")),
    }
}

/// The moment before which all is meant: a day is meant to its end.
pub fn until(text: &str) -> Result<DateTime<Utc>, String> {
    match day(text) {
        Some(day) => Ok(end_of(day)),
        None => time(text).ok_or_else(|| format!("not {TIMES}")),
    }
}

/// A position or a time; a day stands for its end.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(position) = text.parse::<i64>() {
        return if position >= 0 { Ok(Moment::Position(position)) } else { Err("a position is not negative".into()) };
    }
    until(text).map(Moment::Time).map_err(|_| format!("neither a position of the log nor {TIMES}"))
}

/// A version (`v3`), a position or a time.
pub fn at(text: &str) -> Result<At, String> {
    match version(text) {
        Some(version) => Ok(At::Version(version)),
        None => moment(text)
            .map(At::Moment)
            .map_err(|_| format!("neither a version such as v3, a position of the log, nor {TIMES}")),
    }
}

/// A version (`3` or `v3`), or a time.
pub fn version_or_time(text: &str) -> Result<At, String> {
    let bare = text.parse::<i64>().ok().filter(|version| *version >= 0);
    if let Some(version) = bare.or_else(|| version(text)) {
        return Ok(At::Version(version));
    }
    let time = until(text).map_err(|_| format!("neither a version such as 3, nor {TIMES}"))?;
    Ok(At::Moment(Moment::Time(time)))
}

fn version(text: &str) -> Option<i64> {
    text.strip_prefix('v')?.parse().ok().filter(|version| *version >= 0)
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()).or_else(|| ago(text))
}

/// How long before now, such as `1h` or `2d 12h`.
fn ago(text: &str) -> Option<DateTime<Utc>> {
    let ago = TimeDelta::from_std(humantime::parse_duration(text).ok()?).ok()?;
    Clock.now().checked_sub_signed(ago)
}

fn day(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.checked_add_days(Days::new(1)).map_or(DateTime::<Utc>::MAX_UTC, midnight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_from_its_beginning_to_its_end() {
        assert_eq!(since("2026-11-20").unwrap().to_rfc3339(), "2026-11-20T00:00:00+00:00");
        assert_eq!(until("2026-11-20").unwrap().to_rfc3339(), "2026-11-21T00:00:00+00:00");
        assert_eq!(until("2026-11-20T08:00:00+01:00").unwrap().to_rfc3339(), "2026-11-20T07:00:00+00:00");
    }

    #[test]
    fn a_duration_is_meant_before_now() {
        for (text, minutes) in [("30m", 30), ("1h", 60), ("2d", 2_880), ("1h 30min", 90), ("1w", 10_080)] {
            let ago = Clock.now() - since(text).unwrap();
            assert!((0..5).contains(&(ago - TimeDelta::minutes(minutes)).num_seconds()), "{text}: {ago}");
        }
        assert!(matches!((at("2d"), moment("1h")), (Ok(At::Moment(Moment::Time(_))), Ok(Moment::Time(_)))));
        assert!(version_or_time("90s").is_ok());
    }

    #[test]
    fn versions_positions_and_times_are_told_apart() {
        assert_eq!(at("v3"), Ok(At::Version(3)));
        assert_eq!(at("3"), Ok(At::Moment(Moment::Position(3))));
        assert_eq!(version_or_time("3"), Ok(At::Version(3)));
        assert!(matches!(at("2026-11-20"), Ok(At::Moment(Moment::Time(_)))));
        for wrong in ["", "v", "v-1", "-1", "yesterday", "2026-13-01", "1x", "h", "-1h", "999999999999y"] {
            assert!(at(wrong).is_err() && moment(wrong).is_err() && version_or_time(wrong).is_err(), "{wrong}");
        }
    }
}
