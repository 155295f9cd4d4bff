//! The three statuses of an order: the status itself, that of its payment and that of its goods.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The buyer cancelled it.
    BuyerRequest,
    /// The shop or a seller cannot or will not deliver.
    StaffRequest,
    /// The payment failed for good.
    PaymentFailed,
    /// The buyer left the payment.
    PaymentCancelled,
    /// It was not paid in time.
    PaymentWindowPassed,
    /// The authorization was not captured in time.
    AuthorizationExpired,
    /// It was cancelled in an older system.
    Imported,
}

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The order is in progress.
    Open,
    /// The order is paid and delivered, or handed over.
    Completed,
    /// The order was cancelled.
    Cancelled,
    /// The order expired, as it was not paid in time.
    Expired,
}

/// The payment status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The order is not paid yet.
    Awaiting,
    /// The payment is authorized; it is captured later.
    Authorized,
    /// The order is paid on delivery: its goods leave before the money is there.
    OnDelivery,
    /// The order is paid.
    Paid,
    /// The payment is refunded in part.
    PartlyRefunded,
    /// The payment is refunded in full.
    Refunded,
    /// The order was cancelled, and the whole payment is to be refunded.
    RefundDue,
    /// The order was cancelled, and nothing was paid.
    Voided,
}

impl PaymentStatus {
    /// The payment status of a cancelled order.
    pub fn of_cancelled(was_paid: bool, due: Option<Money>) -> Self {
        match due {
            _ if !was_paid => Self::Voided,
            // All of it was refunded before.
            Some(due) if due.amount <= 0 => Self::Refunded,
            Some(_) | None => Self::RefundDue,
        }
    }
}

/// The three statuses of an order in one word, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is not paid.
    New,
    /// It is paid, and goods are left to hand over.
    Paid,
    /// All goods are handed over.
    Fulfilled,
    /// It is completed.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// It was not paid in time.
    Expired,
}

/// The fulfilment of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// Nothing is handed over.
    Unfulfilled,
    /// Some goods are handed over.
    PartlyFulfilled,
    /// All goods are handed over.
    Fulfilled,
    /// Some goods are returned.
    PartlyReturned,
    /// All goods are returned.
    Returned,
}

impl Fulfilment {
    /// The fulfilment of an order of which `returned` of the `kept` pieces were returned: returns take precedence.
    pub fn with_returns(self, returned: i64, kept: i64) -> Self {
        match returned {
            0 => self,
            _ if returned == kept => Self::Returned,
            _ => Self::PartlyReturned,
        }
    }
}

impl CancelReason {
    /// Whether an order is cancelled for this reason only if nothing is paid.
    pub(super) fn is_for_want_of_money(self) -> bool {
        match self {
            Self::PaymentFailed | Self::PaymentCancelled | Self::PaymentWindowPassed | Self::AuthorizationExpired => {
                true
            }
            Self::BuyerRequest | Self::StaffRequest | Self::Imported => false,
        }
    }

    /// The status of an order that was cancelled for this reason.
    pub fn status(self) -> Status {
        match self {
            Self::PaymentWindowPassed | Self::AuthorizationExpired => Status::Expired,
            Self::BuyerRequest | Self::StaffRequest | Self::PaymentFailed | Self::PaymentCancelled | Self::Imported => {
                Status::Cancelled
            }
        }
    }
}
