//! A return: what a buyer sends back of an order, from asking to the money.
//!
//! ```text
//! (missing) ──requested──▶ requested ──approved──▶ approved ──received──▶ received ──refunded──▶ refunded
//!                             ├──rejected──▶ rejected      │
//!                             └──withdrawn──▶ withdrawn ◀──┘
//! ```
//!
//! What is worth what is the order's to say, what can be given back the payment's; both are asked in the append that
//! receives the goods.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, OrderId, RefundId, ReturnId};
use crate::money::Money;
use crate::quantity::{Demand, summed};
use crate::text::{Comment, Reason};

mod commands;
mod events;
mod rejections;

pub use commands::Command;
pub use events::{Condition, Event, Received, Why};
pub use rejections::Rejection;

/// A return as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Return {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    Requested(Box<Requested>),
}

/// What is known of a return.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Requested {
    /// How far it is.
    pub status: Stage,
    /// Of which order it is.
    pub order: OrderId,
    /// What is to come back, summed per variant.
    pub lines: Vec<Demand>,
    /// Why.
    pub why: Why,
    /// What the buyer says of it.
    pub comment: Option<Personal<Comment>>,
    /// Why it may not be sent.
    pub rejected: Option<Reason>,
    /// What came back.
    pub received: Vec<Received>,
    /// What is paid back for it.
    pub amount: Option<Money>,
    /// The piece of the payment that goes back.
    pub refund: Option<RefundId>,
    /// The credit note.
    pub credit_note: Option<CreditNoteId>,
}

/// How far a return is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The buyer asks for it.
    Requested,
    /// It may be sent.
    Approved,
    /// It may not.
    Rejected,
    /// The buyer keeps it after all.
    Withdrawn,
    /// It is here, and the money on its way.
    Received,
    /// The money is back.
    Refunded,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Return {
    const CATEGORY: &'static str = "return";
    type Id = ReturnId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::Request { order, lines, why, comment } => self.request(*order, lines, *why, comment.as_ref()),
            Command::Approve {} => self.live()?.approve(),
            Command::Reject { reason } => self.live()?.reject(reason),
            Command::Withdraw {} => self.live()?.withdraw(),
            Command::Receive { lines, amount, refund, credit_note } => {
                self.live()?.receive(lines, *amount, *refund, *credit_note)
            }
            Command::MarkRefunded { refund } => self.live()?.mark_refunded(*refund),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Requested { order, lines, why, comment } => Self::Requested(Box::new(Requested {
                status: Stage::Requested,
                order: *order,
                lines: lines.clone(),
                why: *why,
                comment: comment.clone(),
                rejected: None,
                received: vec![],
                amount: None,
                refund: None,
                credit_note: None,
            })),
            Event::Approved { .. } => self.with(|it| it.status = Stage::Approved),
            Event::Rejected { reason, .. } => self.with(|it| {
                it.status = Stage::Rejected;
                it.rejected = Some(reason.clone());
            }),
            Event::Withdrawn { .. } => self.with(|it| it.status = Stage::Withdrawn),
            Event::Received { lines, amount, refund, credit_note, .. } => self.with(|it| {
                // When nothing is left to pay back, it is over with the goods.
                it.status = if refund.is_some() { Stage::Received } else { Stage::Refunded };
                it.received.clone_from(lines);
                it.amount = Some(*amount);
                it.refund = *refund;
                it.credit_note = Some(*credit_note);
            }),
            Event::Refunded { refund, .. } => self.with(|it| {
                it.status = Stage::Refunded;
                it.refund = Some(*refund);
            }),
        }
    }
}

impl Return {
    /// What is known of it, if it exists.
    pub fn live(&self) -> Result<&Requested, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Requested(requested) => Ok(requested),
        }
    }

    fn request(&self, order: OrderId, lines: &[Demand], why: Why, comment: Option<&Personal<Comment>>) -> Decision {
        let Ok(lines) = summed(lines.iter().copied()) else { return Err(Rejection::NoLines) };
        match self {
            Self::Missing if lines.is_empty() => Err(Rejection::NoLines),
            Self::Missing => Ok(vec![Event::Requested { order, lines, why, comment: comment.cloned() }]),
            Self::Requested(known) if known.order == order && known.lines == lines && known.why == why => Ok(vec![]),
            Self::Requested(_) => Err(Rejection::Exists),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Requested)) -> Self {
        if let Self::Requested(requested) = &mut self {
            change(requested);
        }
        self
    }
}

impl Requested {
    fn approve(&self) -> Decision {
        match self.status {
            Stage::Requested => Ok(vec![Event::Approved { order: self.order }]),
            Stage::Approved => Ok(vec![]),
            Stage::Rejected | Stage::Withdrawn | Stage::Received | Stage::Refunded => Err(Rejection::Decided),
        }
    }

    fn reject(&self, reason: &Reason) -> Decision {
        match self.status {
            Stage::Requested => Ok(vec![Event::Rejected { order: self.order, reason: reason.clone() }]),
            Stage::Rejected if self.rejected.as_ref() == Some(reason) => Ok(vec![]),
            Stage::Rejected | Stage::Approved | Stage::Withdrawn | Stage::Received | Stage::Refunded => {
                Err(Rejection::Decided)
            }
        }
    }

    fn withdraw(&self) -> Decision {
        match self.status {
            Stage::Requested | Stage::Approved => Ok(vec![Event::Withdrawn { order: self.order }]),
            Stage::Withdrawn => Ok(vec![]),
            Stage::Received | Stage::Refunded => Err(Rejection::AlreadyReceived),
            Stage::Rejected => Err(Rejection::Closed),
        }
    }

    fn receive(
        &self,
        lines: &[Received],
        amount: Money,
        refund: Option<RefundId>,
        credit_note: CreditNoteId,
    ) -> Decision {
        match self.status {
            Stage::Approved => {}
            Stage::Received | Stage::Refunded if self.credit_note == Some(credit_note) => return Ok(vec![]),
            Stage::Received | Stage::Refunded => return Err(Rejection::AlreadyReceived),
            Stage::Requested => return Err(Rejection::NotApproved),
            Stage::Rejected | Stage::Withdrawn => return Err(Rejection::Closed),
        }
        let came = summed(lines.iter().map(|it| Demand { variant: it.variant, quantity: it.quantity }));
        let came = came.map_err(|_| Rejection::NoLines)?;
        if came.is_empty() {
            return Err(Rejection::NoLines);
        }
        for Demand { variant, quantity } in came {
            let left = self.lines.iter().find(|line| line.variant == variant).map_or(0, |line| line.quantity.get());
            if quantity.get() > left {
                return Err(Rejection::TooMany { variant, left });
            }
        }
        let (order, lines) = (self.order, lines.to_vec());
        Ok(vec![Event::Received { order, lines, amount, refund, credit_note }])
    }

    fn mark_refunded(&self, refund: RefundId) -> Decision {
        // It may be another one than was asked for first: what the provider refuses is tried again.
        match self.status {
            Stage::Received => Ok(vec![Event::Refunded { order: self.order, refund }]),
            Stage::Refunded => Ok(vec![]),
            Stage::Requested | Stage::Approved | Stage::Rejected | Stage::Withdrawn => Err(Rejection::NotApproved),
        }
    }
}

#[cfg(test)]
mod tests;
