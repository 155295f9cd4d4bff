//! How discounts, shipping and taxes look from outside: the domain's own forms, described.

use utoipa::ToSchema;

use super::Money;

/// Something that is taken off.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Discount {
    #[schema(example = "cpn_01h455vb4pex5vsknk084sn02q")]
    promotion: String,
    /// The version of the promotion that was given.
    version: i64,
    /// The code that was entered; not there for what is given by itself.
    code: Option<String>,
    #[schema(example = "Spring sale")]
    label: String,
    /// All that it takes off.
    amount: Money,
    /// Off which lines; not there when it is off none.
    lines: Option<Vec<Share>>,
    /// Off the shipping; not there when it is not.
    shipping: Option<Money>,
    /// True when it was given because of how much or what else is bought: then a buyer calls off all of the order or nothing.
    of_whole: Option<bool>,
}

/// A line's part of a discount.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Share {
    /// The index of the line, from 0.
    line: u64,
    amount: Money,
}

/// The tax of a line or of the shipping.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct LineTax {
    /// `standard`, `reduced`, `super_reduced` or `zero`.
    #[schema(example = "standard")]
    class: String,
    /// The rate, in hundredths of a percent.
    #[schema(example = 1900, maximum = 10_000)]
    rate_bps: u16,
    /// Whether the price includes it; else it comes on top.
    included: bool,
    amount: Money,
}

/// How an order is sent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Shipping {
    zone: String,
    service: String,
    name: String,
    /// Not there where it is not said.
    carrier: Option<String>,
    /// What it weighs, in grams.
    weight_g: u64,
    days: Days,
    /// What it costs before discounts.
    price: Money,
    /// What is taken off.
    discount: Money,
    /// Not there where there is none.
    tax: Option<LineTax>,
}

/// How long it takes, in working days after the day it is sent on.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Days {
    min: u16,
    max: u16,
}
