//! The events of how a seller is paid.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::destination::{Destination, Means};
use super::schedule::Schedule;
use crate::Personal;
use crate::currency::Currency;

/// What happened to how a seller is paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An owner chose a destination; it replaces one that still waits.
    DestinationChosen {
        /// The destination, sealed with the key of the owner.
        destination: Personal<Destination>,
        /// How payouts reach it.
        means: Means,
        /// The time.
        at: DateTime<Utc>,
        /// From when on it is used.
        usable_from: DateTime<Utc>,
    },
    /// An owner cancelled the choice of a destination that was not used yet.
    ChoiceCancelled {},
    /// An owner decided when payouts are made without being asked for.
    Scheduled {
        /// When.
        schedule: Schedule,
        /// The next moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<DateTime<Utc>>,
    },
    /// The scheduled payouts were made.
    Ran {
        /// The next moment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<DateTime<Utc>>,
    },
    /// The seller has a balance in another currency.
    CurrencyNoted {
        /// The currency.
        currency: Currency,
    },
}

impl crate::Event for Event {}
