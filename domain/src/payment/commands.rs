//! What a payment can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::events::{CaptureMode, Method, ProviderOutcome, ProviderReference, RefundCause, RefundOutcome, VoidReason};
use crate::ids::{OrderId, RefundId};
use crate::money::Money;
use crate::text::Link;

/// What a payment can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin.
    Open {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// Note that the provider is about to be asked.
    Attempt {
        /// How.
        method: Method,
        /// Under which key; a new one each time.
        reference: ProviderReference,
        /// When the money is to be taken.
        capture: CaptureMode,
        /// Where the buyer goes on after the provider's page.
        return_url: Option<Link>,
    },
    /// Note what the provider says.
    Conclude {
        /// Of which attempt.
        reference: ProviderReference,
        /// What it says.
        outcome: ProviderOutcome,
    },
    /// Request that the authorized amount is captured, and neither released nor expired any more: goods are handed over for it.
    RequestCapture {},
    /// Note that the provider captured the money.
    Capture {},
    /// Void a payment of which the provider holds nothing yet. An authorized amount is released first:
    /// [`Command::RequestVoid`], then [`Command::NoteReleased`].
    Void {
        /// The reason.
        reason: VoidReason,
    },
    /// Request that the provider releases the authorized amount. What is being captured does not expire any more.
    RequestVoid {
        /// The reason.
        reason: VoidReason,
    },
    /// Note that the provider holds nothing of it any more: what it had set aside is free, or given back.
    NoteReleased {
        /// The reason.
        reason: VoidReason,
    },
    /// Ask for less, since some of the order is off.
    Reduce {
        /// How much is left to pay.
        amount: Money,
    },
    /// Note that the provider did not answer when it was last asked to capture or to release.
    RecordNoAnswer {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// Note that the provider was silent about an attempt that nobody waits for any more.
    DelayStray {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// Note that money of an earlier attempt was let go.
    ReleaseStray {
        /// The attempt.
        reference: ProviderReference,
    },
    /// Give money back.
    RequestRefund {
        /// Its id; a new one each time.
        refund: RefundId,
        /// How much; all that is left when nothing is said.
        amount: Option<Money>,
        /// The reason.
        cause: RefundCause,
    },
    /// Try a refund that the provider refused again: as much, for the same reason; of an order that is off, all that is left.
    RetryRefund {
        /// Which was refused.
        failed: RefundId,
        /// The id of the new one.
        refund: RefundId,
    },
    /// Note what the provider says of a refund.
    ConcludeRefund {
        /// The refund.
        refund: RefundId,
        /// What it says.
        outcome: RefundOutcome,
    },
    /// Note a payment of the past, made elsewhere.
    Record {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// What it was called there.
        reference: ProviderReference,
    },
}
