//! Where a JetStream stream stands against the log, found out from the stream itself and not from memory.

use std::time::Duration;

use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, LastRawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{Context, ErrorCode};
use byteshop_eventstore::Log;
use byteshop_eventstore::delivery::Delivery;
use chrono::{DateTime, SubsecRound as _, Utc};

use super::NatsConfig;
use super::message::{self, POSITION};
use super::state::{End, Relay};

/// The maximum size of the stream, largest first: a server refuses a size that its disk cannot hold.
const MAX_BYTES: [i64; 3] = [1 << 30, 1 << 28, 1 << 26];
/// Readers take what is older from Postgres.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);
/// How long JetStream remembers the ids of messages.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);
/// A new stream starts near the head of a log with more than this many events to relay: readers of older events use
/// Postgres, and nothing has to wait until they are copied.
pub const MAX_BACKLOG: i64 = 100_000;

/// Where the stream stands: its last sequence + base is the last position that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub base: i64,
    pub position: i64,
    pub created_at: DateTime<Utc>,
}

/// The last message of a stream, as far as it can be compared with the log.
struct Last {
    position: i64,
    id: String,
}

/// Finds or makes the stream, compares it with the log, and remembers the result in Postgres.
pub(super) async fn find(relay: &Relay, jetstream: &Context) -> Result<Standing, End> {
    let stream = match jetstream.get_stream(&relay.nats.stream).await {
        Ok(stream) => stream,
        Err(error) if is_missing(&error.kind()) => create(relay, jetstream).await?,
        Err(error) => return Err(End::Trouble(format!("cannot read the JetStream stream: {error}"))),
    };
    let info = stream.cached_info();
    check_config(info, &relay.nats).map_err(End::Stopped)?;
    let known = known(&relay.log, &relay.nats).await?;
    let last = last_message(&stream, info).await?;
    // Read after the stream's state, so that a relay that published meanwhile does not look like one from the future.
    let head = relay.log.head().await.map_err(|error| End::store(&error))?;
    let standing = match last {
        Some(last) => compare(&relay.log, info, &last, head).await?,
        None => trust(relay, jetstream, info, known.as_ref(), head).await?,
    };
    remember(relay, &standing, known.as_ref()).await?;
    Ok(standing)
}

