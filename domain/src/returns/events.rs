//! What happens to a return.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::ids::{CreditNoteId, OrderId, RefundId, VariantId};
use crate::money::Money;
use crate::quantity::{Demand, Quantity};
use crate::text::{Comment, Reason};

/// Why somebody sends goods back. What they say in their own words may be about people, and is sealed beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// They changed their mind.
    ChangedMind,
    /// It does not fit.
    DoesNotFit,
    /// It is broken, or arrived so.
    Damaged,
    /// It is not what was described.
    NotAsDescribed,
    /// It is not what was bought.
    WrongItem,
    /// It came too late.
    TooLate,
    /// Something else.
    Other,
}

/// In which condition goods came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// As new.
    New,
    /// Opened or used, and whole.
    Used,
    /// Broken.
    Damaged,
    /// Not all of it is there.
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
    /// The buyer asks for it.
    Requested {
        /// Of which order.
        order: OrderId,
        /// What, summed per variant.
        lines: Vec<Demand>,
        /// Why.
        why: Why,
        /// What the buyer says of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Personal<Comment>>,
    },
    /// It may be sent.
    Approved {
        /// Of which order.
        order: OrderId,
    },
    /// It may not.
    Rejected {
        /// Of which order.
        order: OrderId,
        /// Why not.
        reason: Reason,
    },
    /// The buyer keeps it after all.
    Withdrawn {
        /// Of which order.
        order: OrderId,
    },
    /// It is here.
    Received {
        /// Of which order.
        order: OrderId,
        /// What came, and how.
        lines: Vec<Received>,
        /// What is paid back for it.
        amount: Money,
        /// The piece of the payment that goes back; nothing when nothing is left of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The credit note.
        credit_note: CreditNoteId,
    },
    /// The money is back with the buyer.
    Refunded {
        /// Of which order.
        order: OrderId,
        /// The piece of the payment.
        refund: RefundId,
    },
}

impl crate::Event for Event {}
