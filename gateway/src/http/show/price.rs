//! How discounts, shipping and taxes look from outside: the domain's own forms, described.

use utoipa::ToSchema;

use super::Money;
use super::names;

/// A discount.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Discount {
    #[schema(example = "cpn_01h455vb4pex5vsknk084sn02q")]
    promotion: String,
    /// The version of the promotion that was applied.
    version: i64,
    /// The coupon code; absent for an automatic promotion.
    #[schema(nullable = false)]
    code: Option<String>,
    #[schema(example = "Spring sale")]
    label: String,
    /// Its total discount.
    amount: Money,
    /// The lines it applies to; absent if there are none.
    #[schema(nullable = false)]
    lines: Option<Vec<Share>>,
    /// The shipping discount; absent if there is none.
    #[schema(nullable = false)]
    shipping: Option<Money>,
    /// True if it depends on the quantity or on other goods; the buyer can then only cancel the whole order.
    #[schema(nullable = false)]
    of_whole: Option<bool>,
}

/// A line's share of a discount.
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
    /// The tax class.
    #[schema(example = "standard")]
    class: names::TaxClass,
    /// The rate in basis points (hundredths of a percent); rounded if it has more digits.
    #[schema(example = 1900, maximum = 10_000)]
    rate_bps: u16,
    /// The exact rate in parts per million, if `rate_bps` is rounded: 88750 is 8.875 %.
    #[schema(maximum = 1_000_000, nullable = false)]
    rate_ppm: Option<u32>,
    /// Whether the price includes the tax; otherwise it is added.
    included: bool,
    amount: Money,
}

/// The shipping of an order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Shipping {
    zone: String,
    service: String,
    name: String,
    /// Absent if not given.
    #[schema(nullable = false)]
    carrier: Option<String>,
    /// The weight in grams.
    weight_g: u64,
    days: Days,
    /// The price before discounts.
    price: Money,
    /// The discount.
    discount: Money,
    /// Absent if there is none.
    #[schema(nullable = false)]
    tax: Option<LineTax>,
}

/// Delivery time in working days after dispatch.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Days {
    min: u16,
    max: u16,
}
