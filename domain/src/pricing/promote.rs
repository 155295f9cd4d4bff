//! Which promotions apply, in which order, and the discount of each on what the earlier ones have left.

use std::cmp::Reverse;

use super::benefit::{self, Obstacle, Off};
use super::input::{Candidate, Input};
use super::shipping::Choice;
use super::{Discount, Problem, Share, UnmetCondition};
use crate::ids::{PromotionId, UsageId};
use crate::money::{Money, MoneyError, Price};
use crate::promotion::{CouponCode, Status, Terms};
use crate::usage;

/// A claim of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The usage.
    pub usage: UsageId,
    /// The promotion; absent where a customer's orders are counted.
    pub promotion: Option<PromotionId>,
    /// The usage limit.
    pub limit: Option<u32>,
}

/// The result of applying promotions to the lines and the shipping.
#[derive(Debug)]
pub(super) struct Promoted {
    pub(super) discounts: Vec<Discount>,
    /// What is left to pay of each line.
    pub(super) left: Vec<Money>,
    /// What is left to pay of the shipping.
    pub(super) shipping_left: Money,
    pub(super) claims: Vec<Claim>,
    exclusive: bool,
    /// Whether all codes that apply so far can be combined with others.
    combinable: Option<bool>,
}

impl Obstacle {
    /// The problem that the buyer who entered the code is told.
    fn problem(self, coupon: CouponCode) -> Result<Problem, MoneyError> {
        Ok(match self {
            Self::TooEarly => Problem::CouponTooEarly { coupon },
            Self::Expired => Problem::CouponExpired { coupon },
            Self::UsedUp => Problem::CouponUsedUp { coupon },
            Self::NeedsEmail => Problem::CouponNeedsEmail { coupon },
            Self::Unmet(reason) => Problem::CouponNotApplicable { coupon, reason },
            Self::NotCombinable => Problem::CouponNotCombinable { coupon },
            Self::Money(error) => return Err(error),
        })
    }
}

/// Applies every promotion that can be applied.
pub(super) fn promote(
    input: &Input<'_>,
    amounts: &[Money],
    subtotal: Money,
    chosen: Option<&Choice<'_>>,
    problems: &mut Vec<Problem>,
) -> Result<Promoted, MoneyError> {
    problems.extend(input.unknown.iter().map(|coupon| Problem::CouponUnknown { coupon: coupon.clone() }));
    let mut candidates: Vec<&Candidate<'_>> = input.promotions.iter().collect();
    candidates.sort_by_key(|it| (Reverse(it.terms.priority), it.coupon().is_none(), it.promotion));
    let mut promoted = Promoted {
        discounts: Vec::new(),
        left: amounts.to_vec(),
        shipping_left: chosen.map_or(Money::zero(input.currency), |chosen| chosen.price.money()),
        claims: Vec::new(),
        exclusive: false,
        combinable: None,
    };
    for candidate in candidates {
        let given = promoted.give(input, candidate, amounts, subtotal, chosen);
        match (given, candidate.coupon()) {
            (Ok(()), _) => {}
            (Err(Obstacle::Money(error)), None) => return Err(error),
            // An automatic promotion that does not apply is simply left out.
            (Err(_), None) => {}
            (Err(obstacle), Some(coupon)) => problems.push(obstacle.problem(coupon.clone())?),
        }
    }
    let counted = input.counters.iter().map(|usage| Claim { usage: *usage, promotion: None, limit: None });
    promoted.claims.extend(counted);
    Ok(promoted)
}

impl Promoted {
    fn give(
        &mut self,
        input: &Input<'_>,
        candidate: &Candidate<'_>,
        amounts: &[Money],
        subtotal: Money,
        chosen: Option<&Choice<'_>>,
    ) -> Result<(), Obstacle> {
        let terms = candidate.terms;
        check(input, candidate, amounts, subtotal)?;
        let alone = self.exclusive || (terms.exclusive && !self.discounts.is_empty());
        let with_codes = terms.code.is_none() || self.combinable.is_none_or(|all| all && terms.combinable);
        if alone || !with_codes {
            return Err(Obstacle::NotCombinable);
        }
        let off = benefit::off(input, terms, amounts, &self.left, self.shipping_left, chosen)?;
        self.take(input, candidate, &off)?;
        Ok(())
    }

    /// Applies a discount, if it is not zero.
    fn take(&mut self, input: &Input<'_>, candidate: &Candidate<'_>, off: &Off) -> Result<(), MoneyError> {
        let (terms, currency) = (candidate.terms, self.shipping_left.currency);
        let amount = Money::sum(currency, off.lines.iter().copied())?.plus(off.shipping)?;
        if amount.amount == 0 {
            return Ok(());
        }
        for (left, off) in self.left.iter_mut().zip(&off.lines) {
            *left = left.minus(*off)?;
        }
        self.shipping_left = self.shipping_left.minus(off.shipping)?;
        let shares = off.lines.iter().enumerate().filter(|(_, amount)| amount.amount > 0);
        self.discounts.push(Discount {
            promotion: candidate.promotion,
            version: candidate.version,
            code: terms.code.clone(),
            label: terms.label.clone(),
            amount,
            lines: shares.map(|(line, amount)| Share { line, amount: *amount }).collect(),
            shipping: Some(off.shipping).filter(|off| off.amount > 0),
            of_whole: terms.is_of_whole(),
        });
        self.exclusive |= terms.exclusive;
        if terms.code.is_some() {
            self.combinable = Some(self.combinable.unwrap_or(true) && terms.combinable);
        }
        self.claims.extend(claims(input, candidate));
        Ok(())
    }
}

