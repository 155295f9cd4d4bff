//! The balance of a seller in one currency: what the house owes it, and how much of that may be paid out.
//!
//! ```text
//!              sale ─▶ pending ──delivered, and the hold is over──▶ available ──payout──▶ in transit ──▶ paid out
//!                         └─ reserve of a new seller ──later──────▶    ▲                     │             │
//!                                                                      └───failed, returned──┴─────────────┘
//! ```
//!
//! What is posted are the lines of the [ledger](crate::ledger) with the account of the seller, so pending, reserved and available are
//! together what the ledger says that it is owed. Nothing is ever paid out beyond what is available: a payout is decided here, and its
//! append expects this stream to be unchanged.
//!
//! A sale is pending until its hold ends. A refund takes first from what is held of its order, then from what is available, which it
//! may make negative: later sales make up for it. What becomes available only because time passes needs no event: the moment is
//! recorded when the hold starts.
//!
//! A provider may pay a seller itself: this is posted, too, and settles the sale of its order. What it takes from the seller for a refund is
//! available, as the refund has made that less.
//!
//! What a seller has of a disputed amount is kept back while the dispute is open: it is taken as a refund takes it, and goes back to
//! where it was when the dispute ends. What is lost is posted in the same append.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::currency::Currency;
use crate::decider::{Asked, Decider};
use crate::ids::{BalanceId, DisputeId, Id as _, OrderId, PayoutId, SellerId};
use crate::money::{Money, divide_half_up};

mod commands;
mod events;
mod rejections;

pub use commands::{Command, Hold};
pub use events::Event;
pub use rejections::Rejection;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x3c1e_58a2_7b90_4d4f_a6e3_0f27_9c5d_81b4);

/// The balance of a seller in a currency.
pub fn id(seller: SellerId, currency: Currency) -> BalanceId {
    // UUID version 5 of the name (RFC 9562, section 5.5).
    BalanceId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{seller}:{}", currency.code()).as_bytes()))
}

/// The state of a balance; amounts are in minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The seller and the currency; none before the first posting.
    pub of: Option<(SellerId, Currency)>,
    /// What is held of orders.
    held: BTreeMap<OrderId, Held>,
    /// The holds that started before the sale of their order was posted.
    early: BTreeMap<OrderId, Hold>,
    /// What a provider paid for orders whose sale is not posted yet.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ahead: BTreeMap<OrderId, i64>,
    /// What is available, without what is held and due by now; negative if refunds took more than there was.
    free: i64,
    /// The payouts that are on their way.
    in_transit: BTreeMap<PayoutId, i64>,
    /// What was paid out and not returned.
    paid_out: i64,
    /// What is kept back for open disputes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    withheld: BTreeMap<DisputeId, Withheld>,
    /// The disputes that have ended.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    ended: BTreeSet<DisputeId>,
}

/// What is kept back for a dispute, and where it was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Withheld {
    order: OrderId,
    held: Held,
    free: i64,
}

impl Withheld {
    fn sum(&self) -> i64 {
        self.held.pending + self.held.reserved + self.free
    }
}

/// What is held of an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Held {
    pending: i64,
    reserved: i64,
    hold: Option<Hold>,
}

impl Held {
    fn sum(&self) -> i64 {
        self.pending + self.reserved
    }
}

/// A balance at a moment, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// What sellers wait for: goods are not delivered, or can still be returned.
    pub pending: i64,
    /// What is held longer, as the seller was new.
    pub reserved: i64,
    /// What may be paid out; negative if refunds took more than there was.
    pub available: i64,
    /// What is on its way to the seller.
    pub in_transit: i64,
    /// What has reached the seller.
    pub paid_out: i64,
    /// What is kept back for open disputes.
    pub disputed: i64,
}

