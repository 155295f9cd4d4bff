//! Cancelling an order or some of its lines, and what follows for an order that was never paid.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::{
    CancelReason, Decision, Event, LinesOff, ParcelStage, PaymentStatus, Placed, Rejection, ReturnLine, Status,
};
use crate::Subject;
use crate::ids::{CartId, CreditNoteId, OrderId, RefundId, made_at};
use crate::money::Money;
use crate::quantity::Demand;

impl Placed {
    pub(super) fn forget_buyer(&self, subject: Subject, force: bool, disputed: bool) -> Decision {
        let buyer = &self.placement.buyer;
        if self.forgotten {
            return Ok(vec![]);
        }
        if buyer.account.is_some() || buyer.reference.is_some() {
            return Err(Rejection::NotOfGuest);
        }
        if !force && (self.is_waited_for() || self.is_unpaid()) {
            return Err(Rejection::UnderWay);
        }
        if !force && disputed {
            return Err(Rejection::Disputed);
        }
        Ok(vec![Event::BuyerForgotten { subject }])
    }

    /// Lines of an unpaid order can be bought from a cart again; the order is cancelled before its lines are moved.
    pub(super) fn move_to_cart(&self, cart: CartId) -> Decision {
        if self.placement.imported {
            return Err(Rejection::Imported);
        }
        if self.moved_to.is_some() {
            return Ok(vec![]);
        }
        match self.progress.payment_status {
            PaymentStatus::Voided => Ok(vec![Event::MovedToCart { cart }]),
            PaymentStatus::Awaiting | PaymentStatus::OnDelivery => Err(Rejection::NotCancelled),
            PaymentStatus::Authorized
            | PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::RefundDue => Err(Rejection::AlreadyPaid),
        }
    }

    /// Lets the buyer pay until a later time; an earlier one changes nothing.
    pub(super) fn extend_payment_window(&self, pay_by: DateTime<Utc>) -> Decision {
        match self.progress.status {
            Status::Cancelled | Status::Expired => return Err(Rejection::Cancelled),
            Status::Open | Status::Completed => {}
        }
        if self.progress.payment_status != PaymentStatus::Awaiting {
            return Err(Rejection::AlreadyPaid);
        }
        let is_later = self.placement.pay_by.is_some_and(|until| until < pay_by);
        Ok(if is_later { vec![Event::PaymentWindowExtended { pay_by }] } else { vec![] })
    }

    /// Until when the order can be paid if its buyer has so many days from the order on: at least as long as before.
    pub fn pay_by_within(&self, order: OrderId, days: Option<u16>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let before = self.placement.pay_by;
        // Counted from the order, so that no number of choices reserves its goods for longer.
        let placed_at = made_at(order).unwrap_or(now);
        let within = days.map(|days| placed_at.trunc_subsecs(0) + TimeDelta::days(i64::from(days)));
        before.map(|before| within.map_or(before, |within| within.max(before)))
    }

    pub(super) fn cancel(
        &self,
        reason: CancelReason,
        credit_notes: &[CreditNoteId],
        restock: bool,
        at: DateTime<Utc>,
    ) -> Decision {
        match self.progress.status {
            Status::Cancelled | Status::Expired => return Ok(vec![]),
            Status::Completed => return Err(Rejection::AlreadyFulfilled),
            Status::Open => {}
        }
        // The payment window is over once the order is paid: a timer that comes late cancels no paid order.
        let is_promised = matches!(self.progress.payment_status, PaymentStatus::Authorized | PaymentStatus::OnDelivery);
        if reason.is_for_want_of_money() && self.is_paid() || reason == CancelReason::PaymentWindowPassed && is_promised
        {
            return Err(Rejection::AlreadyPaid);
        }
        // A timer of the window as it was before the buyer got longer.
        let is_early = self.window_extended && self.placement.pay_by.is_some_and(|pay_by| at < pay_by);
        if reason == CancelReason::PaymentWindowPassed && is_early {
            return Err(Rejection::WindowOpen);
        }
        // Before the capture, lost pieces count as handed over, just as delivered ones: their price is being captured.
        if self.handed_over_pieces() > 0 || !self.has_left_stock() && !self.lost.is_empty() {
            return Err(Rejection::AlreadyFulfilled);
        }
        self.nothing_arrived_after_all(reason)?;
        let packed = self.parcels.iter().filter(|(_, parcel)| parcel.stage == ParcelStage::Prepared);
        let mut events: Vec<Event> = packed.map(|(shipment, _)| Event::ParcelDropped { shipment: *shipment }).collect();
        // Without a payment nothing is shipped, even if it is packed.
        if !events.is_empty() && !reason.is_for_want_of_money() {
            return Err(Rejection::BeingShipped);
        }
        let left = self.left_of_payment();
        let notes = if self.is_paid() { credit_notes } else { &[] };
        let release = self.released_by_cancelling(restock);
        let lost = if self.is_spoilt_unless(restock) { self.stock_to_move() } else { self.lost_pieces() };
        events.push(Event::Cancelled {
            reason,
            payment: self.placement.payment,
            was_paid: self.is_paid(),
            release,
            due: (self.is_paid() && left != self.placement.total).then_some(left),
            credit_note: notes.first().copied(),
            further_notes: notes.iter().skip(1).copied().collect(),
            lost,
            stock_moved: true,
        });
        Ok(events)
    }

