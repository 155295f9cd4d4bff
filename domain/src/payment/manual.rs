//! Money that no provider moves: the buyer's choice of a manual method, the receipts that staff records, and refunds that
//! staff makes outside the shop.
//!
//! ```text
//! open ──method chosen──▶ open ──receipt recorded──▶ open ──the rest received──▶ captured
//!                                   └── receipt voided
//! open ──method chosen that is paid on delivery──▶ on delivery ──receipt recorded, the rest received──▶ captured
//! ```
//!
//! received = captured by hand + not due (refunds of it) + kept for an open payment. What is not due any more is requested back
//! in the append that makes it so, whatever the reason: too much, too late, paid otherwise, or the order was cancelled. So no
//! money that staff recorded is forgotten.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::commands::NewReceipt;
use super::{
    CHOICES_MAX, Choice, DAYS_AGO_MAX, Decision, Event, Opened, Payment, ProviderReference, RECEIPTS_MAX, RECEIVED_MAX,
    Receipt, RefundCause, RefundStage, Rejection, Settled, Stage,
};
use crate::ids::{Id as _, ReceiptId, RefundId};
use crate::money::Money;
use crate::payment_book::ManualKind;
use crate::stored_value::Cover;
use crate::text::{Reason, Reference};

/// How far the day of the staff may be ahead of the day in UTC: no time zone is further.
const DAY_AHEAD: TimeDelta = TimeDelta::hours(14);

impl Payment {
    /// Adds what follows from these events: the request to return what is not due any more, and the release of what a payment does
    /// not need any more.
    pub(super) fn with_returns(&self, mut events: Vec<Event>) -> Vec<Event> {
        let receives = |event: &Event| matches!(event, Event::ReceiptRecorded { .. });
        let has_some = |it: &Opened| !it.receipts.is_empty() || !it.covers.is_empty();
        let has_some = self.live().is_ok_and(has_some) || events.iter().any(receives);
        if has_some && !events.is_empty() {
            let after = events.iter().fold(self.clone(), crate::Decider::evolve);
            if let Ok(after) = after.live() {
                events.extend(after.end_of_covers());
                events.extend(after.return_of_not_due());
            }
        }
        events
    }
}

impl Opened {
    /// The amount that staff recorded as received, without voided receipts.
    pub fn received(&self) -> Money {
        let amounts = self.counted_receipts().map(|(_, receipt)| receipt.amount);
        // Recording checked that the sum can be counted.
        Money::sum(self.amount.currency, amounts).unwrap_or(self.amount)
    }

