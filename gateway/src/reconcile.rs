//! Compares the ledger with the books of PayPal once a day, and records what was found.
//!
//! The charges that moved since the comparison before are asked for one by one. What differs is looked at: what PayPal did by itself, and no
//! webhook told, is recorded. What differs still is a difference of the day.

use std::time::Duration;

use byteshop_commands::use_cases::charges::record_comparison;
use byteshop_commands::{Commands, Intent};
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::reconciliation::{Comparison, Reconciliation, id_of};
use byteshop_eventstore::Trouble;
use byteshop_projections::ledger::Ledger;
use byteshop_projections::page::Ask;
use byteshop_projections::{View as _, Views};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::queries::reconciliation::{NotCompared, compare};

/// The name under which one process compares.
const NAME: &str = "paypal_reconciliation";
/// How often it is looked whether a day is over that was not compared.
const EVERY: Duration = Duration::from_mins(20);
/// How long the ledger may take to have all that happened before.
const PATIENCE: Duration = Duration::from_mins(1);
/// How far back the first comparison goes.
const FIRST: TimeDelta = TimeDelta::days(7);
/// Charges of a page.
const PAGE: u32 = 100;

/// Compares each day that is over until the token is cancelled.
pub async fn run(commands: Commands, views: Views, cancel: CancellationToken) {
    if commands.connected().paypal.is_none() {
        return;
    }
    let work = async {
        let mut trouble = Trouble::default();
        loop {
            let today = commands.clock().now().date_naive().and_time(NaiveTime::MIN).and_utc();
            match compare_until(&commands, &views, today).await {
                Ok(_) => drop(trouble.is_over()),
                Err(error) if trouble.is_news(&error) => {
                    tracing::warn!(%error, "the ledger could not be compared with PayPal, retrying");
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

/// Compares what moved since the last comparison and before a time, and records it for the day that ends then; none if that day is
/// recorded, or another process compares at this moment.
pub async fn compare_until(
    commands: &Commands,
    views: &Views,
    until: DateTime<Utc>,
) -> Result<Option<Comparison>, NotCompared> {
    let known = commands.get::<Reconciliation>(id_of(Provider::Paypal)).await?;
    let last = known.as_ref().and_then(|found| found.state.last.front());
    if last.is_some_and(|last| last.day >= day_before(until)) {
        return Ok(None);
    }
    let from = last.map_or(until - FIRST, |last| last.until);
    let head = commands.log().head().await.map_err(byteshop_commands::Error::from)?;
    if !views.wait(Ledger::NAME, head, PATIENCE).await? {
        return Ok(None);
    }
    let lead = commands.log().lead(NAME).await.map_err(byteshop_commands::Error::from)?;
    let Some(lead) = lead else { return Ok(None) };
    let compared = all(commands, views, (from, until)).await;
    lead.resign().await;
    compared.map(Some)
}

async fn all(
    commands: &Commands,
    views: &Views,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Comparison, NotCompared> {
    let intent = Intent::new(Provider::Paypal.actor(), "ledger.compare", commands.clock().new_id());
    let (mut charges, mut differences, mut cursor) = (0, Vec::new(), None);
    loop {
        let page = compare(commands, views, (from, until), Ask { limit: Some(PAGE), cursor, ..Ask::default() }).await?;
        charges += page.charges;
        for (order, found) in page.different {
            match commands.settle_charge(&intent, order).await {
                Ok(left) => differences.extend(left),
                // A dispute is open, or a refund under way, or the shop cannot record it: it is told as it is.
                Err(byteshop_commands::Error::NotYet(_) | byteshop_commands::Error::Rejected(_)) => {
                    differences.push(found);
                }
                Err(error) => return Err(error.into()),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    differences.sort_by(|one, other| one.reference.cmp(&other.reference));
    let (charges, different) = (count(charges), count(differences.len()));
    let day = day_before(until);
    let comparison = Comparison { provider: Provider::Paypal, day, from, until, charges, different, differences };
    if different > 0 {
        tracing::warn!(different, charges, %day, "the ledger differs from the books of PayPal");
    }
    let said = &comparison;
    let recorded = commands.run(&intent, |unit| async move {
        let mut reconciliation = unit.load::<Reconciliation>(id_of(Provider::Paypal)).await?;
        record_comparison(&unit, &mut reconciliation, said.clone())
    });
    recorded.await?;
    Ok(comparison)
}

/// The day that is over when a time comes.
fn day_before(until: DateTime<Utc>) -> NaiveDate {
    (until - TimeDelta::nanoseconds(1)).date_naive()
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