    /// The pieces that a cancellation makes available again: all that were reserved, or those that had left the stock and are
    /// in the shop, unless they are written off.
    pub fn released_by_cancelling(&self, restock: bool) -> Vec<Demand> {
        if self.is_spoilt_unless(restock) { vec![] } else { self.at_hand(&self.stock_to_move()) }
    }

    /// Reserved pieces have not left the stock, so they are never written off.
    fn is_spoilt_unless(&self, restock: bool) -> bool {
        !restock && self.has_left_stock()
    }

    pub(super) fn cancel_lines(
        &self,
        wanted: &LinesOff<'_>,
        refund: Option<RefundId>,
        credit_note: Option<CreditNoteId>,
        at: DateTime<Utc>,
    ) -> Decision {
        let LinesOff { lines, shipping, reason, restock } = *wanted;
        if credit_note.is_some_and(|id| self.credit_notes.contains(&id)) {
            return Ok(vec![]);
        }
        self.ensure_open()?;
        match self.progress.payment_status {
            PaymentStatus::Authorized => return Err(Rejection::AwaitingCapture),
            PaymentStatus::Awaiting
            | PaymentStatus::OnDelivery
            | PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::RefundDue
            | PaymentStatus::Voided => {}
        }
        self.nothing_arrived_after_all(reason)?;
        // A buyer who bought two to get one free must not keep that one alone. Staff can decide otherwise.
        if reason == CancelReason::BuyerRequest && self.placement.discounts.iter().any(|discount| discount.of_whole) {
            return Err(Rejection::DiscountOfWhole);
        }
        let off = Self::checked(lines)?;
        self.are_of_one_part(&off)?;
        for Demand { variant, quantity } in &off {
            let left = self.left_to_cancel(*variant);
            if quantity.get() > left {
                return Err(Rejection::TooManyCancelled { variant: *variant, left });
            }
        }
        let pieces: i64 = off.iter().map(|line| line.quantity.get()).sum();
        let kept = self.progress.kept - pieces;
        if kept == 0 {
            return Err(Rejection::NothingLeft);
        }
        let amount = self.sum_of(lines)?;
        let shipping = self.checked_shipping(shipping, &off)?;
        let was_paid = self.is_paid();
        let written_off = if self.is_spoilt_unless(restock) { self.at_hand(&off) } else { vec![] };
        let lines = lines.to_vec();
        let mut events =
            vec![Event::LinesCancelled { lines, amount, shipping, reason, was_paid, refund, credit_note, written_off }];
        if self.has_left_stock() && self.handed_over_pieces() == kept {
            events.push(Event::Fulfilled { completed: false, at: Some(at) });
        }
        if was_paid && self.delivered_pieces() == kept {
            events.push(Event::Completed {});
        }
        Ok(events)
    }

    /// The shipping price is only refunded with the last piece that is shipped, and only once.
    fn checked_shipping(&self, shipping: Option<Money>, off: &[Demand]) -> Result<Option<Money>, Rejection> {
        let Some(shipping) = shipping else { return Ok(None) };
        let left = self.shipping_left_with(off);
        if !self.shipping_falls_with(off) || shipping.currency != left.currency || shipping.amount <= 0 {
            return Err(Rejection::WrongTotal);
        }
        if shipping.amount > left.amount {
            return Err(Rejection::TooMuchShipping { left });
        }
        Ok(Some(shipping))
    }

    pub(super) fn note_lines_cancelled(
        &mut self,
        lines: &[ReturnLine],
        amount: Money,
        was_paid: bool,
        credit_note: Option<CreditNoteId>,
    ) {
        for line in lines {
            *self.cancelled_quantities.entry(line.variant).or_default() += line.quantity.get();
            self.note_no_longer_lost(&[Demand { variant: line.variant, quantity: line.quantity }]);
        }
        self.credit_notes.extend(credit_note);
        if was_paid {
            // The decision checked the sums; should they ever overflow, the fold keeps the previous one.
            self.credited = self.credited.plus(amount).unwrap_or(self.credited);
        }
    }
}
