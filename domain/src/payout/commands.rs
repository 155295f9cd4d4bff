//! The commands of a payout.

use chrono::{DateTime, Utc};

use super::events::Failure;
use crate::Personal;
use crate::ids::{PayoutFileId, SellerId};
use crate::money::Money;
use crate::payout_account::{Destination, Means};
use crate::text::{Reason, Reference};

/// What became of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The seller has the money.
    Paid,
    /// It did not reach the seller.
    Failed(Failure),
    /// It came back.
    Returned(Failure),
}

/// The commands of a payout.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin a payout.
    Request {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it is paid.
        means: Means,
        /// Where it goes.
        destination: Personal<Destination>,
    },
    /// Put it into a file for the bank.
    Export {
        /// The file.
        file: PayoutFileId,
    },
    /// Record that PayPal has it.
    Submit {
        /// What PayPal calls it.
        batch: Reference,
        /// When PayPal is asked what became of it.
        check_at: DateTime<Utc>,
    },
    /// Record that PayPal did not answer, or has not decided.
    Wait {
        /// When PayPal is asked again.
        check_at: DateTime<Utc>,
    },
    /// Leave it to staff.
    GiveUp {},
    /// Record what PayPal said became of it.
    Conclude {
        /// The outcome.
        outcome: Outcome,
        /// What PayPal calls the transfer.
        reference: Option<Reference>,
    },
    /// Record what staff knows became of it.
    Settle {
        /// The outcome.
        outcome: Outcome,
        /// What the bank calls the transfer.
        reference: Option<Reference>,
        /// The reason, if it failed or came back.
        because: Option<Reason>,
    },
}
