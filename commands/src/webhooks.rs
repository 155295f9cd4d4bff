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

use byteshop_domain::Decider as _;
use byteshop_domain::account::Secret;
use byteshop_domain::webhook_endpoint::WebhookEndpoint;
use byteshop_eventstore::delivery::Lead;
use byteshop_eventstore::read::read_ahead;
use byteshop_eventstore::{StoreError, Trouble, random};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Commands;
use crate::engine::error::Error;
use crate::ports::webhook::WebhookClient;

use deliver::SECRET_PREFIX;
pub use deliver::sign;
use worker::{NAME, News, RANGE, RETRY_PAUSE};

/// The longest a new event waits when no hint comes.
const TICK: Duration = Duration::from_millis(200);
/// The minimum time between two reads of the log; receivers take longer than that anyway.
const PACE: Duration = Duration::from_millis(20);
/// How often the lead is confirmed.
const CONFIRM: Duration = Duration::from_secs(1);

/// How often a stand-by process checks whether it can lead.
const STAND_BY: Duration = Duration::from_secs(1);

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
    let work = async {
        let mut trouble = Trouble::default();
        loop {
            let pause = match lead(&commands, &client, &hint).await {
                Ok(()) => {
                    trouble.is_over();
                    STAND_BY
                }
                Err(error) => {
                    if trouble.is_news(&error) && !error.is_outage() {
                        tracing::warn!(%error, "webhooks paused, retrying");
                    }
                    RETRY_PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = cancel.cancelled() => {}
    }
}

/// Leads for as long as nothing fails; returns at once when another one leads.
async fn lead(commands: &Commands, client: &WebhookClient, hint: &Notify) -> Result<(), Error> {
    let Some(mut lead) = commands.log().lead(NAME).await? else { return Ok(()) };
    let mut head = commands.log().head().await?;
    let (telling, news) = watch::channel(News { head, changes: 0 });
    let mut office = Office { commands, client, news, workers: JoinSet::new(), known: BTreeSet::new() };
    office.staff().await?;
    let mut looked = Instant::now();
    loop {
        if office.known.is_empty() {
            // There is no endpoint: a periodic check notices when that changes.
            sleep_until(looked + CONFIRM).await;
        } else {
            let _ = timeout(TICK, hint.notified()).await;
        }
        looked = Instant::now();
        let changed = read_on(&mut lead, &mut head).await?;
        if changed {
            office.staff().await?;
        }
        telling.send_modify(|news| {
            news.head = head;
            news.changes += u64::from(changed);
        });
        if office.has_lost_one() {
            return Ok(());
        }
        sleep_until(looked + PACE).await;
    }
}

/// Follows the log; true when an endpoint changed.
async fn read_on(lead: &mut Lead, head: &mut i64) -> Result<bool, Error> {
    let mut changed = false;
    loop {
        let ahead = read_ahead(lead.connection(), *head, RANGE, &[WebhookEndpoint::CATEGORY]).await?;
        let more = ahead.upto >= *head + RANGE;
        *head = ahead.upto;
        changed |= !ahead.events.is_empty();
        if !more {
            return Ok(changed);
        }
    }
}

/// The workers of a leader; they end with it.
struct Office<'a> {
    commands: &'a Commands,
    client: &'a WebhookClient,
    news: watch::Receiver<News>,
    workers: JoinSet<()>,
    /// The endpoints that have a worker, or need none any more.
    known: BTreeSet<Uuid>,
}

impl Office<'_> {
    /// Starts a worker for every endpoint without one.
    async fn staff(&mut self) -> Result<(), Error> {
        for endpoint in self.commands.log().webhook_endpoints().await? {
            if self.known.insert(endpoint) {
                self.workers.spawn(worker::run(
                    self.commands.clone(),
                    self.client.clone(),
                    endpoint,
                    self.news.clone(),
                ));
            }
        }
        Ok(())
    }

    /// Whether a worker failed; then all of them are restarted. A removed endpoint stays in the list, so that it gets
    /// no new worker.
    fn has_lost_one(&mut self) -> bool {
        while let Some(ended) = self.workers.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a webhook worker failed; restarting all of them");
                return true;
            }
        }
        false
    }
}
