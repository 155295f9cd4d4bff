//! Delivery of events to webhook endpoints: every event that the filter matches, in order, signed, retried until
//! accepted.
//!
//! One process leads. Each endpoint has a worker of its own, so a slow or dead endpoint delays no other; its position
//! is stored beside the log (`log.webhook_cursor`) and moves in the transaction that records the delivery. An event may
//! arrive twice, with the same `webhook-id`, but never out of order, unless a redelivery is requested.
//!
//! Source: Standard Webhooks 1.0.

mod deliver;
mod payload;
mod worker;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::Reads;
use byteshop_domain::account::Secret;
use byteshop_domain::webhook_endpoint::WebhookEndpoint;
use byteshop_eventstore::{Recorded, StoreError, random};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Commands;
use crate::engine::error::Error;
use crate::follow::{Follower, Part, RANGE, follow};
use crate::ports::webhook::WebhookClient;

use deliver::SECRET_PREFIX;
pub use deliver::sign;
use worker::{NAME, News};

/// The longest a new event waits when no hint comes.
const TICK: Duration = Duration::from_millis(200);
/// The minimum time between two reads of the log; receivers take longer than that anyway.
const PACE: Duration = Duration::from_millis(20);
/// How often the log is looked at while there is no endpoint, which also confirms the lead.
const CONFIRM: Duration = Duration::from_secs(1);

/// Bytes of a secret: as many as the hash has.
const SECRET: usize = 32;

/// A new secret of an endpoint, in the form in which it is shown to the receiver.
///
/// # Errors
/// When there is no randomness.
pub fn new_secret() -> Result<Secret, Error> {
    use base64::Engine as _;
    let bytes = random::<SECRET>().map_err(StoreError::from)?;
    Ok(Secret(format!("{SECRET_PREFIX}{}", base64::engine::general_purpose::STANDARD.encode(bytes))))
}

/// Delivers events to endpoints until the token is cancelled. `hint` signals that the log may have grown.
pub async fn run(commands: Commands, client: WebhookClient, hint: Arc<Notify>, cancel: CancellationToken) {
    let source = Source { client, hint };
    tokio::select! {
        () = follow::<Office>(&commands, &source) => {}
        () = cancel.cancelled() => {}
    }
}

/// What an office needs.
struct Source {
    client: WebhookClient,
    hint: Arc<Notify>,
}

/// The workers of a leader; they end with it. It follows the endpoints and the end of the log; each worker reads its events itself.
struct Office {
    commands: Commands,
    client: WebhookClient,
    hint: Arc<Notify>,
    workers: JoinSet<()>,
    news: watch::Sender<News>,
    /// The endpoints that have a worker, or need none any more.
    known: BTreeSet<Uuid>,
    head: i64,
    looked: Instant,
    /// Whether the log went on behind the last part.
    is_behind: bool,
}

impl Follower for Office {
    const NAME: &'static str = NAME;
    const KIND: &'static str = "webhooks";
    const READS: &'static [Reads] = &[Reads::all::<WebhookEndpoint>()];
    const PACE: Duration = PACE;
    /// Each worker keeps its own position, and each look at the log confirms the lead.
    const FLUSH: Option<Duration> = None;
    type Source = Source;

    async fn resume(commands: &Commands, source: &Source) -> Result<Self, Error> {
        let head = commands.log().head().await?;
        let mut office = Self {
            commands: commands.clone(),
            client: source.client.clone(),
            hint: Arc::clone(&source.hint),
            workers: JoinSet::new(),
            news: watch::Sender::new(News { head, changes: 0 }),
            known: BTreeSet::new(),
            head,
            looked: Instant::now(),
            is_behind: false,
        };
        office.staff().await?;
        Ok(office)
    }

    fn position(&self) -> i64 {
        self.head
    }

    /// Always reads the log: only an event that Postgres holds may move an endpoint.
    async fn next(&mut self) -> Option<Vec<Arc<Recorded>>> {
        if self.is_behind {
            return None;
        }
        if self.known.is_empty() {
            // There is no endpoint: a periodic check notices when that changes.
            sleep_until(self.looked + CONFIRM).await;
        } else {
            let _ = timeout(TICK, self.hint.notified()).await;
        }
        self.looked = Instant::now();
        None
    }

    async fn take(&mut self, part: Part) -> Result<(), Error> {
        self.is_behind = part.upto >= self.head + RANGE;
        self.head = part.upto;
        let changed = !part.events.is_empty();
        if changed {
            self.staff().await?;
        }
        let head = self.head;
        self.news.send_modify(|news| {
            news.head = head;
            news.changes += u64::from(changed);
        });
        Ok(())
    }

    /// Whether a worker failed; then all of them are restarted. A removed endpoint stays in the list, so that it gets
    /// no new worker.
    fn must_resume(&mut self) -> bool {
        while let Some(ended) = self.workers.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a webhook worker failed; restarting all of them");
                return true;
            }
        }
        false
    }
}

impl Office {
    /// Starts a worker for every endpoint without one.
    async fn staff(&mut self) -> Result<(), Error> {
        for endpoint in self.commands.log().webhook_endpoints().await? {
            if self.known.insert(endpoint) {
                self.workers.spawn(worker::run(
                    self.commands.clone(),
                    self.client.clone(),
                    endpoint,
                    self.news.subscribe(),
                ));
            }
        }
        Ok(())
    }
}
