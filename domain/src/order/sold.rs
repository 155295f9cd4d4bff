//! The amount that an order counts as sold: what was ordered, less credit notes and cancellations.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::money::Money;

/// The amount that an order counts as sold, folded from its own events alone.
///
/// Each amount is deducted once: with its credit note, or without one with the cancellation. So neither the order of refunds
/// and cancellations matters, nor whether the provider has refunded the money by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sold {
    /// The ordered amount, without what was cancelled before the payment.
    pub ordered: Money,
    /// The amount of the credit notes, whether or not it is refunded yet.
    pub credited: Money,
    /// The amount of the cancellation of a paid order that no credit note covers.
    pub cancelled: Money,
}

impl Sold {
    /// The stored types of the events that it is folded from; the other events do not change it.
    pub const READS: &'static [&'static str] = &["placed", "cancelled", "lines_cancelled", "credited", "returned"];

    /// A new order.
    pub fn new(total: Money) -> Self {
        let zero = Money::zero(total.currency);
        Self { ordered: total, credited: zero, cancelled: zero }
    }

    /// The amount that still counts as sold: `ordered − credited − cancelled`.
    pub fn left(&self) -> Money {
        Money { amount: self.ordered.amount - self.credited.amount - self.cancelled.amount, ..self.ordered }
    }

    /// Applies an event of the order after it was placed.
    pub fn note(&mut self, event: &Event) {
        match event {
            // The order did not become a sale.
            Event::Cancelled { was_paid: false, .. } => self.ordered = Money::zero(self.ordered.currency),
            // Its credit note covers all that no earlier one covers.
            Event::Cancelled { credit_note: Some(_), .. } => self.credited = sum(self.credited, self.left()),
            Event::Cancelled { credit_note: None, .. } => self.cancelled = sum(self.cancelled, self.left()),
            Event::LinesCancelled { amount, shipping, was_paid, .. } => {
                let amount = shipping.map_or(*amount, |shipping| sum(*amount, shipping));
                if *was_paid {
                    self.credited = sum(self.credited, amount);
                } else {
                    self.ordered = self.ordered.minus(amount).unwrap_or(self.ordered);
                }
            }
            Event::Returned { amount, .. } | Event::Credited { amount, .. } => {
                self.credited = sum(self.credited, *amount);
            }
            Event::Placed(_)
            | Event::Paid { .. }
            | Event::Authorized { .. }
            | Event::Released { .. }
            | Event::Fulfilled { .. }
            | Event::Completed {}
            | Event::Refunded { .. }
            | Event::ParcelPrepared { .. }
            | Event::ParcelDropped { .. }
            | Event::HandedOver { .. }
            | Event::Delivered { .. }
            | Event::ParcelReturned { .. }
            | Event::ParcelLost { .. }
            | Event::Replaced { .. }
            | Event::ParcelFound { .. }
            | Event::ReturnRequested { .. }
            | Event::ReturnClosed { .. }
            | Event::Noted { .. }
            | Event::BuyerForgotten { .. }
            | Event::PaymentWindowExtended { .. }
            | Event::KeysRevealed { .. }
            | Event::MovedToCart { .. } => {}
        }
    }
}

/// The decision checked the sums; should one ever overflow, the fold keeps the previous one.
fn sum(one: Money, other: Money) -> Money {
    one.plus(other).unwrap_or(one)
}
