//! Delivering gift cards: the keys of a pool are their codes, and each piece of a paid order issues one card.
//!
//! ```text
//! key pool:      assign               revoke
//! stored value:  sell, each card      take back what is left of each card
//! order:         mark paid            credit
//! ```
//!
//! A dispute may give back only a part of what was paid. That is first of everything beside gift cards. What exceeds it is of their price:
//! cards that hold as much are blocked, and it is not refunded again with them.
//!
//! Pure: each is decided on states that were loaded before, and appended whole or not at all. So a code that an order got has its card,
//! and a card that was sold is of one piece of one order. Which card a code has follows from the keyed hash of the code, which the
//! caller knows.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::ids::{OrderId, StoredValueId, VariantId};
use crate::key_pool::{self, KeyPool, Rejection, count_of};
use crate::money::Money;
use crate::order::{LineKeys, Placed};
use crate::quantity::Demand;
use crate::stored_value::{Command, StoredValue};
use crate::text::Reason;
use crate::work::{Refused, Work};

#[cfg(test)]
mod tests;

/// The gift cards of the next keys of some pools, in the order of the keys.
pub type Cards = BTreeMap<VariantId, Vec<StoredValueId>>;

/// Issues the gift cards of which an order gets the codes: each is worth the price of its piece.
pub fn sell(
    work: &mut Work,
    order: OrderId,
    placed: &Placed,
    keys: Vec<LineKeys>,
    cards: &Cards,
) -> Result<Vec<LineKeys>, Refused> {
    let sold = |line: LineKeys| {
        let pool = work.get::<KeyPool>(key_pool::id(line.variant))?;
        let Some(terms) = pool.gift_cards else { return Ok(line) };
        let gift_cards = cards.get(&line.variant).cloned().unwrap_or_default();
        let known = i64::try_from(gift_cards.len()).unwrap_or(i64::MAX);
        if known != count_of(&line.keys) {
            return Err(Refused::from(Rejection::Empty { left: known }));
        }
        let expires_at = terms.days.map(|days| work.asked().at + TimeDelta::days(i64::from(days)));
        let amount = placed.price_of(line.variant);
        for card in &gift_cards {
            let sell = Command::Sell { order, variant: line.variant, amount, expires_at };
            work.decide::<StoredValue>(*card, &sell)?;
        }
        Ok(LineKeys { gift_cards, ..line })
    };
    keys.into_iter().map(sold).collect()
}

/// Blocks gift cards of an order of whose price others gave back a part: the last ones, until those that are blocked hold as much. Staff
/// refunds the rest with them, or unblocks them.
pub fn block_unpaid(work: &mut Work, placed: &Placed, reason: &Reason) -> Result<(), Refused> {
    let mut lost = placed.lost_of_gift_cards().amount;
    let kept = placed.gift_cards_given_up_with(&placed.pieces_to_revoke());
    for card in kept.into_iter().flat_map(|(_, cards)| cards).rev() {
        let available = work.get::<StoredValue>(card)?.live()?.available().amount;
        if lost > 0 && available > 0 {
            work.decide::<StoredValue>(card, &Command::Block { reason: reason.clone() })?;
        }
        lost -= available;
    }
    Ok(())
}

/// Takes back what is left of the gift cards of pieces that an order gives up; `before` is the order until then. Returns the amount of
/// each variant that is delivered as gift cards. If others `imposed` it, for this reason, cards that pay for other orders are blocked.
pub fn take_back(
    work: &mut Work,
    (order, before): (OrderId, &Placed),
    lines: &[Demand],
    imposed: Option<&Reason>,
) -> Result<Vec<(VariantId, Money)>, Refused> {
    let mut taken = Vec::new();
    for (variant, cards) in before.gift_cards_given_up_with(lines) {
        let mut sum = 0;
        for card in cards {
            let known = work.get::<StoredValue>(card)?;
            sum += known.live()?.available().amount;
            work.decide::<StoredValue>(card, &Command::TakeBack { order, imposed: imposed.is_some() })?;
            if let Some(reason) = imposed.filter(|_| known.live().is_ok_and(|it| it.held_in_all().amount > 0)) {
                work.decide::<StoredValue>(card, &Command::Block { reason: reason.clone() })?;
            }
        }
        taken.push((variant, Money { amount: sum, ..before.placement.total }));
    }
    Ok(taken)
}
