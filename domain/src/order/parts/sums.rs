//! The sums of the parts of an order when it is placed.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::order::events::{Line, Placement};
use crate::pricing::Shipping;
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

/// What a part has of the shipping, in minor units.
#[derive(Clone, Copy, Default)]
struct Shipped {
    price: i64,
    discount: i64,
    tax: i64,
    /// Whether the tax is added to the price.
    on_top: bool,
}

impl Shipped {
    fn of(it: &Shipping) -> Self {
        let (tax, on_top) = it.tax.map_or((0, false), |tax| (tax.amount.amount, !tax.included));
        Self { price: it.price.money().amount, discount: it.discount.amount, tax, on_top }
    }

    fn due(self) -> i64 {
        self.price - self.discount + if self.on_top { self.tax } else { 0 }
    }
}

/// What each part has of the shipping: its own, if its seller ships at a price of its own. The price of the house is split over the other
/// parts in proportion to the price of their goods that are shipped.
fn shipped(placement: &Placement, parts: &[Vec<&Line>]) -> Vec<Shipped> {
    let seller = |lines: &[&Line]| lines.first().and_then(|line| line.seller);
    let own: Vec<Option<&Shipping>> = parts.iter().map(|lines| placement.own_shipping(seller(lines))).collect();
    let house = placement.shipping.as_ref().map_or(Shipped::default(), Shipped::of);
    // Placing checked that each sum can be counted.
    let sent = |of: &dyn Fn(&Line) -> i64| -> Vec<i64> {
        let sum = |lines: &[&Line]| lines.iter().map(|line| if line.travels() { of(line) } else { 0 }).sum::<i64>();
        parts.iter().zip(&own).map(|(lines, own)| if own.is_some() { 0 } else { sum(lines) }).collect()
    };
    let by_price = sent(&|line| line.total().map_or(0, |total| total.amount));
    let weights = if by_price.iter().sum::<i64>() > 0 { by_price } else { sent(&|line| line.quantity.get()) };
    let prices = shares(house.price, &weights);
    let discounts = shares(house.discount, &prices);
    let net: Vec<i64> = prices.iter().zip(&discounts).map(|(price, discount)| price - discount).collect();
    let taxes = shares(house.tax, &net);
    let split = prices.into_iter().zip(discounts).zip(taxes);
    let split = split.map(|((price, discount), tax)| Shipped { price, discount, tax, on_top: house.on_top });
    split.zip(own).map(|(share, own)| own.map_or(share, Shipped::of)).collect()
}

/// The sums of each part.
pub(super) fn of_parts(placement: &Placement, parts: &[Vec<&Line>]) -> Vec<Sums> {
    let currency = placement.total.currency;
    let money = |amount| Money { amount, currency };
    // Placing checked that each sum can be counted.
    let sum = |lines: &[&Line], of: &dyn Fn(&Line) -> i64| lines.iter().map(|line| of(line)).sum::<i64>();
    let total = |line: &Line| line.total().map_or(0, |total| total.amount);
    let sums = parts.iter().zip(shipped(placement, parts)).map(|(lines, shipped)| Sums {
        subtotal: money(sum(lines, &|line| line.amount.amount)),
        discount: money(sum(lines, &|line| line.off().amount) + shipped.discount),
        shipping: money(shipped.price),
        tax: money(sum(lines, &|line| line.tax.map_or(0, |tax| tax.amount.amount)) + shipped.tax),
        total: money(sum(lines, &total) + shipped.due()),
        shipping_due: money(shipped.due()),
        shipping_tax: money(shipped.tax),
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
