//! What happens to a payment, and what it can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::OrderId;
use crate::money::Money;
use crate::text::Reference;

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
}

/// Why a payment failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureReason {
    /// The provider will not go on with it.
    ProviderError,
    /// Every attempt was declined.
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
    },
    /// The money is set aside for us.
    Authorized {
        /// The order.
        order: OrderId,
        /// The attempt.
        reference: ProviderReference,
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
    /// The money is refused.
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
    /// The buyer left it.
    Cancelled {
        /// The order.
        order: OrderId,
    },
    /// It is to be void as soon as the attempt under way is known.
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
    /// The money is given back.
    Refunded {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
    },
}

impl crate::Event for Event {}

/// What a payment can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin.
    Open {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
    },
    /// Note that the provider is about to be asked.
    Attempt {
        /// How.
        method: Method,
        /// Under which key; a new one each time.
        reference: ProviderReference,
    },
    /// Note what the provider says.
    Conclude {
        /// Of which attempt.
        reference: ProviderReference,
        /// What it says.
        outcome: ProviderOutcome,
    },
    /// Note that the provider took the money.
    Capture {},
    /// Take nothing. Of an authorized payment only a cancelled order asks it, after the provider voided.
    Void {
        /// Why.
        reason: VoidReason,
    },
    /// Note that the provider gave the money back.
    Refund {},
    /// Note a payment of the past, made elsewhere.
    Record {
        /// The order.
        order: OrderId,
        /// How much.
        amount: Money,
        /// What it was called there.
        reference: ProviderReference,
    },
}
