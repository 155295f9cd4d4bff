//! The price of an order: lines, discounts, shipping and tax, computed from everything it depends on. Pure.
//!
//! ```text
//! lines at their price ─▶ shipping at its price ─▶ promotions, in their order, off what is left ─▶ tax of what is left
//! ```
//!
//! 1. The amount of a line is its price times its quantity; the **subtotal** is the sum before discounts. The conditions of
//!    promotions and free shipping refer to this subtotal, so neither depends on the other.
//! 2. Promotions apply by priority, the highest first; at the same priority coupons before automatic ones, then the older
//!    one. Each applies to what the earlier ones have left of a line, so no line is ever below zero. An exclusive promotion
//!    applies alone: not after another one, and none after it. Codes apply together only if all of them are combinable.
//! 3. A percentage off several lines is computed on what is left of them together and rounded half-up once. A discount of
//!    several lines is split in proportion to what is left of them, by largest remainder, so that the parts add up to it.
//! 4. Tax is rounded half-up per line, on its price after discounts; shipping likewise. If the tax book rounds by rate, the
//!    tax is rounded once per rate and split over lines and shipping by largest remainder.
//!
//! 5. Gift cards have neither discounts nor tax.
//!
//! Sellers may ship their goods at prices of their own; all other goods are shipped at one price of the house, from which alone
//! promotions take off. The order of the lines in the cart does not matter. A cart shows this quote; at checkout the same computation becomes part
//! of the order and does not change any more.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Part;
use crate::ids::{CategoryId, SellerId, VariantId};
use crate::money::{Money, MoneyError};
use crate::product::TaxClass;
use crate::promotion::{Target, Terms};
use crate::tax_book::{Applied, Rounding};
use crate::tax_rate::TaxRate;

mod benefit;
mod frozen;
mod input;
mod problem;
mod promote;
pub mod shipping;
pub(crate) mod split;

pub use frozen::{Discount, LineTax, PartShipping, Share, Shipping};
pub use input::{Candidate, Input, Item, SellerRates, Whereto};
pub use problem::{Problem, UnmetCondition};
pub use promote::Claim;

/// The price of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The lines, in the order of the items.
    pub lines: Vec<Line>,
    /// The discounts, in the order in which they were applied.
    pub discounts: Vec<Discount>,
    /// The shipping at the house's price, if a service was chosen.
    pub shipping: Option<Shipping>,
    /// The shipping of sellers at prices of their own.
    pub part_shipping: Vec<PartShipping>,
    /// The uses that the order claims.
    pub claims: Vec<Claim>,
    /// Why the order cannot be placed like this.
    pub problems: Vec<Problem>,
    /// The price of the lines before discounts.
    pub subtotal: Money,
    /// The discount of lines and shipping.
    pub discount: Money,
    /// The shipping price before discounts; zero while no service is chosen.
    pub shipping_price: Money,
    /// All taxes, whether prices include them or not.
    pub tax: Money,
    /// The amount to pay.
    pub total: Money,
    /// How the taxes are rounded.
    pub rounding: Rounding,
}

/// The price of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The price times the quantity.
    pub amount: Money,
    /// The discount.
    pub discount: Money,
    /// The tax, if there is one.
    pub tax: Option<LineTax>,
    /// Whether the line is shipped.
    pub physical: bool,
}

impl Line {
    /// The amount to pay for the line.
    pub fn total(&self) -> Result<Money, MoneyError> {
        LineTax::on_top(self.tax.as_ref(), self.amount.minus(self.discount)?)
    }
}

/// Computes the price of an order, and what prevents it from being placed.
///
/// # Errors
/// [`MoneyError`] when a sum does not fit, or an item is priced in another currency.
pub fn quote(input: &Input<'_>) -> Result<Quote, MoneyError> {
    let amounts = input.items.iter().map(|item| item.unit_price.times(item.quantity)).collect::<Result<Vec<_>, _>>()?;
    let subtotal = Money::sum(input.currency, amounts.iter().copied())?;
    let mut problems = Vec::new();
    // A shop with countries must know this one: otherwise an unknown country would avoid taxes.
    let knows = !input.tax.countries.is_empty() || !input.shipping.zones.is_empty() || !input.sellers.is_empty();
    if let Some(to) = input.destination.filter(|to| knows && !to.country.is_code()) {
        problems.push(Problem::CountryUnknown { country: to.country.clone() });
    }
    problems.extend(unreachable(input));
    let chosen = shipping::choose(input, &amounts, &mut problems)?;
    let of_sellers = shipping::choose_of_sellers(input, &amounts, &mut problems)?;
    let promoted = promote::promote(input, &amounts, subtotal, chosen.as_ref(), &mut problems)?;
    let mut lines = Vec::with_capacity(amounts.len());
    for ((item, amount), left) in input.items.iter().zip(&amounts).zip(&promoted.left) {
        let tax = if item.gift_card { None } else { taxed(input, item.tax_class, *left)? };
        lines.push(Line { amount: *amount, discount: amount.minus(*left)?, tax, physical: item.physical });
    }
    let mut shipping = match chosen {
        Some(chosen) => {
            let left = promoted.shipping_left;
            let tax = taxed(input, chosen.tax_class, left)?;
            Some(chosen.frozen(left, tax)?)
        }
        None => None,
    };
    let mut part_shipping = Vec::with_capacity(of_sellers.len());
    for (seller, chosen) in of_sellers {
        let price = chosen.price.money();
        let tax = taxed(input, chosen.tax_class, price)?;
        part_shipping.push(PartShipping { seller, shipping: chosen.frozen(price, tax)? });
    }
    match input.tax.rounding {
        Rounding::Line => {}
        Rounding::Rate => {
            let shipping = (shipping.as_mut(), promoted.shipping_left, part_shipping.as_mut_slice());
            round_by_rate(input, &mut lines, &promoted.left, shipping)?;
        }
    }
    total(input, subtotal, lines, (shipping, part_shipping), promoted, problems)
}

