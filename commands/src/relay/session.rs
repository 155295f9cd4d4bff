//! One connection of the relay: reads pages of the log and publishes them, many messages in flight.
//!
//! Every message names the sequence that it follows on, so an acknowledgement of one vouches for all before it, and only
//! some ask for it. When a message is refused all that follow are refused too, and the last of them says so.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, Event, Subject, Subscriber};
use byteshop_eventstore::delivery::Lead;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Recorded, nats};
use futures_util::{FutureExt as _, StreamExt as _};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::standing::{self, Standing};
use super::state::{ANSWER_TIMEOUT, End, Relay, confirmed};
use super::{RelayState, message};

/// Events that are taken from the feed at once.
const EVENTS: usize = 1_000;
/// Messages that may be on their way at once; measured to saturate one connection, and below every server's own limit.
const WINDOW: i64 = 1_000;
/// One in this many messages requests an acknowledgement, and so does the last of each page.
const ACK_EVERY: i64 = 250;
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The log is looked at this often when no hint comes.
const TICK: Duration = Duration::from_millis(200);
/// Two looks at the log are at least so far apart: what arrives meanwhile shares the second one. A look with its few
/// messages and their acknowledgement costs some 0.3 ms of CPU over all processes, so under load this bounds it to 3 %
/// of a core; an event after a pause does not wait.
const SPACING: Duration = Duration::from_millis(10);
/// How often the lead is confirmed, the metrics are set and the position is saved.
const HOUSEKEEPING: Duration = Duration::from_secs(1);
/// An idle stream is compared with what it should be this often.
const INSPECTION: Duration = Duration::from_secs(5);
/// A port with no listener (TCPMUX): a finished connection is redirected there instead of reconnecting.
const NOWHERE: &str = "nats://127.0.0.1:1";

/// The acknowledgement of a message by JetStream.
#[derive(Deserialize)]
struct Ack<'a> {
    #[serde(default)]
    seq: i64,
    #[serde(borrow, default)]
    error: Option<AckError<'a>>,
}

#[derive(Deserialize)]
struct AckError<'a> {
    #[serde(borrow, default)]
    description: std::borrow::Cow<'a, str>,
}

struct Session<'a> {
    relay: &'a mut Relay,
    lead: &'a mut Lead,
    client: Client,
    jetstream: async_nats::jetstream::Context,
    inbox: Subject,
    acks: Subscriber,
    hints: Subscriber,
    standing: Standing,
    /// The last position that was sent.
    sent: i64,
    /// The positions that an acknowledgement was asked for, in order.
    asked: VecDeque<i64>,
    /// The position that is stored in Postgres.
    saved: i64,
    housekept: Instant,
    inspected: Instant,
}

/// Connects, finds out where the stream stands, and publishes until something happens.
pub(super) async fn run(relay: &mut Relay, lead: &mut Lead) -> End {
    let lost = CancellationToken::new();
    let cancel = relay.cancel.clone();
    let client = tokio::select! {
        () = cancel.cancelled() => return End::Cancelled,
        client = connect(&relay.nats.url, lost.clone()) => match client {
            Ok(client) => client,
            Err(end) => return end,
        },
    };
    let end = tokio::select! {
        () = cancel.cancelled() => End::Cancelled,
        () = lost.cancelled() => End::Trouble("the connection to NATS was lost".into()),
        end = publish(relay, lead, client) => end,
    };
    // Whatever was in flight is forgotten here; the next session asks the stream what has arrived.
    end
}

/// Connects once. The connection is not renewed: what it still holds when it breaks was meant for the stream of that
/// moment, and must not reach a later one.
async fn connect(url: &str, lost: CancellationToken) -> Result<Client, End> {
    let options = nats::options(url)
        .name("byteshop relay")
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(Duration::from_secs(2))
        .max_reconnects(1)
        .ignore_discovered_servers()
        .event_callback(move |event| {
            let lost = lost.clone();
            async move {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    lost.cancel();
                }
            }
        });
    let connecting = async {
        let client = options.connect(url).await?;
        let nowhere: async_nats::ServerAddr = NOWHERE.parse()?;
        client.set_server_pool(nowhere).await?;
        Ok::<_, async_nats::Error>(client)
    };
    match timeout(ANSWER_TIMEOUT, connecting).await {
        Ok(client) => client.map_err(End::trouble("NATS cannot be reached")),
        Err(_) => Err(End::Trouble("NATS does not answer".into())),
    }
}

