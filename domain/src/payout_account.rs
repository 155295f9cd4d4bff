//! How a seller is paid: where its payouts go, and when they are made without being asked for.
//!
//! ```text
//! destination chosen ─▶ waits a day ─▶ in use, in place of the previous one
//!                           └─cancelled by an owner─▶ the previous one stays
//! ```
//!
//! A new destination is used a day after it was chosen: the owners are told by mail at once, so that one of them can cancel what a
//! thief of a session chose. The moment is recorded in the event; no timer is needed. Until then the previous destination is used.
//!
//! Each seller has one, whose id is made of the seller's.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::Personal;
use crate::currency::Currency;
use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, PayoutAccountId, SellerId};

mod commands;
mod destination;
mod events;
mod rejections;
mod schedule;

pub use commands::Command;
pub use destination::{Destination, Means};
pub use events::Event;
pub use rejections::Rejection;
pub use schedule::Schedule;

/// How a seller is paid.
pub fn id(seller: SellerId) -> PayoutAccountId {
    PayoutAccountId::from_uuid(seller.uuid())
}

/// The seller that is paid so.
pub fn seller(id: PayoutAccountId) -> SellerId {
    SellerId::from_uuid(id.uuid())
}

/// A destination, and from when on it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// The destination.
    pub destination: Personal<Destination>,
    /// How payouts reach it.
    pub means: Means,
    /// When it was chosen.
    pub chosen_at: DateTime<Utc>,
    /// From when on it is used.
    pub usable_from: DateTime<Utc>,
}

/// The state of how a seller is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PayoutAccount {
    /// The destination before the last choice.
    previous: Option<Chosen>,
    /// The destination that was chosen last.
    last: Option<Chosen>,
    /// When payouts are made without being asked for.
    pub schedule: Schedule,
    /// When the next ones are.
    pub next_run: Option<DateTime<Utc>>,
    /// The currencies in which the seller has a balance.
    pub currencies: BTreeSet<Currency>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for PayoutAccount {
    const CATEGORY: &'static str = "payout_account";
    type Id = PayoutAccountId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Choose { destination, means, delay } => {
                let (at, usable_from) = (asked.at, asked.at + *delay);
                Ok(vec![Event::DestinationChosen { destination: destination.clone(), means: *means, at, usable_from }])
            }
            Command::CancelChoice {} => match self.waiting(asked.at) {
                Some(_) => Ok(vec![Event::ChoiceCancelled {}]),
                None => Err(Rejection::NothingWaits),
            },
            Command::Schedule { schedule } if *schedule == self.schedule => Ok(vec![]),
            Command::Schedule { schedule } => {
                Ok(vec![Event::Scheduled { schedule: *schedule, next: schedule.next(asked.at) }])
            }
            Command::Run { due } if self.next_run == Some(*due) => {
                Ok(vec![Event::Ran { next: self.schedule.next(asked.at) }])
            }
            Command::Run { .. } => Ok(vec![]),
            Command::NoteCurrency { currency } if self.currencies.contains(currency) => Ok(vec![]),
            Command::NoteCurrency { currency } => Ok(vec![Event::CurrencyNoted { currency: *currency }]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::DestinationChosen { destination, means, at, usable_from } => {
                // What was never used is replaced.
                if self.last.as_ref().is_some_and(|last| last.usable_from <= *at) {
                    self.previous = self.last.take();
                }
                let (chosen_at, usable_from) = (*at, *usable_from);
                self.last = Some(Chosen { destination: destination.clone(), means: *means, chosen_at, usable_from });
            }
            Event::ChoiceCancelled {} => self.last = self.previous.take(),
            Event::Scheduled { schedule, next } => (self.schedule, self.next_run) = (*schedule, *next),
            Event::Ran { next } => self.next_run = *next,
            Event::CurrencyNoted { currency } => drop(self.currencies.insert(*currency)),
        }
        self
    }
}

impl PayoutAccount {
    /// The destination that is used at a moment.
    pub fn in_use(&self, now: DateTime<Utc>) -> Option<&Chosen> {
        self.last.iter().chain(&self.previous).find(|chosen| chosen.usable_from <= now)
    }

    /// The destination that waits at a moment.
    pub fn waiting(&self, now: DateTime<Utc>) -> Option<&Chosen> {
        self.last.as_ref().filter(|chosen| chosen.usable_from > now)
    }

    /// The destination for a payout at a moment.
    pub fn usable(&self, now: DateTime<Utc>) -> Result<&Chosen, Rejection> {
        let waits = self.waiting(now).map(|chosen| Rejection::Waits { usable_from: chosen.usable_from });
        self.in_use(now).ok_or_else(|| waits.unwrap_or(Rejection::NoDestination))
    }
}

#[cfg(test)]
mod tests;
