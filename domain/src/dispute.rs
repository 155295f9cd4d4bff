//! A dispute: a buyer asks the payment provider, or the bank, for the money of a captured payment back.
//!
//! ```text
//! opened ──evidence submitted──▶ answered ──▶ won (final)
//!    └──────────┬────────────────────┴──────▶ lost (final)
//!               └──accepted──▶ accepted ────────▲
//! ```
//!
//! While it is open the [payment](crate::payment) holds the amount: it cannot be refunded, and no seller is paid out its share of it.
//! A dispute that is won gives that back. One that is lost is a refund that the provider, or the bank, made: with a credit note that
//! takes from each seller what a refund of the amount takes. Both are in one append with the payment (`aftersales/disputes.rs`).
//!
//! The outcome of a dispute at a provider comes from the provider alone, which gets the answers of the shop; staff records those of
//! other payments. An id follows from
//! what the provider or the bank calls the dispute, so each is recorded once.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::Personal;
use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, DisputeId, Id as _, PaymentId, RefundId, SellerId};
use crate::money::Money;
use crate::payment_provider::Provider;
use crate::text::{Comment, Reference};

mod commands;
mod events;
mod file;
mod rejections;

pub use commands::{Command, Loss};
pub use events::{Cause, Event, Opening, Share, Status};
pub use file::{EvidenceFile, FILE_MAX, FILES_MAX, FileKind};
pub use rejections::{EVIDENCE_MAX, Rejection};

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x8d1f_62c4_0b57_4e9a_93d8_51ce_7f2a_06b3);

/// The id of a dispute that a provider calls so.
pub fn id_at(provider: Provider, reference: &Reference) -> DisputeId {
    named(provider.as_str(), reference)
}

/// The id of a dispute about a payment without a provider, by the reference that staff records.
pub fn id_of(payment: PaymentId, reference: &Reference) -> DisputeId {
    named(&payment.to_string(), reference)
}

fn named(whose: &str, reference: &Reference) -> DisputeId {
    // UUID version 5 of the name (RFC 9562, section 5.5).
    DisputeId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{whose}:{reference}").as_bytes()))
}

/// The id of the refund that a lost dispute is.
pub fn refund_of(dispute: DisputeId) -> RefundId {
    RefundId::from_uuid(dispute.uuid())
}

/// The state of a dispute.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Dispute {
    /// The dispute does not exist.
    #[default]
    Missing,
    /// The dispute exists.
    Known(Box<Known>),
}

/// A dispute that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Known {
    /// What was known when it was opened.
    #[serde(flatten)]
    pub opening: Opening,
    /// When it was recorded.
    pub opened_at: DateTime<Utc>,
    /// The status.
    pub status: Status,
    /// The evidence, oldest first.
    pub evidence: Vec<Evidence>,
    /// How many of them the provider has.
    pub sent: usize,
    /// Whether its deadline was told.
    pub reminded: bool,
    /// What the buyer got back of it; none unless it is lost.
    pub lost: Option<Money>,
    /// What the outcome named: more than that, if some of it was refunded before. None unless it is lost.
    pub named: Option<Money>,
    /// What the loss takes from each seller with a part of the order; empty in older disputes.
    pub taken: Vec<Share>,
    /// The part of it that was not left to refund.
    pub beyond: Option<Money>,
    /// What the provider or the bank charges for it.
    pub fee: Option<Money>,
    /// Whether the fee and the loss are paid outside of payment providers.
    pub by_hand: bool,
    /// The credit note of what was lost.
    pub credit_note: Option<CreditNoteId>,
}

