//! The daily comparison of the ledger with the books of a payment provider.
//!
//! ```text
//! (missing) ──compared──▶ day 1 ──compared──▶ day 2 …
//! ```
//!
//! There is one stream for each provider. A day is compared once, when it is over: the charges that moved since the comparison before it.
//! The state keeps the last days; the log has all of them.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, ReconciliationId};
use crate::ledger::Difference;
use crate::payment_provider::Provider;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x2e90_4b7a_63d1_4f58_b0c6_1d4f_8a27_95e3);
/// The differences that are recorded of a day: beyond, both books are of different shops.
pub const DIFFERENCES_MAX: usize = 100;
/// The days that the state keeps.
pub const DAYS_KEPT: usize = 31;

/// The stream of a provider.
pub fn id_of(provider: Provider) -> ReconciliationId {
    // UUID version 5 of the name (RFC 9562, section 5.5).
    ReconciliationId::from_uuid(Uuid::new_v5(&NAMESPACE, provider.as_str().as_bytes()))
}

/// The comparison of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LedgerComparison))]
pub struct Comparison {
    /// The provider.
    pub provider: Provider,
    /// The day, in UTC.
    pub day: NaiveDate,
    /// Charges that moved at or after this time were compared.
    pub from: DateTime<Utc>,
    /// Charges that moved before this time were compared.
    pub until: DateTime<Utc>,
    /// The number of charges that were compared.
    pub charges: u64,
    /// The number of charges that differ, after what the shop did not know was recorded.
    pub different: u64,
    /// The first 100 of them, by reference.
    pub differences: Vec<Difference>,
}

/// What happened to the comparisons of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A day was compared.
    Compared {
        /// What was found.
        #[serde(flatten)]
        comparison: Comparison,
    },
}

impl crate::Event for Event {}

/// The commands of the comparisons of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Record the comparison of a day.
    Record(Box<Comparison>),
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        NotOver => Conflict: "a day is compared when it is over";
    }
}

/// The comparisons of a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// The last days, the newest first.
    pub last: VecDeque<Comparison>,
}

impl Decider for Reconciliation {
    const CATEGORY: &'static str = "reconciliation";
    type Id = ReconciliationId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Result<Vec<Event>, Rejection> {
        let Command::Record(comparison) = command;
        // Another process was faster.
        if self.last.front().is_some_and(|it| it.day >= comparison.day) {
            return Ok(vec![]);
        }
        if comparison.until > asked.at {
            return Err(Rejection::NotOver);
        }
        let mut comparison = comparison.clone();
        comparison.differences.truncate(DIFFERENCES_MAX);
        Ok(vec![Event::Compared { comparison: *comparison }])
    }

    fn evolve(mut self, event: &Event) -> Self {
        let Event::Compared { comparison } = event;
        self.last.push_front(comparison.clone());
        self.last.truncate(DAYS_KEPT);
        self
    }
}

#[cfg(test)]
mod tests;
