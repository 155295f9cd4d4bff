//! Refunds of a payment: any number of them, together at most the captured amount.

use super::{Decision, Event, Method, Opened, Refund, RefundCause, RefundOutcome, RefundStage, Rejection, Stage};
use crate::ids::RefundId;
use crate::money::Money;
use crate::stored_value::Means;

impl Opened {
    /// The amount that can still be refunded: captured − refunded − pending refunds of it − disputed.
    pub fn refundable(&self) -> Money {
        let kept = self.captured().amount - self.given_back().amount;
        Money { amount: kept - self.disputed().amount, ..self.amount }
    }

    /// The amount that was refunded or is being refunded; what failed does not count.
    pub fn given_back(&self) -> Money {
        let of_captured = self.pending_refunds().filter(|(_, refund)| refund.cause != RefundCause::NotDue);
        let pending: i64 = of_captured.map(|(_, refund)| refund.amount.amount).sum();
        Money { amount: self.refunded.amount + pending, ..self.amount }
    }

    /// The refunds that failed and were not retried.
    pub fn failed_refunds(&self) -> impl Iterator<Item = (RefundId, &Refund)> {
        let failed = self.refunds.iter().filter(|(_, it)| it.stage == RefundStage::Failed && it.retried_as.is_none());
        failed.map(|(id, refund)| (*id, refund))
    }

    /// The refunds that are not carried out yet.
    pub fn pending_refunds(&self) -> impl Iterator<Item = (RefundId, &Refund)> {
        self.refunds.iter().filter(|(_, it)| it.stage == RefundStage::Requested).map(|(id, refund)| (*id, refund))
    }

    /// Whether the provider has not answered a refund of money that was due.
    pub fn awaits_provider_refund(&self) -> bool {
        let asked = |refund: &Refund| refund.to.is_none() && !refund.manual && refund.cause != RefundCause::NotDue;
        self.pending_refunds().any(|(_, refund)| asked(refund))
    }

    pub(super) fn request_refund(
        &self,
        refund: RefundId,
        amount: Option<Money>,
        cause: &RefundCause,
        retries: Option<RefundId>,
        to: Option<Means>,
    ) -> Decision {
        if !self.was_captured() {
            return Err(Rejection::NotCaptured);
        }
        if let Some(known) = self.refunds.get(&refund) {
            // The same refund again: already recorded.
            let parts = self.refunds.values().filter(|it| it.of == Some(refund));
            let known = known.amount.amount + parts.map(|it| it.amount.amount).sum::<i64>();
            let same = amount.is_none_or(|amount| amount == Money { amount: known, ..self.amount });
            return if same { Ok(vec![]) } else { Err(Rejection::RefundExists) };
        }
        let left = self.refundable();
        let order = self.order;
        if let (None, Stage::Captured, 0) = (amount, self.stage, self.amount.amount) {
            // Nothing was captured, so no provider has to refund it.
            let (refund, cause) = (Some(refund), Some(cause.clone()));
            return Ok(vec![Event::Refunded { order, amount: left, refund, cause, to: None, of: None }]);
        }
        let amount = amount.unwrap_or(left);
        if amount.currency != left.currency || amount.amount < 0 {
            return Err(Rejection::NotAnAmount);
        }
        if amount.amount == 0 {
            return if left.amount == 0 { Ok(vec![]) } else { Err(Rejection::NotAnAmount) };
        }
        if amount.amount > left.amount {
            return Err(Rejection::TooMuchRefunded { left });
        }
        if self.attempt.as_ref().is_none_or(|attempt| attempt.method == Method::External) {
            return Err(Rejection::PaidElsewhere);
        }
        let request = |(id, amount, to): (RefundId, Money, Option<Means>)| {
            let (manual, of) = (to.is_none() && self.is_refunded_by_hand(), (id != refund).then_some(refund));
            // A retry is that of its first part.
            let retries = retries.filter(|_| of.is_none());
            Event::RefundRequested { order, refund: id, amount, cause: cause.clone(), retries, manual, to, of }
        };
        Ok(self.shares_of(refund, amount, to).into_iter().map(request).collect())
    }

    pub(super) fn retry_refund(&self, failed: RefundId, refund: RefundId) -> Decision {
        let known = self.refunds.get(&failed).ok_or(Rejection::NoSuchRefund)?;
        if let Some(retry) = known.retried_as {
            return if retry == refund { Ok(vec![]) } else { Err(Rejection::RetriedAlready { retry }) };
        }
        match known.stage {
            RefundStage::Failed => {}
            RefundStage::Requested | RefundStage::Done => return Err(Rejection::NotFailed),
        }
        self.ensure_all_is_left(known)?;
        let amount = self.amount_of_retry(known);
        self.request_refund(refund, Some(amount), &known.cause, Some(failed), None)
    }

    /// The amount of a failed refund when it is made once more.
    fn amount_of_retry(&self, failed: &Refund) -> Money {
        self.amount_within(failed, self.refundable())
    }

