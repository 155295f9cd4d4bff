//! Asks PayPal now and then what webhooks that were lost would have told: disputes that changed, and money that went back.

use std::time::Duration;

use byteshop_eventstore::Trouble;
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::Commands;
use crate::engine::error::Error;

/// The name under which one process asks.
const NAME: &str = "paypal_poll";
/// How often PayPal is asked: disputes and reversals take days, and this only makes up for webhooks that are lost.
const EVERY: Duration = Duration::from_mins(10);
/// How far back disputes and events are read at first: a shop that was away for a weekend misses nothing.
const SINCE: TimeDelta = TimeDelta::days(7);
/// How far back they are read again: PayPal may list something a little after its time.
const AGAIN: TimeDelta = TimeDelta::hours(1);

/// Asks until the token is cancelled.
pub async fn poll(commands: Commands, cancel: CancellationToken) {
    if commands.connected().paypal.is_none() {
        return;
    }
    let work = async {
        let (mut trouble, mut since) = (Trouble::default(), None);
        loop {
            match lead(&commands, &mut since).await {
                Ok(()) => drop(trouble.is_over()),
                Err(error) if trouble.is_news(&error) && !error.is_outage() => {
                    tracing::warn!(%error, "PayPal could not be asked for what changed, retrying");
                }
                Err(_) => {}
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = cancel.cancelled() => {}
    }
}

/// Asks once, unless another process does so at this moment. `since` is the time from which not everything was followed.
async fn lead(commands: &Commands, since: &mut Option<DateTime<Utc>>) -> Result<(), Error> {
    let Some(lead) = commands.log().lead(NAME).await? else { return Ok(()) };
    let started = commands.clock().now();
    let from = since.unwrap_or(started - SINCE);
    let disputes = commands.follow_changed_disputes(from).await;
    let events = commands.follow_missed_events(from).await;
    lead.resign().await;
    if let (Ok(true), Ok(true)) = (&disputes, &events) {
        *since = Some(started - AGAIN);
    }
    disputes.and(events).map(drop)
}