impl Figures {
    /// What the house owes: the balance of the seller's account in the ledger, as a credit.
    pub fn owed(&self) -> i64 {
        self.pending + self.reserved + self.available + self.disputed
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Balance {
    const CATEGORY: &'static str = "balance";
    type Id = BalanceId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Post { seller, position, order, amount, reserve_percent, dispute } => {
                let posted = self.post(*seller, *position, *order, *amount, *reserve_percent, asked.at)?;
                let ended = dispute.map(|dispute| self.end_dispute(dispute, asked.at)).unwrap_or_default();
                Ok([ended, posted].concat())
            }
            Command::PostDirect { seller, position, order, amount } => {
                let posted = Event::PostedDirect { position: *position, order: *order, amount: *amount, at: asked.at };
                self.posted(*seller, *amount, posted)
            }
            Command::Withhold { dispute, order, amount } => Ok(self.withhold(*dispute, *order, *amount, asked.at)),
            Command::EndDispute { dispute } => Ok(self.end_dispute(*dispute, asked.at)),
            Command::StartHold { order, hold } => Ok(self.start_hold(*order, *hold)),
            Command::PayOut { payout, amount, minimum } => self.pay_out(*payout, *amount, *minimum, asked.at),
            Command::Conclude { payout } => {
                Ok(self.with_transit(*payout, |amount| Event::PaidOut { payout: *payout, amount }))
            }
            Command::TakeBack { payout, amount } => Ok(self.take_back(*payout, *amount)),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Opened { seller, currency } => self.of = Some((*seller, *currency)),
            Event::Posted { order, amount, reserved, at, .. } => {
                self.mature(*at);
                let reserved = reserved.map_or(0, |it| it.amount);
                self.enter(*order, amount.amount, reserved);
            }
            Event::PostedDirect { order, amount, at, .. } => {
                self.mature(*at);
                self.enter_direct(*order, amount.amount);
            }
            Event::HoldStarted { order, available_at, reserved_until } => {
                let until = Hold { available_at: *available_at, reserved_until: *reserved_until };
                match self.held.get_mut(order) {
                    Some(held) => held.hold = Some(until),
                    None => drop(self.early.insert(*order, until)),
                }
            }
            Event::Withheld { dispute, order, amount, at } => {
                self.mature(*at);
                self.note_withheld(*dispute, *order, amount.amount);
            }
            Event::DisputeEnded { dispute, .. } => self.note_dispute_ended(*dispute),
            Event::PayoutStarted { payout, amount, at } => {
                self.mature(*at);
                self.free -= amount.amount;
                self.in_transit.insert(*payout, amount.amount);
            }
            Event::PaidOut { payout, amount } => {
                self.in_transit.remove(payout);
                self.paid_out += amount.amount;
            }
            Event::PayoutReturned { payout, amount } => {
                if self.in_transit.remove(payout).is_none() {
                    self.paid_out -= amount.amount;
                }
                self.free += amount.amount;
            }
        }
        self
    }
}

impl Balance {
    /// The figures at a moment.
    pub fn at(&self, now: DateTime<Utc>) -> Figures {
        let due = |moment: Option<DateTime<Utc>>| moment.is_some_and(|moment| moment <= now);
        let mut figures = Figures {
            available: self.free,
            in_transit: self.in_transit.values().sum(),
            paid_out: self.paid_out,
            disputed: self.withheld.values().map(Withheld::sum).sum(),
            ..Figures::default()
        };
        for held in self.held.values() {
            let (first, last) = (held.hold.map(|it| it.available_at), held.hold.map(|it| it.reserved_until));
            *(if due(first) { &mut figures.available } else { &mut figures.pending }) += held.pending;
            *(if due(last) { &mut figures.available } else { &mut figures.reserved }) += held.reserved;
        }
        figures
    }

