//! The form of an event in JetStream: subject, headers and payload.

use std::fmt::Write as _;

use async_nats::{HeaderMap, header};
use bytes::Bytes;
use byteshop_eventstore::Recorded;
use uuid::Uuid;

/// How many partitions the streams of the log are spread over: room for as many workers in parallel.
pub const PARTITIONS: u64 = 16;
/// The header that carries the position of an event.
pub const POSITION: &str = "Byteshop-Position";

const POSITION_NAME: header::HeaderName = header::HeaderName::from_static(POSITION);

/// The partition of a stream: FNV-1a (64 bit) over the 16 bytes of its id, modulo [`PARTITIONS`]. It never changes.
pub fn partition(stream: Uuid) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = stream.as_bytes().iter().fold(OFFSET, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    hash % PARTITIONS
}

/// The subject of an event: `<prefix>.<partition>.<category>.<type>`.
pub fn subject(prefix: &str, event: &Recorded) -> String {
    format!("{prefix}.{}.{}.{}", partition(event.stream), event.category, event.event_type)
}

/// The subject on which appenders wake the relay and the readers. It is outside of the stream's subjects, so it is
/// never stored.
pub fn hint_subject(prefix: &str) -> String {
    format!("{prefix}-hint")
}

/// The subjects that the stream stores.
pub fn stored_subjects(prefix: &str) -> String {
    format!("{prefix}.>")
}

/// The headers of an event that is to follow on a sequence.
pub fn headers(event: &Recorded, last_sequence: i64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut id = Uuid::encode_buffer();
    headers.insert(header::NATS_MESSAGE_ID, &*event.id.as_hyphenated().encode_lower(&mut id));
    headers.insert(header::NATS_EXPECTED_LAST_SEQUENCE, decimal(last_sequence));
    headers.insert(POSITION_NAME, decimal(event.position));
    headers
}

/// The payload of an event: the JSON of [`Recorded`].
///
/// Empty if it is larger than the server accepts: the message keeps the numbering without gaps, and readers get the
/// event from Postgres.
pub fn payload(event: &Recorded, max_payload: usize) -> Result<Bytes, serde_json::Error> {
    /// The size of an event without its texts, so that the buffer is allocated once.
    const ENVELOPE: usize = 420;
    /// The server counts the headers too.
    const HEADERS: usize = 1_024;
    let mut buffer = Vec::with_capacity(ENVELOPE + (event.data.len() + event.meta.len()) * 5 / 4);
    serde_json::to_writer(&mut buffer, event)?;
    Ok(if buffer.len() + HEADERS > max_payload { Bytes::new() } else { Bytes::from(buffer) })
}

fn decimal(number: i64) -> String {
    let mut text = String::with_capacity(12);
    // Writing into a string cannot fail.
    let _ = write!(text, "{number}");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded;

    /// Workers own partitions, so the partition of a stream is a promise.
    #[test]
    fn the_partition_of_a_stream_never_changes() {
        assert_eq!(partition(Uuid::nil()), 5);
        assert_eq!(partition(Uuid::from_u128(1)), 2);
        assert_eq!(partition(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0042)), 10);
    }

    fn event() -> Recorded {
        Recorded { id: Uuid::from_u128(7), ..recorded(42) }
    }

    #[test]
    fn an_event_has_its_subject_and_hints_have_one_that_is_not_stored() {
        assert_eq!(subject("byteshop", &event()), "byteshop.5.order.placed");
        assert_eq!(stored_subjects("byteshop"), "byteshop.>");
        assert_eq!(hint_subject("byteshop"), "byteshop-hint");
    }

    #[test]
    fn the_headers_of_an_event_say_which_it_is_and_what_it_follows_on() {
        let headers = headers(&event(), 41);
        let value = |name: &str| headers.get(name).map(async_nats::HeaderValue::as_str);
        assert_eq!(value("Nats-Msg-Id"), Some("00000000-0000-0000-0000-000000000007"));
        assert_eq!(value("Nats-Expected-Last-Sequence"), Some("41"));
        assert_eq!(value(POSITION), Some("42"));
    }

    #[test]
    fn an_event_that_does_not_fit_beside_its_headers_is_sent_empty() {
        let whole = payload(&event(), usize::MAX).unwrap();
        assert_eq!(serde_json::from_slice::<Recorded>(&whole).unwrap(), event());
        let room = whole.len() + 1_024;
        assert_eq!(payload(&event(), room).unwrap(), whole);
        assert!(payload(&event(), room - 1).unwrap().is_empty());
    }
}
