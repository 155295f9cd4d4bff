//! The sums of the parts of an order when it is placed.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::order::events::{Line, Placement};
use crate::pricing::split::split;

/// The sums of a part when the order was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// The lines before discounts.
    pub subtotal: Money,
    /// The discount of lines and shipping.
    pub discount: Money,
    /// The shipping price before discounts.
    pub shipping: Money,
    /// All taxes, whether prices include them or not.
    pub tax: Money,
    /// The amount to pay.
    pub total: Money,
    /// The amount to pay for shipping: after its discount, with its tax.
    pub shipping_due: Money,
    /// The tax in it.
    pub shipping_tax: Money,
}

/// The sums of each part. What the shipping costs is split in proportion to the price of the goods that are shipped.
pub(super) fn of_parts(placement: &Placement, parts: &[Vec<&Line>]) -> Vec<Sums> {
    let currency = placement.total.currency;
    let money = |amount| Money { amount, currency };
    // Placing checked that each sum can be counted.
    let sum = |lines: &[&Line], of: &dyn Fn(&Line) -> i64| lines.iter().map(|line| of(line)).sum::<i64>();
    let total = |line: &Line| line.total().map_or(0, |total| total.amount);
    let sent = |of: &dyn Fn(&Line) -> i64| -> Vec<i64> {
        parts.iter().map(|lines| sum(lines, &|line| if line.travels() { of(line) } else { 0 })).collect()
    };
    let (price, discount, tax, on_top) = placement.shipping.as_ref().map_or((0, 0, 0, false), |it| {
        let (tax, on_top) = it.tax.map_or((0, false), |tax| (tax.amount.amount, !tax.included));
        (it.price.money().amount, it.discount.amount, tax, on_top)
    });
    let by_price = sent(&total);
    let weights = if by_price.iter().sum::<i64>() > 0 { by_price } else { sent(&|line| line.quantity.get()) };
    let prices = shares(price, &weights);
    let discounts = shares(discount, &prices);
    let due: Vec<i64> = prices.iter().zip(&discounts).map(|(price, discount)| price - discount).collect();
    let taxes = shares(tax, &due);
    let sums = parts.iter().enumerate().map(|(index, lines)| {
        let shipping_due = due[index] + if on_top { taxes[index] } else { 0 };
        Sums {
            subtotal: money(sum(lines, &|line| line.amount.amount)),
            discount: money(sum(lines, &|line| line.off().amount) + discounts[index]),
            shipping: money(prices[index]),
            tax: money(sum(lines, &|line| line.tax.map_or(0, |tax| tax.amount.amount)) + taxes[index]),
            total: money(sum(lines, &total) + shipping_due),
            shipping_due: money(shipping_due),
            shipping_tax: money(taxes[index]),
        }
    });
    sums.collect()
}

/// Splits an amount by weights, by largest remainder; without any weight the first part has all of it.
pub(super) fn shares(total: i64, weights: &[i64]) -> Vec<i64> {
    if weights.iter().all(|weight| *weight <= 0) {
        return (0..weights.len()).map(|index| if index == 0 { total } else { 0 }).collect();
    }
    split(total, &weights.iter().copied().enumerate().collect::<Vec<_>>())
}