fn total(
    input: &Input<'_>,
    subtotal: Money,
    lines: Vec<Line>,
    (shipping, part_shipping): (Option<Shipping>, Vec<PartShipping>),
    promoted: promote::Promoted,
    problems: Vec<Problem>,
) -> Result<Quote, MoneyError> {
    let (currency, rounding) = (input.currency, input.tax.rounding);
    let zero = Money::zero(currency);
    let paid_for_lines = lines.iter().try_fold(zero, |sum, line| sum.plus(line.total()?))?;
    let tax_of_lines = Money::sum(currency, lines.iter().filter_map(|line| Some(line.tax?.amount)))?;
    let of_shipping = || shipping.iter().chain(part_shipping.iter().map(|it| &it.shipping));
    let shipping_tax = Money::sum(currency, of_shipping().filter_map(|it| Some(it.tax?.amount)))?;
    let paid_for_shipping = of_shipping().try_fold(zero, |sum, it| sum.plus(it.total()?))?;
    let shipping_price = Money::sum(currency, of_shipping().map(|it| it.price.money()))?;
    Ok(Quote {
        subtotal,
        discount: Money::sum(currency, promoted.discounts.iter().map(|discount| discount.amount))?,
        shipping_price,
        tax: tax_of_lines.plus(shipping_tax)?,
        total: paid_for_lines.plus(paid_for_shipping)?,
        lines,
        discounts: promoted.discounts,
        shipping,
        part_shipping,
        claims: promoted.claims,
        problems,
        rounding,
    })
}

/// The missing parts of the address, if a parcel or a mail would not arrive. Mails to an account go to its own address.
fn unreachable(input: &Input<'_>) -> Option<Problem> {
    let travels = input.items.iter().any(|item| item.physical);
    let needed = |part: &Part| match part {
        Part::Name | Part::Lines | Part::City => travels,
        Part::Email => input.account.is_none(),
    };
    let missing: Vec<Part> = input.lacks.iter().copied().filter(needed).collect();
    (!missing.is_empty()).then_some(Problem::AddressIncomplete { missing })
}

/// The tax of an amount, if there is one.
fn taxed(input: &Input<'_>, class: TaxClass, amount: Money) -> Result<Option<LineTax>, MoneyError> {
    let Some(to) = input.destination else { return Ok(None) };
    let Some(applied) = input.tax.applied(to.country, to.area, class, input.at) else { return Ok(None) };
    let Applied { rate, included } = applied;
    Ok(Some(LineTax { class, rate, included, amount: tax_of(rate, included, amount)? }))
}

/// The tax that an amount includes, or that is added to it.
fn tax_of(rate: TaxRate, included: bool, amount: Money) -> Result<Money, MoneyError> {
    if included { rate.within(amount) } else { rate.of(amount) }
}

/// Rounds the tax of each rate once, and gives lines and shipping their parts of it. `left` is the price of the lines after
/// discounts.
fn round_by_rate(
    input: &Input<'_>,
    lines: &mut [Line],
    left: &[Money],
    (shipping, shipping_left, part_shipping): (Option<&mut Shipping>, Money, &mut [PartShipping]),
) -> Result<(), MoneyError> {
    // The shipping of the house has the smallest key; which of equal remainders is rounded up does not depend on the order of the lines.
    let of_lines = input.items.iter().zip(lines).zip(left);
    let of_lines =
        of_lines.filter_map(|((item, line), left)| Some(((None, Some(item.variant)), line.tax.as_mut()?, *left)));
    let of_shipping = shipping.and_then(|it| Some(((None, None), it.tax.as_mut()?, shipping_left)));
    let of_parts = part_shipping.iter_mut().filter_map(|PartShipping { seller, shipping }| {
        let price = shipping.price.money();
        Some(((Some(*seller), None), shipping.tax.as_mut()?, price))
    });
    let mut groups: BTreeMap<(TaxRate, bool), Vec<Taxed<'_>>> = BTreeMap::new();
    for taxed in of_lines.chain(of_shipping).chain(of_parts) {
        groups.entry((taxed.1.rate, taxed.1.included)).or_default().push(taxed);
    }
    for ((rate, included), mut group) in groups {
        let whole = Money::sum(input.currency, group.iter().map(|(_, _, left)| *left))?;
        let weights: Vec<_> = group.iter().map(|(key, _, left)| (*key, left.amount)).collect();
        let parts = split::split(tax_of(rate, included, whole)?.amount, &weights);
        for ((_, tax, _), part) in group.iter_mut().zip(parts) {
            tax.amount = Money::new(part, input.currency);
        }
    }
    Ok(())
}

/// A line, or a shipping of the house or of a seller, with its tax and its price after discounts.
type Taxed<'a> = ((Option<SellerId>, Option<VariantId>), &'a mut LineTax, Money);

/// The categories that terms name; products must be assigned to these.
pub fn categories<'a>(terms: impl IntoIterator<Item = &'a Terms>) -> BTreeSet<CategoryId> {
    let named = |target: &'a Target| match target {
        Target::Categories { categories } => Some(categories),
        Target::Order {} | Target::Products { .. } | Target::Variants { .. } => None,
    };
    terms.into_iter().flat_map(Terms::targets).filter_map(named).flatten().copied().collect()
}

#[cfg(test)]
mod tests;
