//! Events for tests that need no domain.

use std::sync::Arc;

use chrono::DateTime;
use uuid::Uuid;

use crate::Recorded;

/// An event at a position, with so many bytes of data.
pub(crate) fn recorded(position: i64, size: usize) -> Arc<Recorded> {
    Arc::new(Recorded {
        position,
        id: Uuid::nil(),
        category: "order".into(),
        stream: Uuid::nil(),
        version: position,
        event_type: "placed".into(),
        schema: 1,
        data: "x".repeat(size),
        meta: String::new(),
        recorded_at: DateTime::UNIX_EPOCH,
        leaf: vec![0; 32],
    })
}
