//! A payout: an amount of a seller's balance on its way to the seller.
//!
//! ```text
//! requested ──submitted (PayPal knows it)──▶ submitted ──paid──▶ paid ──returned──▶ returned (final)
//!     │  └────exported (in a file for the bank)──▶ exported ──paid─▲
//!     └───────────────┬──────────────┴──failed──▶ failed (final)
//!                     └──unresolved (staff finds out)──▶ unresolved ──paid, failed
//! ```
//!
//! It begins in the append that takes its amount from the [balance], before anything is sent: its id is the id under
//! which PayPal or the bank carries it out once. Its end is in one append with the balance, too, so that what fails or is returned is
//! available again. Only what was paid can be returned.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::decider::{Asked, Decider};
use crate::ids::{PayoutFileId, PayoutId, SellerId};
use crate::money::Money;
use crate::payout_account::{Destination, Means};
use crate::text::{Reason, Reference};
use crate::{Personal, balance};

mod commands;
mod events;
mod rejections;

pub use commands::{Command, Outcome};
pub use events::{Event, Failure, Status};
pub use rejections::Rejection;

/// The state of a payout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Payout {
    /// The payout does not exist.
    #[default]
    Missing,
    /// The payout exists.
    Known(Box<Known>),
}

/// A payout that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The seller.
    pub seller: SellerId,
    /// The amount.
    pub amount: Money,
    /// How it is paid.
    pub means: Means,
    /// Where it goes.
    pub destination: Personal<Destination>,
    /// The status.
    pub status: Status,
    /// When it was requested.
    pub requested_at: DateTime<Utc>,
    /// The file of the bank that it is in.
    pub file: Option<PayoutFileId>,
    /// What PayPal calls it.
    pub batch: Option<Reference>,
    /// What PayPal or the bank calls the transfer.
    pub reference: Option<Reference>,
    /// What the bank calls the transfer that brought it back.
    pub return_reference: Option<Reference>,
    /// Why it failed or was returned.
    pub failure: Option<Failure>,
    /// The reason in the words of staff.
    pub because: Option<Reason>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Payout {
    const CATEGORY: &'static str = "payout";
    type Id = PayoutId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        if let Command::Request { seller, amount, means, destination } = command {
            let Self::Missing = self else { return Ok(vec![]) };
            let (seller, amount, means, destination) = (*seller, *amount, *means, destination.clone());
            return Ok(vec![Event::Requested { seller, amount, means, destination, at: asked.at }]);
        }
        let known = self.live()?;
        match command {
            // Decided above.
            Command::Request { .. } => Ok(vec![]),
            Command::Export { file } => known.export(*file),
            Command::Submit { batch, check_at } => Ok(known.submit(batch, *check_at)),
            Command::Wait { check_at } => Ok(known.wait(*check_at)),
            Command::GiveUp {} => Ok(known.give_up()),
            Command::Conclude { outcome, reference } => known.conclude(*outcome, reference.as_ref(), None),
            Command::Settle { outcome, reference, because } => {
                known.settle(*outcome, reference.as_ref(), because.as_ref())
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        if let Event::Requested { seller, amount, means, destination, at } = event {
            return Self::Known(Box::new(Known {
                seller: *seller,
                amount: *amount,
                means: *means,
                destination: destination.clone(),
                status: Status::Requested,
                requested_at: *at,
                file: None,
                batch: None,
                reference: None,
                return_reference: None,
                failure: None,
                because: None,
            }));
        }
        if let Self::Known(known) = &mut self {
            known.apply(event);
        }
        self
    }
}

impl Payout {
    /// The payout, if it exists.
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
            Event::Requested { .. } | Event::Waited { .. } | Event::Unresolved {} => {}
            Event::Exported { file } => self.file = Some(*file),
            Event::Submitted { batch, .. } => self.batch = Some(batch.clone()),
            Event::Paid { reference, .. } => self.reference.clone_from(reference),
            Event::Failed { failure, because, reference, .. } => {
                (self.failure, self.because) = (Some(*failure), because.clone());
                self.reference.clone_from(reference);
            }
            Event::Returned { failure, because, reference, .. } => {
                (self.failure, self.because) = (Some(*failure), because.clone());
                self.return_reference.clone_from(reference);
            }
        }
    }

    /// Whether its outcome is not known yet.
    pub fn is_open(&self) -> bool {
        match self.status {
            Status::Requested | Status::Submitted | Status::Exported | Status::Unresolved => true,
            Status::Paid | Status::Failed | Status::Returned => false,
        }
    }

    /// Whether it waits to be put into a file for the bank.
    pub fn is_due(&self) -> bool {
        self.means == Means::Sepa && self.status == Status::Requested
    }

    /// What its balance does when a command changed its status from this one: both are in one append.
    pub fn change_of_balance(&self, id: PayoutId, before: Status) -> Option<balance::Command> {
        if self.status == before {
            return None;
        }
        match self.status {
            Status::Paid => Some(balance::Command::Conclude { payout: id }),
            Status::Failed | Status::Returned => Some(balance::Command::TakeBack { payout: id, amount: self.amount }),
            Status::Requested | Status::Exported | Status::Submitted | Status::Unresolved => None,
        }
    }

    /// A payout is in one file of the bank, whatever happens.
    fn export(&self, file: PayoutFileId) -> Decision {
        if self.file == Some(file) {
            return Ok(vec![]);
        }
        match (self.means, self.status) {
            (Means::Sepa, Status::Requested) => Ok(vec![Event::Exported { file }]),
            (Means::Sepa | Means::Paypal, _) => Err(Rejection::NotDue),
        }
    }

    fn submit(&self, batch: &Reference, check_at: DateTime<Utc>) -> Vec<Event> {
        let is_new = self.status == Status::Requested && self.means == Means::Paypal;
        if is_new { vec![Event::Submitted { batch: batch.clone(), check_at }] } else { vec![] }
    }

    fn wait(&self, check_at: DateTime<Utc>) -> Vec<Event> {
        let is_asked = self.means == Means::Paypal && matches!(self.status, Status::Requested | Status::Submitted);
        if is_asked { vec![Event::Waited { check_at }] } else { vec![] }
    }

    fn give_up(&self) -> Vec<Event> {
        let is_asked = self.means == Means::Paypal && matches!(self.status, Status::Requested | Status::Submitted);
        if is_asked { vec![Event::Unresolved {}] } else { vec![] }
    }

    /// What staff records: of transfers of the bank everything, and of PayPal what PayPal does not tell.
    fn settle(&self, outcome: Outcome, reference: Option<&Reference>, because: Option<&Reason>) -> Decision {
        let is_automatic = self.means == Means::Paypal && matches!(self.status, Status::Requested | Status::Submitted);
        if is_automatic {
            return Err(Rejection::Automatic);
        }
        self.conclude(outcome, reference, because)
    }

    fn conclude(&self, outcome: Outcome, reference: Option<&Reference>, because: Option<&Reason>) -> Decision {
        let (seller, amount, means) = (self.seller, self.amount, self.means);
        let (reference, because) = (reference.cloned(), because.cloned());
        let is_recorded = |known: Option<&Reference>| reference.is_none() || reference.as_ref() == known;
        match (outcome, self.status) {
            // The same again.
            (Outcome::Paid, Status::Paid) | (Outcome::Failed(_), Status::Failed)
                if is_recorded(self.reference.as_ref()) =>
            {
                Ok(vec![])
            }
            (Outcome::Returned(_), Status::Returned) if is_recorded(self.return_reference.as_ref()) => Ok(vec![]),
            (Outcome::Paid, _) if self.is_open() => Ok(vec![Event::Paid { seller, amount, means, reference }]),
            (Outcome::Failed(failure), _) if self.is_open() => {
                Ok(vec![Event::Failed { seller, amount, means, failure, reference, because }])
            }
            (Outcome::Returned(failure), Status::Paid) => {
                Ok(vec![Event::Returned { seller, amount, means, failure, reference, because }])
            }
            (Outcome::Returned(_), status) if self.is_open() => Err(Rejection::NotPaid { status }),
            (Outcome::Paid | Outcome::Failed(_) | Outcome::Returned(_), status) => Err(Rejection::Ended { status }),
        }
    }
}

#[cfg(test)]
mod tests;
