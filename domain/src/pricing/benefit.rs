//! The discount of a benefit on what is left of the lines and the shipping.

use super::UnmetCondition;
use super::input::{Input, Item};
use super::shipping::Choice;
use super::split::split;
use crate::basis_points::BasisPoints;
use crate::money::{Money, MoneyError, divide_half_up};
use crate::promotion::{Benefit, QuantityTier, SubtotalTier, Target, Terms};
use crate::quantity::Quantity;

/// Why a promotion does not apply.
#[derive(Debug)]
pub(super) enum Obstacle {
    TooEarly,
    Expired,
    UsedUp,
    NeedsEmail,
    Unmet(UnmetCondition),
    NotCombinable,
    Money(MoneyError),
}

impl From<MoneyError> for Obstacle {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// The discount of each line and of the shipping.
#[derive(Debug)]
pub(super) struct Off {
    pub(super) lines: Vec<Money>,
    pub(super) shipping: Money,
}

/// The discount of a promotion's benefit. `amounts` are the prices of the lines before discounts, `left` is what is left of
/// them.
pub(super) fn off(
    input: &Input<'_>,
    terms: &Terms,
    amounts: &[Money],
    left: &[Money],
    shipping_left: Money,
    chosen: Option<&Choice<'_>>,
) -> Result<Off, Obstacle> {
    let zero = Money::zero(input.currency);
    let of_lines = |lines| Ok(Off { lines, shipping: zero });
    let target = |index: usize| input.items[index].is_in(terms, &terms.target);
    match &terms.benefit {
        Benefit::Percent { percent_bps } => of_lines(share(input, target, left, *percent_bps)?),
        Benefit::Fixed { amounts } => {
            let own = amounts.iter().find(|amount| amount.currency() == input.currency);
            let most = own.ok_or(Obstacle::Unmet(UnmetCondition::Currency))?.money().amount;
            of_lines(fixed(input, target, left, most)?)
        }
        Benefit::FreeShipping { services } => {
            let this = |chosen: &Choice<'_>| services.is_empty() || services.contains(&chosen.service.service);
            // Before a service is chosen, it is not known whether the promotion applies to it.
            if chosen.is_some_and(|chosen| !this(chosen)) {
                return Err(Obstacle::Unmet(UnmetCondition::Service));
            }
            let shipping = if chosen.is_some() { shipping_left } else { zero };
            Ok(Off { lines: vec![zero; left.len()], shipping })
        }
        Benefit::BuyGet { buy, get, of, percent_bps, times } => {
            let rule = BuyGet { terms, buy: *buy, get: *get, of: of.as_ref(), times: *times };
            of_lines(rule.off(input, left, *percent_bps)?)
        }
        Benefit::BySubtotal { tiers } => {
            let cost =
                targeted(input, terms, &terms.target).try_fold(zero, |sum, (index, _)| sum.plus(amounts[index]))?;
            of_lines(share(input, target, left, by_subtotal(tiers, cost)?)?)
        }
        Benefit::ByQuantity { tiers } => {
            let pieces = targeted(input, terms, &terms.target).map(|(_, item)| item.quantity.get()).sum();
            of_lines(share(input, target, left, by_quantity(tiers, pieces)?)?)
        }
    }
}

fn targeted<'a>(input: &'a Input<'_>, terms: &'a Terms, target: &'a Target) -> impl Iterator<Item = (usize, &'a Item)> {
    input.items.iter().enumerate().filter(|(_, item)| item.is_in(terms, target))
}

/// A share of what is left of the target together, rounded once.
fn share(
    input: &Input<'_>,
    target: impl Fn(usize) -> bool,
    left: &[Money],
    rate: BasisPoints,
) -> Result<Vec<Money>, MoneyError> {
    let there = left.iter().enumerate().filter(|(index, _)| target(*index));
    let whole = rate.of(Money::sum(input.currency, there.map(|(_, left)| *left))?)?;
    Ok(spread(input, target, left, whole.amount))
}

/// A fixed amount off the target together, at most what is left of it.
fn fixed(
    input: &Input<'_>,
    target: impl Fn(usize) -> bool,
    left: &[Money],
    most: i64,
) -> Result<Vec<Money>, MoneyError> {
    let there = left.iter().enumerate().filter(|(index, _)| target(*index));
    let there = Money::sum(input.currency, there.map(|(_, left)| *left))?;
    Ok(spread(input, target, left, most.min(there.amount)))
}

