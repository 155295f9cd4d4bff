//! The gift cards of an order: each piece of such a line is one card, worth its price, without discount and without tax.

use super::{Placed, Rejection, RevokedKeys};
use crate::ids::{StoredValueId, VariantId};
use crate::money::Money;
use crate::quantity::Demand;

impl Placed {
    /// Whether gift cards are among what was bought.
    pub fn sells_gift_cards(&self) -> bool {
        self.placement.lines.iter().any(|line| line.gift_cards)
    }

    /// Whether the pieces of a variant are gift cards.
    pub(super) fn is_gift_card(&self, variant: VariantId) -> bool {
        self.placement.lines.iter().any(|line| line.gift_cards && line.variant == variant)
    }

    /// The price of one piece of a variant; zero if it was not bought.
    pub fn price_of(&self, variant: VariantId) -> Money {
        let line = self.placement.lines.iter().find(|line| line.variant == variant);
        line.map_or(Money::zero(self.placement.total.currency), |line| line.unit_price.money())
    }

    /// What the gift cards of the order were sold for: the price of all their pieces that are not cancelled.
    pub fn worth_of_gift_cards(&self) -> Money {
        let kept = self.demands().into_iter().filter(|line| self.is_gift_card(line.variant));
        let sum = kept.map(|line| self.price_of(line.variant).amount * line.quantity.get()).sum();
        Money { amount: sum, ..self.placement.total }
    }

    /// All gift cards that the order got.
    pub fn gift_cards(&self) -> Vec<StoredValueId> {
        self.keys.values().flat_map(|delivered| delivered.gift_cards.iter().copied()).collect()
    }

    /// The gift cards that are given up with these pieces: the last ones of each variant.
    pub fn gift_cards_given_up_with(&self, lines: &[Demand]) -> Vec<(VariantId, Vec<StoredValueId>)> {
        let of_line = |Demand { variant, quantity }: &Demand| {
            let cards = self.keys.get(variant).map(|it| &it.gift_cards).filter(|cards| !cards.is_empty())?;
            let kept = usize::try_from(self.keys_kept(*variant)).unwrap_or(0).min(cards.len());
            let count = usize::try_from(quantity.get()).unwrap_or(usize::MAX).min(kept);
            Some((*variant, cards[kept - count..kept].to_vec()))
        };
        lines.iter().filter_map(of_line).collect()
    }

    /// What others gave back of the price of gift cards that the buyer still has: more than was left of everything else.
    pub fn lost_of_gift_cards(&self) -> Money {
        let card = self.placement.lines.iter().find(|line| line.gift_cards);
        self.lost_in(card.and_then(|line| self.parts.number_of(line.variant)))
    }

    fn lost_in(&self, part: Option<u16>) -> Money {
        let left = self.left_beside_gift_cards(part);
        Money { amount: (-left.amount).max(0), ..left }
    }

    /// The amount that can be refunded without giving up a gift card, of a part of the order or of all of it: what was paid for
    /// everything else. It is negative once others gave back more than that.
    fn left_beside_gift_cards(&self, part: Option<u16>) -> Money {
        let is_meant = |number: u16| part.is_none_or(|part| part == number);
        let parts = self.parts.numbered().filter(|(number, _)| is_meant(*number));
        let left: i64 = parts.map(|(_, part)| part.left().amount).sum();
        let has_cards = |number: u16| {
            let mut lines = self.placement.lines.iter().filter(|line| line.gift_cards);
            lines.any(|line| self.parts.number_of(line.variant) == Some(number))
        };
        let counts = self.parts.numbered().any(|(number, _)| is_meant(number) && has_cards(number));
        let cards = if counts { self.worth_of_gift_cards().amount - self.gift_cards_taken.amount } else { 0 };
        Money { amount: left - cards, ..self.placement.total }
    }

    /// Refuses a refund that leaves the buyer with a gift card and its price, or with more than what was paid for everything else. What
    /// others gave back of the price of gift cards is not refunded with them once more.
    pub(super) fn check_gift_cards(
        &self,
        amount: Money,
        part: Option<u16>,
        taken: &[(VariantId, Money)],
    ) -> Result<(), Rejection> {
        if part.is_none() && self.parts.are_several() {
            return Err(Rejection::PartNeeded);
        }
        let taken: i64 = taken.iter().map(|(_, taken)| taken.amount).sum();
        let due = Money { amount: (taken - self.lost_in(part).amount).max(0), ..amount };
        if amount.amount < due.amount {
            return Err(Rejection::GiftCardsHold { left: due });
        }
        let left = Money { amount: self.left_beside_gift_cards(part).amount.max(0) + due.amount, ..amount };
        if amount.amount > left.amount { Err(Rejection::TooMuchBesideGiftCards { left }) } else { Ok(()) }
    }

    pub(super) fn note_gift_cards_taken(&mut self, revoked: &[RevokedKeys]) {
        let taken: i64 = revoked.iter().filter_map(|of| of.taken).map(|taken| taken.amount).sum();
        self.gift_cards_taken.amount += taken;
    }
}