fn is_missing(kind: &GetStreamErrorKind) -> bool {
    matches!(kind, GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// How far a stream has got that may hold another history: the last position that it was given, or why it cannot be gone
/// on from. Changes nothing, here or there; 0 when there is no stream.
pub(super) async fn look(log: &Log, nats: &NatsConfig, jetstream: &Context) -> Result<i64, End> {
    let stream = match jetstream.get_stream(&nats.stream).await {
        Ok(stream) => stream,
        Err(error) if is_missing(&error.kind()) => return Ok(0),
        Err(error) => return Err(End::Trouble(format!("cannot read the JetStream stream: {error}"))),
    };
    let info = stream.cached_info();
    // Another's stream is none of ours to judge.
    check_config(info, nats).map_err(End::Trouble)?;
    let known = known(log, nats).await?;
    let last = last_message(&stream, info).await?;
    let head = log.head().await.map_err(|error| End::store(&error))?;
    match last {
        Some(last) => Ok(compare(log, info, &last, head).await?.position),
        None => Ok(remembered(info, known.as_ref(), head)?.map_or(0, |standing| standing.position)),
    }
}

/// The stream's last message tells the base, if it is the log's own event.
async fn compare(log: &Log, info: &Info, last: &Last, head: i64) -> Result<Standing, End> {
    let sequence = signed(info.state.last_sequence);
    let base = last.position - sequence;
    if last.position > head {
        return Err(End::Stopped(format!("JetStream is at position {}, but the log ends at {head}", last.position)));
    }
    let event = log.event_at(last.position).await.map_err(|error| End::store(&error))?;
    let same = event.is_some_and(|event| event.id.to_string() == last.id);
    if !same || base < 0 {
        return Err(End::Stopped(format!(
            "JetStream's message {sequence} (position {}, id {}) is not the log's event there: it holds another history",
            last.position, last.id
        )));
    }
    Ok(Standing { base, position: last.position, created_at: moment(info) })
}

/// Accepts a stream without a last message if it is the one that Postgres remembers; otherwise recreates it.
async fn trust(
    relay: &Relay,
    jetstream: &Context,
    info: &Info,
    known: Option<&Delivery>,
    head: i64,
) -> Result<Standing, End> {
    if let Some(standing) = remembered(info, known, head)? {
        return Ok(standing);
    }
    if info.state.last_sequence > 0 {
        // It holds nothing and its numbers mean nothing to us, so nothing is lost with it.
        jetstream
            .delete_stream(&relay.nats.stream)
            .await
            .map_err(|error| End::Trouble(format!("JetStream did not delete an empty stream: {error}")))?;
        return Err(End::Trouble("an empty stream of unknown origin was deleted".into()));
    }
    let position = start(relay.relayed.max(known.map_or(0, |known| known.relayed)), head);
    Ok(Standing { base: position, position, created_at: moment(info) })
}

/// Where a stream without a last message stands, when it is the one that Postgres remembers.
fn remembered(info: &Info, known: Option<&Delivery>, head: i64) -> Result<Option<Standing>, End> {
    let (sequence, created_at) = (signed(info.state.last_sequence), moment(info));
    let Some(known) = known.filter(|known| known.created_at == created_at) else { return Ok(None) };
    let position = known.base + sequence;
    if position > head {
        return Err(End::Stopped(format!("JetStream is at position {position}, but the log ends at {head}")));
    }
    Ok(Some(Standing { base: known.base, position, created_at }))
}

/// The position that a new stream starts after: where the last one ended, unless that is too far behind or not in the log.
fn start(relayed: i64, head: i64) -> i64 {
    if relayed > head || head - relayed > MAX_BACKLOG { head } else { relayed }
}

async fn known(log: &Log, nats: &NatsConfig) -> Result<Option<Delivery>, End> {
    log.delivery(&nats.stream).await.map_err(|error| End::store(&error))
}

async fn remember(relay: &Relay, standing: &Standing, known: Option<&Delivery>) -> Result<(), End> {
    let delivery = standing.delivery(standing.position);
    if known == Some(&delivery) {
        return Ok(());
    }
    if known.is_some_and(|known| known.base != delivery.base || known.created_at != delivery.created_at) {
        tracing::warn!(stream = relay.nats.stream, base = delivery.base, "the JetStream stream was replaced");
    }
    relay.log.set_delivery(&relay.nats.stream, &delivery).await.map_err(|error| End::store(&error))
}

impl Standing {
    /// The state of the stream for Postgres.
    pub fn delivery(&self, relayed: i64) -> Delivery {
        Delivery { base: self.base, created_at: self.created_at, relayed }
    }
}

/// Makes the stream, smaller where the disk is small.
async fn create(relay: &Relay, jetstream: &Context) -> Result<Stream, End> {
    for max_bytes in MAX_BYTES {
        match jetstream.create_stream(config(relay, max_bytes)).await {
            Ok(_) => {
                tracing::info!(stream = relay.nats.stream, max_bytes, "created the JetStream stream");
                // Read back what there is now: servers ignore the options that they do not know.
                return jetstream
                    .get_stream(&relay.nats.stream)
                    .await
                    .map_err(|error| End::Trouble(format!("cannot read the new JetStream stream: {error}")));
            }
            Err(error) if is_too_large(&error.kind()) => {}
            Err(error) => return Err(End::Trouble(format!("JetStream did not create the stream: {error}"))),
        }
    }
    Err(End::Trouble("JetStream has no room for the stream".into()))
}

fn is_too_large(kind: &CreateStreamErrorKind) -> bool {
    matches!(kind, CreateStreamErrorKind::JetStream(error)
        if error.error_code() == ErrorCode::STORAGE_RESOURCES_EXCEEDED
            || error.error_code() == ErrorCode::INSUFFICIENT_RESOURCES)
}

fn config(relay: &Relay, max_bytes: i64) -> Config {
    Config {
        name: relay.nats.stream.clone(),
        subjects: vec![message::stored_subjects(&relay.nats.prefix)],
        storage: StorageType::File,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::Old,
        max_bytes,
        max_messages: -1,
        max_age: MAX_AGE,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        num_replicas: 1,
        ..Config::default()
    }
}

/// Checks the settings on which the numbering depends; an operator may choose the limits.
fn check_config(info: &Info, nats: &NatsConfig) -> Result<(), String> {
    let config = &info.config;
    let stored = message::stored_subjects(&nats.prefix);
    if !config.subjects.contains(&stored) {
        return Err(format!("the stream stores {:?} instead of {stored}", config.subjects));
    }
    if config.no_ack || config.discard != DiscardPolicy::Old {
        return Err("the stream must acknowledge, and discard old messages when it is full".into());
    }
    Ok(())
}

/// The last message, unless it was purged, expired or deleted.
async fn last_message(stream: &Stream, info: &Info) -> Result<Option<Last>, End> {
    if info.state.messages == 0 {
        return Ok(None);
    }
    match stream.get_raw_message(info.state.last_sequence).await {
        Ok(message) => {
            let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
            let position = header(POSITION).and_then(|position| position.parse().ok());
            match (position, header("Nats-Msg-Id")) {
                (Some(position), Some(id)) => Ok(Some(Last { position, id })),
                _ => Err(End::Stopped(format!("JetStream's message {} is not from a relay", message.sequence))),
            }
        }
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
        Err(error) => Err(End::Trouble(format!("cannot read the last message of JetStream: {error}"))),
    }
}

/// When the stream was created, to the microsecond, which is what Postgres keeps.
fn moment(info: &Info) -> DateTime<Utc> {
    info.created.trunc_subsecs(6)
}

/// A sequence as a position is counted; JetStream never gets near the end of either.
fn signed(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use byteshop_eventstore::StoreError;
    use serde_json::json;

    use super::*;

    fn nats() -> NatsConfig {
        NatsConfig::new("nats://127.0.0.1:4222")
    }

    fn info(last_sequence: u64, config: &serde_json::Value) -> Info {
        let mut stream = json!({"name": "BYTESHOP", "subjects": ["byteshop.>"], "retention": "limits", "storage": "file",
            "discard": "old", "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "max_age": 0, "num_replicas": 1});
        for (name, value) in config.as_object().into_iter().flatten() {
            stream[name] = value.clone();
        }
        let time = "2026-01-01T12:00:00.123456789Z";
        let state = json!({"messages": 0, "bytes": 0, "first_seq": 0, "first_ts": time, "last_seq": last_sequence,
            "last_ts": time, "consumer_count": 0});
        serde_json::from_value(json!({"config": stream, "created": time, "state": state})).unwrap()
    }

    fn known(base: i64) -> Delivery {
        let created_at = "2026-01-01T12:00:00.123456Z".parse().unwrap();
        Delivery { base, created_at, relayed: 70 }
    }

    #[test]
    fn an_empty_stream_is_continued_if_it_is_the_one_that_postgres_remembers() {
        let standing = remembered(&info(5, &json!({})), Some(&known(70)), 75).unwrap().unwrap();
        let Delivery { base, created_at, .. } = known(70);
        assert_eq!(standing, Standing { base, position: 75, created_at });
        assert_eq!(standing.delivery(71), Delivery { relayed: 71, ..known(70) });
        assert!(remembered(&info(5, &json!({})), None, 75).unwrap().is_none());
        let other = Delivery { created_at: DateTime::UNIX_EPOCH, ..known(70) };
        assert!(remembered(&info(5, &json!({})), Some(&other), 75).unwrap().is_none());
    }

    #[test]
    fn a_stream_that_was_given_more_than_the_log_has_stops_the_relay() {
        let ahead = remembered(&info(5, &json!({})), Some(&known(70)), 74);
        assert!(matches!(ahead, Err(End::Stopped(reason)) if reason.contains("75") && reason.contains("74")));
    }

    #[test]
    fn the_settings_that_the_numbering_needs_are_checked_and_limits_are_the_operators() {
        assert_eq!(check_config(&info(0, &json!({})), &nats()), Ok(()));
        assert_eq!(check_config(&info(0, &json!({"max_bytes": 1_000_000})), &nats()), Ok(()));
        for wrong in [json!({"subjects": ["other.>"]}), json!({"no_ack": true}), json!({"discard": "new"})] {
            assert!(check_config(&info(0, &wrong), &nats()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_outage_of_postgres_is_told_apart_from_its_errors() {
        assert!(matches!(End::no_answer(), End::Outage(_)));
        let unreadable = byteshop_domain::codec::CodecError::Newer { event_type: "paid".into(), schema: 2, known: 1 };
        let unreadable = StoreError::Unreadable { position: 7, source: unreadable };
        assert!(matches!(End::store(&unreadable), End::Trouble(_)));
    }

    #[test]
    fn a_new_stream_goes_on_where_the_last_one_ended() {
        assert_eq!(start(0, 0), 0);
        assert_eq!(start(0, MAX_BACKLOG), 0);
        assert_eq!(start(70, 90), 70);
        assert_eq!(start(2 * MAX_BACKLOG, 2 * MAX_BACKLOG + 1), 2 * MAX_BACKLOG);
    }

    #[test]
    fn a_new_stream_starts_near_the_head_of_a_long_log() {
        assert_eq!(start(0, MAX_BACKLOG + 1), MAX_BACKLOG + 1);
        // What was relayed once and is not in the log any more tells nothing.
        assert_eq!(start(91, 90), 90);
    }
}