    /// The refund of a cancelled order waits for the outcome of a dispute: what the shop wins is refunded with the rest.
    fn ensure_all_is_left(&self, failed: &Refund) -> Result<(), Rejection> {
        let is_all = failed.cause != RefundCause::OrderCancelled || failed.amount.amount <= self.refundable().amount;
        if is_all { Ok(()) } else { self.ensure_undisputed() }
    }

    /// The same as money, if as much of it is left to refund.
    pub(super) fn amount_again(&self, failed: &Refund) -> Result<Money, Rejection> {
        self.ensure_all_is_left(failed)?;
        let left = self.left_of_money();
        let amount = self.amount_within(failed, left);
        if amount.amount > left.amount { Err(Rejection::TooMuchRefunded { left }) } else { Ok(amount) }
    }

    /// The amount of a failed refund, or what is left where some of it may have gone back in another way since.
    fn amount_within(&self, failed: &Refund, left: Money) -> Money {
        let is_of_all = match failed.cause {
            // All that is left of a cancelled order.
            RefundCause::OrderCancelled => true,
            RefundCause::LinesCancelled
            | RefundCause::Return { .. }
            | RefundCause::Staff { .. }
            | RefundCause::NotDue
            | RefundCause::Dispute { .. }
            | RefundCause::Provider { .. } => false,
        };
        let is_taken = failed.amount.amount > left.amount && failed.cause != RefundCause::NotDue;
        let is_taken = is_taken && self.disputes.is_empty() && self.gave_by_itself();
        if left.amount > 0 && (is_of_all || is_taken) { left } else { failed.amount }
    }

    pub(super) fn record_refund_outcome(&self, id: RefundId, outcome: RefundOutcome) -> Decision {
        // A provider knows nothing about a refund that staff makes.
        let refund = self.refunds.get(&id).filter(|refund| !refund.manual).ok_or(Rejection::NoSuchRefund)?;
        let (order, amount) = (self.order, refund.amount);
        let (to, of) = (refund.to, refund.of);
        let done = || {
            let refunded =
                Event::Refunded { order, amount, refund: Some(id), cause: Some(refund.cause.clone()), to, of };
            let charged = if to.is_none() { self.charge_seller(id, amount) } else { None };
            [refunded].into_iter().chain(charged).collect()
        };
        match (refund.stage, outcome) {
            (RefundStage::Requested, RefundOutcome::Done) => Ok(done()),
            (RefundStage::Requested, RefundOutcome::Refused) => {
                let failed = Event::RefundFailed { order, refund: id, amount };
                Ok([vec![failed], self.held_instead_of(refund)].concat())
            }
            (RefundStage::Requested, RefundOutcome::Unknown { check_at }) => Ok(vec![Event::Delayed { check_at }]),
            // The refund succeeded after it was given up.
            (RefundStage::Failed, RefundOutcome::Done) if amount.amount <= self.refundable().amount => Ok(done()),
            (RefundStage::Failed, RefundOutcome::Done) | (RefundStage::Done, RefundOutcome::Refused) => {
                Err(Rejection::ConcludedOtherwise)
            }
            (RefundStage::Done, RefundOutcome::Done | RefundOutcome::Unknown { .. })
            | (RefundStage::Failed, RefundOutcome::Refused | RefundOutcome::Unknown { .. }) => Ok(vec![]),
        }
    }

    pub(super) fn begin_refund(&mut self, id: RefundId, refund: Refund, retries: Option<RefundId>) {
        self.refunds.insert(id, refund);
        if let Some(failed) = retries.and_then(|failed| self.refunds.get_mut(&failed)) {
            failed.retried_as = Some(id);
        }
    }

    pub(super) fn end_refund(&mut self, id: RefundId, stage: RefundStage) {
        if let Some(refund) = self.refunds.get_mut(&id) {
            refund.stage = stage;
        }
    }

    pub(super) fn note_refunded(&mut self, amount: Money, refund: Option<RefundId>, cause: Option<&RefundCause>) {
        if let Some(RefundCause::Dispute { id }) = cause {
            self.note_dispute_lost(*id, amount);
        }
        if let (Some(cause @ RefundCause::Provider { .. }), Some(refund)) = (cause, refund) {
            self.note_made_elsewhere(refund, amount, cause);
        }
        self.give_back(amount, refund);
    }

    fn give_back(&mut self, amount: Money, refund: Option<RefundId>) {
        if let Some(refund) = refund.and_then(|id| self.refunds.get_mut(&id)) {
            refund.stage = RefundStage::Done;
            // A failed refund that staff made may be of all that was left.
            refund.amount = amount;
            if refund.cause == RefundCause::NotDue {
                // It is no part of what was captured.
                return;
            }
        }
        // The decision checked the sum; should it ever overflow, the fold keeps the previous one.
        self.refunded = self.refunded.plus(amount).unwrap_or(self.refunded);
        if self.refunded.amount >= self.amount.amount {
            self.stage = Stage::Refunded;
        }
    }
}
