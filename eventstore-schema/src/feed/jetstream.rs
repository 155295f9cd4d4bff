//! One connection of a feed to JetStream: an ordered consumer without acknowledgements near the head of the log.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PushConsumer, push};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Info, LastRawMessageErrorKind, Stream};
use async_nats::{Client, Event, Message, Subscriber};
use chrono::SubsecRound as _;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::window::Shared;
use crate::{Log, Recorded, nats};

/// Where JetStream is and what the stream is called.
#[derive(Debug, Clone)]
pub struct TailConfig {
    /// The URL, such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// The name of the stream.
    pub stream: String,
    /// The prefix of every subject.
    pub prefix: String,
}

/// The time limit of one response.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// Several questions in a row.
const ATTACH_TIMEOUT: Duration = Duration::from_secs(8);
/// How often JetStream shows that it is alive when it has nothing to deliver, and how long it may be silent.
const HEARTBEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(3);
/// Messages that wait to be taken at most; what does not fit is lost here and read from Postgres.
const CAPACITY: usize = 8_192;
/// Messages that are handed on together at most.
const BATCH: usize = 500;

/// A batch delivered by JetStream.
pub(super) struct Delivered {
    /// The position of the last event.
    pub upto: i64,
    /// The events that the window did not have.
    pub events: Vec<Arc<Recorded>>,
}

/// Hands on what JetStream delivers until something is wrong, and says what.
pub(super) async fn follow(log: &Log, nats: &TailConfig, shared: &Shared, events: &mpsc::Sender<Delivered>) -> String {
    let lost = CancellationToken::new();
    let client = match timeout(ANSWER_TIMEOUT, connect(&nats.url, lost.clone())).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return format!("NATS cannot be reached: {error}"),
        Err(_) => return "NATS does not answer".into(),
    };
    let delivering = async {
        match timeout(ATTACH_TIMEOUT, attach(log, nats, shared, &client)).await {
            Ok(Ok(attached)) => attached.deliver(shared, events).await,
            Ok(Err(reason)) => reason,
            Err(_) => "JetStream does not answer".into(),
        }
    };
    tokio::select! {
        () = lost.cancelled() => "the connection to NATS was lost".into(),
        reason = delivering => reason,
    }
}

/// Connects once: after a lost connection the stream is checked again.
async fn connect(url: &str, lost: CancellationToken) -> Result<Client, async_nats::ConnectError> {
    nats::options(url)
        .name("byteshop feed")
        .connection_timeout(ANSWER_TIMEOUT)
        .ping_interval(Duration::from_secs(2))
        .subscription_capacity(CAPACITY)
        .max_reconnects(1)
        .event_callback(move |event| {
            let lost = lost.clone();
            async move {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    lost.cancel();
                }
            }
        })
        .connect(url)
        .await
}

/// A consumer of the stream.
struct Attached {
    messages: Subscriber,
    /// The position of the window, if the stream has nothing that follows it; otherwise its messages show that it delivers.
    current: Option<i64>,
}

/// Compares the stream with the log, and starts a consumer after the window.
async fn attach(log: &Log, nats: &TailConfig, shared: &Shared, client: &Client) -> Result<Attached, String> {
    let jetstream = ContextBuilder::new().timeout(ANSWER_TIMEOUT).build(client.clone());
    let stream = jetstream.get_stream(&nats.stream).await.map_err(|error| error.to_string())?;
    let (base, end) = base(log, nats, &stream).await?;
    let inbox = client.new_inbox();
    let messages = client.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
    let last = shared.window().last();
    let start_sequence = u64::try_from(last + 1 - base).unwrap_or(1).max(1);
    let config = push::Config {
        deliver_subject: inbox,
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
        ack_policy: AckPolicy::None,
        max_deliver: 1,
        idle_heartbeat: HEARTBEAT,
        memory_storage: true,
        num_replicas: 1,
        ..push::Config::default()
    };
    let _: PushConsumer = stream.create_consumer(config).await.map_err(|error| error.to_string())?;
    Ok(Attached { messages, current: (end == last).then_some(last) })
}

