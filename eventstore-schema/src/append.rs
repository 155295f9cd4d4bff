//! Appending: one call of `log.append` carries many independent appends and gives one outcome for each.

use std::borrow::Borrow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::envelope::{NewEvent, StreamId};
use crate::error::StoreError;
use crate::receipt::NewReceipt;

/// One all-or-nothing append: expected versions, events, and the receipt of the command.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// Streams, read or written, and the version that each must have; a stream is named once.
    pub expect: Vec<(StreamId, i64)>,
    /// The events, their versions following on what is expected of their stream.
    pub events: Vec<NewEvent>,
    /// The receipt, when the command came with a key.
    pub receipt: Option<NewReceipt>,
}

/// The outcome of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is durable, at these positions; none when it had no events.
    Accepted {
        /// The first and the last position.
        positions: Option<(i64, i64)>,
    },
    /// A stream has another version than expected: nothing was written.
    Conflict,
    /// A receipt with its key is there already: nothing was written.
    Duplicate,
}

/// Appends a batch in one transaction: one round trip, one lock, one flush.
///
/// Appends of a batch may build on each other in their order. A refused one takes those along that build on it, or
/// that rival it for the same version; the rest is committed.
///
/// # Errors
/// [`StoreError::Postgres`]: when `outcome_is_unknown()`, the caller settles each append with [`settle`].
pub async fn append(connection: &mut PgConnection, batch: &[impl Borrow<Append>]) -> Result<Vec<Outcome>, StoreError> {
    let arrays = Arrays::of(batch);
    let (before, duplicates, conflicts): (i64, Vec<i32>, Vec<i32>) = sqlx::query_as(
        "select before, duplicates, conflicts from log.append(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)",
    )
    .bind(&arrays.x_append)
    .bind(&arrays.x_category)
    .bind(&arrays.x_stream)
    .bind(&arrays.x_version)
    .bind(&arrays.e_append)
    .bind(&arrays.e_id)
    .bind(&arrays.e_category)
    .bind(&arrays.e_stream)
    .bind(&arrays.e_version)
    .bind(&arrays.e_type)
    .bind(&arrays.e_schema)
    .bind(&arrays.e_data)
    .bind(&arrays.e_meta)
    .bind(&arrays.e_correlation)
    .bind(&arrays.e_recorded_at)
    .bind(&arrays.e_leaf)
    .bind(&arrays.r_append)
    .bind(&arrays.r_who)
    .bind(&arrays.r_key)
    .bind(&arrays.r_fingerprint)
    .bind(&arrays.r_response)
    .bind(&arrays.r_recorded_at)
    .bind(&arrays.r_first)
    .bind(&arrays.r_last)
    .bind(&arrays.r_expires_at)
    .fetch_one(connection)
    .await?;
    Ok(outcomes(batch, before, &duplicates, &conflicts))
}

/// Where each append of a batch went: what was written follows on the last position before it, in order.
fn outcomes(batch: &[impl Borrow<Append>], before: i64, duplicates: &[i32], conflicts: &[i32]) -> Vec<Outcome> {
    let mut position = before;
    let outcome = |(index, append): (usize, &Append)| {
        let number = number(index + 1);
        if duplicates.contains(&number) {
            return Outcome::Duplicate;
        }
        if conflicts.contains(&number) {
            return Outcome::Conflict;
        }
        let first = position + 1;
        position += count(append.events.len());
        Outcome::Accepted { positions: (position >= first).then_some((first, position)) }
    };
    batch.iter().map(Borrow::borrow).enumerate().map(outcome).collect()
}

/// Looks up the outcome of an append whose connection was lost: `None` if it was not written.
///
/// An append with events is recognised by the id of its first one, an append without by its receipt.
pub async fn settle(connection: &mut PgConnection, append: &Append) -> Result<Option<Outcome>, StoreError> {
    if let Some(first) = append.events.first() {
        let position: Option<i64> = sqlx::query_scalar(
            "select position from log.event where category = $1 and stream = $2 and version = $3 and id = $4",
        )
        .bind(first.stream.category.as_ref())
        .bind(first.stream.id)
        .bind(first.version)
        .bind(first.id)
        .fetch_optional(connection)
        .await?;
        let added = count(append.events.len());
        return Ok(position.map(|first| Outcome::Accepted { positions: Some((first, first + added - 1)) }));
    }
    // Without events there is nothing that a second writing could do twice: the receipt refuses it.
    Ok(None)
}

/// The arguments of `log.append`, column by column.
#[derive(Default)]
struct Arrays<'a> {
    x_append: Vec<i32>,
    x_category: Vec<&'a str>,
    x_stream: Vec<Uuid>,
    x_version: Vec<i64>,
    e_append: Vec<i32>,
    e_id: Vec<Uuid>,
    e_category: Vec<&'a str>,
    e_stream: Vec<Uuid>,
    e_version: Vec<i64>,
    e_type: Vec<&'a str>,
    e_schema: Vec<i16>,
    e_data: Vec<&'a str>,
    e_meta: Vec<&'a str>,
    e_correlation: Vec<Uuid>,
    e_recorded_at: Vec<DateTime<Utc>>,
    e_leaf: Vec<Vec<u8>>,
    r_append: Vec<i32>,
    r_who: Vec<&'a str>,
    r_key: Vec<&'a str>,
    r_fingerprint: Vec<&'a [u8]>,
    r_response: Vec<&'a str>,
    r_recorded_at: Vec<DateTime<Utc>>,
    r_first: Vec<Option<i64>>,
    r_last: Vec<Option<i64>>,
    r_expires_at: Vec<Option<DateTime<Utc>>>,
}

