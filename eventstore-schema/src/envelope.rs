//! The envelope of an event: where it stands, what it is, who did it and why.

use std::borrow::Cow;

use byteshop_domain::codec::{self, CodecError};
use byteshop_domain::ids::Id as _;
use byteshop_domain::{Actor, Decider};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A stream: the history of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The aggregate's category, such as `order`.
    pub category: Cow<'static, str>,
    /// The aggregate's id, without its kind.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of one aggregate.
    pub fn of<A: Decider>(id: A::Id) -> Self {
        Self { category: Cow::Borrowed(A::CATEGORY), id: id.uuid() }
    }

    /// A stream by the name of its category.
    pub fn named(category: impl Into<String>, id: Uuid) -> Self {
        Self { category: Cow::Owned(category.into()), id }
    }
}

/// The actor and the cause: the same for every event of one command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// The actor.
    pub actor: Actor,
    /// The command, such as `order.cancel`.
    pub command: String,
    /// The request or process step that carried the command.
    pub request_id: Uuid,
    /// The first request of the chain of causes; equal to `request_id` at its start.
    pub correlation_id: Uuid,
    /// The position of the event that led to it, when an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<i64>,
    /// When it happened in the world, where that is not when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<DateTime<Utc>>,
    /// The W3C trace id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The client's id of the request from `X-Request-Id`; clients choose it, so two requests may have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<Uuid>,
}

/// An event that is to be appended: everything but its position.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The id of the event, a UUIDv7.
    pub id: Uuid,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// The version of the stream after the event, from 1.
    pub version: i64,
    /// The type, such as `placed`.
    pub event_type: String,
    /// The form of its data.
    pub schema: i16,
    /// The data, one JSON object as text.
    pub data: String,
    /// The meta data, one JSON object as text.
    pub meta: std::sync::Arc<str>,
    /// The first request of the chain of causes.
    pub correlation: Uuid,
    /// When it was recorded, to the microsecond.
    pub recorded_at: DateTime<Utc>,
}

impl NewEvent {
    /// The leaf hash of the event.
    pub fn leaf(&self) -> [u8; 32] {
        leaf(&Leaf {
            id: self.id,
            category: &self.stream.category,
            stream: self.stream.id,
            version: self.version,
            event_type: &self.event_type,
            schema: self.schema,
            recorded_at: self.recorded_at,
            meta: &self.meta,
            data: &self.data,
        })
    }

    /// The event as it stands in the log, once it was appended at a position.
    pub fn recorded(self, position: i64) -> Recorded {
        let leaf = self.leaf().to_vec();
        Recorded {
            position,
            id: self.id,
            category: self.stream.category.into_owned(),
            stream: self.stream.id,
            version: self.version,
            event_type: self.event_type,
            schema: self.schema,
            data: self.data,
            meta: self.meta.as_ref().to_owned(),
            recorded_at: self.recorded_at,
            leaf,
        }
    }
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The position in the log: 1, 2, 3 … without gaps.
    pub position: i64,
    /// The id of the event.
    pub id: Uuid,
    /// The category of its stream.
    pub category: String,
    /// The id of its stream.
    pub stream: Uuid,
    /// The version of the stream after the event, from 1.
    pub version: i64,
    /// The type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The form of its data.
    pub schema: i16,
    /// The data: the JSON text that the leaf covers.
    pub data: String,
    /// The meta data: the JSON text that the leaf covers.
    pub meta: String,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// The leaf hash, 32 bytes.
    #[serde(with = "hex")]
    pub leaf: Vec<u8>,
}

crate::from_row!(Recorded { position, id, category, stream, version, event_type = "type", schema, data, meta, recorded_at, leaf });

impl Recorded {
    /// The event, if it belongs to this aggregate's category.
    pub fn event<A: Decider>(&self) -> Option<Result<A::Event, CodecError>> {
        (self.category == A::CATEGORY).then(|| codec::decode(&self.event_type, self.schema, &self.data))
    }

    /// The id of its aggregate; the caller has looked at the category.
    pub fn id_of<A: Decider>(&self) -> A::Id {
        A::Id::from_uuid(self.stream)
    }

    /// The actor and the cause.
    pub fn meta(&self) -> Result<Meta, serde_json::Error> {
        serde_json::from_str(&self.meta)
    }

