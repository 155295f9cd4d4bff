//! Carriers: who takes parcels to people, and the simulated one, which plays a story with each of them.
//!
//! The simulated carrier keeps no state: its number of a parcel says which story it plays and when it began, so it tells
//! the same after any crash, and to any process.

pub use byteshop_domain::parcels::Heard;
use byteshop_domain::shipment::News;
use byteshop_domain::text::{Name, Reason, Reference};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use uuid::Uuid;

use super::NoAnswer;

/// How long after a carrier was silent it is asked again.
pub const SILENCE: TimeDelta = TimeDelta::seconds(30);
/// How long after a parcel of a carrier that is not connected any more that carrier is looked for again.
pub const UNCONNECTED: TimeDelta = TimeDelta::hours(6);
/// How long each chapter of a simulated story takes: short enough to be watched.
const CHAPTER: TimeDelta = TimeDelta::seconds(2);

/// A carrier's report about a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The events so far, oldest first.
    pub news: Vec<Heard>,
    /// When there will be more; none when it is over.
    pub check_at: Option<DateTime<Utc>>,
}

/// A carrier that can be asked.
pub trait CarrierPort: Send + Sync {
    /// Registers a parcel under a new tracking number. `story` is for the simulated carrier.
    fn register<'a>(&'a self, story: Option<&'a Name>, id: Uuid) -> BoxFuture<'a, Result<Reference, NoAnswer>>;
    /// How far a parcel is.
    fn report<'a>(&'a self, tracking: &'a Reference, now: DateTime<Utc>) -> BoxFuture<'a, Result<Report, NoAnswer>>;
}

/// The simulated carrier.
#[derive(Debug, Clone, Copy, Default)]
pub struct SimulatedCarrier;

use News::{AttemptFailed, Delivered, InTransit, Lost, OutForDelivery, ReturningToSender};

/// The stories: their name, their letter in a tracking number, and what happens in each chapter.
const STORIES: [(&str, char, &[Option<News>]); 6] = [
    ("delivered", 'D', &[Some(InTransit), Some(OutForDelivery), Some(Delivered)]),
    (
        "attempt_failed",
        'F',
        &[Some(InTransit), Some(OutForDelivery), Some(AttemptFailed), Some(OutForDelivery), Some(Delivered)],
    ),
    ("returned", 'R', &[Some(InTransit), Some(OutForDelivery), Some(AttemptFailed), Some(ReturningToSender)]),
    ("lost", 'L', &[Some(InTransit), Some(Lost)]),
    ("found", 'W', &[Some(InTransit), Some(Lost), Some(Delivered)]),
    ("silent", 'S', &[None, None, Some(InTransit), Some(Delivered)]),
];

/// Whether the simulated carrier plays a story of this name.
pub fn is_story(name: &str) -> bool {
    STORIES.iter().any(|(known, _, _)| *known == name)
}

impl CarrierPort for SimulatedCarrier {
    fn register<'a>(&'a self, story: Option<&'a Name>, id: Uuid) -> BoxFuture<'a, Result<Reference, NoAnswer>> {
        let wanted = story.map_or("delivered", Name::as_str);
        let letter = STORIES.iter().find(|(known, _, _)| *known == wanted).map_or('D', |(_, letter, _)| *letter);
        // The first 48 bits of the id are the time in milliseconds (RFC 9562, section 5.7), the last ones are random.
        let bits = id.as_u128();
        let number = format!("SIM{letter}{:012X}{:04X}", bits >> 80, bits & 0xffff);
        ready(Reference::new(&number).map_err(|error| NoAnswer(error.to_string()))).boxed()
    }

    fn report<'a>(&'a self, tracking: &'a Reference, now: DateTime<Utc>) -> BoxFuture<'a, Result<Report, NoAnswer>> {
        ready(report(tracking.as_str(), now).ok_or_else(|| NoAnswer("it does not say a word".into()))).boxed()
    }
}

/// None while the carrier is silent.
fn report(tracking: &str, now: DateTime<Utc>) -> Option<Report> {
    let parsed = parse(tracking);
    // What it does not know it says nothing about, and will not.
    let Some((began, chapters)) = parsed else { return Some(Report { news: vec![], check_at: None }) };
    let mut news = Vec::new();
    let mut at = began;
    for chapter in chapters {
        at += CHAPTER;
        if at > now {
            let silent = chapter.is_none() && news.is_empty();
            return (!silent).then_some(Report { news, check_at: Some(at) });
        }
        if let Some(what) = chapter {
            let reason = (*what == AttemptFailed).then(|| Reason::new("the recipient was not at home").ok()).flatten();
            news.push(Heard { news: *what, at: Some(at), place: None, reason });
        }
    }
    Some(Report { news, check_at: None })
}

fn parse(tracking: &str) -> Option<(DateTime<Utc>, &'static [Option<News>])> {
    let rest = tracking.strip_prefix("SIM")?;
    let letter = rest.chars().next()?;
    let (_, _, chapters) = STORIES.iter().find(|(_, known, _)| *known == letter)?;
    let millis = i64::from_str_radix(rest.get(1..13)?, 16).ok()?;
    Some((DateTime::from_timestamp_millis(millis)?, chapters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_268_800 + seconds, 0).unwrap()
    }

    async fn told(story: &str, seconds: i64) -> Result<(Vec<News>, bool), NoAnswer> {
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_767_268_800, 0));
        let story = Name::new(story).unwrap();
        let tracking = SimulatedCarrier.register(Some(&story), id).await.unwrap();
        let report = SimulatedCarrier.report(&tracking, at(seconds)).await?;
        Ok((report.news.iter().map(|heard| heard.news).collect(), report.check_at.is_some()))
    }

    #[tokio::test]
    async fn a_story_is_told_chapter_by_chapter() {
        assert_eq!(told("delivered", 0).await, Ok((vec![], true)));
        assert_eq!(told("delivered", 3).await, Ok((vec![InTransit], true)));
        assert_eq!(told("delivered", 60).await, Ok((vec![InTransit, OutForDelivery, Delivered], false)));
        let (back, more) = told("returned", 60).await.unwrap();
        assert_eq!((back.last(), more), (Some(&ReturningToSender), false));
        assert_eq!(told("lost", 60).await, Ok((vec![InTransit, Lost], false)));
        assert_eq!(told("found", 5).await, Ok((vec![InTransit, Lost], true)));
        assert_eq!(told("found", 60).await, Ok((vec![InTransit, Lost, Delivered], false)));
    }

    #[tokio::test]
    async fn a_silent_carrier_says_something_in_the_end() {
        assert!(told("silent", 1).await.is_err());
        assert_eq!(told("silent", 60).await, Ok((vec![InTransit, Delivered], false)));
        let other = Reference::new("00340434161094042557").unwrap();
        let report = SimulatedCarrier.report(&other, at(0)).await.unwrap();
        assert_eq!(report, Report { news: vec![], check_at: None });
        assert!(is_story("lost") && !is_story("other"));
        assert_eq!(STORIES.map(|(name, _, _)| name), byteshop_domain::shipment::STORIES);
    }
}