/// The difference between position and sequence, and the position at which the stream ends, if it ends in the log's own history.
async fn base(log: &Log, nats: &TailConfig, stream: &Stream) -> Result<(i64, i64), String> {
    let info = stream.cached_info();
    let sequence = i64::try_from(info.state.last_sequence).map_err(|error| error.to_string())?;
    if !info.config.subjects.contains(&format!("{}.>", nats.prefix)) {
        return Err(format!("the stream has other subjects: {:?}", info.config.subjects));
    }
    let Some(last) = last_message(stream, info).await? else {
        // It was purged or is new: only the relay knows what its numbers mean.
        let known = log.delivery(&nats.stream).await.map_err(|error| error.to_string())?;
        return known
            .filter(|known| known.created_at == info.created.trunc_subsecs(6))
            .map(|known| (known.base, known.base + sequence))
            .ok_or_else(|| "the relay does not know this stream yet".to_owned());
    };
    let header = |name: &str| last.headers.get(name).map_or("", |value| value.as_str());
    let (position, id) = (header("Byteshop-Position"), header("Nats-Msg-Id"));
    let position: i64 = position.parse().map_err(|_| format!("message {sequence} was not published by a relay"))?;
    let recorded = log.event_at(position).await.map_err(|error| error.to_string())?;
    if recorded.is_none_or(|recorded| recorded.id.to_string() != id) {
        return Err(format!("the stream ends at position {position} in another history"));
    }
    Ok((position - sequence, position))
}

/// The last message, unless there is none any more.
async fn last_message(stream: &Stream, info: &Info) -> Result<Option<StreamMessage>, String> {
    if info.state.messages == 0 {
        return Ok(None);
    }
    match stream.get_raw_message(info.state.last_sequence).await {
        Ok(message) => Ok(Some(message)),
        Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

impl Attached {
    /// Hands on what the consumer delivers until something is wrong, and says what.
    async fn deliver(mut self, shared: &Shared, events: &mpsc::Sender<Delivered>) -> String {
        if let Some(upto) = self.current
            && events.send(Delivered { upto, events: Vec::new() }).await.is_err()
        {
            return "the feed has ended".into();
        }
        loop {
            let Ok(message) = timeout(SILENCE, self.messages.next()).await else {
                return "JetStream is silent".into();
            };
            let mut next = message;
            let mut batch = Delivered { upto: 0, events: Vec::new() };
            let known = shared.window().last();
            loop {
                let Some(message) = next else { return "the subscription ended".into() };
                if let Err(error) = batch.add(&message, known) {
                    return format!("a message is not an event: {error}");
                }
                if batch.events.len() >= BATCH {
                    break;
                }
                match self.messages.next().now_or_never() {
                    Some(message) => next = message,
                    None => break,
                }
            }
            if batch.upto > 0 && events.send(batch).await.is_err() {
                return "the feed has ended".into();
            }
        }
    }
}

impl Delivered {
    /// Adds an event. One that this program knows already, as it knows its own, is not read again. A message about the consumer
    /// itself adds nothing; an event that is too large for NATS comes empty, which is an error like any other: Postgres has it.
    fn add(&mut self, message: &Message, known: i64) -> Result<(), serde_json::Error> {
        if message.status.is_some() {
            return Ok(());
        }
        let position = message.headers.as_ref().and_then(|headers| headers.get("Byteshop-Position"));
        let position = position.and_then(|position| position.as_str().parse().ok());
        if let Some(position) = position.filter(|position| *position <= known) {
            self.upto = position;
            return Ok(());
        }
        let event: Recorded = serde_json::from_slice(&message.payload)?;
        self.upto = event.position;
        self.events.push(Arc::new(event));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use async_nats::{HeaderMap, StatusCode};

    use super::*;
    use crate::testing::recorded;

    fn message(position: i64, payload: Vec<u8>) -> Message {
        let mut headers = HeaderMap::new();
        headers.insert("Byteshop-Position", position.to_string());
        let subject = "byteshop.5.order.placed".into();
        Message {
            subject,
            reply: None,
            payload: payload.into(),
            headers: Some(headers),
            status: None,
            description: None,
            length: 0,
        }
    }

    fn event(position: i64) -> Message {
        message(position, serde_json::to_vec(&*recorded(position, 1)).unwrap())
    }

    #[test]
    fn an_event_is_taken_from_its_message_unless_the_program_knows_it() {
        let mut batch = Delivered { upto: 0, events: Vec::new() };
        batch.add(&message(7, b"is not read".to_vec()), 7).unwrap();
        assert_eq!((batch.upto, batch.events.len()), (7, 0));
        batch.add(&event(8), 7).unwrap();
        batch.add(&event(9), 7).unwrap();
        assert_eq!((batch.upto, batch.events), (9, vec![recorded(8, 1), recorded(9, 1)]));
    }

    #[test]
    fn a_message_about_the_consumer_adds_nothing_and_one_without_an_event_is_an_error() {
        let mut batch = Delivered { upto: 0, events: Vec::new() };
        let heartbeat = Message { status: Some(StatusCode::IDLE_HEARTBEAT), ..message(8, Vec::new()) };
        batch.add(&heartbeat, 7).unwrap();
        assert!(batch.add(&message(8, Vec::new()), 7).is_err());
        assert_eq!((batch.upto, batch.events.len()), (0, 0));
    }
}
