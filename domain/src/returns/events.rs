//! The events of a return.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::ids::{CreditNoteId, OrderId, RefundId, VariantId};
use crate::money::Money;
use crate::quantity::{Demand, Quantity};
use crate::text::{Comment, Reason};

/// Why goods are sent back. The buyer's own words may contain personal data, and are sealed in `comment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The buyer changed their mind.
    ChangedMind,
    /// The goods do not fit.
    DoesNotFit,
    /// The goods are damaged, or arrived damaged.
    Damaged,
    /// The goods are not as described.
    NotAsDescribed,
    /// The goods are not what was ordered.
    WrongItem,
    /// The goods arrived too late.
    TooLate,
    /// Another reason.
    Other,
}

/// The condition of returned goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// As new.
    New,
    /// Opened or used, but complete and undamaged.
    Used,
    /// Damaged.
    Damaged,
    /// Incomplete.
    Incomplete,
}

/// Returned goods of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(example = json!({"variant": "var_01h455vb4pex5vsknk084sn02q", "quantity": 1, "condition": "new", "restock": true}))
)]
pub struct Received {
    /// The variant.
    pub variant: VariantId,
    /// How many pieces of it.
    pub quantity: Quantity,
    /// The condition of the goods.
    pub condition: Condition,
    /// Whether it can be sold again.
    pub restock: bool,
}

/// What happened to a return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The buyer requested a return.
    Requested {
        /// The order.
        order: OrderId,
        /// The pieces, summed per variant.
        lines: Vec<Demand>,
        /// The reason.
        why: Why,
        /// The buyer's comment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Personal<Comment>>,
    },
    /// The return was approved: the goods can be sent.
    Approved {
        /// The order.
        order: OrderId,
    },
    /// The return was rejected.
    Rejected {
        /// The order.
        order: OrderId,
        /// The reason.
        reason: Reason,
    },
    /// The buyer withdrew the return.
    Withdrawn {
        /// The order.
        order: OrderId,
    },
    /// The goods were received.
    Received {
        /// The order.
        order: OrderId,
        /// The received pieces and their condition.
        lines: Vec<Received>,
        /// The refunded amount.
        amount: Money,
        /// The refund; absent when nothing is left to refund.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The credit note.
        credit_note: CreditNoteId,
    },
    /// The return was refunded.
    Refunded {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
    },
}

impl crate::Event for Event {}
