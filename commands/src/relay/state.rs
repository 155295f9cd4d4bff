//! The relay of a shop: its state, its position, and why a session ended.

use std::time::Duration;

use byteshop_eventstore::delivery::Lead;
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Backoff, Log, StoreError};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The time limit of one response of JetStream or Postgres. JetStream hangs with its connection up when its disk is
/// full.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The pause before the first new attempt, and the longest one, which a JetStream that is down for hours costs.
pub(super) const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// The pauses between attempts.
pub(super) const PAUSES: Backoff = Backoff::between(MIN_PAUSE, MAX_PAUSE);

/// How often a stopped relay checks whether an operator has repaired the stream.
const STOPPED_PAUSE: Duration = Duration::from_secs(3);

/// Where JetStream is and what the stream is called.
#[derive(Debug, Clone)]
pub struct NatsConfig {
    /// The URL, such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// The name of the stream.
    pub stream: String,
    /// The prefix of every subject.
    pub prefix: String,
}

impl NatsConfig {
    /// A server, with the names that a shop uses.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), stream: "BYTESHOP".into(), prefix: "byteshop".into() }
    }
}

/// The state of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayState {
    /// Another relay leads; this one takes over when it is gone.
    Standby,
    /// The relay holds the lease and publishes.
    Relaying,
    /// JetStream or Postgres is not there; it keeps trying.
    Waiting(String),
    /// JetStream holds events that the log does not have: an operator must act ([`history`](super::history)). The relay
    /// continues once the stream is deleted.
    Stopped(String),
}

/// The state and the position of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// The state.
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
pub(super) enum End {
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
    /// Converts an error of the store.
    pub(super) fn store(error: &StoreError) -> Self {
        if error.is_outage() { Self::Outage(error.to_string()) } else { Self::Trouble(error.to_string()) }
    }

    /// Postgres was silent.
    pub(super) fn no_answer() -> Self {
        Self::Outage("Postgres does not answer".into())
    }

    /// Trouble, with what was tried.
    pub(super) fn trouble(what: &'static str) -> impl Fn(Box<dyn std::error::Error + Send + Sync>) -> Self {
        move |error| Self::Trouble(format!("{what}: {error}"))
    }
}

/// The relay of a shop.
pub(super) struct Relay {
    pub(super) log: Log,
    pub(super) nats: NatsConfig,
    pub(super) feed: Option<Feed>,
    pub(super) cancel: CancellationToken,
    pub(super) status: watch::Sender<RelayStatus>,
    /// A position up to which everything was acknowledged, as far as this relay knows.
    pub(super) relayed: i64,
}

impl Relay {
    /// Records why nothing is published at the moment, and how long to wait. Each reason is logged once; an outage of
    /// Postgres is logged by the monitor of Postgres.
    pub(super) fn wait(&self, pauses: &mut Backoff, reason: &str, is_outage: bool) -> Duration {
        let is_known = matches!(&self.status.borrow().state, RelayState::Waiting(known) if known == reason);
        if is_known || is_outage {
            tracing::debug!(stream = self.nats.stream, reason, "the relay is still waiting");
        } else {
            tracing::warn!(stream = self.nats.stream, reason, "the relay is waiting");
        }
        self.say(RelayState::Waiting(reason.into()));
        pauses.pause()
    }

    /// Stops and logs an error: an operator must decide which of the two histories is right.
    pub(super) fn stop(&self, reason: String) -> Duration {
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

    /// Sets the state.
    pub(super) fn say(&self, state: RelayState) {
        self.status.send_if_modified(|status| {
            let next = RelayStatus { state, position: self.relayed };
            let changed = *status != next;
            *status = next;
            changed
        });
    }

    /// Notes how far JetStream has acknowledged.
    pub(super) fn acknowledged(&mut self, position: i64) {
        self.relayed = position;
        self.status.send_modify(|status| status.position = position);
    }
}

/// Whether the lead still stands; a Postgres that does not answer has perhaps given it away.
pub(super) async fn confirmed(lead: &mut Lead) -> bool {
    matches!(timeout(ANSWER_TIMEOUT, lead.confirm()).await, Ok(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay() -> (Relay, watch::Receiver<RelayStatus>) {
        let (status, seen) = RelayStatus::channel();
        let log = Log::open("postgres://127.0.0.1:1/none").unwrap();
        let nats = NatsConfig::new("nats://127.0.0.1:1");
        (Relay { log, nats, feed: None, cancel: CancellationToken::new(), status, relayed: 7 }, seen)
    }

    #[tokio::test]
    async fn the_status_says_where_the_relay_stands_and_why_it_waits() {
        let (mut relay, mut seen) = relay();
        let mut pauses = PAUSES;
        assert_eq!(relay.wait(&mut pauses, "away", false), MIN_PAUSE);
        assert_eq!(*seen.borrow_and_update(), RelayStatus { state: RelayState::Waiting("away".into()), position: 7 });
        assert_eq!(relay.wait(&mut pauses, "away", false), MIN_PAUSE * 2);
        assert!(!seen.has_changed().unwrap(), "the same status is not told again");
        relay.say(RelayState::Relaying);
        relay.acknowledged(9);
        assert_eq!(*seen.borrow_and_update(), RelayStatus { state: RelayState::Relaying, position: 9 });
        assert_eq!(relay.relayed, 9);
    }

    #[tokio::test]
    async fn a_stopped_relay_looks_again_after_a_while() {
        let (relay, seen) = relay();
        assert_eq!(relay.stop("another history".into()), STOPPED_PAUSE);
        assert_eq!(seen.borrow().state, RelayState::Stopped("another history".into()));
    }
}
