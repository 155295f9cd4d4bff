//! A payment provider that keeps books: it charges each reference once, and a test can make it refuse a charge, give no answer, or
//! receive a charge late.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{PaymentId, RefundId};
use crate::money::Money;
use crate::payment::{DeclineReason, Direct, ProviderOutcome, ProviderReference};
use crate::settlement::{Answer, Question, Request};
use crate::testing::cents;

/// How long a pending charge takes.
const PENDING_FOR: TimeDelta = TimeDelta::seconds(2);
/// The longest delay of a charge: less than the shop waits before it looks for orphaned attempts.
const LATE_FOR: TimeDelta = TimeDelta::minutes(10);

/// The part of a captured amount that the provider keeps as its fee.
const FEE_PART: i64 = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Captured,
    Authorized,
    Pending {
        granted: bool,
        until: DateTime<Utc>,
    },
    /// The buyer left, and pays from another window later.
    Left {
        until: DateTime<Utc>,
    },
    Declined,
    Cancelled,
    Failed,
    Voided,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Success,
    Declined,
    Cancelled,
    /// Cancelled at first, and authorized after all.
    LeftAndPaid,
    Failure,
    /// The charge is made, and the answer is lost.
    Timeout,
    PendingSuccess,
    PendingFailure,
}

#[derive(Debug)]
pub struct Charge {
    pub payment: PaymentId,
    pub amount: i64,
    pub automatic: bool,
    pub state: State,
    pub refunds: BTreeMap<Option<RefundId>, i64>,
    /// The seller that it is paid to, and what the house gets; none if the house is paid.
    pub direct: Option<Direct>,
    /// What the house gave back of its fee.
    pub fee_back: i64,
    /// What open disputes hold.
    pub disputed: i64,
}

impl Charge {
    pub fn refunded(&self) -> i64 {
        self.refunds.values().sum()
    }

    /// The captured amount that is not refunded.
    pub fn kept(&self) -> i64 {
        if self.state == State::Captured { self.amount - self.refunded() } else { 0 }
    }

    /// What a seller has of the captured amount.
    pub fn with_seller(&self) -> i64 {
        let of_house = |direct: &Direct| self.kept() - (direct.fee.amount - self.fee_back);
        self.direct.as_ref().filter(|_| self.state == State::Captured).map_or(0, of_house)
    }

    /// Gives an amount back at once.
    fn give_back(&mut self, refund: Option<RefundId>, amount: i64) {
        self.refunds.insert(refund, amount);
        if let Some(direct) = &self.direct {
            self.fee_back += direct.fee.amount * amount / self.amount;
        }
    }

    /// What the provider keeps as its fee, whatever is refunded; that of a payment to a seller is the seller's.
    pub fn fee(&self) -> Option<Money> {
        let is_of_house = self.state == State::Captured && self.direct.is_none();
        is_of_house.then_some(cents(1 + self.amount / FEE_PART))
    }

    /// What can still be given back.
    pub fn left(&self) -> i64 {
        self.kept() - self.disputed
    }

    fn grant(&mut self) {
        self.state = if self.automatic { State::Captured } else { State::Authorized };
    }
}

/// The request to the provider when a buyer pays.
#[derive(Clone, Debug)]
pub struct NewCharge {
    pub reference: ProviderReference,
    pub payment: PaymentId,
    pub amount: i64,
    pub direct: Option<Direct>,
    pub automatic: bool,
    pub token: Token,
}

#[derive(Default)]
pub struct Provider {
    pub charges: BTreeMap<ProviderReference, Charge>,
    pub silent: bool,
    pub refuses: bool,
    late: Vec<(DateTime<Utc>, NewCharge)>,
}

/// There was no answer.
pub struct Silence;

impl Provider {
    pub fn authorize(&mut self, new: &NewCharge, now: DateTime<Utc>) -> Result<ProviderOutcome, Silence> {
        self.answers()?;
        self.book(new, now);
        if new.token == Token::Timeout { Err(Silence) } else { Ok(self.outcome(&new.reference, now)) }
    }

    /// The answer to a request of the shop.
    pub fn answer(&mut self, request: &Request, now: DateTime<Utc>) -> Answer {
        let done = |fee| Answer::Done { fee };
        let answer = match request.question() {
            Question::LookUp(reference) | Question::Find(reference) => {
                self.look_up(reference, now).map(Answer::Outcome)
            }
            Question::Capture(reference) => self.capture(reference).map(done),
            Question::Release(reference) => self.release(reference).map(done),
            Question::Refund(reference, refund, amount) => {
                let is_done = self.refund(reference, refund, amount.amount);
                let fee = self.charges.get(reference).and_then(Charge::fee);
                is_done.map(|is_done| if is_done { done(fee) } else { Answer::Refused })
            }
        };
        answer.unwrap_or(Answer::Silence)
    }