/// Evidence that staff submitted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// What staff wrote; none if it is a file.
    pub text: Option<Personal<Comment>>,
    /// The file that staff sent; none if it is a text.
    pub file: Option<EvidenceFile>,
    /// When.
    pub at: DateTime<Utc>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Dispute {
    const CATEGORY: &'static str = "dispute";
    type Id = DisputeId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        if let Command::Open(content) = command {
            let Self::Missing = self else { return Err(Rejection::Exists) };
            return Ok(vec![Event::Opened { content: content.clone(), at: asked.at }]);
        }
        let known = self.live()?;
        match command {
            // Decided above.
            Command::Open(_) => Ok(vec![]),
            Command::SubmitEvidence { text } => known.submit(Some(text), None, asked.at),
            Command::SubmitFile(file) => known.submit(None, Some(file), asked.at),
            Command::Accept {} => known.accept(),
            Command::Win {} => known.win(),
            Command::Lose(loss) => known.lose(loss),
            Command::CorrectFee { fee } => known.correct_fee(*fee),
            Command::Remind {} => Ok(known.remind()),
            Command::NoteSent { count } => Ok(known.note_sent(*count)),
            Command::Wait { check_at } => Ok(known.wait(*check_at)),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        if let Event::Opened { content, at } = event {
            return Self::Known(Box::new(Known {
                opening: (**content).clone(),
                opened_at: *at,
                status: Status::Open,
                evidence: vec![],
                sent: 0,
                reminded: false,
                lost: None,
                named: None,
                taken: vec![],
                beyond: None,
                fee: None,
                by_hand: false,
                credit_note: None,
            }));
        }
        if let Self::Known(known) = &mut self {
            known.apply(event);
        }
        self
    }
}

impl Dispute {
    /// The dispute, if it exists.
    pub fn live(&self) -> Result<&Known, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Known(known) => Ok(known),
        }
    }
}

impl Known {
    fn apply(&mut self, event: &Event) {
        if let Some(status) = Status::after(event) {
            self.status = status;
        }
        match event {
            // The state is made with it.
            Event::Opened { .. } | Event::Accepted {} | Event::Won { .. } | Event::Waited { .. } => {}
            Event::EvidenceSent { count } => self.sent = *count,
            Event::EvidenceSubmitted { text, file, at } => {
                self.evidence.push(Evidence { text: text.clone(), file: file.clone(), at: *at });
            }
            Event::Lost { amount, named, shares, beyond, fee, by_hand, credit_note, .. } => {
                (self.lost, self.named, self.beyond) = (Some(*amount), Some(named.unwrap_or(*amount)), *beyond);
                (self.fee, self.by_hand, self.credit_note) = (*fee, *by_hand, *credit_note);
                self.taken.clone_from(shares);
            }
            Event::FeeCorrected { fee, .. } => self.fee = *fee,
            Event::Reminded { .. } => self.reminded = true,
        }
    }

    /// Whether no outcome is known yet.
    pub fn is_open(&self) -> bool {
        match self.status {
            Status::Open | Status::Answered | Status::Accepted => true,
            Status::Won | Status::Lost => false,
        }
    }

    /// The evidence that the provider does not have yet.
    pub fn unsent(&self) -> &[Evidence] {
        self.evidence.get(self.sent..).unwrap_or_default()
    }

    fn note_sent(&self, count: usize) -> Vec<Event> {
        let is_new = count > self.sent && count <= self.evidence.len();
        if is_new { vec![Event::EvidenceSent { count }] } else { vec![] }
    }

    fn wait(&self, check_at: DateTime<Utc>) -> Vec<Event> {
        let is_asked = self.is_open() && self.opening.provider.is_some();
        if is_asked { vec![Event::Waited { check_at }] } else { vec![] }
    }

    fn sellers(&self) -> Vec<SellerId> {
        self.opening.shares.iter().map(|share| share.seller).collect()
    }

    fn ended(&self) -> Rejection {
        Rejection::Ended { status: self.status }
    }

    /// The file of the evidence with this number, counted from one.
    pub fn file(&self, number: usize) -> Option<&EvidenceFile> {
        self.evidence.get(number.checked_sub(1)?)?.file.as_ref()
    }

    /// The files that speak for the shop.
    pub fn files(&self) -> impl Iterator<Item = &EvidenceFile> {
        self.evidence.iter().filter_map(|evidence| evidence.file.as_ref())
    }

    fn submit(&self, text: Option<&Personal<Comment>>, file: Option<&EvidenceFile>, at: DateTime<Utc>) -> Decision {
        let bytes: u64 = self.files().chain(file).map(|file| file.bytes).sum();
        match self.status {
            Status::Open | Status::Answered if self.evidence.len() >= EVIDENCE_MAX => Err(Rejection::TooMuchEvidence),
            Status::Open | Status::Answered if file.is_some() && bytes > FILES_MAX => Err(Rejection::FilesTooLarge),
            Status::Open | Status::Answered => {
                Ok(vec![Event::EvidenceSubmitted { text: text.cloned(), file: file.cloned(), at }])
            }
            Status::Accepted => Err(Rejection::Accepted),
            Status::Won | Status::Lost => Err(self.ended()),
        }
    }

