//! The progress of an order: its three statuses, and the amounts and numbers of pieces from which they follow.

use std::iter;

use serde::Serialize;

use super::{CancelReason, Event, Fulfilment, PaymentStatus, Placement, ReturnLine, Status};
use crate::money::Money;

/// The progress of an order, folded from its own events alone: the order decides by it, and the list of orders shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The status of the order.
    pub status: Status,
    /// The status of its payment.
    pub payment_status: PaymentStatus,
    /// The status of its goods.
    pub fulfilment: Fulfilment,
    /// Why it is cancelled; absent if it is not.
    pub cancelled: Option<CancelReason>,
    /// The amount to pay: the total without what was cancelled before the payment.
    #[serde(skip)]
    pub payable: Money,
    /// The amount that was refunded.
    pub refunded: Money,
    /// The number of pieces that are not cancelled.
    #[serde(skip)]
    pub kept: i64,
    /// The number of pieces that were returned.
    #[serde(skip)]
    pub returned: i64,
}

impl Progress {
    /// The stored types of the events that it is folded from; the other events do not change it.
    pub const READS: &'static [&'static str] = &[
        "placed",
        "paid",
        "authorized",
        "released",
        "fulfilled",
        "completed",
        "cancelled",
        "lines_cancelled",
        "refunded",
        "handed_over",
        "parcel_returned",
        "parcel_lost",
        "parcel_found",
        "returned",
    ];

    /// A new order.
    pub fn new(placement: &Placement) -> Self {
        Self {
            status: Status::Open,
            payment_status: PaymentStatus::Awaiting,
            fulfilment: Fulfilment::Unfulfilled,
            cancelled: None,
            payable: placement.total,
            refunded: Money::zero(placement.total.currency),
            kept: placement.lines.iter().map(|line| line.quantity.get()).sum(),
            returned: 0,
        }
    }

    /// Applies an event of the order after it was placed.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Authorized { .. } => self.payment_status = PaymentStatus::Authorized,
            Event::Released { .. } => self.payment_status = PaymentStatus::OnDelivery,
            Event::Paid { in_part, .. } => {
                self.payment_status = PaymentStatus::Paid;
                if *in_part {
                    self.note_fulfilment(Fulfilment::PartlyFulfilled);
                }
            }
            Event::Fulfilled { completed, .. } => {
                self.note_fulfilment(Fulfilment::Fulfilled);
                if *completed {
                    self.status = Status::Completed;
                }
            }
            Event::Completed {} => self.status = Status::Completed,
            Event::Cancelled { reason, was_paid, due, .. } => {
                self.status = reason.status();
                self.cancelled = Some(*reason);
                self.payment_status = PaymentStatus::of_cancelled(*was_paid, *due);
            }
            Event::LinesCancelled { lines, amount, shipping, was_paid, .. } => {
                self.kept -= pieces(lines);
                self.note_fulfilment(self.fulfilment);
                if !was_paid {
                    for off in iter::once(*amount).chain(*shipping) {
                        self.note_not_due(off);
                    }
                }
            }
            Event::Refunded { amount, .. } => self.note_refund(*amount),
            Event::HandedOver { .. } => self.note_fulfilment(Fulfilment::PartlyFulfilled),
            Event::ParcelReturned { fulfilment, .. }
            | Event::ParcelLost { fulfilment, .. }
            | Event::ParcelFound { fulfilment, .. } => self.note_fulfilment(*fulfilment),
            Event::Returned { lines, amount, return_id, .. } => {
                self.returned += pieces(lines);
                self.note_fulfilment(self.fulfilment);
                // The money of a return of ours follows, when the provider has given it back.
                if return_id.is_none() {
                    self.note_refund(Some(*amount));
                }
            }
            Event::Placed(_)
            | Event::ParcelPrepared { .. }
            | Event::ParcelDropped { .. }
            | Event::Delivered { .. }
            | Event::Replaced { .. }
            | Event::ReturnRequested { .. }
            | Event::ReturnClosed { .. }
            | Event::Noted { .. }
            | Event::BuyerForgotten { .. }
            | Event::KeysRevealed { .. }
            | Event::Credited { .. }
            | Event::PaymentWindowExtended { .. }
            | Event::MovedToCart { .. } => {}
        }
    }

    /// The fulfilment with the returned pieces taken into account.
    pub(super) fn with_returns(&self, fulfilment: Fulfilment) -> Fulfilment {
        // No variant comes back more often than it was kept, so equal sums mean that everything is back.
        fulfilment.with_returns(self.returned, self.kept)
    }

    fn note_fulfilment(&mut self, fulfilment: Fulfilment) {
        self.fulfilment = self.with_returns(fulfilment);
    }

    fn note_not_due(&mut self, amount: Money) {
        // The decision checked the sums; should they ever overflow, the fold keeps the previous one.
        self.payable = self.payable.minus(amount).unwrap_or(self.payable);
    }

    /// Applies a refund of an amount, or of the whole payment.
    fn note_refund(&mut self, amount: Option<Money>) {
        self.refunded = match amount {
            // The decision checked the sum; should it ever overflow, the fold keeps the previous one.
            Some(amount) => self.refunded.plus(amount).unwrap_or(self.refunded),
            None => self.payable,
        };
        self.payment_status = match self.payment_status {
            _ if self.refunded.amount >= self.payable.amount => PaymentStatus::Refunded,
            PaymentStatus::RefundDue => PaymentStatus::RefundDue,
            PaymentStatus::Awaiting
            | PaymentStatus::Authorized
            | PaymentStatus::OnDelivery
            | PaymentStatus::Paid
            | PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::Voided => PaymentStatus::PartlyRefunded,
        };
    }
}

fn pieces(lines: &[ReturnLine]) -> i64 {
    lines.iter().map(|line| line.quantity.get()).sum()
}