async fn publish(relay: &mut Relay, lead: &mut Lead, client: Client) -> End {
    let mut session = match Session::open(relay, lead, client).await {
        Ok(session) => session,
        Err(end) => return end,
    };
    let end = match session.relay_for_ever().await {
        Ok(()) => End::Cancelled,
        Err(end) => end,
    };
    session.save().await;
    end
}

impl<'a> Session<'a> {
    async fn open(relay: &'a mut Relay, lead: &'a mut Lead, client: Client) -> Result<Self, End> {
        let jetstream = ContextBuilder::new().timeout(ANSWER_TIMEOUT).build(client.clone());
        let standing = in_time(standing::find(relay, &jetstream)).await?;
        let inbox = Subject::from(client.new_inbox());
        let subscribe = async |subject: Subject| {
            client.subscribe(subject).await.map_err(|error| End::Trouble(format!("cannot subscribe to NATS: {error}")))
        };
        let acks = subscribe(inbox.clone()).await?;
        let hints = subscribe(message::hint_subject(&relay.nats.prefix).into()).await?;
        let now = Instant::now();
        relay.acknowledged(standing.position);
        relay.say(RelayState::Relaying);
        tracing::info!(
            stream = relay.nats.stream,
            base = standing.base,
            position = standing.position,
            "the relay is publishing"
        );
        Ok(Self {
            relay,
            lead,
            client,
            jetstream,
            inbox,
            acks,
            hints,
            standing,
            sent: standing.position,
            asked: VecDeque::new(),
            saved: standing.position,
            housekept: now,
            inspected: now,
        })
    }

