//! Charges of the ledger, compared with what PayPal says of each: PayPal has no list of captured payments.

use byteshop_commands::Commands;
use byteshop_domain::ids::OrderId;
use byteshop_domain::ledger::{Difference, Holding, differences};
use byteshop_domain::payment_provider::Provider;
use byteshop_projections::Views;
use byteshop_projections::ledger::{Charge, Charges};
use byteshop_projections::page::Ask;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::edge::problem::Problem;

/// Charges that PayPal is asked about at once: quick, and far below the rate at which it refuses.
const AT_ONCE: usize = 8;

/// Charges that were compared.
#[derive(Debug)]
pub struct Compared {
    /// Their number.
    pub charges: usize,
    /// Those that differ, by order.
    pub different: Vec<(OrderId, Difference)>,
    /// The cursor of the next page; none on the last one.
    pub next: Option<String>,
}

/// Why charges could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum NotCompared {
    /// PayPal did not answer, or the log.
    #[error(transparent)]
    Commands(#[from] byteshop_commands::Error),
    /// The ledger could not be read.
    #[error(transparent)]
    Views(#[from] byteshop_projections::Error),
}

impl From<NotCompared> for Problem {
    fn from(error: NotCompared) -> Self {
        match error {
            NotCompared::Commands(error) => error.into(),
            NotCompared::Views(error) => error.into(),
        }
    }
}

/// Compares a page of the charges at PayPal that moved in a time.
pub async fn compare(
    commands: &Commands,
    views: &Views,
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    ask: Ask,
) -> Result<Compared, NotCompared> {
    let query = Charges { from, until, beginning: Provider::Paypal.beginning(), ask };
    let page = views.ledger_charges(&query).await?;
    let next = page.next.clone();
    let rows = page.rows()?;
    let charges = rows.len();
    let compared = futures_util::stream::iter(rows).map(|charge| one(commands, charge)).buffered(AT_ONCE);
    let different: Vec<_> = compared.try_collect().await?;
    Ok(Compared { charges, different: different.into_iter().flatten().collect(), next })
}

async fn one(commands: &Commands, charge: Charge) -> Result<Option<(OrderId, Difference)>, NotCompared> {
    let Charge { order, reference, amount, fee } = charge;
    let theirs = commands.ask_for_charge(order).await?;
    let ours = Holding { reference, order: Some(order), amount, fee: Some(fee) };
    Ok(differences([ours], theirs).into_iter().next().map(|found| (order, found)))
}