impl<'a> Arrays<'a> {
    fn of(batch: &'a [impl Borrow<Append>]) -> Self {
        let mut arrays = Self::default();
        // Events that earlier appends of this batch add to a stream: the table does not have them yet.
        let mut pending: HashMap<&StreamId, i64> = HashMap::new();
        for (index, append) in batch.iter().map(Borrow::borrow).enumerate() {
            let number = number(index + 1);
            for (stream, version) in &append.expect {
                arrays.x_append.push(number);
                arrays.x_category.push(&stream.category);
                arrays.x_stream.push(stream.id);
                arrays.x_version.push(version - pending.get(stream).copied().unwrap_or(0));
            }
            for event in &append.events {
                arrays.push_event(number, event);
                *pending.entry(&event.stream).or_default() += 1;
            }
            if let Some(receipt) = &append.receipt {
                let last = count(arrays.e_id.len());
                let own = count(append.events.len());
                arrays.r_first.push((own > 0).then_some(last - own + 1));
                arrays.r_last.push((own > 0).then_some(last));
                arrays.r_append.push(number);
                arrays.r_who.push(&receipt.who);
                arrays.r_key.push(&receipt.key);
                arrays.r_fingerprint.push(&receipt.fingerprint);
                arrays.r_response.push(&receipt.response);
                arrays.r_recorded_at.push(receipt.recorded_at);
                arrays.r_expires_at.push(receipt.expires_at);
            }
        }
        arrays
    }

    fn push_event(&mut self, number: i32, event: &'a NewEvent) {
        self.e_append.push(number);
        self.e_id.push(event.id);
        self.e_category.push(&event.stream.category);
        self.e_stream.push(event.stream.id);
        self.e_version.push(event.version);
        self.e_type.push(&event.event_type);
        self.e_schema.push(event.schema);
        self.e_data.push(&event.data);
        self.e_meta.push(&event.meta);
        self.e_correlation.push(event.correlation);
        self.e_recorded_at.push(event.recorded_at);
        self.e_leaf.push(event.leaf().to_vec());
    }
}

/// A count that fits Postgres's bigint.
fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count that fits Postgres's int: batches are bounded far below.
fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(number: u128) -> StreamId {
        StreamId::named("bench", Uuid::from_u128(number))
    }

    fn append_to(number: u128, after: i64, events: usize) -> Append {
        let event = |version| NewEvent {
            id: Uuid::from_u128(number),
            stream: stream(number),
            version,
            event_type: "counted".into(),
            schema: 1,
            data: "{}".into(),
            meta: "{}".into(),
            correlation: Uuid::nil(),
            recorded_at: DateTime::UNIX_EPOCH,
        };
        let events = (after + 1..).take(events).map(event).collect();
        Append { expect: vec![(stream(number), after)], events, receipt: None }
    }

    fn with_receipt(append: Append) -> Append {
        let receipt = NewReceipt {
            who: "anna".into(),
            key: "1".into(),
            fingerprint: vec![],
            response: "{}".into(),
            recorded_at: DateTime::UNIX_EPOCH,
            expires_at: None,
        };
        Append { receipt: Some(receipt), ..append }
    }

    #[test]
    fn what_is_written_follows_on_the_last_position_and_what_is_refused_takes_none() {
        let batch =
            [append_to(1, 0, 2), append_to(2, 0, 1), append_to(3, 0, 1), append_to(4, 0, 0), append_to(5, 0, 3)];
        let accepted = |first, last| Outcome::Accepted { positions: Some((first, last)) };
        assert_eq!(
            outcomes(&batch, 10, &[2], &[3]),
            [
                accepted(11, 12),
                Outcome::Duplicate,
                Outcome::Conflict,
                Outcome::Accepted { positions: None },
                accepted(13, 15)
            ]
        );
    }

    #[test]
    fn appends_of_a_batch_may_build_on_each_other_so_the_table_is_asked_for_the_version_before_all_of_them() {
        let batch = [append_to(1, 4, 2), append_to(1, 6, 1), append_to(2, 0, 1), append_to(1, 7, 1)];
        let arrays = Arrays::of(&batch);
        assert_eq!((arrays.x_append, arrays.x_version), (vec![1, 2, 3, 4], vec![4, 4, 0, 4]));
        assert_eq!((arrays.e_append, arrays.e_version), (vec![1, 1, 2, 3, 4], vec![5, 6, 7, 1, 8]));
        assert_eq!(arrays.e_leaf.len(), 5);
    }

    #[test]
    fn a_receipt_names_the_events_of_its_own_append_by_their_place_in_the_batch() {
        let batch = [
            append_to(1, 0, 2),
            with_receipt(append_to(2, 0, 3)),
            with_receipt(append_to(3, 0, 0)),
            append_to(4, 0, 1),
        ];
        let arrays = Arrays::of(&batch);
        assert_eq!(arrays.r_append, [2, 3]);
        assert_eq!((arrays.r_first, arrays.r_last), (vec![Some(3), None], vec![Some(5), None]));
    }
}