/// Whether a promotion can apply to an order, whatever other promotions apply.
fn check(input: &Input<'_>, candidate: &Candidate<'_>, amounts: &[Money], subtotal: Money) -> Result<(), Obstacle> {
    let terms = candidate.terms;
    match candidate.status {
        Status::Active => {}
        Status::Paused | Status::Ended => return Err(Obstacle::Expired),
    }
    if terms.from.is_some_and(|from| input.at < from) {
        return Err(Obstacle::TooEarly);
    }
    if terms.until.is_some_and(|until| input.at >= until) {
        return Err(Obstacle::Expired);
    }
    let conditions = &terms.conditions;
    let unmet = |condition| Err(Obstacle::Unmet(condition));
    if !conditions.currencies.is_empty() && !conditions.currencies.contains(&input.currency) {
        return unmet(UnmetCondition::Currency);
    }
    if !conditions.customers.is_empty() && !input.account.is_some_and(|it| conditions.customers.contains(&it)) {
        return unmet(UnmetCondition::Customer);
    }
    // Before the destination is known, promotions for any country are shown.
    if let Some(to) = input.destination.filter(|_| !conditions.countries.is_empty())
        && !conditions.countries.contains(to.country)
    {
        return unmet(UnmetCondition::Country);
    }
    if conditions.first_order && input.orders > 0 {
        return unmet(UnmetCondition::FirstOrder);
    }
    if let Some(least) = least(&conditions.minimum_subtotal, input)?
        && subtotal_of(input, terms, amounts, subtotal)?.amount < least
    {
        return unmet(UnmetCondition::MinimumSubtotal);
    }
    let of_target = || input.items.iter().filter(|item| item.is_in(terms, &terms.target));
    let contained = conditions.contains.as_ref().is_none_or(|it| input.items.iter().any(|item| item.is_in(terms, it)));
    if !contained || of_target().next().is_none() {
        return unmet(UnmetCondition::Goods);
    }
    let pieces: i64 = of_target().map(|item| item.quantity.get()).sum();
    if conditions.minimum_quantity.is_some_and(|least| pieces < least.get()) {
        return unmet(UnmetCondition::MinimumQuantity);
    }
    check_limits(input, candidate)
}

/// The subtotal of the goods that are meant.
fn subtotal_of(input: &Input<'_>, terms: &Terms, amounts: &[Money], subtotal: Money) -> Result<Money, MoneyError> {
    if terms.seller.is_none() {
        return Ok(subtotal);
    }
    let own = input.items.iter().zip(amounts).filter(|(item, _)| item.is_of(terms));
    Money::sum(input.currency, own.map(|(_, amount)| *amount))
}

fn check_limits(input: &Input<'_>, candidate: &Candidate<'_>) -> Result<(), Obstacle> {
    let terms = candidate.terms;
    if terms.limits.total.is_some_and(|limit| candidate.used >= i64::from(limit)) {
        return Err(Obstacle::UsedUp);
    }
    match terms.per_customer() {
        Some(_) if input.customers.is_empty() => Err(Obstacle::NeedsEmail),
        Some(limit) if candidate.used_by_customer >= i64::from(limit) => Err(Obstacle::UsedUp),
        Some(_) | None => Ok(()),
    }
}

/// The amount in the order's currency; none if there is no amount at all.
fn least(amounts: &[Price], input: &Input<'_>) -> Result<Option<i64>, Obstacle> {
    if amounts.is_empty() {
        return Ok(None);
    }
    let own = amounts.iter().find(|amount| amount.currency() == input.currency);
    own.map(|amount| Some(amount.money().amount)).ok_or(Obstacle::Unmet(UnmetCondition::Currency))
}

/// The uses that applying a promotion claims.
fn claims(input: &Input<'_>, candidate: &Candidate<'_>) -> Vec<Claim> {
    let promotion = candidate.promotion;
    let claim = |usage, limit| Claim { usage, promotion: Some(promotion), limit: Some(limit) };
    let total = candidate.terms.limits.total.map(|limit| claim(usage::of_promotion(promotion), limit));
    let by_customer = candidate.terms.per_customer().into_iter().flat_map(|limit| {
        input.customers.iter().map(move |customer| claim(usage::by_customer(promotion, customer), limit))
    });
    total.into_iter().chain(by_customer).collect()
}
