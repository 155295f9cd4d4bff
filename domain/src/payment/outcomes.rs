//! What a provider answers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::reasons::DeclineReason;

/// The provider's answer to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The refund is on its way.
    Done,
    /// The provider refused it.
    Refused,
    /// There was no answer in time.
    Unknown {
        /// When to ask again: under the same key, so that it is refunded only once.
        check_at: DateTime<Utc>,
    },
}

/// The provider's answer to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderOutcome {
    /// The amount is authorized.
    Authorized,
    /// The provider does not know yet.
    Pending {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// The attempt was declined; another one may succeed.
    Declined {
        /// The reason.
        reason: DeclineReason,
    },
    /// The buyer left the provider's page.
    Cancelled,
    /// The provider cannot continue the attempt.
    Failed,
    /// There was no answer in time: the attempt may have succeeded or not.
    Unknown {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// The provider has no record of the attempt.
    NotFound,
}
