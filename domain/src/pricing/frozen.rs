//! The parts of a quote that become part of an order and do not change any more.

use serde::{Deserialize, Serialize};

use crate::ids::PromotionId;
use crate::money::{Money, MoneyError, Price};
use crate::product::TaxClass;
use crate::promotion::CouponCode;
use crate::shipping_book::Days;
use crate::tax_rate::TaxRate;
use crate::text::{Label, Name, Slug};

/// Something that was taken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    /// By which promotion.
    pub promotion: PromotionId,
    /// At which version of it.
    pub version: i64,
    /// The code that was entered for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CouponCode>,
    /// What it was called.
    pub label: Label,
    /// All that it took off.
    pub amount: Money,
    /// Off which lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Share>,
    /// Off the shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// Whether it was given because of how much or what else was bought, so that parts alone would not have got it.
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
    /// At which of the country's rates.
    pub class: TaxClass,
    /// The rate.
    #[serde(flatten)]
    pub rate: TaxRate,
    /// Whether the price included it; else it came on top.
    pub included: bool,
    /// The tax.
    pub amount: Money,
}

/// How an order is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipping {
    /// The zone that it goes to.
    pub zone: Slug,
    /// The service.
    pub service: Slug,
    /// What the service is called.
    pub name: Name,
    /// The carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Name>,
    /// What it weighs.
    pub weight_g: u64,
    /// How long it takes, in working days.
    pub days: Days,
    /// What it costs before discounts.
    pub price: Price,
    /// What was taken off.
    pub discount: Money,
    /// Its tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<LineTax>,
}

impl LineTax {
    /// What is paid for something that costs so much: with the tax on top, unless the price includes it.
    pub fn on_top(tax: Option<&Self>, amount: Money) -> Result<Money, MoneyError> {
        match tax {
            Some(tax) if !tax.included => amount.plus(tax.amount),
            Some(_) | None => Ok(amount),
        }
    }
}

impl Shipping {
    /// What is paid for it.
    pub fn total(&self) -> Result<Money, MoneyError> {
        LineTax::on_top(self.tax.as_ref(), self.price.money().minus(self.discount)?)
    }
}
