//! Disputes of a payment: what they hold of the captured amount, and what is lost of it.
//!
//! ```text
//! captured ──disputed──▶ held ──released (won)──▶ refundable again
//!                          └────refunded (lost)──▶ refunded
//! ```
//!
//! A dispute holds what the buyer claims, as far as it was paid with money and was neither refunded nor is being refunded: so no cent
//! goes back twice. If the provider refuses a refund meanwhile, the dispute holds that amount, too. What gift cards and store credit
//! paid is not disputed.

use super::{DISPUTES_MAX, Decision, Event, Method, OnHold, Opened, Refund, RefundCause, RefundStage, Rejection};
use crate::dispute::refund_of;
use crate::ids::DisputeId;
use crate::money::Money;

impl Opened {
    /// What open disputes hold.
    pub fn disputed(&self) -> Money {
        Money { amount: self.disputes.values().map(|it| it.held.amount).sum(), ..self.amount }
    }

    /// What is left at the provider, or on the account of the shop: captured in money, and neither returned nor to be returned as money.
    /// Refunds to store credit leave the money there, and so do those that staff settled in place of the provider.
    pub fn left_in_money(&self) -> Money {
        let by_hand = self.at_provider().is_none();
        let is_returned = |refund: &&Refund| {
            let is_money = refund.to.is_none() && (by_hand || refund.settled.is_none());
            is_money && refund.stage != RefundStage::Failed && refund.cause != RefundCause::NotDue
        };
        let returned: i64 = self.refunds.values().filter(is_returned).map(|refund| refund.amount.amount).sum();
        let captured = if self.was_captured() { self.in_money().amount } else { 0 };
        Money { amount: (captured - returned).max(0), ..self.amount }
    }

    /// Whether a dispute is open.
    pub fn is_disputed(&self) -> bool {
        !self.disputes.is_empty()
    }

    /// Refuses while a dispute is open: what it is about is decided by its outcome.
    pub fn ensure_undisputed(&self) -> Result<(), Rejection> {
        if self.is_disputed() { Err(Rejection::Disputed { held: self.disputed() }) } else { Ok(()) }
    }

    pub(super) fn dispute(&self, dispute: DisputeId, claimed: Money) -> Decision {
        if !self.was_captured() {
            return Err(Rejection::NotCaptured);
        }
        if self.disputes.contains_key(&dispute) || self.refunds.contains_key(&refund_of(dispute)) {
            return Ok(vec![]);
        }
        if self.attempt.as_ref().is_none_or(|attempt| attempt.method == Method::External) {
            return Err(Rejection::PaidElsewhere);
        }
        if self.disputes.len() >= DISPUTES_MAX {
            return Err(Rejection::TooManyDisputes);
        }
        let most = self.in_money();
        if claimed.currency != most.currency || claimed.amount <= 0 || claimed.amount > most.amount {
            return Err(Rejection::TooMuchDisputed { most });
        }
        let amount = Money { amount: claimed.amount.min(self.left_of_money().amount), ..claimed };
        Ok(vec![self.hold(dispute, amount, claimed)])
    }

    pub(super) fn release_dispute(&self, dispute: DisputeId) -> Vec<Event> {
        let held = self.disputes.get(&dispute).map(|it| it.held);
        held.map(|held| self.release(dispute, held)).into_iter().collect()
    }

    pub(super) fn lose_dispute(&self, dispute: DisputeId, amount: Money) -> Vec<Event> {
        if self.refunds.contains_key(&refund_of(dispute)) {
            return vec![];
        }
        // Nothing is held for it any more if another dispute took the same money.
        let nothing = OnHold { held: Money::zero(amount.currency), claimed: amount };
        let OnHold { held, claimed } = self.disputes.get(&dispute).copied().unwrap_or(nothing);
        let rest = |amount| Money { amount, ..held };
        // A refund that the provider refused meanwhile may have left more. Beyond that it is money that other disputes hold.
        let beside = held.amount + self.left_of_money().amount;
        let mut missing = (amount.amount - beside).max(0);
        let mut events = vec![];
        for (other, it) in self.disputes.iter().filter(|(other, _)| **other != dispute) {
            let taken = it.held.amount.min(missing);
            missing -= taken;
            if taken > 0 {
                events.push(self.release(*other, rest(taken)));
            }
        }
        let lost = Money { amount: amount.amount - missing, ..held };
        if lost.amount > held.amount {
            events.push(self.hold(dispute, rest(lost.amount - held.amount), claimed));
        }
        if lost.amount < held.amount || lost.amount == 0 {
            events.push(self.release(dispute, rest(held.amount - lost.amount)));
        }
        let refund = refund_of(dispute);
        // The seller's account pays for what store credit was given for before, too.
        let taken = Money { amount: amount.amount.min(self.left_in_money().amount).max(lost.amount), ..lost };
        let charged = self.charge_seller_but(refund, taken, Money::zero(lost.currency));
        if lost.amount > 0 {
            let (order, refund, cause) = (self.order, Some(refund), Some(RefundCause::Dispute { id: dispute }));
            events.push(Event::Refunded { order, amount: lost, refund, cause, to: None, of: None });
        }
        events.extend(charged);
        events
    }

    /// What open disputes hold of a refund that the provider refused, as far as they claim it.
    pub(super) fn held_instead_of(&self, failed: &Refund) -> Vec<Event> {
        if failed.to.is_some() || failed.cause == RefundCause::NotDue {
            return vec![];
        }
        let mut left = failed.amount.amount;
        let held = self.disputes.iter().filter_map(|(dispute, it)| {
            let more = (it.claimed.amount - it.held.amount).min(left);
            left -= more.max(0);
            (more > 0).then(|| self.hold(*dispute, Money { amount: more, ..it.held }, it.claimed))
        });
        held.collect()
    }

    fn hold(&self, dispute: DisputeId, amount: Money, claimed: Money) -> Event {
        Event::Disputed { order: self.order, dispute, amount, claimed, by_hand: self.is_refunded_by_hand() }
    }

    fn release(&self, dispute: DisputeId, amount: Money) -> Event {
        Event::DisputeReleased { order: self.order, dispute, amount, by_hand: self.is_refunded_by_hand() }
    }

    /// Applies that a dispute holds more, or less.
    pub(super) fn note_dispute(&mut self, event: &Event) {
        if let Event::Disputed { dispute, amount, claimed, .. } = event {
            let nothing = OnHold { held: Money::zero(amount.currency), claimed: *claimed };
            self.disputes.entry(*dispute).or_insert(nothing).held.amount += amount.amount;
        }
        if let Event::DisputeReleased { dispute, amount, .. } = event {
            if let Some(it) = self.disputes.get_mut(dispute) {
                it.held.amount -= amount.amount;
            }
            self.disputes.retain(|id, it| id != dispute || it.held.amount > 0);
        }
    }

    /// What is lost is a refund like any other.
    pub(super) fn note_dispute_lost(&mut self, dispute: DisputeId, amount: Money) {
        self.disputes.remove(&dispute);
        self.note_made_elsewhere(refund_of(dispute), amount, &RefundCause::Dispute { id: dispute });
    }
}
