//! The stages of a payment and of its refunds, and what the provider is asked in each.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::events::{ProviderReference, RefundCause};
use super::reasons::{FailureReason, VoidReason};
use crate::Personal;
use crate::ids::{Id as _, PaymentId, RefundId};
use crate::money::Money;
use crate::payment_book::ManualKind;
use crate::stored_value::Means;
use crate::text::{NoteText, Reason, Reference};

/// What happens with an authorized amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "authorization", rename_all = "snake_case")]
pub enum Authorization {
    /// The amount is held until staff, or the first parcel that is handed over, requests its capture.
    Held {
        /// When the authorization expires; unknown for some older payments.
        expires_at: Option<DateTime<Utc>>,
    },
    /// The capture is requested. The authorization does not expire any more.
    Capturing,
    /// The release is requested.
    Voiding {
        /// The reason.
        reason: VoidReason,
    },
}

/// The stage of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Stage {
    /// An attempt can be made.
    Open,
    /// It is paid on delivery: the goods leave before, and staff records what was received.
    OnDelivery,
    /// An attempt is in progress.
    Attempted,
    /// The provider does not know yet whether the attempt succeeds.
    Pending {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// The provider did not answer in time.
    Unresolved {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// The provider authorized the amount.
    Authorized(Authorization),
    /// The payment is captured.
    Captured,
    /// The payment is refunded in full.
    Refunded,
    /// The payment failed for good.
    Failed {
        /// The reason.
        reason: FailureReason,
    },
    /// The buyer left the payment; only in older payments.
    Cancelled,
    /// The payment is voided: nothing is captured.
    Voided {
        /// The reason.
        reason: VoidReason,
    },
}

/// What has to be done so that no money is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reversal {
    /// Nothing: no money is held or captured. What staff received is to be returned already.
    Nothing,
    /// [`Command::Void`](super::Command::Void) alone: the provider holds nothing, or an attempt is in progress.
    Void,
    /// [`Command::RequestVoid`](super::Command::RequestVoid): recorded before the provider is asked, so that the amount is not
    /// captured any more.
    RequestVoid,
    /// The provider releases the authorized amount, then [`Command::RecordReleased`](super::Command::RecordReleased).
    Release {
        /// The attempt.
        reference: ProviderReference,
    },
    /// [`Command::RequestRefund`](super::Command::RequestRefund) of all that is left.
    Refund,
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refund {
    /// The amount.
    pub amount: Money,
    /// The status of the refund.
    #[serde(rename = "status")]
    pub stage: RefundStage,
    /// The reason.
    pub cause: RefundCause,
    /// The refund that retries this one, after it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retried_as: Option<RefundId>,
    /// Whether staff carries it out and settles it, as no provider does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub manual: bool,
    /// How it was settled outside the shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
    /// The gift card or store credit that it goes to; none if money is returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Means>,
    /// The refund that this one is a part of, if one request goes to several means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<RefundId>,
}

/// What an open dispute holds of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OnHold {
    /// The amount that is held.
    pub held: Money,
    /// The amount that the buyer claims.
    pub claimed: Money,
}

/// How a refund was settled outside the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settled {
    /// The reference of the money that went back.
    pub reference: Reference,
    /// The day on which it went back.
    pub settled_on: NaiveDate,
}

/// Money that staff recorded as received.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receipt {
    /// How the money reached the shop.
    pub kind: ManualKind,
    /// The amount.
    pub amount: Money,
    /// The reference of the money.
    pub reference: Reference,
    /// The day on which the money was received.
    pub received_on: NaiveDate,
    /// A note for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<NoteText>>,
    /// Why it does not count, if it was a mistake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voided: Option<Reason>,
}

/// The stage of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStage {
    /// The refund is requested; the provider, or staff, has not carried it out yet.
    Requested,
    /// The refund is carried out.
    Done,
    /// The provider refused it.
    Failed,
}

/// The id of the refund of all that is left of a payment when its order is cancelled: there is one at most.
pub fn whole(payment: PaymentId) -> RefundId {
    RefundId::from_uuid(payment.uuid())
}