    /// The amount that is still to be received.
    pub fn due(&self) -> Money {
        let due = match self.stage {
            Stage::Open | Stage::OnDelivery | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                self.in_money().amount - self.received().amount
            }
            Stage::Authorized(_)
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => 0,
        };
        Money { amount: due.max(0), ..self.amount }
    }

    /// The attempt at a provider, which can be asked about it; none if staff recorded the money, or nothing was to be paid.
    pub fn at_provider(&self) -> Option<&ProviderReference> {
        self.attempt.as_ref().filter(|attempt| attempt.method.is_at_provider()).map(|attempt| &attempt.reference)
    }

    /// Whether staff makes the refunds of what was captured, as no provider does.
    pub(super) fn is_refunded_by_hand(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.method.is_manual())
    }

    fn counted_receipts(&self) -> impl Iterator<Item = (ReceiptId, &Receipt)> {
        self.receipts.iter().filter(|(_, it)| it.voided.is_none()).map(|(id, receipt)| (*id, receipt))
    }

    /// The part of what was received that is neither due nor requested back.
    pub(crate) fn not_due(&self) -> i64 {
        let kept = match self.stage {
            Stage::Open | Stage::OnDelivery | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                return 0;
            }
            Stage::Captured | Stage::Refunded if self.is_refunded_by_hand() => self.in_money().amount,
            Stage::Captured
            | Stage::Refunded
            | Stage::Authorized(_)
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => 0,
        };
        let returns = self.refunds.values().filter(|refund| refund.cause == RefundCause::NotDue);
        self.received().amount - kept - returns.map(|refund| refund.amount.amount).sum::<i64>()
    }

    /// The request to return what is not due. Its id is that of a receipt that has none yet: each such request follows from a new
    /// receipt, or from all receipts of a payment that was open.
    fn return_of_not_due(&self) -> Option<Event> {
        let amount = Money { amount: self.not_due(), ..self.amount };
        let ids: Vec<RefundId> = self.counted_receipts().map(|(id, _)| RefundId::from_uuid(id.uuid())).collect();
        let refund = ids.into_iter().rev().find(|id| !self.refunds.contains_key(id))?;
        let (order, cause) = (self.order, RefundCause::NotDue);
        (amount.amount > 0).then_some(Event::RefundRequested {
            order,
            refund,
            amount,
            cause,
            retries: None,
            manual: true,
            to: None,
            of: None,
        })
    }

    pub(super) fn choose(&self, choice: &Choice) -> Decision {
        match self.stage {
            Stage::Open if self.received().amount > 0 => Err(Rejection::PartlyReceived),
            // The same choice again: already recorded.
            Stage::Open if self.choice.as_deref() == Some(choice) => Ok(vec![]),
            Stage::Open if self.choices >= CHOICES_MAX => Err(Rejection::TooManyChoices),
            Stage::Open => Ok(vec![Event::MethodChosen { order: self.order, choice: Box::new(choice.clone()) }]),
            Stage::OnDelivery => Err(Rejection::OnDelivery),
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized(_) | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }

    /// Records money that was received. While an attempt is in progress it is not known whether the money is due.
    pub(super) fn record_receipt(&self, new: &NewReceipt, at: DateTime<Utc>) -> Decision {
        if self.receipts.contains_key(&new.receipt) {
            return Ok(vec![]);
        }
        if new.amount.amount <= 0 || new.amount.currency != self.amount.currency {
            return Err(Rejection::NotAReceipt);
        }
        if is_in_future(new.received_on, at) {
            return Err(Rejection::ReceivedInFuture { received_on: new.received_on });
        }
        if is_long_ago(new.received_on, at) {
            return Err(Rejection::ReceivedLongAgo { received_on: new.received_on });
        }
        if let Some((receipt, _)) = self.counted_receipts().find(|(_, it)| it.reference == new.reference) {
            return Err(Rejection::ReferenceReceived { receipt });
        }
        if self.receipts.len() >= RECEIPTS_MAX {
            return Err(Rejection::TooManyReceipts);
        }
        if self.in_flight() {
            return Err(Rejection::InProgress);
        }
        let due = self.due();
        if new.amount.amount > due.amount && !new.surplus {
            return Err(Rejection::MoreThanDue { due });
        }
        let most = Money { amount: self.amount.amount.max(RECEIVED_MAX), ..self.amount };
        let received = self.received().plus(new.amount).map_err(|_| Rejection::TooMuchReceived { most })?;
        if received.amount > most.amount {
            return Err(Rejection::TooMuchReceived { most });
        }
        let kind = new.kind.or(self.choice.as_ref().map(|choice| choice.kind)).unwrap_or(ManualKind::Elsewhere);
        let (order, receipt, amount, reference) = (self.order, new.receipt, new.amount, new.reference.clone());
        let recorded = Event::ReceiptRecorded {
            order,
            receipt,
            kind,
            amount,
            reference: reference.clone(),
            received_on: new.received_on,
            note: new.note.clone(),
        };
        let waits = matches!(self.stage, Stage::Open | Stage::OnDelivery);
        let is_whole = waits && amount.amount >= due.amount;
        let captured = is_whole.then(|| {
            let (amount, method, covers) = (self.amount, kind.into(), self.covers.clone());
            Event::Captured { order, amount, method, reference, covers }
        });
        Ok([recorded].into_iter().chain(captured).collect())
    }

    /// The capture of a payment whose reduced amount was received already.
    pub(super) fn captured_by_receipts(&self, amount: Money, covers: Vec<Cover>) -> Option<Event> {
        let (_, last) = self.counted_receipts().last()?;
        let (method, reference) = (last.kind.into(), last.reference.clone());
        let is_whole = amount.amount > 0 && self.received().amount + Cover::total(&covers) >= amount.amount;
        is_whole.then_some(Event::Captured { order: self.order, amount, method, reference, covers })
    }

    pub(super) fn void_receipt(&self, receipt: ReceiptId, reason: &Reason) -> Decision {
        let known = self.receipts.get(&receipt).ok_or(Rejection::NoSuchReceipt)?;
        if known.voided.is_some() {
            return Ok(vec![]);
        }
        match self.stage {
            Stage::Open | Stage::OnDelivery => {
                let (order, amount, reason) = (self.order, known.amount, reason.clone());
                Ok(vec![Event::ReceiptVoided { order, receipt, amount, reason }])
            }
            Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Authorized(_)
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => Err(Rejection::ReceiptInUse),
        }
    }

    pub(super) fn note_choice(&mut self, choice: &Choice) {
        self.choices += 1;
        if choice.kind.is_on_delivery() {
            self.stage = Stage::OnDelivery;
        }
        self.choice = Some(Box::new(choice.clone()));
    }

    pub(super) fn note_receipt_voided(&mut self, receipt: ReceiptId, reason: &Reason) {
        if let Some(receipt) = self.receipts.get_mut(&receipt) {
            receipt.voided = Some(reason.clone());
        }
    }

    pub(super) fn note_settled(&mut self, refund: RefundId, reference: &Reference, settled_on: NaiveDate) {
        if let Some(refund) = self.refunds.get_mut(&refund) {
            refund.settled = Some(Settled { reference: reference.clone(), settled_on });
        }
    }

    /// Records a refund that staff made outside the shop: one that no provider carries out, or that the provider refused.
    pub(super) fn settle_refund(
        &self,
        id: RefundId,
        reference: &Reference,
        settled_on: NaiveDate,
        at: DateTime<Utc>,
    ) -> Decision {
        let refund = self.refunds.get(&id).ok_or(Rejection::NoSuchRefund)?;
        let settled = Settled { reference: reference.clone(), settled_on };
        if refund.settled.as_ref() == Some(&settled) {
            return Ok(vec![]);
        }
        if let Some(retry) = refund.retried_as {
            return Err(Rejection::RetriedAlready { retry });
        }
        let amount = match refund.stage {
            RefundStage::Requested if refund.manual => refund.amount,
            RefundStage::Requested => return Err(Rejection::RefundInProgress),
            RefundStage::Failed => self.amount_again(refund)?,
            RefundStage::Done => return Err(Rejection::RefundDone),
        };
        if is_in_future(settled_on, at) {
            return Err(Rejection::SettledInFuture { settled_on });
        }
        if is_long_ago(settled_on, at) {
            return Err(Rejection::SettledLongAgo { settled_on });
        }
        let (order, reference, cause) = (self.order, reference.clone(), Some(refund.cause.clone()));
        let settled = Event::RefundSettled { order, refund: id, reference, settled_on };
        Ok(vec![settled, Event::Refunded { order, amount, refund: Some(id), cause, to: None, of: refund.of }])
    }
}

/// Whether a day is so long ago that it must be a typo.
fn is_long_ago(day: NaiveDate, at: DateTime<Utc>) -> bool {
    day < (at - TimeDelta::days(DAYS_AGO_MAX)).date_naive()
}

/// Whether a day is in the future everywhere.
fn is_in_future(day: NaiveDate, at: DateTime<Utc>) -> bool {
    day > (at + DAY_AHEAD).date_naive()
}
