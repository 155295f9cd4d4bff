//! Events as they are printed: as JSON, whole and unchanged, and as the parts of a line for people.

use byteshop_eventstore::envelope::to_hex;
use byteshop_eventstore::{Meta, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

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
