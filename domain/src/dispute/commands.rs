//! The commands of a dispute.

use chrono::{DateTime, Utc};

use super::events::{Opening, Share};
use super::file::EvidenceFile;
use crate::Personal;
use crate::ids::CreditNoteId;
use crate::money::Money;
use crate::text::Comment;

/// What follows from a dispute that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// What the buyer got back.
    pub amount: Money,
    /// What the outcome names: more, if some of it was refunded before.
    pub named: Money,
    /// What it takes from each seller with a part of the order.
    pub shares: Vec<Share>,
    /// The part of it that was not left to refund, as store credit was given for it before.
    pub beyond: Option<Money>,
    /// What the provider or the bank charges for it.
    pub fee: Option<Money>,
    /// Whether the money went back outside of payment providers.
    pub by_hand: bool,
    /// The credit note, or the first of several, if there is one.
    pub credit_note: Option<CreditNoteId>,
}

/// The commands of a dispute.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Open the dispute.
    Open(Box<Opening>),
    /// Submit a text as evidence.
    SubmitEvidence {
        /// What staff wrote.
        text: Personal<Comment>,
    },
    /// Submit a file as evidence.
    SubmitFile(EvidenceFile),
    /// Accept what the buyer claims.
    Accept {},
    /// Record that the shop keeps the money.
    Win {},
    /// Record that the buyer got the money back.
    Lose(Loss),
    /// Record another fee of a dispute that is lost.
    CorrectFee {
        /// What the bank charges for it; none if nothing.
        fee: Option<Money>,
    },
    /// Tell that the deadline is near, unless there is an answer.
    Remind {},
    /// Record that the provider has the evidence.
    NoteSent {
        /// How many times evidence was submitted by then.
        count: usize,
    },
    /// Record that the provider has not decided, or did not answer.
    Wait {
        /// When it is asked again.
        check_at: DateTime<Utc>,
    },
}
