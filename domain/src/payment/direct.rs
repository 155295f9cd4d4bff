//! Payments to the account of a seller at the provider, of which the house gets its fee alone.
//!
//! ```text
//! captured ──seller paid──▶ the seller has the amount without the fee of the house
//! refunded ──seller charged──▶ the provider took from the seller what the house did not give back of its fee
//! ```
//!
//! The house gives back of its fee in proportion to each refund, rounded down to what the provider can move: so the parts are never more than the fee, in whatever order
//! the provider carries the refunds out. What is lost by a dispute is the seller's alone.

use super::{Direct, Event, Opened, Registration};
use crate::ids::RefundId;
use crate::money::Money;

impl Registration {
    /// What the house gives back of its fee with a refund; none if the attempt is paid to the house.
    pub fn fee_back(&self, refunded: Money) -> Option<Money> {
        let direct = self.direct.as_ref()?;
        let share = i128::from(direct.fee.amount) * i128::from(refunded.amount);
        let back = share.checked_div(i128::from(self.amount.amount)).and_then(|back| i64::try_from(back).ok());
        let back = back.unwrap_or_default();
        Some(Money { amount: back - back.checked_rem(direct.unit).unwrap_or_default(), ..direct.fee })
    }
}

impl Opened {
    /// What the provider calls the captured or current attempt, if that is paid to a seller, and whose account it is.
    pub fn direct(&self) -> Option<(&Registration, &Direct)> {
        let registration = self.registration(self.at_provider()?)?;
        Some((registration, registration.direct.as_ref()?))
    }

    /// What the seller has of what is captured now.
    pub(super) fn pay_seller(&self) -> Option<Event> {
        let (registration, direct) = self.direct()?;
        let amount = Money { amount: registration.amount.amount - direct.fee.amount, ..direct.fee };
        let (order, seller, reference) = (self.order, direct.seller, self.at_provider()?.clone());
        Some(Event::SellerPaid { order, seller, reference, amount })
    }

    /// What the provider takes from the seller for a refund that the shop asked for.
    pub(super) fn charge_seller(&self, refund: RefundId, refunded: Money) -> Option<Event> {
        let (registration, _) = self.direct()?;
        self.charge_seller_but(refund, refunded, registration.fee_back(refunded)?)
    }

    /// What the provider takes from the seller for money that went back, of which the house gave back some of its fee.
    pub(super) fn charge_seller_but(&self, refund: RefundId, refunded: Money, fee_back: Money) -> Option<Event> {
        let (_, direct) = self.direct()?;
        let amount = Money { amount: refunded.amount - fee_back.amount, ..refunded };
        let (order, seller) = (self.order, direct.seller);
        (amount.amount > 0).then_some(Event::SellerCharged { order, seller, refund, amount })
    }

    /// Applies that the provider paid the seller, or took from it; amounts in minor units, negative if it took.
    pub(super) fn note_seller(&mut self, amount: i64) {
        // The captured amount bounds it.
        self.with_seller.amount = self.with_seller.amount.saturating_add(amount);
    }
}
