//! Folding typed events as the engine does, without a database.

use std::collections::BTreeMap;

use byteshop_domain::Decider;
use byteshop_domain::codec::{Encoded, encode};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::engine::View;
use crate::engine::declared::Declared;

/// 2026-01-01T12:00:00Z; the event at position n is recorded n seconds later.
pub(crate) fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).unwrap()
}

/// An event of the stream with this number.
pub(crate) fn event<A: Decider>(stream: u128, event: &A::Event) -> Recorded {
    let Encoded { event_type, schema, data } = encode(event).unwrap();
    Recorded { stream: Uuid::from_u128(stream), schema, ..recorded(A::CATEGORY, event_type, data) }
}

/// An event of a category, with what is stored of it.
pub(crate) fn recorded(category: &str, event_type: String, data: String) -> Recorded {
    Recorded {
        position: 0,
        id: Uuid::nil(),
        category: category.into(),
        stream: Uuid::nil(),
        version: 1,
        event_type,
        schema: 1,
        data,
        meta: "{}".into(),
        recorded_at: noon(),
        leaf: vec![],
    }
}

/// The same, known to have happened at another time.
pub(crate) fn occurred(event: Recorded, at: &str) -> Recorded {
    Recorded { meta: format!(r#"{{"occurred_at":"{at}"}}"#), ..event }
}

/// The rows after some events; each is written and read again on the way, as in the table.
pub(crate) fn rows<V: View>(events: Vec<Recorded>) -> BTreeMap<String, V::Row> {
    let mut rows: BTreeMap<String, V::Row> = BTreeMap::new();
    for (event, position) in events.into_iter().zip(1..) {
        let recorded_at = noon() + TimeDelta::seconds(position);
        let event = Recorded { position, recorded_at, ..event };
        if !Declared::of::<V>().concerns(&event) {
            continue;
        }
        let Some(fact) = V::read(&event).unwrap() else { continue };
        for key in V::keys(&fact, &event) {
            let row = rows.remove(&key);
            if let Some(row) = V::fold(row, &key, &fact, &event) {
                let text = serde_json::to_string(&row).unwrap();
                rows.insert(key, serde_json::from_str(&text).unwrap());
            }
        }
    }
    rows
}

/// A text of the domain, such as a title.
pub(crate) fn text<T: serde::de::DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(text.into()).unwrap()
}
