//! Which order has got which key of a pool? By numbers: no row has a key in it.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::OrderId;
use byteshop_domain::key_pool::{self, Event, KeyPool, KeyRange};
use byteshop_domain::licence::KeyNumber;
use byteshop_eventstore::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct AssignedKeys;

/// Consecutive keys of a batch that an order has got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The order.
    pub order: OrderId,
    /// The keys.
    pub keys: KeyRange,
}

impl Row {
    fn has(&self, key: KeyNumber) -> bool {
        let KeyRange { batch, first, count } = self.keys;
        batch == key.batch && (first..first + count).contains(&key.number)
    }
}

/// The key of the row of these keys: those of a batch are in the order of their numbers.
fn key_of(first: KeyNumber) -> String {
    let KeyNumber { variant, batch, number } = first;
    format!("{variant}/{batch:010}/{number:010}")
}

fn ranges(fact: &Event) -> &[KeyRange] {
    if let Event::Assigned { keys, .. } = fact { keys } else { &[] }
}

fn first_of(event: &Recorded, range: &KeyRange) -> KeyNumber {
    let variant = key_pool::variant(event.id_of::<KeyPool>());
    KeyNumber { variant, batch: range.batch, number: range.first }
}

impl View for AssignedKeys {
    const NAME: &'static str = "assigned_keys";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::only::<KeyPool>(&["assigned"])];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<KeyPool>().transpose()
    }

    fn keys(fact: &Event, event: &Recorded) -> Keys {
        ranges(fact).iter().map(|range| key_of(first_of(event, range))).collect()
    }

    fn fold(row: Option<Row>, key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let Event::Assigned { order, keys } = fact else { return row };
        let range = keys.iter().find(|range| key_of(first_of(event, range)) == *key);
        range.map(|range| Row { order: *order, keys: *range }).or(row)
    }
}

impl Views {
    /// The order that has got a key of a pool; none if it is not sold.
    pub async fn order_of_key(&self, key: KeyNumber) -> Result<Option<OrderId>, Error> {
        let text: Option<String> = sqlx::query_scalar(
            "select row::text from read.assigned_keys where key <= $1 and key >= $2 order by key desc limit 1",
        )
        .bind(key_of(key))
        .bind(key_of(KeyNumber { number: 0, ..key }))
        .fetch_optional(self.pool())
        .await?;
        let unread = |error: serde_json::Error| Error::Row {
            view: AssignedKeys::NAME,
            key: key_of(key),
            reason: error.to_string(),
        };
        let row = text.map(|text| serde_json::from_str::<Row>(&text)).transpose().map_err(unread)?;
        Ok(row.filter(|row| row.has(key)).map(|row| row.order))
    }
}
