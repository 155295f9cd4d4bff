//! Events as they are printed: as JSON, whole and unchanged, and as the parts of a line for people.

use byteshop_domain::ids;
use byteshop_eventstore::envelope::to_hex;
use byteshop_eventstore::{Meta, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

/// Characters of an id that tell it from the others when it is shortened: the random end of a UUIDv7.
const TAIL: usize = 6;

/// An event as JSON; `data` and `meta` are the stored texts, so that the leaf can be checked.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    position: i64,
    id: Uuid,
    stream: String,
    version: i64,
    #[serde(rename = "type")]
    event_type: String,
    schema: i16,
    recorded_at: DateTime<Utc>,
    data: &'a RawValue,
    meta: &'a RawValue,
    leaf: String,
}

impl<'a> Record<'a> {
    /// The event, whole.
    pub(super) fn of(event: &'a Recorded) -> Result<Self, serde_json::Error> {
        Ok(Self {
            position: event.position,
            id: event.id,
            stream: subject(event),
            version: event.version,
            event_type: what(event),
            schema: event.schema,
            recorded_at: event.recorded_at,
            data: serde_json::from_str(&event.data)?,
            meta: serde_json::from_str(&event.meta)?,
            leaf: to_hex(&event.leaf),
        })
    }
}

/// The id of what the event happened to.
pub(super) fn subject(event: &Recorded) -> String {
    byteshop_domain::id_of(&event.category, event.stream).unwrap_or_else(|| event.stream.to_string())
}

/// What happened, such as `order.placed`.
pub(super) fn what(event: &Recorded) -> String {
    format!("{}.{}", event.category, event.event_type)
}

/// Who did it; a log that this program cannot read is still shown.
pub(super) fn who(meta: Option<&Meta>) -> String {
    meta.map_or_else(|| "?".to_owned(), |meta| meta.actor.to_string())
}

/// Every id in a text by its prefix and its end, such as `ord_…x7k2m9`.
pub(super) fn with_short_ids(text: &str) -> String {
    let short = |word: &str| match ids::parse(word) {
        Ok((prefix, _)) => format!("{prefix}_…{}", &word[word.len() - TAIL..]),
        Err(_) => word.to_owned(),
    };
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (mut shortened, mut rest) = (String::with_capacity(text.len()), text);
    while !rest.is_empty() {
        let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        shortened.push_str(&short(&rest[..end]));
        let between = rest[end..].find(is_part).map_or(rest.len(), |next| end + next);
        shortened.push_str(&rest[end..between]);
        rest = &rest[between..];
    }
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shortened_wherever_they_stand() {
        let id = ids::format("ord", Uuid::from_u128(7));
        assert_eq!(with_short_ids(&id), "ord_…000007");
        assert_eq!(with_short_ids(&format!("é {id}, one_two {id}")), "é ord_…000007, one_two ord_…000007");
        assert_eq!(with_short_ids(""), "");
    }
}
