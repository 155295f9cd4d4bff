//! How discounts, shipping and taxes look from outside.

use byteshop_domain::ids::PromotionId;
use byteshop_domain::money::{Money as Amount, Price};
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::text::{Label, Name, Slug};
use byteshop_domain::{pricing, product, shipping_book};
use serde::Serialize;
use utoipa::ToSchema;

use super::Money;
use super::names;

/// A discount.
#[derive(Serialize, ToSchema)]
pub struct Discount<'a> {
    #[schema(value_type = String, example = "cpn_01h455vb4pex5vsknk084sn02q")]
    promotion: PromotionId,
    /// The version of the promotion that was applied.
    version: i64,
    /// The coupon code; null for an automatic promotion.
    #[schema(value_type = Option<String>, required = true)]
    code: Option<&'a CouponCode>,
    #[schema(value_type = String, example = "Spring sale")]
    label: &'a Label,
    /// Its total discount.
    #[schema(value_type = Money)]
    amount: Amount,
    /// The lines it applies to.
    #[schema(value_type = Vec<Share>)]
    lines: &'a [pricing::Share],
    /// The shipping discount; null if there is none.
    #[schema(value_type = Option<Money>, required = true)]
    shipping: Option<Amount>,
    /// True if it depends on the quantity or on other goods; the buyer can then only cancel the whole order.
    of_whole: bool,
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
#[derive(Serialize, ToSchema)]
pub struct LineTax {
    /// The tax class.
    #[schema(value_type = names::TaxClass, example = "standard")]
    class: product::TaxClass,
    /// The rate in basis points (hundredths of a percent); rounded if it has more digits.
    #[schema(example = 1900, maximum = 10_000)]
    rate_bps: u16,
    /// The exact rate in parts per million, if `rate_bps` is rounded: 88750 is 8.875 %.
    #[schema(maximum = 1_000_000, required = true)]
    rate_ppm: Option<u32>,
    /// Whether the price includes the tax; otherwise it is added.
    included: bool,
    #[schema(value_type = Money)]
    amount: Amount,
}

/// The shipping of an order.
#[derive(Serialize, ToSchema)]
pub struct Shipping<'a> {
    #[schema(value_type = String)]
    zone: &'a Slug,
    #[schema(value_type = String, example = "parcel")]
    service: &'a Slug,
    #[schema(value_type = String)]
    name: &'a Name,
    #[schema(value_type = Option<String>, required = true)]
    carrier: Option<&'a Name>,
    /// The weight in grams.
    weight_g: u64,
    #[schema(value_type = Days)]
    days: shipping_book::Days,
    /// The price before discounts.
    #[schema(value_type = Money)]
    price: Price,
    /// Off the price.
    #[schema(value_type = Money)]
    discount: Amount,
    /// Null if there is none.
    #[schema(required = true)]
    tax: Option<LineTax>,
}

/// Delivery time in working days after dispatch.
#[derive(ToSchema)]
#[schema(example = json!({"min": 2, "max": 4}))]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct Days {
    min: u16,
    max: u16,
}

impl<'a> From<&'a pricing::Discount> for Discount<'a> {
    fn from(it: &'a pricing::Discount) -> Self {
        Self {
            promotion: it.promotion,
            version: it.version,
            code: it.code.as_ref(),
            label: &it.label,
            amount: it.amount,
            lines: &it.lines,
            shipping: it.shipping,
            of_whole: it.of_whole,
        }
    }
}

impl From<&pricing::LineTax> for LineTax {
    fn from(it: &pricing::LineTax) -> Self {
        Self {
            class: it.class,
            rate_bps: it.rate.rounded_bps().get(),
            rate_ppm: it.rate.ppm_beyond_bps(),
            included: it.included,
            amount: it.amount,
        }
    }
}

impl<'a> From<&'a pricing::Shipping> for Shipping<'a> {
    fn from(it: &'a pricing::Shipping) -> Self {
        Self {
            zone: &it.zone,
            service: &it.service,
            name: &it.name,
            carrier: it.carrier.as_ref(),
            weight_g: it.weight_g,
            days: it.days,
            price: it.price,
            discount: it.discount,
            tax: it.tax.as_ref().map(LineTax::from),
        }
    }
}
