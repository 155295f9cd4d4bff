//! The events of a dispute.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::file::EvidenceFile;
use crate::Personal;
use crate::ids::{CreditNoteId, OrderId, PaymentId, SellerId};
use crate::money::Money;
use crate::payment_provider::Provider;
use crate::text::{Comment, Reference};

/// The status of a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for an answer of the shop.
    Open,
    /// Evidence was submitted.
    Answered,
    /// Staff accepted it; the provider has not reported the outcome yet.
    Accepted,
    /// The shop keeps the money.
    Won,
    /// The buyer got the money back.
    Lost,
}

impl Status {
    /// The name in queries and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Accepted => "accepted",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The status that a dispute has after an event; none if the event leaves it as it is.
    pub fn after(event: &Event) -> Option<Self> {
        match event {
            Event::Opened { .. } => Some(Self::Open),
            Event::EvidenceSubmitted { .. } => Some(Self::Answered),
            Event::Accepted {} => Some(Self::Accepted),
            Event::Won { .. } => Some(Self::Won),
            Event::Lost { .. } => Some(Self::Lost),
            Event::EvidenceSent { .. } | Event::Waited { .. } | Event::Reminded { .. } | Event::FeeCorrected { .. } => {
                None
            }
        }
    }
}

/// What a buyer claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The goods did not arrive.
    NotReceived,
    /// The goods are not as described.
    NotAsDescribed,
    /// The buyer did not make the payment.
    Unauthorized,
    /// A refund that was promised did not arrive.
    NotCredited,
    /// It was charged twice.
    Duplicate,
    /// Another amount was charged.
    WrongAmount,
    /// It was paid in another way.
    PaidOtherwise,
    /// Anything else.
    Other,
}

/// What is kept back of the balance of a seller while a dispute is open, or what a loss takes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The seller.
    pub seller: SellerId,
    /// The amount; zero if a refund of what is disputed takes nothing from the seller.
    pub amount: Money,
}

/// What is known of a dispute when it is opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    /// The payment.
    pub payment: PaymentId,
    /// The order.
    pub order: OrderId,
    /// The provider that decides; absent if staff records the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// What the provider or the bank calls it.
    pub reference: Reference,
    /// Why the buyer disputes the payment.
    pub cause: Cause,
    /// The amount that the buyer claims.
    pub amount: Money,
    /// What the payment holds of it: what was refunded before cannot be lost again.
    pub held: Money,
    /// The sellers with a part of the order, and what is kept back of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// Until when the shop can answer; absent if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respond_by: Option<DateTime<Utc>>,
}

/// What happened to a dispute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was opened; the payment holds the amount from now on.
    Opened {
        /// What is known of it.
        content: Box<Opening>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// Staff submitted evidence.
    EvidenceSubmitted {
        /// What staff wrote, sealed, as it may contain personal data of the buyer; absent if it is a file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Personal<Comment>>,
        /// The file that staff sent; absent if it is a text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<EvidenceFile>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The provider has the evidence.
    EvidenceSent {
        /// How many times evidence was submitted by then.
        count: usize,
    },
    /// The provider has not decided, or did not answer.
    Waited {
        /// When it is asked again.
        check_at: DateTime<Utc>,
    },
    /// Staff accepted what the buyer claims.
    Accepted {},
    /// The shop keeps the money: the payment holds it no longer.
    Won {
        /// The order.
        order: OrderId,
        /// The sellers with a part of the order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sellers: Vec<SellerId>,
    },
    /// The buyer got the money back: the payment counts it as refunded.
    Lost {
        /// The order.
        order: OrderId,
        /// The sellers with a part of the order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sellers: Vec<SellerId>,
        /// What the buyer got back.
        amount: Money,
        /// What the outcome named, where it is more than what the buyer got back: some of it was refunded before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        named: Option<Money>,
        /// What it takes from each seller with a part of the order; absent in older events.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shares: Vec<Share>,
        /// The part of it that was not left to refund, as store credit was given for it before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beyond: Option<Money>,
        /// What the provider or the bank charges for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fee: Option<Money>,
        /// Whether the money went back outside of payment providers.
        #[serde(default, skip_serializing_if = "is_false")]
        by_hand: bool,
        /// The credit note; absent if credit notes covered all of the order before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        credit_note: Option<CreditNoteId>,
    },
    /// Staff recorded another fee than before.
    FeeCorrected {
        /// The order.
        order: OrderId,
        /// What the bank charges for it; absent if nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fee: Option<Money>,
        /// How much more than before that is; negative if it is less.
        difference: Money,
        /// Whether the fee is paid outside of payment providers.
        #[serde(default, skip_serializing_if = "is_false")]
        by_hand: bool,
    },
    /// Its deadline is near, and it has no answer.
    Reminded {
        /// The order.
        order: OrderId,
        /// The sellers with a part of the order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sellers: Vec<SellerId>,
        /// The deadline.
        respond_by: DateTime<Utc>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl crate::Event for Event {}
