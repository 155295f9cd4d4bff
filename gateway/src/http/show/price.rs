//! How discounts, shipping and taxes look from outside.

use byteshop_domain::ids::{PromotionId, SellerId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::text::{Label, Name, Slug};
use byteshop_domain::{pricing, product, shipping_book};
use serde::Serialize;
use utoipa::ToSchema;

/// A discount.
#[derive(Serialize, ToSchema)]
pub struct Discount<'a> {
    promotion: PromotionId,
    /// The version of the promotion that was applied.
    version: i64,
    /// The coupon code; null for an automatic promotion.
    code: Option<&'a CouponCode>,
    #[schema(default = json!({"x-schema": {"example": "Spring sale"}}))]
    label: &'a Label,
    /// Its total discount.
    amount: Money,
    /// The lines it applies to.
    lines: &'a [pricing::Share],
    /// The shipping discount; null if there is none.
    shipping: Option<Money>,
    /// True if it depends on the quantity or on other goods; the buyer can then only cancel the whole order.
    of_whole: bool,
}

/// The tax of a line or of the shipping.
#[derive(Serialize, ToSchema)]
pub struct LineTax {
    /// The tax class.
    class: product::TaxClass,
    /// The rate in basis points (hundredths of a percent); rounded if it has more digits.
    #[schema(example = 1900, maximum = 10_000)]
    rate_bps: u16,
    /// The exact rate in parts per million, if `rate_bps` is rounded: 88750 is 8.875 %.
    #[schema(maximum = 1_000_000)]
    rate_ppm: Option<u32>,
    /// Whether the price includes the tax; otherwise it is added.
    included: bool,
    amount: Money,
}

/// The shipping of an order.
#[derive(Serialize, ToSchema)]
pub struct Shipping<'a> {
    zone: &'a Slug,
    #[schema(default = json!({"x-schema": {"example": "parcel"}}))]
    service: &'a Slug,
    name: &'a Name,
    carrier: Option<&'a Name>,
    /// The weight in grams.
    weight_g: u64,
    days: shipping_book::Days,
    /// The price before discounts.
    price: Price,
    /// Off the price.
    discount: Money,
    /// Null if there is none.
    tax: Option<LineTax>,
}

/// The shipping of a seller's goods, at the seller's own price.
#[derive(Serialize, ToSchema)]
pub struct PartShipping<'a> {
    seller: SellerId,
    #[serde(flatten)]
    shipping: Shipping<'a>,
}

impl<'a> From<&'a pricing::PartShipping> for PartShipping<'a> {
    fn from(it: &'a pricing::PartShipping) -> Self {
        Self { seller: it.seller, shipping: Shipping::from(&it.shipping) }
    }
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
