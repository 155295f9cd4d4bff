//! What each part of an order has of refunds. Most are of one part and known when they are requested; what is of the whole order
//! is split over what each part is still owed.

use super::sums::shares;
use super::{Part, Parts, plus};
use crate::ids::RefundId;
use crate::money::Money;
use crate::order::events::PartShare;

impl Parts {
    /// What each part has of an amount of the whole order, in proportion to what is left of each; parts without a share are left
    /// out.
    pub(in crate::order) fn split(&self, amount: Money, shipping: bool) -> Vec<PartShare> {
        let weights: Vec<i64> = self.all().iter().map(|part| part.creditable(shipping).amount.max(0)).collect();
        let shares = self.all().iter().zip(shares(amount.amount, &weights));
        let share =
            |(part, share): (&Part, i64)| PartShare { seller: part.seller, amount: Money { amount: share, ..amount } };
        shares.map(share).filter(|share| share.amount.amount > 0).collect()
    }

    /// Applies a refund of money alone.
    pub(super) fn note_credit(&mut self, refund: RefundId, amount: Money, shipping: bool, parts: &[PartShare]) {
        let shares = if parts.is_empty() { self.split(amount, shipping) } else { parts.to_vec() };
        for share in shares {
            if let Some(part) = self.0.iter_mut().find(|part| part.seller == share.seller) {
                part.take_off(share.amount, true, Some(refund));
                if shipping {
                    part.shipping_credited = plus(part.shipping_credited, share.amount);
                }
            }
        }
    }

    /// Applies a refund that was made. One that is not known retries one that failed, or is of all that a cancelled order owes.
    pub(super) fn note_refund(&mut self, refund: Option<RefundId>, amount: Money) {
        let claims = self.claimed(refund, amount);
        let mut rest = amount.amount;
        for (part, claim) in self.0.iter_mut().zip(claims) {
            let share = claim.min(part.owed()).min(rest).max(0);
            part.note_refunded(share);
            rest -= share;
        }
        for owed in [Part::unclaimed, Part::owed] {
            let weights: Vec<i64> = self.0.iter().map(owed).collect();
            let share = rest.min(weights.iter().sum());
            if share > 0 {
                self.0.iter_mut().zip(shares(share, &weights)).for_each(|(part, share)| part.note_refunded(share));
                rest -= share;
            }
        }
        // More than is owed was refunded: the sums stay exact.
        if let Some(part) = self.0.first_mut() {
            part.note_refunded(rest);
        }
    }

    /// What each part claims of a refund, which is no longer open.
    fn claimed(&mut self, refund: Option<RefundId>, amount: Money) -> Vec<i64> {
        let is_open = |id: &RefundId| self.0.iter().any(|part| part.claims.contains_key(id));
        // A retry is for the same amount.
        let is_like = |id: &RefundId| {
            let claims = self.0.iter().filter_map(|part| part.claims.get(id));
            claims.map(|claim| claim.amount).sum::<i64>() == amount.amount
        };
        let known = refund.filter(is_open).or_else(|| {
            let open = self.0.iter().filter(|part| part.cancelled.is_none()).flat_map(|part| part.claims.keys());
            open.copied().find(is_like)
        });
        let Some(known) = known else { return vec![0; self.0.len()] };
        self.0.iter_mut().map(|part| part.claims.remove(&known).map_or(0, |claim| claim.amount)).collect()
    }
}

impl Part {
    pub(super) fn refund_all(&mut self) {
        self.refunded = self.payable;
        self.claims.clear();
    }

    /// What is credited and not refunded.
    fn owed(&self) -> i64 {
        (self.credited.amount - self.refunded.amount).max(0)
    }

    /// What is owed without the refunds that are not made yet.
    fn unclaimed(&self) -> i64 {
        (self.owed() - self.claims.values().map(|claim| claim.amount).sum::<i64>()).max(0)
    }

    fn note_refunded(&mut self, amount: i64) {
        self.refunded = plus(self.refunded, Money { amount, ..self.refunded });
    }
}