    /// When it happened in the world: what the meta says, or else when it was recorded.
    pub fn occurred_at(&self) -> DateTime<Utc> {
        #[derive(Deserialize)]
        struct When {
            #[serde(default)]
            occurred_at: Option<DateTime<Utc>>,
        }
        // Most events have none, and looking for the name is far cheaper than reading the JSON.
        if !self.meta.contains("\"occurred_at\"") {
            return self.recorded_at;
        }
        serde_json::from_str::<When>(&self.meta).ok().and_then(|when| when.occurred_at).unwrap_or(self.recorded_at)
    }

    /// The leaf hash of the content; it equals `leaf` unless the table was changed.
    pub fn computed_leaf(&self) -> [u8; 32] {
        leaf(&Leaf {
            id: self.id,
            category: &self.category,
            stream: self.stream,
            version: self.version,
            event_type: &self.event_type,
            schema: self.schema,
            recorded_at: self.recorded_at,
            meta: &self.meta,
            data: &self.data,
        })
    }
}

struct Leaf<'a> {
    id: Uuid,
    category: &'a str,
    stream: Uuid,
    version: i64,
    event_type: &'a str,
    schema: i16,
    recorded_at: DateTime<Utc>,
    meta: &'a str,
    data: &'a str,
}

/// SHA-256 over 0x00 (RFC 6962, section 2.1: the prefix of a leaf) and the fields in this order, integers big-endian,
/// texts preceded by their length in bytes as a u32:
/// id (16 bytes), category, stream (16), version (i64), type, schema (i16), recorded_at (i64, microseconds since 1970), meta, data.
fn leaf(fields: &Leaf<'_>) -> [u8; 32] {
    let mut hash = Sha256::new();
    let text = |text: &str, hash: &mut Sha256| {
        // A text of 4 GB cannot be stored: Postgres ends at 1 GB.
        hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(text.as_bytes());
    };
    hash.update([0]);
    hash.update(fields.id.as_bytes());
    text(fields.category, &mut hash);
    hash.update(fields.stream.as_bytes());
    hash.update(fields.version.to_be_bytes());
    text(fields.event_type, &mut hash);
    hash.update(fields.schema.to_be_bytes());
    hash.update(fields.recorded_at.timestamp_micros().to_be_bytes());
    text(fields.meta, &mut hash);
    text(fields.data, &mut hash);
    hash.finalize().into()
}

/// Bytes as lower-case hexadecimal text in JSON.
mod hex {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::to_hex(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::from_hex(&text).ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}

/// Writes bytes as lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads lower- or upper-case hexadecimal.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|letter| letter.to_digit(16)).collect();
    let digits = digits?;
    if digits.len() % 2 == 1 {
        return None;
    }
    digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proofs depend on the encoding, so the test contains a known hash.
    #[test]
    fn the_leaf_of_a_known_event_never_changes() {
        let event = NewEvent {
            id: Uuid::from_u128(1),
            stream: StreamId::named("order", Uuid::from_u128(2)),
            version: 3,
            event_type: "placed".into(),
            schema: 1,
            data: "{}".into(),
            meta: "{\"a\":1}".into(),
            correlation: Uuid::from_u128(4),
            recorded_at: DateTime::from_timestamp(1_767_268_800, 0).unwrap(),
        };
        let mut bytes = vec![0u8];
        bytes.extend(1u128.to_be_bytes());
        bytes.extend([0, 0, 0, 5]);
        bytes.extend(b"order");
        bytes.extend(2u128.to_be_bytes());
        bytes.extend(3i64.to_be_bytes());
        bytes.extend([0, 0, 0, 6]);
        bytes.extend(b"placed");
        bytes.extend([0, 1]);
        bytes.extend(1_767_268_800_000_000i64.to_be_bytes());
        bytes.extend([0, 0, 0, 7]);
        bytes.extend(b"{\"a\":1}");
        bytes.extend([0, 0, 0, 2]);
        bytes.extend(b"{}");
        assert_eq!(event.leaf(), <[u8; 32]>::from(Sha256::digest(&bytes)));
    }

    #[test]
    fn hexadecimal_is_read_back() {
        assert_eq!(from_hex(&to_hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(from_hex("abc"), None);
        assert_eq!(from_hex("zz"), None);
    }
}
