//! What a provider keeps as its fee of what an attempt captured.
//!
//! A provider says what it keeps in all, so hearing it again changes nothing, and what it gives back with a refund is a smaller sum. An
//! attempt that was captured and given back has a fee, too, although the payment never counted it as captured.

use super::{Event, Opened, ProviderReference, Refund, RefundCause, RefundStage};
use crate::money::Money;

impl Opened {
    /// What the provider keeps of an attempt, as far as it is known.
    pub fn fee_of(&self, reference: &ProviderReference) -> Money {
        self.fees.get(reference).copied().unwrap_or(Money::zero(self.amount.currency))
    }

    /// What providers keep of all attempts.
    pub fn fee(&self) -> Money {
        Money { amount: self.fees.values().map(|fee| fee.amount).sum(), ..self.amount }
    }

    /// What the provider has of the captured charge by what is recorded: captured, and not given back as money. What staff settled was
    /// not the provider's, what a dispute holds is until it is lost, and what a seller has is not the house's.
    pub fn held_at_provider(&self) -> Money {
        let is_back = |refund: &&Refund| {
            let by_provider = refund.to.is_none() && refund.settled.is_none() && !refund.manual;
            by_provider && refund.stage == RefundStage::Done && refund.cause != RefundCause::NotDue
        };
        let back: i64 = self.refunds.values().filter(is_back).map(|refund| refund.amount.amount).sum();
        let captured = if self.was_captured() { self.in_money().amount } else { 0 };
        Money { amount: captured - back - self.with_seller.amount, ..self.amount }
    }

    /// Records the difference to what is known. A fee in another currency is not one of this payment.
    pub(super) fn record_fee(&self, reference: &ProviderReference, total: Money) -> Vec<Event> {
        let is_ours = self.is_last(reference) || self.earlier.contains(reference) || self.fees.contains_key(reference);
        let more = total.amount - self.fee_of(reference).amount;
        if !is_ours || total.currency != self.amount.currency || total.amount < 0 || more == 0 {
            return vec![];
        }
        let (reference, amount) = (reference.clone(), Money { amount: more, ..total });
        vec![Event::FeeCharged { order: self.order, reference, amount }]
    }

    pub(super) fn note_fee(&mut self, reference: &ProviderReference, amount: Money) {
        let total = self.fee_of(reference);
        // The decision took the difference; should it ever overflow, the fold keeps the previous sum.
        self.fees.insert(reference.clone(), total.plus(amount).unwrap_or(total));
    }
}
