//! What a return can be asked.

use serde::{Deserialize, Serialize};

use super::events::{Received, Why};
use crate::Personal;
use crate::ids::{CreditNoteId, OrderId, RefundId};
use crate::money::Money;
use crate::quantity::Demand;
use crate::text::{Comment, Reason};

/// What a return can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Ask for it.
    Request {
        /// Of which order.
        order: OrderId,
        /// What.
        lines: Vec<Demand>,
        /// Why.
        why: Why,
        /// What the buyer says of it.
        comment: Option<Personal<Comment>>,
    },
    /// Let it be sent.
    Approve {},
    /// Do not.
    Reject {
        /// Why not.
        reason: Reason,
    },
    /// Keep it after all.
    Withdraw {},
    /// Note that it is here.
    Receive {
        /// What came, and how.
        lines: Vec<Received>,
        /// What is paid back for it.
        amount: Money,
        /// The piece of the payment that goes back.
        refund: Option<RefundId>,
        /// The credit note.
        credit_note: CreditNoteId,
    },
    /// Note that the money is back with the buyer.
    MarkRefunded {
        /// The piece of the payment.
        refund: RefundId,
    },
}
