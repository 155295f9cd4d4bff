//! Where a payment is in its life, and what that asks of the provider.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{FailureReason, Opened, ProviderReference, VoidReason};

/// What is to become of an authorized amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "authorization", rename_all = "snake_case")]
pub enum Authorization {
    /// It waits until staff, or the first parcel that is handed over, requests its capture.
    Held {
        /// When it expires; not known of some older payments.
        expires_at: Option<DateTime<Utc>>,
    },
    /// The provider is to capture it. It does not expire any more.
    Capturing,
    /// The provider is to release it.
    Voiding {
        /// Why.
        reason: VoidReason,
    },
}

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
    /// The provider holds the amount for us.
    Authorized(Authorization),
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
    /// [`Command::RequestVoid`](super::Command::RequestVoid): written down before the provider is asked, so that nobody captures
    /// it any more.
    RequestVoid,
    /// The provider releases the authorized amount, then [`Command::NoteReleased`](super::Command::NoteReleased).
    Release {
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
            Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) => Undo::RequestVoid,
            Stage::Authorized(Authorization::Voiding { .. }) => {
                reference.map_or(Undo::Void, |reference| Undo::Release { reference })
            }
            Stage::Captured => Undo::Refund,
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Undo::Nothing,
        }
    }

    /// Whether the provider is being asked, or does not know yet.
    pub fn in_flight(&self) -> bool {
        match self.stage {
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => true,
            Stage::Open
            | Stage::Authorized(_)
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => false,
        }
    }

    /// When the authorized amount is released unless its capture is requested before.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self.stage {
            Stage::Authorized(Authorization::Held { expires_at }) => expires_at,
            Stage::Authorized(Authorization::Capturing | Authorization::Voiding { .. })
            | Stage::Open
            | Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => None,
        }
    }

    /// Whether the provider captured the last attempt together with granting it, and that is to be written down.
    pub fn is_granted_at_once(&self) -> bool {
        let is_automatic = self.attempt.as_ref().is_some_and(|attempt| attempt.capture.is_automatic());
        is_automatic && self.stage == Stage::Authorized(Authorization::Capturing)
    }
}