    async fn relay_for_ever(&mut self) -> Result<(), End> {
        let mut next = None;
        loop {
            let looked = Instant::now();
            let page = match next.take() {
                Some(events) => events,
                None => self.page().await?,
            };
            let events = page.len();
            if events > 0 {
                self.publish(page).await?;
            }
            self.housekeep().await?;
            if events < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                self.wait_for_acks(0).await?;
                next = self.wait_for_events(looked).await;
            }
        }
    }

    async fn page(&self) -> Result<Vec<Arc<Recorded>>, End> {
        match timeout(ANSWER_TIMEOUT, self.relay.log.read_log(self.sent, PAGE)).await {
            Ok(Ok(page)) => Ok(page.into_iter().map(Arc::new).collect()),
            Ok(Err(error)) => Err(End::store(&error)),
            Err(_) => Err(End::no_answer()),
        }
    }

    async fn publish(&mut self, page: Vec<Arc<Recorded>>) -> Result<(), End> {
        let last = page.last().map_or(self.sent, |event| event.position);
        metrics::counter!("byteshop_relay_published_events_total").increment(page.len() as u64);
        for event in page {
            if event.position != self.sent + 1 {
                return Err(End::Trouble(format!("the log has no position {}", self.sent + 1)));
            }
            let payload = message::payload(&event, self.client.max_payload())
                .map_err(|error| End::Trouble(format!("position {} has no JSON: {error}", event.position)))?;
            let headers = message::headers(&event, self.sent - self.standing.base);
            let subject = message::subject(&self.relay.nats.prefix, &event);
            let ask = event.position == last || event.position % ACK_EVERY == 0;
            if ask {
                // Bounds what is in flight, too: room for what this acknowledgement will stand for.
                self.wait_for_acks(WINDOW - ACK_EVERY).await?;
                self.asked.push_back(event.position);
                let inbox = self.inbox.clone();
                self.send(self.client.publish_with_reply_and_headers(subject, inbox, headers, payload)).await?;
            } else {
                self.send(self.client.publish_with_headers(subject, headers, payload)).await?;
            }
            self.sent = event.position;
        }
        Ok(())
    }

    /// The queue of the connection is bounded, and stands still when the server does.
    async fn send(
        &self,
        sending: impl Future<Output = Result<(), async_nats::client::PublishError>>,
    ) -> Result<(), End> {
        // Nearly always ready at once, and then no timer is needed.
        let mut sending = std::pin::pin!(sending);
        let sent = match sending.as_mut().now_or_never() {
            Some(sent) => sent,
            None => timeout(ANSWER_TIMEOUT, sending)
                .await
                .map_err(|_| End::Trouble("NATS accepts no more messages".into()))?,
        };
        sent.map_err(|error| End::Trouble(format!("NATS did not accept a message: {error}")))
    }

    /// Waits until at most so many messages are not acknowledged.
    async fn wait_for_acks(&mut self, in_flight: i64) -> Result<(), End> {
        while self.sent - self.relay.relayed > in_flight {
            let Some(expected) = self.asked.pop_front() else { return Ok(()) };
            let message = match timeout(ANSWER_TIMEOUT, self.acks.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => return Err(End::Trouble("the connection to NATS was lost".into())),
                Err(_) => return Err(End::Trouble("JetStream does not acknowledge".into())),
            };
            if let Some(status) = message.status {
                return Err(End::Trouble(format!("JetStream does not accept messages: status {status}")));
            }
            let ack: Ack<'_> = serde_json::from_slice(&message.payload)
                .map_err(|error| End::Trouble(format!("JetStream sent an invalid acknowledgement: {error}")))?;
            if let Some(error) = ack.error {
                return Err(End::Trouble(format!("JetStream rejected a message: {}", error.description)));
            }
            if ack.seq + self.standing.base != expected {
                return Err(End::Trouble(format!("JetStream stored position {expected} as message {}", ack.seq)));
            }
            self.relay.acknowledged(expected);
        }
        Ok(())
    }

    /// Waits for events: gives those of this program, or nothing when Postgres is to be read.
    async fn wait_for_events(&mut self, looked: Instant) -> Option<Vec<Arc<Recorded>>> {
        let feed = self.relay.feed.as_ref();
        let own = async || match feed {
            Some(feed) => feed.recent(self.sent, EVENTS).await,
            None => std::future::pending().await,
        };
        let wake = async {
            tokio::select! {
                own = own() => own.is_some(),
                _ = self.hints.next() => false,
            }
        };
        let is_own = timeout(TICK, wake).await.unwrap_or_default();
        sleep_until(looked + SPACING).await;
        while self.hints.next().now_or_never().flatten().is_some() {}
        // More may have come meanwhile.
        if is_own { own().await } else { None }
    }

    async fn housekeep(&mut self) -> Result<(), End> {
        if self.housekept.elapsed() < HOUSEKEEPING {
            return Ok(());
        }
        self.housekept = Instant::now();
        if !confirmed(self.lead).await {
            return Err(End::LeadLost);
        }
        let head = match timeout(ANSWER_TIMEOUT, self.relay.log.head()).await {
            Ok(head) => head.map_err(|error| End::store(&error))?,
            Err(_) => return Err(End::no_answer()),
        };
        if head < self.relay.relayed {
            return Err(End::Trouble(format!("the log ends at {head}; it was longer before")));
        }
        if self.saved < self.relay.relayed {
            self.save().await;
        } else if self.inspected.elapsed() >= INSPECTION {
            self.inspected = Instant::now();
            self.inspect().await?;
        }
        Ok(())
    }

    /// Checks an idle stream from time to time, since nothing else would notice that it was deleted.
    async fn inspect(&mut self) -> Result<(), End> {
        self.wait_for_acks(0).await?;
        let found = in_time(standing::find(self.relay, &self.jetstream)).await?;
        let left = Standing { position: self.sent, ..self.standing };
        if found == left {
            return Ok(());
        }
        Err(End::Trouble("the stream was changed".into()))
    }

    /// Saves how far it is, for the day on which the stream is gone. Not urgent, so a failure only waits for the next time.
    async fn save(&mut self) {
        let relayed = self.relay.relayed;
        if self.saved == relayed {
            return;
        }
        let delivery = self.standing.delivery(relayed);
        if let Ok(Ok(())) =
            timeout(ANSWER_TIMEOUT, self.relay.log.set_delivery(&self.relay.nats.stream, &delivery)).await
        {
            self.saved = relayed;
        }
    }
}

/// Limits the time of every request to a server.
async fn in_time<T>(asking: impl Future<Output = Result<T, End>>) -> Result<T, End> {
    /// Several questions in a row.
    const QUESTIONS: u32 = 4;
    timeout(ANSWER_TIMEOUT * QUESTIONS, asking)
        .await
        .unwrap_or_else(|_| Err(End::Trouble("the server does not answer".into())))
}
