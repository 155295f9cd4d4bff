//! Where a payment and its refunds are in their lives, and what that asks of the provider.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::events::{FailureReason, ProviderReference, RefundCause, VoidReason};
use crate::ids::{Id as _, PaymentId, RefundId};
use crate::money::Money;

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
        /// The reason.
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
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// There was no answer in time.
    Unresolved {
        /// When to ask the provider again.
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
        /// The reason.
        reason: FailureReason,
    },
    /// The buyer left it; only older payments end so.
    Cancelled,
    /// Nothing is taken.
    Voided {
        /// The reason.
        reason: VoidReason,
    },
}

/// What it takes to see to it that nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversal {
    /// Nothing: nothing is kept.
    Nothing,
    /// [`Command::Void`](super::Command::Void) alone: the provider has nothing, or is not done.
    Void,
    /// [`Command::RequestVoid`](super::Command::RequestVoid): written down before the provider is asked, so that nobody captures
    /// it any more.
    RequestVoid,
    /// The provider releases the authorized amount, then [`Command::RecordReleased`](super::Command::RecordReleased).
    Release {
        /// The attempt.
        reference: ProviderReference,
    },
    /// [`Command::RequestRefund`](super::Command::RequestRefund) of all that is left.
    Refund,
}

/// A piece of a payment that goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// The amount.
    pub amount: Money,
    /// The status of the refund.
    #[serde(rename = "status")]
    pub stage: RefundStage,
    /// The reason.
    pub cause: RefundCause,
    /// As which it is tried again, after the provider refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retried_as: Option<RefundId>,
}

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStage {
    /// The provider is to do it.
    Requested,
    /// The provider did it.
    Done,
    /// The provider will not do it.
    Failed,
}

/// The id of the refund that gives back whatever is left of a payment when its order is off: there is one at most.
pub fn whole(payment: PaymentId) -> RefundId {
    RefundId::from_uuid(payment.uuid())
}
