//! The commands of how a seller is paid.

use chrono::{DateTime, TimeDelta, Utc};

use super::destination::{Destination, Means};
use super::schedule::Schedule;
use crate::Personal;
use crate::currency::Currency;

/// The commands of how a seller is paid.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Choose a destination.
    Choose {
        /// The destination.
        destination: Personal<Destination>,
        /// How payouts reach it.
        means: Means,
        /// How long it waits until it is used.
        delay: TimeDelta,
    },
    /// Cancel the choice of a destination that is not used yet.
    CancelChoice {},
    /// Decide when payouts are made without being asked for.
    Schedule {
        /// When.
        schedule: Schedule,
    },
    /// Record that the scheduled payouts are made.
    Run {
        /// The moment at which they were due.
        due: DateTime<Utc>,
    },
    /// Record that the seller has a balance in a currency.
    NoteCurrency {
        /// The currency.
        currency: Currency,
    },
}
