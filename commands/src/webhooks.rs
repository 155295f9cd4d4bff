//! Telling other programs what happens: every event that an endpoint wants, in order, signed, again until it is taken.
//!
//! One process leads. Each endpoint has a worker of its own, so that one that is slow or dead holds up nobody else; how far
//! it is lies beside the log (`log.webhook_cursor`) and moves with the delivery that moved it. An event may arrive twice,
//! with the same `webhook-id`, but never out of order, save when somebody asks for it again.
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
use tokio::time::Instant;
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
/// The least time between two looks at the log: others wait for what is told here longer than that.
const PACE: Duration = Duration::from_millis(20);
/// How often the lead is confirmed.
const CONFIRM: Duration = Duration::from_secs(1);

/// How often one that does not lead looks whether it may.
const STAND_BY: Duration = Duration::from_secs(1);

/// Bytes of a secret: as many as the hash has.
const SECRET: usize = 32;

/// A new secret of an endpoint, as it is shown to whoever is to check signatures.
///
/// # Errors
/// When there is no randomness.
pub fn new_secret() -> Result<Secret, Error> {
    use base64::Engine as _;
    let bytes = random::<SECRET>().map_err(StoreError::from)?;
    Ok(Secret(format!("{SECRET_PREFIX}{}", base64::engine::general_purpose::STANDARD.encode(bytes))))
}

/// Tells endpoints what happens until the token is cancelled. `hint` says that the log may have grown.
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
    let mut confirmed = Instant::now();
    loop {
        tokio::select! {
            () = hint.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        tokio::time::sleep(PACE).await;
        if office.known.is_empty() && confirmed.elapsed() < CONFIRM {
            // Nobody wants to hear anything: a look now and then finds out when that changes.
            continue;
        }
        let changed = read_on(&mut lead, &mut head).await?;
        confirmed = Instant::now();
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
    /// Gives every endpoint a worker that has none.
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

    /// Whether a worker failed: then all of them begin anew. A removed endpoint stays known, so that it gets no other.
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
