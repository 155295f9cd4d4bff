//! The relay: publishes the log to JetStream, in order and without a gap, so that sequence + base = position (I4).
//!
//! Postgres is the truth and JetStream only delivers: it may be deleted, purged, wiped or rolled back at any time. Each
//! connection is a `session`: it reads where the stream really stands (`standing`), and publishes from there until
//! anything at all goes wrong. Then the next session does the same. Nothing here is waited for by commands or views.

pub mod history;
pub mod message;
mod session;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use byteshop_eventstore::delivery::Lead;
use byteshop_eventstore::{Log, StoreError, nats};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use message::{partition, subject};

/// What one answer of JetStream or Postgres may take. JetStream hangs with its connection up when its disk is full.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause before the first new attempt, and the longest one, which a JetStream that is down for hours costs.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// How often a relay that stands by tries to take over.
const STANDBY_PAUSE: Duration = Duration::from_secs(1);
/// How often a stopped relay looks whether an operator has repaired the stream.
const STOPPED_PAUSE: Duration = Duration::from_secs(3);

/// Where JetStream is and what the stream is called.
#[derive(Debug, Clone)]
pub struct NatsConfig {
    /// Such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// The name of the stream.
    pub stream: String,
    /// What every subject starts with.
    pub prefix: String,
}

impl NatsConfig {
    /// A server, with the names that a shop uses.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), stream: "BYTESHOP".into(), prefix: "byteshop".into() }
    }
}

/// What the relay is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayState {
    /// Another relay leads; this one takes over when it is gone.
    Standby,
    /// It leads and publishes.
    Relaying,
    /// JetStream or Postgres is not there; it keeps trying.
    Waiting(String),
    /// JetStream holds what the log does not: an operator has to look ([`history`]). It goes on when the stream is deleted.
    Stopped(String),
}

/// What the relay is doing, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// What it is doing.
    pub state: RelayState,
    /// The last position that JetStream has acknowledged to this relay.
    pub position: i64,
}

impl RelayStatus {
    /// A channel to watch a relay through.
    pub fn channel() -> (watch::Sender<Self>, watch::Receiver<Self>) {
        watch::channel(Self { state: RelayState::Standby, position: 0 })
    }
}

/// Why a session ended.
#[derive(Debug)]
enum End {
    /// The program stops.
    Cancelled,
    /// Another relay may lead now.
    LeadLost,
    /// Something did not answer or answered otherwise than expected; a fresh look will tell.
    Trouble(String),
    /// Postgres is away.
    Outage(String),
    /// The stream holds what the log does not.
    Stopped(String),
}

impl End {
    fn store(error: &StoreError) -> Self {
        if error.is_outage() { Self::Outage(error.to_string()) } else { Self::Trouble(error.to_string()) }
    }

    fn no_answer() -> Self {
        Self::Outage("Postgres does not answer".into())
    }

    fn trouble(what: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |error| Self::Trouble(format!("{what}: {error}"))
    }
}

/// One relay of a shop.
struct Relay {
    log: Log,
    nats: NatsConfig,
    hint: Arc<Notify>,
    cancel: CancellationToken,
    status: watch::Sender<RelayStatus>,
    /// A position up to which everything was acknowledged, as far as this relay knows.
    relayed: i64,
}

/// Runs until it is cancelled. Any number may run; one at a time publishes.
///
/// `hint` wakes it when something was appended; it looks by itself several times a second.
pub async fn run(
    log: Log,
    nats: NatsConfig,
    hint: Arc<Notify>,
    cancel: CancellationToken,
    status: watch::Sender<RelayStatus>,
) {
    let mut relay = Relay { log, nats, hint, cancel: cancel.clone(), status, relayed: 0 };
    let name = format!("relay {}", relay.nats.stream);
    let mut pause = MIN_PAUSE;
    while !cancel.is_cancelled() {
        let lead = tokio::select! {
            () = cancel.cancelled() => return,
            lead = timeout(ANSWER_TIMEOUT, relay.log.lead(&name)) => lead,
        };
        let wait = match lead {
            Ok(Ok(Some(lead))) => {
                pause = MIN_PAUSE;
                relay.lead(lead).await;
                MIN_PAUSE
            }
            Ok(Ok(None)) => {
                pause = MIN_PAUSE;
                relay.say(RelayState::Standby);
                STANDBY_PAUSE
            }
            Ok(Err(error)) => relay.wait(&mut pause, &format!("cannot ask for the lead: {error}"), error.is_outage()),
            Err(_) => relay.wait(&mut pause, "Postgres does not answer", true),
        };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = sleep(wait) => {}
        }
    }
}

