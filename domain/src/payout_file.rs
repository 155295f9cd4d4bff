//! A file of payouts for the bank of the house: SEPA credit transfers that the bank carries out together.
//!
//! ```text
//! (missing) ──created──▶ created (final)
//! ```
//!
//! It is created in one append with the payouts in it, so each payout is in one file. The file can be downloaded again at any time: it
//! has the same message id, under which a bank refuses it the second time.

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{PayoutFileId, PayoutId};
use crate::money::Money;
use crate::text::{Holder, Iban};

/// The maximum number of payouts in a file: one append creates it, and a person at the house looks through it.
pub const PAYOUTS_MAX: usize = 200;

/// The maximum number of days from today to the day on which the bank carries a file out: banks take files for up to a year ahead.
pub const DAYS_AHEAD_MAX: u64 = 365;

/// The bank account of the house, from which sellers are paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debtor {
    /// The name of its holder.
    pub name: Holder,
    /// The IBAN.
    pub iban: Iban,
}

/// What happened to a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was created.
    Created {
        /// The payouts, in their order in the file.
        payouts: Vec<PayoutId>,
        /// Their sum.
        total: Money,
        /// From where they are paid.
        debtor: Debtor,
        /// The day on which the bank is to carry them out.
        execute_on: NaiveDate,
        /// The time.
        at: DateTime<Utc>,
    },
}

impl crate::Event for Event {}

/// The commands of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Create it.
    Create {
        /// The payouts with their amounts.
        payouts: Vec<(PayoutId, Money)>,
        /// From where they are paid.
        debtor: Debtor,
        /// The day on which the bank is to carry them out.
        execute_on: NaiveDate,
    },
}

/// The state of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PayoutFile {
    /// The file does not exist.
    #[default]
    Missing,
    /// The file exists.
    Created(Box<Content>),
}

/// A file that exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Content {
    /// The payouts, in their order in the file.
    pub payouts: Vec<PayoutId>,
    /// Their sum.
    pub total: Money,
    /// From where they are paid.
    pub debtor: Debtor,
    /// The day on which the bank is to carry them out.
    pub execute_on: NaiveDate,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such file of payouts";
        NothingLeft => Conflict:
            "nothing in the file is left to transfer: its payouts have ended, or their bank accounts were erased";
        NothingDue => Conflict: "no payout is due for a file of the bank";
        NoDebtor => Conflict:
            "the bank account of the house is not set: an operator must set BYTESHOP_PAYOUT_IBAN";
        TooMany => Invalid: "a file has at most {PAYOUTS_MAX} payouts";
        InThePast => Invalid at "/execute_on": "the day must be today or later";
        TooFarAhead => Invalid at "/execute_on": "the day must be at most {DAYS_AHEAD_MAX} days ahead";
        OutOfRange => Conflict: "the sum of the payouts would be too large";
    }
}

impl Decider for PayoutFile {
    const CATEGORY: &'static str = "payout_file";
    type Id = PayoutFileId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Result<Vec<Event>, Rejection> {
        let Command::Create { payouts, debtor, execute_on } = command;
        let Self::Missing = self else { return Ok(vec![]) };
        let Some((_, first)) = payouts.first() else { return Err(Rejection::NothingDue) };
        if payouts.len() > PAYOUTS_MAX {
            return Err(Rejection::TooMany);
        }
        if *execute_on < asked.at.date_naive() {
            return Err(Rejection::InThePast);
        }
        let last = asked.at.date_naive().checked_add_days(Days::new(DAYS_AHEAD_MAX));
        if last.is_none_or(|last| *execute_on > last) {
            return Err(Rejection::TooFarAhead);
        }
        let total = Money::sum(first.currency, payouts.iter().map(|(_, amount)| *amount));
        Ok(vec![Event::Created {
            payouts: payouts.iter().map(|(payout, _)| *payout).collect(),
            total: total.map_err(|_| Rejection::OutOfRange)?,
            debtor: debtor.clone(),
            execute_on: *execute_on,
            at: asked.at,
        }])
    }

    fn evolve(self, event: &Event) -> Self {
        let Event::Created { payouts, total, debtor, execute_on, at } = event;
        Self::Created(Box::new(Content {
            payouts: payouts.clone(),
            total: *total,
            debtor: debtor.clone(),
            execute_on: *execute_on,
            created_at: *at,
        }))
    }
}

impl PayoutFile {
    /// The file, if it exists.
    pub fn live(&self) -> Result<&Content, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(content) => Ok(content),
        }
    }
}

#[cfg(test)]
mod tests;
