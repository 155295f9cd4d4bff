//! The relay: publishes the log to JetStream, in order and without a gap, so that sequence + base = position (I4).
//!
//! Postgres is the truth and JetStream only delivers: it may be deleted, purged, wiped or rolled back at any time. Each
//! connection is a `session`: it reads where the stream really stands (`standing`), and publishes from there until
//! anything at all goes wrong. Then the next session does the same. Nothing here is waited for by commands or views.

pub mod history;
pub mod message;
mod session;
mod standing;
mod state;

use std::time::Duration;

use byteshop_eventstore::delivery::{Lead, STAND_BY};
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Log, nats};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub use message::{partition, subject};
use state::{ANSWER_TIMEOUT, End, MIN_PAUSE, PAUSES, Relay, confirmed};
pub use state::{NatsConfig, RelayState, RelayStatus};

/// Runs until it is cancelled. Any number may run; one at a time publishes.
///
/// It publishes what this program has appended from its `feed`; what others have is read from Postgres, when they say so and
/// several times a second.
pub async fn run(
    log: Log,
    nats: NatsConfig,
    feed: Option<Feed>,
    cancel: CancellationToken,
    status: watch::Sender<RelayStatus>,
) {
    let mut relay = Relay { log, nats, feed, cancel: cancel.clone(), status, relayed: 0 };
    let name = format!("relay {}", relay.nats.stream);
    let mut pauses = PAUSES;
    while !cancel.is_cancelled() {
        let lead = tokio::select! {
            () = cancel.cancelled() => return,
            lead = timeout(ANSWER_TIMEOUT, relay.log.lead(&name)) => lead,
        };
        let wait = match lead {
            Ok(Ok(Some(lead))) => {
                pauses.reset();
                relay.lead(lead).await;
                MIN_PAUSE
            }
            Ok(Ok(None)) => {
                pauses.reset();
                relay.say(RelayState::Standby);
                STAND_BY
            }
            Ok(Err(error)) => relay.wait(&mut pauses, &format!("cannot request the lease: {error}"), error.is_outage()),
            Err(_) => relay.wait(&mut pauses, "Postgres does not answer", true),
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
        let mut pauses = PAUSES;
        loop {
            let before = self.relayed;
            let end = session::run(self, &mut lead).await;
            if self.relayed > before {
                pauses.reset();
            }
            let wait = match end {
                End::Cancelled => return lead.resign().await,
                End::LeadLost => return self.say(RelayState::Standby),
                End::Trouble(reason) => self.wait(&mut pauses, &reason, false),
                End::Outage(reason) => self.wait(&mut pauses, &reason, true),
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
