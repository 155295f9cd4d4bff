//! The events of a payout.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::ids::{PayoutFileId, SellerId};
use crate::money::Money;
use crate::payout_account::{Destination, Means};
use crate::text::{Reason, Reference};

/// The status of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is to be sent, or to be put into a file for the bank.
    Requested,
    /// It is in a file for the bank.
    Exported,
    /// PayPal carries it out.
    Submitted,
    /// PayPal does not say what became of it: staff finds out.
    Unresolved,
    /// The seller has the money.
    Paid,
    /// It did not reach the seller; the amount is available again.
    Failed,
    /// It came back; the amount is available again.
    Returned,
}

impl Status {
    /// The name in queries and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Exported => "exported",
            Self::Submitted => "submitted",
            Self::Unresolved => "unresolved",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "returned",
        }
    }

    /// The status that a payout has after an event; none if the event leaves it as it is.
    pub fn after(event: &Event) -> Option<Self> {
        match event {
            Event::Requested { .. } => Some(Self::Requested),
            Event::Exported { .. } => Some(Self::Exported),
            Event::Submitted { .. } => Some(Self::Submitted),
            Event::Waited { .. } => None,
            Event::Unresolved {} => Some(Self::Unresolved),
            Event::Paid { .. } => Some(Self::Paid),
            Event::Failed { .. } => Some(Self::Failed),
            Event::Returned { .. } => Some(Self::Returned),
        }
    }
}

/// Why a payout did not reach the seller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// PayPal or the bank refused it.
    Refused,
    /// PayPal blocked it.
    Blocked,
    /// No account at PayPal accepted it.
    Unclaimed,
    /// It was sent back.
    SentBack,
    /// The data of the destination was erased before the payout was sent.
    NoDestination,
}

impl Failure {
    /// The name in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Blocked => "blocked",
            Self::Unclaimed => "unclaimed",
            Self::SentBack => "sent_back",
            Self::NoDestination => "no_destination",
        }
    }
}

/// What happened to a payout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was requested. Its id is the one under which it is carried out once.
    Requested {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it is paid.
        means: Means,
        /// Where it goes.
        destination: Personal<Destination>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// It was put into a file for the bank.
    Exported {
        /// The file.
        file: PayoutFileId,
    },
    /// PayPal has it.
    Submitted {
        /// What PayPal calls it.
        batch: Reference,
        /// When PayPal is asked what became of it.
        check_at: DateTime<Utc>,
    },
    /// PayPal did not answer, or has not decided.
    Waited {
        /// When PayPal is asked again.
        check_at: DateTime<Utc>,
    },
    /// PayPal is not asked any more.
    Unresolved {},
    /// The seller has the money.
    Paid {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it was paid.
        means: Means,
        /// What PayPal or the bank calls the transfer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
    },
    /// It did not reach the seller.
    Failed {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it was to be paid.
        means: Means,
        /// Why.
        failure: Failure,
        /// What PayPal or the bank calls the transfer that failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
        /// The reason in the words of staff.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Reason>,
    },
    /// The money came back after it had arrived.
    Returned {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it was paid.
        means: Means,
        /// Why.
        failure: Failure,
        /// What PayPal or the bank calls the transfer that came back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Reference>,
        /// The reason in the words of staff.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Reason>,
    },
}

impl crate::Event for Event {}
