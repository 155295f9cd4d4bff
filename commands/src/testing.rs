//! Events for tests that need no domain.

use byteshop_eventstore::Recorded;
use chrono::DateTime;
use uuid::Uuid;

/// An event at a position: the first one of an order, with nothing in it.
pub(crate) fn recorded(position: i64) -> Recorded {
    Recorded {
        position,
        id: Uuid::nil(),
        category: "order".into(),
        stream: Uuid::nil(),
        version: 1,
        event_type: "placed".into(),
        schema: 1,
        data: "{}".into(),
        meta: "{}".into(),
        recorded_at: DateTime::UNIX_EPOCH,
        leaf: vec![0; 32],
    }
}