/// Splits a discount of the target over its lines, in proportion to what is left of them.
fn spread(input: &Input<'_>, target: impl Fn(usize) -> bool, left: &[Money], off: i64) -> Vec<Money> {
    let weight = |index: usize| if target(index) { left[index].amount } else { 0 };
    let weights: Vec<_> = (0..left.len()).map(|index| (input.items[index].variant, weight(index))).collect();
    split(off, &weights).into_iter().map(|part| Money::new(part, input.currency)).collect()
}

fn by_subtotal(tiers: &[SubtotalTier], cost: Money) -> Result<BasisPoints, Obstacle> {
    let mut own = tiers.iter().filter(|tier| tier.from.currency() == cost.currency).peekable();
    if own.peek().is_none() {
        return Err(Obstacle::Unmet(UnmetCondition::Currency));
    }
    let reached = own.filter(|tier| tier.from.money().amount <= cost.amount);
    let highest = reached.max_by_key(|tier| tier.from.money().amount);
    highest.map(|tier| tier.percent_bps).ok_or(Obstacle::Unmet(UnmetCondition::MinimumSubtotal))
}

fn by_quantity(tiers: &[QuantityTier], pieces: i64) -> Result<BasisPoints, Obstacle> {
    let reached = tiers.iter().filter(|tier| tier.from.get() <= pieces);
    let highest = reached.max_by_key(|tier| tier.from);
    highest.map(|tier| tier.percent_bps).ok_or(Obstacle::Unmet(UnmetCondition::MinimumQuantity))
}

/// Buy some pieces, get others at a discount.
///
/// A piece counts once: as bought, at its full price, or as discounted. Of the pieces that can be discounted the cheapest are,
/// as many as leave [`buy`](Self::buy) other pieces of the target for each [`get`](Self::get). So a piece that could be
/// discounted and is sold at its full price counts as bought, if the target includes it too.
struct BuyGet<'a> {
    terms: &'a Terms,
    buy: Quantity,
    get: Quantity,
    of: Option<&'a Target>,
    times: Option<Quantity>,
}

impl BuyGet<'_> {
    fn off(&self, input: &Input<'_>, left: &[Money], rate: BasisPoints) -> Result<Vec<Money>, Obstacle> {
        let reward = self.of.unwrap_or(&self.terms.target);
        let mut rewarded: Vec<(usize, &Item)> = targeted(input, self.terms, reward).collect();
        rewarded.sort_by_key(|(_, item)| (item.unit_price.money().amount, item.variant));
        let mut pieces = self.pieces_for_less(input, &rewarded);
        if pieces == 0 {
            return Err(Obstacle::Unmet(UnmetCondition::MinimumQuantity));
        }
        let mut lines = vec![Money::zero(input.currency); left.len()];
        for (index, item) in rewarded {
            let of_line = pieces.min(item.quantity.get());
            pieces -= of_line;
            // So many of the line's pieces, at what is left of each, at the rate: rounded once.
            let numerator = i128::from(left[index].amount) * i128::from(of_line) * i128::from(rate.get());
            let amount = divide_half_up(numerator, i128::from(item.quantity.get()) * 10_000)?;
            lines[index] = Money::new(amount, input.currency);
        }
        Ok(lines)
    }

    /// The number of discounted pieces: as many as leave enough of the target to be bought.
    fn pieces_for_less(&self, input: &Input<'_>, rewarded: &[(usize, &Item)]) -> i64 {
        let of_target: i64 = targeted(input, self.terms, &self.terms.target).map(|(_, item)| item.quantity.get()).sum();
        let most_times = self.times.map_or(i64::MAX, Quantity::get);
        if self.of.is_none() {
            // Of the target itself each time takes all of its pieces.
            return (of_target / (self.buy.get() + self.get.get())).min(most_times) * self.get.get();
        }
        let is_enough = |pieces: i64| {
            let bought = of_target - of_target_among(pieces, self.terms, rewarded);
            pieces <= (bought / self.buy.get()).min(most_times).saturating_mul(self.get.get())
        };
        // The more pieces are discounted, the fewer are bought: bisect for the most that leave enough.
        let (mut enough, mut too_many) = (0, rewarded.iter().map(|(_, item)| item.quantity.get()).sum::<i64>() + 1);
        while too_many - enough > 1 {
            let middle = enough + (too_many - enough) / 2;
            if is_enough(middle) { enough = middle } else { too_many = middle }
        }
        enough
    }
}

/// How many of the first pieces are of the target.
fn of_target_among(pieces: i64, terms: &Terms, items: &[(usize, &Item)]) -> i64 {
    let mut left = pieces;
    let mut of_target = 0;
    for (_, item) in items {
        let taken = left.min(item.quantity.get());
        left -= taken;
        of_target += if item.is_in(terms, &terms.target) { taken } else { 0 };
    }
    of_target
}