    fn post(
        &self,
        seller: SellerId,
        position: i64,
        order: Option<OrderId>,
        amount: Money,
        reserve_percent: u8,
        at: DateTime<Utc>,
    ) -> Decision {
        let is_held = order.is_some() && amount.amount > 0;
        let ahead = order.and_then(|order| self.ahead.get(&order)).copied().unwrap_or_default();
        let left = (amount.amount - ahead).max(0);
        let share = if is_held { i128::from(left) * i128::from(reserve_percent.min(100)) } else { 0 };
        let reserved = divide_half_up(share, 100).map_err(|_| Rejection::OutOfRange)?;
        let reserved = (reserved > 0).then_some(Money { amount: reserved, ..amount });
        self.posted(seller, amount, Event::Posted { position, order, amount, reserved, at })
    }

    /// A posting, after the opening of the balance if it is the first.
    fn posted(&self, seller: SellerId, amount: Money, posted: Event) -> Decision {
        if amount.amount == 0 {
            return Ok(vec![]);
        }
        // So much below the limits of 64 bits that no sum of the figures exceeds them.
        let owed = self.owed().checked_add(amount.amount).filter(|owed| owed.unsigned_abs() < u64::MAX >> 4);
        owed.ok_or(Rejection::OutOfRange)?;
        let opened = Event::Opened { seller, currency: amount.currency };
        Ok(if self.of.is_none() { vec![opened, posted] } else { vec![posted] })
    }

    /// What the house owes.
    fn owed(&self) -> i64 {
        // It does not depend on the moment.
        self.at(DateTime::UNIX_EPOCH).owed()
    }

    /// A dispute that ended before this was carried out has nothing kept back any more.
    fn withhold(&self, dispute: DisputeId, order: OrderId, amount: Money, at: DateTime<Utc>) -> Vec<Event> {
        let is_known = self.withheld.contains_key(&dispute) || self.ended.contains(&dispute);
        // The sale may be posted after this.
        let is_due = self.of.is_none_or(|(_, currency)| currency == amount.currency) && amount.amount > 0;
        if is_known || !is_due { vec![] } else { vec![Event::Withheld { dispute, order, amount, at }] }
    }

    fn end_dispute(&self, dispute: DisputeId, at: DateTime<Utc>) -> Vec<Event> {
        let is_new = self.of.is_none() && !self.withheld.contains_key(&dispute);
        if is_new || self.ended.contains(&dispute) {
            return vec![];
        }
        vec![Event::DisputeEnded { dispute, at }]
    }

    fn start_hold(&self, order: OrderId, hold: Hold) -> Vec<Event> {
        let has_started =
            self.held.get(&order).is_some_and(|held| held.hold.is_some()) || self.early.contains_key(&order);
        if has_started {
            return vec![];
        }
        let Hold { available_at, reserved_until } = hold;
        vec![Event::HoldStarted { order, available_at, reserved_until }]
    }

    fn pay_out(&self, payout: PayoutId, amount: Option<Money>, minimum: i64, at: DateTime<Utc>) -> Decision {
        let Some((_, currency)) = self.of else { return Err(Rejection::Missing) };
        if self.in_transit.contains_key(&payout) {
            return Ok(vec![]);
        }
        let available = Money::new(self.at(at).available, currency);
        if amount.is_some_and(|amount| amount.currency != currency) {
            return Err(Rejection::OtherCurrency { currency });
        }
        if available.amount <= 0 {
            return Err(Rejection::NothingAvailable { available });
        }
        let least = Money::new(minimum.max(1), currency);
        let Some(amount) = amount else {
            let is_enough = available.amount >= least.amount;
            let all = Event::PayoutStarted { payout, amount: available, at };
            return if is_enough { Ok(vec![all]) } else { Err(Rejection::TooLittle { minimum: least, available }) };
        };
        if amount.amount > available.amount {
            return Err(Rejection::NotEnough { available });
        }
        if amount.amount < least.amount {
            return Err(Rejection::BelowMinimum { minimum: least, amount });
        }
        Ok(vec![Event::PayoutStarted { payout, amount, at }])
    }

