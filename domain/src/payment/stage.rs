//! Where a payment is in its life, and what that asks of the provider.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{FailureReason, Opened, ProviderReference, VoidReason};

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Stage {
    /// An attempt can be made.
    Open,
    /// The provider is being asked.
    Attempted,
    /// The provider does not know yet.
    Pending {
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
    /// There was no answer in time.
    Unresolved {
        /// When to ask.
        check_at: DateTime<Utc>,
    },
    /// The money is set aside for us.
    Authorized,
    /// The money is ours.
    Captured,
    /// The money is given back.
    Refunded,
    /// It failed for good.
    Failed {
        /// Why.
        reason: FailureReason,
    },
    /// The buyer left it; only older payments end so.
    Cancelled,
    /// Nothing is taken.
    Voided {
        /// Why.
        reason: VoidReason,
    },
}

/// What it takes to see to it that nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Nothing: nothing is kept.
    Nothing,
    /// [`Command::Void`](super::Command::Void) alone: the provider has nothing, or is not done.
    Void,
    /// [`Command::Delay`](super::Command::Delay) says that it is to be void, so that nobody takes it any more; then the provider voids, then
    /// [`Command::NoteReleased`](super::Command::NoteReleased).
    VoidAtProvider {
        /// The attempt.
        reference: ProviderReference,
    },
    /// [`Command::RequestRefund`](super::Command::RequestRefund) of all that is left.
    Refund,
}

impl Opened {
    /// What it takes to see to it that nothing is kept.
    pub fn undo(&self) -> Undo {
        let reference = self.attempt.as_ref().map(|attempt| attempt.reference.clone());
        match self.stage {
            Stage::Open | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Undo::Void,
            Stage::Authorized => reference.map_or(Undo::Void, |reference| Undo::VoidAtProvider { reference }),
            Stage::Captured => Undo::Refund,
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Undo::Nothing,
        }
    }

    /// Whether the provider is being asked, or does not know yet.
    pub fn in_flight(&self) -> bool {
        match self.stage {
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => true,
            Stage::Open
            | Stage::Authorized
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => false,
        }
    }
}
