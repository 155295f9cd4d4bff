//! The commands of a payment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::events::{CaptureMode, Method, ProviderOutcome, ProviderReference, RefundCause, RefundOutcome, VoidReason};
use crate::ids::{OrderId, RefundId};
use crate::money::Money;
use crate::text::Link;

/// The commands of a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Open the payment.
    Open {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// Record an attempt before the provider is asked.
    Attempt {
        /// The method.
        method: Method,
        /// The reference of the attempt; a new one each time.
        reference: ProviderReference,
        /// When the payment is to be captured.
        capture: CaptureMode,
        /// Where the buyer returns to from the provider's page.
        return_url: Option<Link>,
    },
    /// Record the outcome of an attempt.
    RecordOutcome {
        /// The reference of the attempt.
        reference: ProviderReference,
        /// The outcome.
        outcome: ProviderOutcome,
    },
    /// Request that the authorized amount is captured; from now on it is neither released nor expires.
    RequestCapture {},
    /// Record that the provider captured the payment.
    Capture {},
    /// Void a payment of which the provider holds nothing yet. An authorized amount is released first:
    /// [`Command::RequestVoid`], then [`Command::RecordReleased`].
    Void {
        /// The reason.
        reason: VoidReason,
    },
    /// Request that the provider releases the authorized amount. A payment that is being captured does not expire any more.
    RequestVoid {
        /// The reason.
        reason: VoidReason,
    },
    /// Record that the provider holds nothing any more: the authorized amount was released, or refunded.
    RecordReleased {
        /// The reason.
        reason: VoidReason,
    },
    /// Reduce the amount to pay, as lines of the order were cancelled.
    Reduce {
        /// The amount that is left to pay.
        amount: Money,
    },
    /// Record that the provider did not answer the last request for a capture or a release.
    RecordNoAnswer {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// Record that the provider did not answer about an earlier attempt whose outcome is no longer awaited.
    RecordNoAnswerOrphaned {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// Record that the amount of an earlier attempt was released.
    ReleaseOrphaned {
        /// The attempt.
        reference: ProviderReference,
    },
    /// Request a refund.
    RequestRefund {
        /// The id; a new one each time.
        refund: RefundId,
        /// The amount; all that is left if absent.
        amount: Option<Money>,
        /// The reason.
        cause: RefundCause,
    },
    /// Retry a failed refund: for the same amount and cause; if the order is cancelled, for all that is left.
    RetryRefund {
        /// The failed refund.
        failed: RefundId,
        /// The id of the new refund.
        refund: RefundId,
    },
    /// Record the outcome of a refund.
    RecordRefundOutcome {
        /// The refund.
        refund: RefundId,
        /// The outcome.
        outcome: RefundOutcome,
    },
    /// Record an imported payment, which was made outside this shop.
    Record {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// Its reference there.
        reference: ProviderReference,
    },
}
