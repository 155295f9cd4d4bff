//! The events of a balance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::ids::{DisputeId, OrderId, PayoutId, SellerId};
use crate::money::Money;

/// What happened to a balance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The first amount is posted.
    Opened {
        /// The seller.
        seller: SellerId,
        /// The currency.
        currency: Currency,
    },
    /// An amount of the seller's account in the ledger was posted.
    Posted {
        /// The position of the event whose ledger entry has the amount.
        position: i64,
        /// The order, if it is of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<OrderId>,
        /// The amount: negative if the seller owes it.
        amount: Money,
        /// The part of it that is held longer, as the seller is new.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reserved: Option<Money>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// What a provider paid the seller itself, or took from it, was posted: nothing of it is held.
    PostedDirect {
        /// The position of the event whose ledger entry has the amount.
        position: i64,
        /// The order.
        order: OrderId,
        /// The amount: negative if the provider paid it.
        amount: Money,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The seller's part of an order is delivered: what is pending of it becomes available at a moment that is known from now on.
    HoldStarted {
        /// The order.
        order: OrderId,
        /// When what is pending becomes available.
        available_at: DateTime<Utc>,
        /// When what is reserved becomes available.
        reserved_until: DateTime<Utc>,
    },
    /// An amount is kept back for a dispute: it is not paid out while the dispute is open.
    Withheld {
        /// The dispute.
        dispute: DisputeId,
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// The time.
        at: DateTime<Utc>,
    },
    /// A dispute has ended: what was kept back for it is where it was before.
    DisputeEnded {
        /// The dispute.
        dispute: DisputeId,
        /// The time.
        at: DateTime<Utc>,
    },
    /// An available amount is to be paid out.
    PayoutStarted {
        /// The payout.
        payout: PayoutId,
        /// The amount.
        amount: Money,
        /// The time.
        at: DateTime<Utc>,
    },
    /// A payout has reached the seller.
    PaidOut {
        /// The payout.
        payout: PayoutId,
        /// The amount.
        amount: Money,
    },
    /// A payout failed or was returned: the amount is available again.
    PayoutReturned {
        /// The payout.
        payout: PayoutId,
        /// The amount.
        amount: Money,
    },
}

impl crate::Event for Event {}
