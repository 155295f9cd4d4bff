//! The three statuses of an order: the status itself, that of its payment and that of its goods.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// Why an order is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// The buyer wants it no more.
    BuyerRequest,
    /// The shop cannot or will not deliver.
    StaffRequest,
    /// The payment failed for good.
    PaymentFailed,
    /// The buyer left the payment.
    PaymentCancelled,
    /// It was not paid for in time.
    PaymentWindowPassed,
    /// The money was set aside for it, and nobody took it in time.
    AuthorizationExpired,
    /// It was cancelled in an older system.
    Imported,
}

/// Whether an order goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something is still to do.
    Open,
    /// It is paid for and handed over.
    Completed,
    /// It is off.
    Cancelled,
    /// It is off, since nobody paid for it in time.
    Expired,
}

/// What became of an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// It is to be paid.
    Awaiting,
    /// The money is set aside, to be taken later.
    Authorized,
    /// It is paid.
    Paid,
    /// Some of it was paid back.
    PartlyRefunded,
    /// All of it was paid back.
    Refunded,
    /// The order is off, and all of it is to be paid back.
    RefundDue,
    /// The order is off, and nothing was paid.
    Voided,
}

impl PaymentStatus {
    /// What becomes of the money of an order that is off.
    pub fn of_cancelled(was_paid: bool, due: Option<Money>) -> Self {
        match due {
            _ if !was_paid => Self::Voided,
            // All of it went back before.
            Some(due) if due.amount <= 0 => Self::Refunded,
            Some(_) | None => Self::RefundDue,
        }
    }
}

/// What became of an order's goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// They are here.
    Unfulfilled,
    /// Some of them are handed over.
    PartlyFulfilled,
    /// They are handed over.
    Fulfilled,
    /// Some of them came back.
    PartlyReturned,
    /// All of them came back.
    Returned,
}

impl Fulfilment {
    /// The same of an order of which `returned` pieces of the `kept` ones came back: that says more than where the others are.
    pub fn with_returns(self, returned: i64, kept: i64) -> Self {
        match returned {
            0 => self,
            _ if returned == kept => Self::Returned,
            _ => Self::PartlyReturned,
        }
    }
}

impl CancelReason {
    /// Whether an order is cancelled for this reason only while nothing is paid.
    pub(super) fn is_for_want_of_money(self) -> bool {
        match self {
            Self::PaymentFailed | Self::PaymentCancelled | Self::PaymentWindowPassed | Self::AuthorizationExpired => {
                true
            }
            Self::BuyerRequest | Self::StaffRequest | Self::Imported => false,
        }
    }

    /// What an order is that is off for this reason.
    pub fn status(self) -> Status {
        match self {
            Self::PaymentWindowPassed | Self::AuthorizationExpired => Status::Expired,
            Self::BuyerRequest | Self::StaffRequest | Self::PaymentFailed | Self::PaymentCancelled | Self::Imported => {
                Status::Cancelled
            }
        }
    }
}
