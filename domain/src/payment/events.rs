//! What happens to a payment.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, RefundId, ReturnId};
use crate::money::Money;
use crate::text::{Link, Reason, Reference};

/// What the provider calls an attempt, and the key under which asking it twice charges once.
pub type ProviderReference = Reference;

/// How it is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The emulated provider.
    Test,
    /// Somewhere else, before this shop knew of it.
    External,
    /// Not at all: there was nothing to pay.
    Free,
}

/// When authorized money is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// At once.
    #[default]
    Automatic,
    /// When staff says so, or when the first parcel is handed over.
    Manual,
}

impl CaptureMode {
    /// Whether it is the usual one, which is not written down.
    pub fn is_automatic(&self) -> bool {
        *self == Self::Automatic
    }
}

/// What a refund is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RefundCause {
    /// The order was cancelled.
    OrderCancelled,
    /// Some lines of the order were cancelled.
    LinesCancelled,
    /// Goods were returned.
    Return {
        /// The return.
        id: ReturnId,
    },
    /// Staff refunded an amount.
    Staff {
        /// The reason that staff gave.
        reason: Reason,
    },
}

/// What the provider says of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The money is on its way back.
    Done,
    /// The provider will not do it.
    Refused,
    /// There was no answer in time.
    Unknown {
        /// When to ask again: under the same key, so that it is done once.
        check_at: DateTime<Utc>,
    },
}

/// What the provider says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderOutcome {
    /// The money is set aside for us.
    Authorized,
    /// The provider does not know yet.
    Pending {
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
    /// The money is refused; another attempt may do better.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// The buyer left.
    Cancelled,
    /// The provider will not go on with it.
    Failed,
    /// There was no answer in time: it may have happened or not.
    Unknown {
        /// When to ask.
        check_at: DateTime<Utc>,
    },
    /// The provider has never heard of the attempt.
    NotFound,
}

/// Why money is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// The provider does not say.
    Declined,
    /// There is not enough of it.
    InsufficientFunds,
    /// The attempt never reached the provider.
    NotReceived,
    /// The buyer left the provider's page without paying.
    BuyerLeft,
    /// The provider could not go on with the attempt.
    ProviderError,
}

/// Why a payment failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The provider will not go on with it. Of older payments; now such an attempt is declined, and another one can be made.
    ProviderError,
    /// Too many attempts came to nothing.
    TooManyAttempts,
}

/// Why the money is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// The order is off.
    OrderCancelled,
    /// The buyer wants it so.
    BuyerRequest,
    /// The shop wants it so.
    StaffRequest,
    /// Nobody took the money while it was set aside.
    Expired,
}

/// What happened to a payment. Nothing of a card or a token is ever here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// So much is to be paid for an order.
    Opened {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
    },
    /// The provider is about to be asked: written first, so that nothing is charged without a record.
    Attempted {
        /// How.
        method: Method,
        /// Under which key.
        reference: ProviderReference,
        /// When the money is taken.
        #[serde(default, skip_serializing_if = "CaptureMode::is_automatic")]
        capture: CaptureMode,
        /// Where the buyer goes on after the provider's page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_url: Option<Link>,
    },
    /// The money is set aside for us.
    Authorized {
        /// The order.
        order: OrderId,
        /// The attempt.
        reference: ProviderReference,
        /// When it is free again, unless it is taken; nothing when it is taken at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The provider does not know yet.
    Pended {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
    /// There was no answer in time.
    Unresolved {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask.
        check_at: DateTime<Utc>,
    },
    /// An attempt came to nothing; another one can be made.
    Declined {
        /// The attempt.
        reference: ProviderReference,
        /// Why.
        reason: DeclineReason,
    },
    /// It failed for good.
    Failed {
        /// The order.
        order: OrderId,
        /// Why.
        reason: FailureReason,
    },
    /// The buyer left it. Of older payments; now such an attempt is declined, and another one can be made.
    Cancelled {
        /// The order.
        order: OrderId,
    },
    /// The authorized amount is to be captured: goods were handed over for it, or staff requested it.
    CaptureRequested {
        /// The order.
        order: OrderId,
    },
    /// The payment is to be voided: the provider releases the authorized amount, or the attempt in progress is not captured.
    VoidRequested {
        /// Why.
        reason: VoidReason,
    },
    /// Nothing is taken.
    Voided {
        /// The order.
        order: OrderId,
        /// Why.
        reason: VoidReason,
    },
    /// The money is ours.
    Captured {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
        /// How.
        method: Method,
        /// The attempt.
        reference: ProviderReference,
    },
    /// Less is to be paid, since some of the order is off.
    Reduced {
        /// How much is left to pay.
        amount: Money,
    },
    /// Money of an earlier attempt came after all, when nobody waited for it any more, and was let go.
    StrayReleased {
        /// The attempt.
        reference: ProviderReference,
    },
    /// The provider is silent about money that may have come after all, when nobody waits for it any more.
    StrayUnresolved {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
    /// The provider has not answered the last request: a capture, a void or a refund.
    Delayed {
        /// When to ask again.
        check_at: DateTime<Utc>,
    },
    /// Money is to be given back: written first, so that nothing leaves without a record.
    RefundRequested {
        /// The order.
        order: OrderId,
        /// Its id, and its key at the provider.
        refund: RefundId,
        /// How much.
        amount: Money,
        /// Why.
        cause: RefundCause,
        /// Which was refused before, and is tried again with this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retries: Option<RefundId>,
    },
    /// The provider will not give it back.
    RefundFailed {
        /// The order.
        order: OrderId,
        /// Which.
        refund: RefundId,
        /// How much.
        amount: Money,
    },
    /// Money is given back.
    Refunded {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
        /// Which; nothing when all of it went back in one piece.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// Why; nothing when the order was off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<RefundCause>,
    },
}

impl crate::Event for Event {}
