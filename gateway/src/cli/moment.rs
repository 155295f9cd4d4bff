//! Moments on the command line: a time (RFC 3339), a day, how long ago, a position of the log, a version of a thing.

use byteshop_eventstore::Clock;
use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, TimeDelta, Utc};

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

/// The tolerated difference between the operator's clock and the log's.
const SKEW: TimeDelta = TimeDelta::minutes(1);

const TIMES: &str = "a time such as 2026-11-20T08:00:00Z, a day such as 2026-11-20, a month such as 2026-11, `today`, \
     `yesterday`, or an age such as 30m, 1h or 2d";

/// The first moment of a period: days, months and years begin at midnight (UTC).
pub fn from(text: &str) -> Result<DateTime<Utc>, String> {
    match period(text) {
        Some((first, _)) => Ok(midnight(first)),
        None => time(text).ok_or_else(|| format!("not {TIMES}")),
    }
}

/// The moment at which a period is over: a day, a month or a year includes its end.
pub fn until(text: &str) -> Result<DateTime<Utc>, String> {
    match period(text) {
        Some((_, after)) => Ok(after.map_or(DateTime::<Utc>::MAX_UTC, midnight)),
        None => time(text).ok_or_else(|| format!("not {TIMES}")),
    }
}

/// A position or a time; a day, a month or a year stands for its end.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(position) = text.parse::<i64>() {
        return if position >= 0 {
            Ok(Moment::Position(position))
        } else {
            Err("a position must not be negative".into())
        };
    }
    past(text)?.map(Moment::Time).ok_or_else(|| format!("neither a position of the log, nor {TIMES}"))
}

/// A time that has come; a day, a month or a year that has begun stands for its end.
fn past(text: &str) -> Result<Option<DateTime<Utc>>, String> {
    let (begins, ends) = match period(text) {
        Some((first, after)) => (Some(midnight(first)), after.map(midnight)),
        None => (time(text), time(text)),
    };
    if begins.is_some_and(|begins| begins > Clock.now() + SKEW) {
        return Err("this moment is in the future".to_owned());
    }
    Ok(ends)
}

/// A version (`v3`), a position or a time.
pub fn at(text: &str) -> Result<At, String> {
    match version(text) {
        Some(version) => Ok(At::Version(version)),
        None if text.parse::<i64>().is_ok() => moment(text).map(At::Moment),
        None => past(text)?
            .map(|time| At::Moment(Moment::Time(time)))
            .ok_or_else(|| format!("neither a version such as v3, a position of the log, nor {TIMES}")),
    }
}

/// A version (`3` or `v3`), or a time.
pub fn version_or_time(text: &str) -> Result<At, String> {
    let bare = text.parse::<i64>().ok().filter(|version| *version >= 0);
    if let Some(version) = bare.or_else(|| version(text)) {
        return Ok(At::Version(version));
    }
    let time = past(text)?.ok_or_else(|| format!("neither a version such as 3, nor {TIMES}"))?;
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
    // A bare 0 does not mean now.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ago = TimeDelta::from_std(humantime::parse_duration(text).ok()?).ok()?;
    Clock.now().checked_sub_signed(ago)
}

/// The first day of a period, and the first day after it: a day, a month, a year, `today` or `yesterday`.
fn period(text: &str) -> Option<(NaiveDate, Option<NaiveDate>)> {
    let today = Clock.now().date_naive();
    let of_day = |day: NaiveDate| (day, day.checked_add_days(Days::new(1)));
    match text {
        "today" => return Some(of_day(today)),
        "yesterday" => return today.checked_sub_days(Days::new(1)).map(of_day),
        _ => {}
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(of_day(day));
    }
    let is_digits = |part: &str, digits: usize| part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
    let (year, month) = text.split_once('-').map_or((text, None), |(year, month)| (year, Some(month)));
    if !is_digits(year, 4) || month.is_some_and(|month| !is_digits(month, 2)) {
        return None;
    }
    let first = NaiveDate::from_ymd_opt(year.parse().ok()?, month.map_or(Ok(1), str::parse).ok()?, 1)?;
    Some((first, first.checked_add_months(Months::new(if month.is_some() { 1 } else { 12 }))))
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_from_its_beginning_to_its_end() {
        assert_eq!(from("2026-11-20").unwrap().to_rfc3339(), "2026-11-20T00:00:00+00:00");
        assert_eq!(until("2026-11-20").unwrap().to_rfc3339(), "2026-11-21T00:00:00+00:00");
        assert_eq!(until("2026-11-20T08:00:00+01:00").unwrap().to_rfc3339(), "2026-11-20T07:00:00+00:00");
    }

    #[test]
    fn months_years_and_yesterday_are_understood() {
        assert_eq!(from("2026-11").unwrap().to_rfc3339(), "2026-11-01T00:00:00+00:00");
        assert_eq!(until("2026-12").unwrap().to_rfc3339(), "2027-01-01T00:00:00+00:00");
        assert_eq!(from("2026").unwrap().to_rfc3339(), "2026-01-01T00:00:00+00:00");
        assert_eq!(until("2026").unwrap().to_rfc3339(), "2027-01-01T00:00:00+00:00");
        assert_eq!(until("yesterday").unwrap(), from("today").unwrap());
        assert_eq!(from("today").unwrap() - from("yesterday").unwrap(), TimeDelta::days(1));
    }

    #[test]
    fn a_duration_is_meant_before_now() {
        for (text, minutes) in [("30m", 30), ("1h", 60), ("2d", 2_880), ("1h 30min", 90), ("1w", 10_080)] {
            let ago = Clock.now() - from(text).unwrap();
            assert!((0..5).contains(&(ago - TimeDelta::minutes(minutes)).num_seconds()), "{text}: {ago}");
        }
        assert!(matches!((at("2d"), moment("1h")), (Ok(At::Moment(Moment::Time(_))), Ok(Moment::Time(_)))));
        assert!(version_or_time("90s").is_ok());
    }

    #[test]
    fn what_is_yet_to_come_is_no_moment_and_a_bare_zero_is_no_age() {
        let this_month = Clock.now().format("%Y-%m").to_string();
        assert!(at(&this_month).is_ok() && at("today").is_ok(), "a period that has begun");
        for future in ["2999-01", "2999-01-01", "2999-01-01T00:00:00Z"] {
            let said = [at(future).unwrap_err(), moment(future).unwrap_err(), version_or_time(future).unwrap_err()];
            assert!(said.iter().all(|said| said.contains("in the future")), "{future}: {said:?}");
        }
        assert!(from("0").is_err() && until("0").is_err() && from("0s").is_ok());
    }

    #[test]
    fn versions_positions_and_times_are_told_apart() {
        assert_eq!(at("v3"), Ok(At::Version(3)));
        assert_eq!(at("3"), Ok(At::Moment(Moment::Position(3))));
        assert_eq!(version_or_time("3"), Ok(At::Version(3)));
        assert!(matches!(at("2024-11-20"), Ok(At::Moment(Moment::Time(_)))));
        for wrong in ["", "v", "v-1", "-1", "tomorrow", "2026-13", "2026-13-01", "1x", "h", "-1h", "999999999999y"] {
            assert!(at(wrong).is_err() && moment(wrong).is_err() && version_or_time(wrong).is_err(), "{wrong}");
        }
    }
}
