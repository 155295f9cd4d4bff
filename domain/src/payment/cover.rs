//! What gift cards and store credit pay of an order: in part, so that the rest is paid by a provider or by hand, or all of it.
//!
//! ```text
//! open ──covered──▶ open ──covered, all of it──▶ captured
//!          └── uncovered: by the buyer, or as the payment ends without a capture
//! ```
//!
//! The stored value holds what it covers, in the same append. Whatever changes here later, the process brings its hold in step:
//! it is redeemed when the payment is captured, and released when the payment does not need it any more.
//!
//! Money is refunded first, as far as money was paid; then the stored values, the last applied one first.

use uuid::Uuid;

use super::{CARDS_MAX, Decision, Event, Method, Opened, RefundStage, Rejection, Stage};
use crate::ids::{Id as _, RefundId};
use crate::money::Money;
use crate::stored_value::{Cover, Means};
use crate::text::Reference;

/// Namespace of the ids of refunds that are parts of another one; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x51c4_0e7b_3d92_4a18_b6f3_08a5_9ce2_77d0);
/// The reference of a payment by gift cards and store credit alone, in place of a provider's.
const STORED_VALUE: &str = "stored value";

/// A share of a refund: its id, its amount and where it goes to.
pub(super) type Share = (RefundId, Money, Option<Means>);

impl Opened {
    /// What gift cards and store credit pay.
    pub fn covered(&self) -> Money {
        Money { amount: Cover::total(&self.covers), ..self.amount }
    }

    /// What is to be paid with money, or was.
    pub fn in_money(&self) -> Money {
        Money { amount: self.amount.amount - Cover::total(&self.covers), ..self.amount }
    }

    /// What a stored value pays.
    pub fn covered_by(&self, means: Means) -> Money {
        let cover = self.covers.iter().find(|cover| cover.means == means);
        cover.map_or(Money::zero(self.amount.currency), |cover| cover.amount)
    }

    /// The most that a stored value can pay, together with what it pays already.
    pub fn coverable(&self, means: Means) -> Money {
        Money { amount: self.in_money().amount + self.covered_by(means).amount, ..self.amount }
    }

    /// The capture of a payment that needs nothing else.
    pub(super) fn captured_by_covers(&self, amount: Money, covers: Vec<Cover>) -> Result<Event, Rejection> {
        let reference = Reference::new(STORED_VALUE).map_err(|_| Rejection::NotAnAmount)?;
        Ok(Event::Captured { order: self.order, amount, method: Method::StoredValue, reference, covers })
    }