impl Relay {
    /// Publishes, session after session, as long as it leads.
    async fn lead(&mut self, mut lead: Lead) {
        let mut pause = MIN_PAUSE;
        loop {
            let before = self.relayed;
            let end = session::run(self, &mut lead).await;
            if self.relayed > before {
                pause = MIN_PAUSE;
            }
            let wait = match end {
                End::Cancelled => return lead.resign().await,
                End::LeadLost => return self.say(RelayState::Standby),
                End::Trouble(reason) => self.wait(&mut pause, &reason, false),
                End::Outage(reason) => self.wait(&mut pause, &reason, true),
                End::Stopped(reason) => self.stop(reason),
            };
            tokio::select! {
                () = self.cancel.cancelled() => return lead.resign().await,
                () = sleep(wait) => {}
            }
            if !confirmed(&mut lead).await {
                return self.say(RelayState::Standby);
            }
        }
    }

    /// Says why nothing is published at the moment, and for how long not to try. Each reason is logged once; that Postgres
    /// is away is logged by whoever watches it.
    fn wait(&self, pause: &mut Duration, reason: &str, is_outage: bool) -> Duration {
        let is_known = matches!(&self.status.borrow().state, RelayState::Waiting(known) if known == reason);
        if is_known || is_outage {
            tracing::debug!(stream = self.nats.stream, reason, "the relay is still waiting");
        } else {
            tracing::warn!(stream = self.nats.stream, reason, "the relay is waiting");
        }
        self.say(RelayState::Waiting(reason.into()));
        let wait = *pause;
        *pause = (wait * 2).min(MAX_PAUSE);
        wait
    }

    /// Stops loudly: somebody has to decide which of the two histories is right.
    fn stop(&self, reason: String) -> Duration {
        if !matches!(&self.status.borrow().state, RelayState::Stopped(known) if *known == reason) {
            tracing::error!(
                stream = self.nats.stream,
                reason,
                "the relay has stopped: JetStream and the log disagree; if Postgres is right, `byteshop check --repair` deletes the JetStream stream"
            );
        }
        self.say(RelayState::Stopped(reason));
        STOPPED_PAUSE
    }

    fn say(&self, state: RelayState) {
        self.status.send_if_modified(|status| {
            let next = RelayStatus { state, position: self.relayed };
            let changed = *status != next;
            *status = next;
            changed
        });
    }

    /// Notes how far JetStream has acknowledged.
    fn acknowledged(&mut self, position: i64) {
        self.relayed = position;
        self.status.send_modify(|status| status.position = position);
    }
}

/// Whether the lead still stands; a Postgres that does not answer has perhaps given it away.
async fn confirmed(lead: &mut Lead) -> bool {
    matches!(timeout(ANSWER_TIMEOUT, lead.confirm()).await, Ok(Ok(())))
}

/// Wakes the relay of another process: something was appended. Best effort and bounded; the relay looks by itself too.
pub async fn hint(client: &async_nats::Client, prefix: &str) {
    let publish = client.publish(message::hint_subject(prefix), bytes::Bytes::new());
    // A full queue means that the connection is gone; then the relay finds the events by its own tick.
    let _ = timeout(Duration::from_millis(10), publish).await;
}

/// A connection for [`hint`], made in the background and renewed for ever.
///
/// # Errors
/// When the URL cannot be read.
pub async fn hint_client(url: &str) -> Result<async_nats::Client, async_nats::ConnectError> {
    nats::options(url).name("byteshop hints").retry_on_initial_connect().connect(url).await
}
