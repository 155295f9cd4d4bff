//! The parts of a quote that become part of an order and do not change any more.

use serde::{Deserialize, Serialize};

use crate::ids::{PromotionId, SellerId};
use crate::money::{Money, MoneyError, Price};
use crate::product::TaxClass;
use crate::promotion::CouponCode;
use crate::shipping_book::Days;
use crate::tax_rate::TaxRate;
use crate::text::{Label, Name, Slug};

/// A discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// The promotion.
    pub promotion: PromotionId,
    /// The version of the promotion.
    pub version: i64,
    /// The code that was entered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CouponCode>,
    /// The name of the promotion at that time.
    pub label: Label,
    /// The total discount of the promotion.
    pub amount: Money,
    /// The discount of each line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Share>,
    /// The discount of the shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// Whether it depends on the whole order, so that parts of the order alone would not have got it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub of_whole: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

/// A line's share of a discount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Share {
    /// The index of the line, from 0.
    pub line: usize,
    /// The amount.
    pub amount: Money,
}

/// The tax of a line or of the shipping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTax {
    /// The tax class.
    pub class: TaxClass,
    /// The rate.
    #[serde(flatten)]
    pub rate: TaxRate,
    /// Whether the price included the tax; otherwise it was added.
    pub included: bool,
    /// The tax.
    pub amount: Money,
}

/// The shipping of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// The zone of the destination.
    pub zone: Slug,
    /// The service.
    pub service: Slug,
    /// The name of the service.
    pub name: Name,
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// The weight in grams.
    pub weight_g: u64,
    /// The delivery time in working days.
    pub days: Days,
    /// The price before discounts.
    pub price: Price,
    /// The discount.
    pub discount: Money,
    /// The tax, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<LineTax>,
}

/// The shipping of a seller's part of an order, at the seller's own price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartShipping {
    /// The seller.
    pub seller: SellerId,
    /// The shipping.
    pub shipping: Shipping,
}

impl LineTax {
    /// The amount to pay for a price: with the tax added, unless the price includes it.
    pub fn on_top(tax: Option<&Self>, amount: Money) -> Result<Money, MoneyError> {
        match tax {
            Some(tax) if !tax.included => amount.plus(tax.amount),
            Some(_) | None => Ok(amount),
        }
    }
}

impl Shipping {
    /// The amount to pay.
    pub fn total(&self) -> Result<Money, MoneyError> {
        LineTax::on_top(self.tax.as_ref(), self.price.money().minus(self.discount)?)
    }
}
