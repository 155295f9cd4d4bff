//! Money that a provider gave back without being asked by the shop: it reversed the payment, or it was refunded in the provider's own pages.
//!
//! The provider shows all that it gave back of a charge. The shop knows its own refunds by the ids that they carry, what it recorded here by
//! what the provider calls it, and the losses of disputes by their sum: these carry no id of the shop. The rest was made elsewhere.

use std::collections::BTreeMap;

use super::given_back::{GivenBack, MadeElsewhere, refund_at};
use super::{Decision, Event, Opened, Refund, RefundCause, RefundStage, Rejection};
use crate::ids::RefundId;
use crate::money::Money;
use crate::payment_provider::Provider;

impl Opened {
    /// What a provider gave back of the captured charge and the shop does not know.
    pub fn made_elsewhere(&self, provider: Provider, given_back: &[GivenBack]) -> Vec<MadeElsewhere> {
        let is_ours = |it: &&GivenBack| it.refund.is_some_and(|refund| self.refunds.contains_key(&refund));
        let theirs: Vec<_> = given_back.iter().filter(|it| !is_ours(it)).collect();
        let known = self.refunds.values().filter(|refund| is_of_provider(&refund.cause));
        let known: i64 = known.map(|refund| refund.amount.amount).sum();
        let mut rest = theirs.iter().map(|it| it.amount.amount).sum::<i64>() - known;
        let mut lost = self.losses();
        let is_new = |it: &&&GivenBack| !self.refunds.contains_key(&refund_at(provider, &it.reference));
        // One of the amount of a lost dispute is taken for that first.
        let (of_disputes, others): (Vec<&&GivenBack>, Vec<&&GivenBack>) =
            theirs.iter().filter(is_new).partition(|it| {
                let left = lost.get_mut(&it.amount.amount).filter(|left| **left > 0);
                left.map(|left| *left -= 1).is_some()
            });
        let mut found = Vec::new();
        for it in others.into_iter().chain(of_disputes) {
            let amount = Money { amount: it.amount.amount.min(rest), ..self.amount };
            if amount.amount > 0 && it.amount.currency == self.amount.currency {
                rest -= amount.amount;
                let refund = refund_at(provider, &it.reference);
                let fee_back = Money { amount: it.fee_back.amount.clamp(0, amount.amount), ..amount };
                found.push(MadeElsewhere { refund, reference: it.reference.clone(), amount, fee_back });
            }
        }
        found
    }

    /// Whether the provider gave something back without being asked by the shop.
    pub(super) fn gave_by_itself(&self) -> bool {
        self.refunds.values().any(|refund| is_of_provider(&refund.cause))
    }

    /// How many disputes were lost with each amount.
    fn losses(&self) -> BTreeMap<i64, usize> {
        let mut losses = BTreeMap::new();
        for refund in self.refunds.values().filter(|it| matches!(it.cause, RefundCause::Dispute { .. })) {
            *losses.entry(refund.amount.amount).or_default() += 1;
        }
        losses
    }

    /// Records a refund that the provider made by itself.
    pub(super) fn record_made_elsewhere(&self, made: &MadeElsewhere) -> Decision {
        let MadeElsewhere { refund, reference, amount, fee_back } = made;
        if !self.was_captured() {
            return Err(Rejection::NotCaptured);
        }
        if self.refunds.contains_key(refund) {
            return Ok(vec![]);
        }
        if self.at_provider().is_none() {
            return Err(Rejection::PaidElsewhere);
        }
        let left = self.left_of_money();
        if amount.currency != left.currency || amount.amount <= 0 {
            return Err(Rejection::NotAnAmount);
        }
        if amount.amount > left.amount {
            return Err(Rejection::TooMuchRefunded { left });
        }
        let cause = Some(RefundCause::Provider { reference: reference.clone() });
        let charged = self.charge_seller_but(*refund, *amount, *fee_back);
        let (order, amount, refund) = (self.order, *amount, Some(*refund));
        let refunded = Event::Refunded { order, amount, refund, cause, to: None, of: None };
        Ok([refunded].into_iter().chain(charged).collect())
    }

    /// A refund that others made was never requested.
    pub(super) fn note_made_elsewhere(&mut self, refund: RefundId, amount: Money, cause: &RefundCause) {
        let (stage, cause) = (RefundStage::Requested, cause.clone());
        let (retried_as, manual, settled, to, of) = (None, false, None, None, None);
        self.refunds.insert(refund, Refund { amount, stage, cause, retried_as, manual, settled, to, of });
    }
}

/// Whether a provider made a refund without being asked by the shop, and without an id of the shop.
fn is_of_provider(cause: &RefundCause) -> bool {
    match cause {
        RefundCause::Dispute { .. } | RefundCause::Provider { .. } => true,
        RefundCause::OrderCancelled
        | RefundCause::LinesCancelled
        | RefundCause::Return { .. }
        | RefundCause::Staff { .. }
        | RefundCause::NotDue => false,
    }
}