    fn accept(&self) -> Decision {
        match self.status {
            Status::Open | Status::Answered => Ok(vec![Event::Accepted {}]),
            Status::Accepted | Status::Lost => Ok(vec![]),
            Status::Won => Err(self.ended()),
        }
    }

    fn win(&self) -> Decision {
        match self.status {
            Status::Open | Status::Answered | Status::Accepted => {
                Ok(vec![Event::Won { order: self.opening.order, sellers: self.sellers() }])
            }
            Status::Won => Ok(vec![]),
            Status::Lost => Err(self.ended()),
        }
    }

    fn lose(&self, loss: &Loss) -> Decision {
        let Loss { amount, named, ref shares, beyond, fee, by_hand, credit_note } = *loss;
        match self.status {
            Status::Open | Status::Answered | Status::Accepted => {
                let (order, sellers, shares) = (self.opening.order, self.sellers(), shares.clone());
                let named = Some(named).filter(|named| *named != amount);
                Ok(vec![Event::Lost { order, sellers, amount, named, shares, beyond, fee, by_hand, credit_note }])
            }
            Status::Lost => Ok(vec![]),
            Status::Won => Err(self.ended()),
        }
    }

    /// Refuses another loss than the one that is recorded. A fee that is not named is not another one.
    pub fn ensure_lost_so(&self, amount: Option<Money>, fee: Option<Money>) -> Result<(), Rejection> {
        let (Some(lost), Some(named)) = (self.lost, self.named) else { return Ok(()) };
        let is_same_fee = fee.is_none() || self.fee_of_loss(fee)? == self.fee;
        if self.amount_of_loss(amount)? == named && is_same_fee {
            return Ok(());
        }
        Err(Rejection::LostOtherwise { amount: lost, fee: self.fee })
    }

    fn correct_fee(&self, fee: Option<Money>) -> Decision {
        match self.status {
            Status::Lost => {}
            status @ (Status::Open | Status::Answered | Status::Accepted | Status::Won) => {
                return Err(Rejection::NotLost { status });
            }
        }
        let fee = self.fee_of_loss(fee)?;
        let cents = |fee: Option<Money>| fee.map_or(0, |fee| fee.amount);
        let difference = Money { amount: cents(fee) - cents(self.fee), ..self.opening.amount };
        let event = Event::FeeCorrected { order: self.opening.order, fee, difference, by_hand: self.by_hand };
        Ok(if difference.amount == 0 { vec![] } else { vec![event] })
    }

    /// The amount that the buyer gets back: what the outcome says, or all that is claimed.
    pub fn amount_of_loss(&self, amount: Option<Money>) -> Result<Money, Rejection> {
        let most = self.opening.amount;
        let amount = amount.unwrap_or(most);
        let fits = amount.currency == most.currency && amount.amount > 0 && amount.amount <= most.amount;
        if fits { Ok(amount) } else { Err(Rejection::NotAnAmount { most }) }
    }

    /// What the provider or the bank charges, in the currency of the payment.
    pub fn fee_of_loss(&self, fee: Option<Money>) -> Result<Option<Money>, Rejection> {
        let Some(fee) = fee.filter(|fee| fee.amount != 0) else { return Ok(None) };
        let fits = fee.currency == self.opening.amount.currency && (1..=rejections::FEE_MAX).contains(&fee.amount);
        if fits { Ok(Some(fee)) } else { Err(Rejection::NotAFee) }
    }

    fn remind(&self) -> Vec<Event> {
        match (self.status, self.opening.respond_by) {
            (Status::Open, Some(respond_by)) if !self.reminded => {
                vec![Event::Reminded { order: self.opening.order, sellers: self.sellers(), respond_by }]
            }
            (Status::Open | Status::Answered | Status::Accepted | Status::Won | Status::Lost, _) => vec![],
        }
    }
}

#[cfg(test)]
mod tests;
