//! Deleting receipts that have expired: one process leads and deletes a bounded number at a time.

use std::time::Duration;

use byteshop_eventstore::Trouble;
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;

use crate::Commands;
use crate::engine::error::Error;

/// The name under which one process leads.
const NAME: &str = "receipts";
/// Receipts deleted in one statement: some milliseconds of work.
const AT_ONCE: i64 = 1_000;
/// How often expired receipts are looked for: they may stay some minutes longer.
const EVERY: Duration = Duration::from_mins(5);
/// The pause between two statements, so that a backlog does not compete with commands.
const PAUSE: Duration = Duration::from_millis(50);
/// The pause after the store failed.
const RETRY_PAUSE: Duration = Duration::from_secs(30);

impl Commands {
    /// Deletes every receipt that has expired by now; gives how many there were.
    pub async fn delete_expired_receipts(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut deleted = 0;
        loop {
            let some = self.log().delete_expired_receipts(now, AT_ONCE).await?;
            deleted += some;
            if some < AT_ONCE.unsigned_abs() {
                return Ok(deleted);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Deletes expired receipts now and then until the token is cancelled.
pub async fn run(commands: Commands, cancel: CancellationToken) {
    let work = async {
        let mut trouble = Trouble::default();
        loop {
            let pause = match lead(&commands).await {
                Ok(()) => {
                    trouble.is_over();
                    EVERY
                }
                Err(error) => {
                    if trouble.is_news(&error) && !error.is_outage() {
                        tracing::warn!(%error, "expired receipts could not be deleted, retrying");
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

/// Deletes once, unless another process does so at this moment.
async fn lead(commands: &Commands) -> Result<(), Error> {
    let Some(lead) = commands.log().lead(NAME).await? else { return Ok(()) };
    let deleted = commands.delete_expired_receipts(commands.clock().now()).await?;
    if deleted > 0 {
        metrics::counter!("byteshop_receipts_expired_total").increment(deleted);
        tracing::debug!(deleted, "expired receipts were deleted");
    }
    lead.resign().await;
    Ok(())
}
