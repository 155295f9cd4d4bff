//! The commands of a balance.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::ids::{DisputeId, OrderId, PayoutId, SellerId};
use crate::money::Money;

/// Until when the money of an order is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// When what is pending becomes available.
    pub available_at: DateTime<Utc>,
    /// When what is reserved becomes available.
    pub reserved_until: DateTime<Utc>,
}

/// The commands of a balance.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Post an amount of the seller's account in the ledger. The caller makes sure that it is posted once.
    Post {
        /// The seller.
        seller: SellerId,
        /// The position of the event whose ledger entry has the amount.
        position: i64,
        /// The order, if it is of one.
        order: Option<OrderId>,
        /// The amount: negative if the seller owes it.
        amount: Money,
        /// How much of a sale is held longer, in percent.
        reserve_percent: u8,
        /// The dispute that was lost with it: nothing is kept back for it any more.
        dispute: Option<DisputeId>,
    },
    /// Post what a provider paid the seller itself, or took from it. The caller makes sure that it is posted once.
    PostDirect {
        /// The seller.
        seller: SellerId,
        /// The position of the event whose ledger entry has the amount.
        position: i64,
        /// The order.
        order: OrderId,
        /// The amount: negative if the provider paid it.
        amount: Money,
    },
    /// Keep an amount back for a dispute.
    Withhold {
        /// The dispute.
        dispute: DisputeId,
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// Keep nothing back for a dispute any more.
    EndDispute {
        /// The dispute.
        dispute: DisputeId,
    },
    /// The seller's part of an order is delivered.
    StartHold {
        /// The order.
        order: OrderId,
        /// Until when its money is held.
        hold: Hold,
    },
    /// Take an available amount for a payout.
    PayOut {
        /// The payout.
        payout: PayoutId,
        /// The amount; all that is available if absent.
        amount: Option<Money>,
        /// The smallest amount that is paid out, in minor units.
        minimum: i64,
    },
    /// A payout has reached the seller.
    Conclude {
        /// The payout.
        payout: PayoutId,
    },
    /// A payout failed or was returned.
    TakeBack {
        /// The payout.
        payout: PayoutId,
        /// Its amount.
        amount: Money,
    },
}
