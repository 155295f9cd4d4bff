//! Events as they are printed: as JSON, whole and unchanged, and as the parts of a line for people.

use byteshop_eventstore::envelope::to_hex;
use byteshop_eventstore::{Meta, Recorded};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::names::Names;

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
    /// The name of the account that acted, where personal data is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_name: Option<String>,
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
            actor_name: None,
        })
    }

    /// The same, with the name of who acted if it is known.
    pub(super) fn by(self, names: &Names) -> Self {
        if names.is_empty() {
            return self;
        }
        let meta: Option<Meta> = serde_json::from_str(self.meta.get()).ok();
        let actor_name = meta.and_then(|meta| names.of(&meta.actor).map(str::to_owned));
        Self { actor_name, ..self }
    }
}

/// The id of what the event happened to.
pub(super) fn subject(event: &Recorded) -> String {
    byteshop_domain::id_of(&event.category, event.stream).unwrap_or_else(|| event.stream.to_string())
}

/// The event type, such as `order.placed`.
pub(super) fn what(event: &Recorded) -> String {
    format!("{}.{}", event.category, event.event_type)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An event by an admin, with more data than a line takes.
    pub(in crate::cli::audit) fn event(position: i64) -> Recorded {
        let (request, text) = (Uuid::from_u128(2), "long ".repeat(60));
        let meta = serde_json::json!({
            "actor": {"kind": "admin", "id": "acc_00000000000000000000000001"}, "command": "order.cancel",
            "request_id": request, "correlation_id": request,
        });
        Recorded {
            position,
            id: Uuid::from_u128(3),
            category: "order".into(),
            stream: Uuid::from_u128(7),
            version: 1,
            event_type: "cancelled".into(),
            schema: 1,
            data: serde_json::json!({"reason": text, "comment": text, "place": text, "note": text}).to_string(),
            meta: meta.to_string(),
            recorded_at: "2026-01-31T12:00:00Z".parse().unwrap(),
            leaf: vec![0; 32],
        }
    }
}