    pub(super) fn cover(&self, cover: Cover) -> Decision {
        let (order, left) = (self.order, self.coverable(cover.means));
        match self.stage {
            Stage::Open if self.received().amount > 0 => Err(Rejection::PartlyReceived),
            Stage::Open if cover.amount.amount <= 0 || cover.amount.currency != left.currency => {
                Err(if left.amount == 0 { Rejection::NothingToCover } else { Rejection::NotAnAmount })
            }
            Stage::Open if cover.amount.amount > left.amount => Err(Rejection::MoreThanLeft { left }),
            // The same again: already recorded.
            Stage::Open if self.covers.contains(&cover) => Ok(vec![]),
            Stage::Open if cover.means.is_card() && self.has_all_cards_but(cover.means) => Err(Rejection::TooManyCards),
            Stage::Open => {
                let mut events = vec![Event::Covered { order, cover }];
                if cover.amount == left {
                    events.push(self.captured_by_covers(self.amount, self.covers_with(cover))?);
                }
                Ok(events)
            }
            Stage::OnDelivery => Err(Rejection::OnDelivery),
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized(_) | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    pub(super) fn uncover(&self, means: Means) -> Decision {
        let (order, amount) = (self.order, self.covered_by(means));
        match self.stage {
            Stage::Open if amount.amount == 0 => Err(Rejection::NotCovered),
            Stage::Open if self.received().amount > 0 => Err(Rejection::PartlyReceived),
            Stage::Open => Ok(vec![Event::Uncovered { order, cover: Cover { means, amount } }]),
            Stage::OnDelivery => Err(Rejection::OnDelivery),
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized(_) | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    fn has_all_cards_but(&self, means: Means) -> bool {
        let others = self.covers.iter().filter(|cover| cover.means.is_card() && cover.means != means);
        others.count() >= CARDS_MAX
    }

    fn covers_with(&self, cover: Cover) -> Vec<Cover> {
        let mut covers = self.covers.clone();
        match covers.iter_mut().find(|known| known.means == cover.means) {
            Some(known) => known.amount = cover.amount,
            None => covers.push(cover),
        }
        covers
    }

    /// The covers of an amount that was reduced, and what is not needed of them any more: of the last applied one first.
    pub(super) fn covers_within(&self, amount: Money) -> (Vec<Cover>, Vec<Event>) {
        let (mut kept, mut released) = (vec![], vec![]);
        let mut left = amount.amount;
        for cover in &self.covers {
            let share = cover.amount.amount.min(left);
            left -= share;
            if share > 0 {
                kept.push(Cover { amount: Money { amount: share, ..amount }, ..*cover });
            }
            let rest = Money { amount: cover.amount.amount - share, ..amount };
            if rest.amount > 0 {
                released.push(Event::Uncovered { order: self.order, cover: Cover { amount: rest, ..*cover } });
            }
        }
        (kept, released)
    }

    /// What is not covered any more, because the payment has ended without a capture.
    pub(super) fn end_of_covers(&self) -> Vec<Event> {
        let uncovered = |cover: &Cover| Event::Uncovered { order: self.order, cover: *cover };
        match self.stage {
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => {
                self.covers.iter().map(uncovered).collect()
            }
            Stage::Open
            | Stage::OnDelivery
            | Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Authorized(_)
            | Stage::Captured
            | Stage::Refunded => vec![],
        }
    }

    pub(super) fn note_covered(&mut self, cover: Cover) {
        self.covers = self.covers_with(cover);
        self.forget_attempt();
        self.choice = None;
    }

    pub(super) fn note_uncovered(&mut self, cover: Cover) {
        if let Some(known) = self.covers.iter_mut().find(|known| known.means == cover.means) {
            known.amount.amount -= cover.amount.amount;
        }
        self.covers.retain(|cover| cover.amount.amount > 0);
        if self.stage == Stage::Open {
            self.forget_attempt();
            self.choice = None;
        }
    }

    /// The amount to pay has changed: should the last attempt succeed after all, its amount is released.
    pub(super) fn forget_attempt(&mut self) {
        self.earlier.extend(self.attempt.take().map(|attempt| attempt.reference));
    }

    /// What can still go back to a stored value that paid.
    fn left_of(&self, cover: &Cover) -> i64 {
        let back = self.refunds.values().filter(|it| it.to == Some(cover.means) && it.stage != RefundStage::Failed);
        (cover.amount.amount - back.map(|it| it.amount.amount).sum::<i64>()).max(0)
    }

    /// What can still be returned as money: what is left to refund and does not go to the stored values that paid.
    pub fn left_of_money(&self) -> Money {
        let of_covers: i64 = self.covers.iter().map(|cover| self.left_of(cover)).sum();
        let refundable = self.refundable();
        Money { amount: (refundable.amount - of_covers).max(0), ..refundable }
    }

    /// Splits a refund over what paid: money first, then the stored values, the last applied one first. The first share has the id
    /// of the refund.
    pub(super) fn shares_of(&self, refund: RefundId, amount: Money, to: Option<Means>) -> Vec<Share> {
        if to.is_some() || self.covers.is_empty() {
            return vec![(refund, amount, to)];
        }
        let mut left = amount.amount;
        let money = (None, self.left_of_money().amount);
        let covers = self.covers.iter().rev().map(|cover| (Some(cover.means), self.left_of(cover)));
        let mut shares: Vec<Share> = vec![];
        for (to, most) in [money].into_iter().chain(covers) {
            let share = most.min(left);
            left -= share;
            if share > 0 {
                shares.push((part_of(refund, shares.len()), Money { amount: share, ..amount }, to));
            }
        }
        shares
    }
}

/// The id of a part of a refund: that of the refund for the first one.
fn part_of(refund: RefundId, number: usize) -> RefundId {
    if number == 0 {
        return refund;
    }
    RefundId::from_uuid(Uuid::new_v5(&NAMESPACE, format!("{refund}/{number}").as_bytes()))
}