    /// A charge takes longer than the shop waits for it.
    pub fn delay(&mut self, new: NewCharge, now: DateTime<Utc>) {
        self.late.push((now + LATE_FOR, new));
    }

    /// Delivers the delayed charges that are due.
    pub fn arrive(&mut self, now: DateTime<Utc>) {
        let (due, late): (Vec<_>, Vec<_>) = std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = late;
        for (_, new) in due {
            // A buyer who left long ago and pays after all has done so by then: nothing comes later than strays are looked for.
            let made_at = if new.token == Token::LeftAndPaid { now - LATE_FOR } else { now };
            self.book(&new, made_at);
        }
        for charge in self.charges.values_mut() {
            if let State::Left { until } = charge.state
                && until <= now
            {
                charge.grant();
            }
        }
    }

    fn book(&mut self, new: &NewCharge, now: DateTime<Utc>) {
        let NewCharge { payment, amount, automatic, ref direct, .. } = *new;
        let state = match new.token {
            Token::Success | Token::Timeout if automatic => State::Captured,
            Token::Success | Token::Timeout => State::Authorized,
            Token::Declined => State::Declined,
            Token::Cancelled => State::Cancelled,
            Token::LeftAndPaid => State::Left { until: now + LATE_FOR },
            Token::Failure => State::Failed,
            Token::PendingSuccess => State::Pending { granted: true, until: now + PENDING_FOR },
            Token::PendingFailure => State::Pending { granted: false, until: now + PENDING_FOR },
        };
        let (refunds, direct) = (BTreeMap::new(), direct.clone());
        let charge = Charge { payment, amount, automatic, state, refunds, direct, fee_back: 0, disputed: 0 };
        self.charges.entry(new.reference.clone()).or_insert(charge);
    }

    fn look_up(&mut self, reference: &ProviderReference, now: DateTime<Utc>) -> Result<ProviderOutcome, Silence> {
        self.answers()?;
        if let Some(charge) = self.charges.get_mut(reference)
            && let State::Pending { granted, until } = charge.state
            && until <= now
        {
            if granted { charge.grant() } else { charge.state = State::Failed }
        }
        Ok(self.outcome(reference, now))
    }

    fn capture(&mut self, reference: &ProviderReference) -> Result<Option<Money>, Silence> {
        self.answers()?;
        let charge = self.charges.get_mut(reference).ok_or(Silence)?;
        if charge.state == State::Authorized {
            charge.state = State::Captured;
        }
        if charge.state == State::Captured { Ok(charge.fee()) } else { Err(Silence) }
    }

    fn release(&mut self, reference: &ProviderReference) -> Result<Option<Money>, Silence> {
        self.answers()?;
        let Some(charge) = self.charges.get_mut(reference) else { return Ok(None) };
        match charge.state {
            State::Pending { .. } | State::Left { .. } | State::Authorized => charge.state = State::Voided,
            State::Captured => {
                if !charge.refunds.contains_key(&None) {
                    charge.give_back(None, charge.left());
                }
            }
            State::Declined | State::Cancelled | State::Failed | State::Voided => {}
        }
        Ok(charge.fee())
    }

    fn refund(&mut self, reference: &ProviderReference, refund: RefundId, amount: i64) -> Result<bool, Silence> {
        self.answers()?;
        let Some(charge) = self.charges.get_mut(reference) else { return Ok(false) };
        // What was done once is done, whatever it would say of a new one.
        if let Some(done) = charge.refunds.get(&Some(refund)) {
            return Ok(*done == amount);
        }
        let able = !self.refuses && amount <= charge.left();
        if able {
            charge.give_back(Some(refund), amount);
        }
        Ok(able)
    }

    fn answers(&self) -> Result<(), Silence> {
        if self.silent { Err(Silence) } else { Ok(()) }
    }

    fn outcome(&self, reference: &ProviderReference, now: DateTime<Utc>) -> ProviderOutcome {
        match self.charges.get(reference).map(|charge| charge.state) {
            Some(State::Pending { until, .. }) => {
                ProviderOutcome::Pending { check_at: until.max(now + TimeDelta::seconds(1)) }
            }
            Some(State::Authorized | State::Captured) => ProviderOutcome::Authorized,
            Some(State::Declined) => ProviderOutcome::Declined { reason: DeclineReason::Declined },
            Some(State::Cancelled | State::Left { .. }) => ProviderOutcome::Cancelled,
            Some(State::Failed) => ProviderOutcome::Failed,
            Some(State::Voided) | None => ProviderOutcome::NotFound,
        }
    }
}