    fn with_transit(&self, payout: PayoutId, event: impl FnOnce(Money) -> Event) -> Vec<Event> {
        let Some((_, currency)) = self.of else { return vec![] };
        let on_its_way = self.in_transit.get(&payout).map(|amount| Money::new(*amount, currency));
        on_its_way.map(event).into_iter().collect()
    }

    /// The payout itself knows whether it was returned before.
    fn take_back(&self, payout: PayoutId, amount: Money) -> Vec<Event> {
        if self.of.is_none() { vec![] } else { vec![Event::PayoutReturned { payout, amount }] }
    }

    /// Makes what is due by now available.
    fn mature(&mut self, now: DateTime<Utc>) {
        let mut due = 0;
        self.held.retain(|_, held| {
            let Some(hold) = held.hold else { return true };
            if hold.available_at <= now {
                due += std::mem::take(&mut held.pending);
            }
            if hold.reserved_until <= now {
                due += std::mem::take(&mut held.reserved);
            }
            held.pending != 0 || held.reserved != 0
        });
        self.free += due;
    }

    /// Enters an amount: a sale is held, and what is taken back is taken from what is held of the order first.
    fn enter(&mut self, order: Option<OrderId>, amount: i64, reserved: i64) {
        let Some(order) = order else {
            self.free += amount;
            return;
        };
        if amount > 0 {
            let settled = self.settle(order, amount);
            self.free += settled;
            let amount = amount - settled;
            if amount == 0 {
                return;
            }
            let early = self.early.remove(&order);
            let held = self.held.entry(order).or_default();
            held.pending += amount - reserved;
            held.reserved += reserved;
            held.hold = held.hold.or(early);
            return;
        }
        self.free -= -amount - self.take(order, -amount).sum();
    }

    /// Enters what a provider paid itself: it settles what is held of the order, and the sale that is posted later. What the provider took
    /// is available.
    fn enter_direct(&mut self, order: OrderId, amount: i64) {
        if amount > 0 {
            self.settle(order, amount);
            self.free += amount;
            return;
        }
        let rest = -amount - self.take(order, -amount).sum();
        self.free -= rest;
        if rest > 0 {
            *self.ahead.entry(order).or_default() += rest;
        }
    }

    /// How much of an amount was paid ahead for an order; from now on it is not.
    fn settle(&mut self, order: OrderId, amount: i64) -> i64 {
        let Some(ahead) = self.ahead.get_mut(&order) else { return 0 };
        let settled = amount.min(*ahead);
        *ahead -= settled;
        if *ahead == 0 {
            self.ahead.remove(&order);
        }
        settled
    }

    /// Takes an amount from what is held of an order, as far as there is something; returns what was taken.
    fn take(&mut self, order: OrderId, amount: i64) -> Held {
        let Some(held) = self.held.get_mut(&order) else { return Held::default() };
        let pending = amount.min(held.pending);
        let reserved = (amount - pending).min(held.reserved);
        let taken = Held { pending, reserved, hold: held.hold };
        held.pending -= pending;
        held.reserved -= reserved;
        if held.sum() == 0 {
            self.held.remove(&order);
        }
        taken
    }

    fn note_withheld(&mut self, dispute: DisputeId, order: OrderId, amount: i64) {
        let held = self.take(order, amount);
        let free = amount - held.sum();
        self.free -= free;
        self.withheld.insert(dispute, Withheld { order, held, free });
    }

    /// What was kept back goes back to where it was; its hold may have started, or ended, meanwhile.
    fn note_dispute_ended(&mut self, dispute: DisputeId) {
        self.ended.insert(dispute);
        let Some(Withheld { order, held: back, free }) = self.withheld.remove(&dispute) else { return };
        self.free += free;
        if back.sum() == 0 {
            return;
        }
        let early = self.early.remove(&order);
        let held = self.held.entry(order).or_default();
        held.pending += back.pending;
        held.reserved += back.reserved;
        held.hold = held.hold.or(back.hold).or(early);
    }
}

#[cfg(test)]
mod tests;
