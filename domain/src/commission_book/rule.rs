//! A rule of the commission book: what it applies to, and what it charges.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::rejections::{AMOUNTS_MAX, Rejection};
use crate::Currency;
use crate::bounded::Bounded;
use crate::ids::{CategoryId, ProductId, SellerId};
use crate::money::{Money, MoneyError, Price};
use crate::quantity::Quantity;
use crate::tax_rate::TaxRate;
use crate::text::Slug;

/// What sellers are charged: a rate of the price, a fixed amount per piece, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewCommissionRule))]
pub struct Rule {
    /// The name of the rule. A rule that is set again under its name keeps its age.
    pub rule: Slug,
    /// The seller that it is for; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub seller: Option<SellerId>,
    /// The category that it is for, with all below it; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub category: Option<CategoryId>,
    /// The product that it is for; all if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub product: Option<ProductId>,
    /// The prices of a piece that it is for, once per currency; all prices if empty, and otherwise none in other currencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bands: Bounded<Vec<PriceBand>, { AMOUNTS_MAX }>,
    /// The rate of the price, in millionths: 88750 is 8.875 %. 0 by default.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "openapi", schema(example = 88_750, maximum = 1_000_000))]
    pub rate_ppm: u32,
    /// The fixed amount per piece, once per currency; nothing in other currencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Bounded<Vec<Price>, { AMOUNTS_MAX }>,
    /// The least that is charged per piece, once per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub minimum: Bounded<Vec<Price>, { AMOUNTS_MAX }>,
    /// The most that is charged per piece, once per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maximum: Bounded<Vec<Price>, { AMOUNTS_MAX }>,
    /// The first day of it, in UTC; at once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub valid_from: Option<NaiveDate>,
    /// The last day of it, in UTC; without an end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub valid_until: Option<NaiveDate>,
}

/// Prices of a piece, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewCommissionPriceBand))]
pub struct PriceBand {
    /// The lowest price in it.
    pub from: Price,
    /// The lowest price above it; without an end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub below: Option<Price>,
}

/// What a seller sells: what decides about the commission on it.
#[derive(Debug, Clone, Copy)]
pub struct Sold<'a> {
    /// The seller.
    pub seller: SellerId,
    /// The product.
    pub product: ProductId,
    /// The category of the product and all above it, the deepest first.
    pub categories: &'a [CategoryId],
    /// The price of one piece before discounts, as buyers see it.
    pub unit_price: Price,
    /// The number of pieces.
    pub quantity: Quantity,
    /// The price of all pieces after discounts, without sales tax.
    pub net: Money,
    /// The moment.
    pub at: DateTime<Utc>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(it: &u32) -> bool {
    *it == 0
}

/// How specific a rule is: whether it names the product, how deep its category is, whether it names the seller, and whether it
/// names a price band. A greater one is more specific.
pub(super) type Specificity = (bool, usize, bool, bool);

impl Rule {
    pub(super) fn check(&self, at: usize) -> Result<(), Rejection> {
        let amounts = [("fixed", &self.fixed), ("minimum", &self.minimum), ("maximum", &self.maximum)];
        if amounts.iter().any(|(_, amounts)| amounts.len() > AMOUNTS_MAX) || self.bands.len() > AMOUNTS_MAX {
            return Err(Rejection::TooMany);
        }
        if TaxRate::new(self.rate_ppm).is_err() {
            return Err(Rejection::NoRate { at });
        }
        if !once(self.bands.iter().map(|band| &band.from)) || !self.bands.iter().all(PriceBand::is_sound) {
            return Err(Rejection::NoBand { at });
        }
        if let Some((field, _)) = amounts.into_iter().find(|(_, amounts)| !once(amounts.iter())) {
            return Err(Rejection::AmountTwice { at, field });
        }
        let least = |most: &Price| amount_in(&self.minimum, most.currency());
        let is_below = |most: &Price| least(most).is_some_and(|least| most.money().amount < least.amount);
        if self.maximum.iter().any(is_below) {
            return Err(Rejection::NoRange { at });
        }
        if self.valid_from.is_some_and(|from| self.valid_until.is_some_and(|until| until < from)) {
            return Err(Rejection::NoPeriod { at });
        }
        Ok(())
    }

    /// How specific it is, if it applies to what is sold.
    pub(super) fn applies(&self, sold: &Sold<'_>) -> Option<Specificity> {
        let day = sold.at.date_naive();
        let is_valid =
            self.valid_from.is_none_or(|from| from <= day) && self.valid_until.is_none_or(|until| day <= until);
        let is_of = self.product.is_none_or(|product| product == sold.product)
            && self.seller.is_none_or(|seller| seller == sold.seller)
            && (self.bands.is_empty() || self.bands.iter().any(|band| band.has(sold.unit_price)));
        let depth = match self.category {
            None => 0,
            // The deepest comes first.
            Some(category) => sold.categories.len() - sold.categories.iter().position(|it| *it == category)?,
        };
        (is_valid && is_of).then_some((self.product.is_some(), depth, self.seller.is_some(), !self.bands.is_empty()))
    }

    /// What it charges, whatever that leaves of the price.
    pub(super) fn amount(&self, sold: &Sold<'_>) -> Result<Money, MoneyError> {
        let currency = sold.net.currency;
        let of_pieces =
            |amounts: &[Price]| amount_in(amounts, currency).map(|it| it.times(sold.quantity.get())).transpose();
        let (fixed, least, most) = (of_pieces(&self.fixed)?, of_pieces(&self.minimum)?, of_pieces(&self.maximum)?);
        // A decision checked it.
        let rate = TaxRate::new(self.rate_ppm).unwrap_or(TaxRate::ZERO);
        let sum = rate.of(sold.net)?.plus(fixed.unwrap_or(Money::zero(currency)))?;
        let at_least = sum.amount.max(least.map_or(0, |least| least.amount));
        Ok(Money { amount: at_least.min(most.map_or(i64::MAX, |most| most.amount)), ..sum })
    }
}

impl PriceBand {
    fn is_sound(&self) -> bool {
        let (from, currency) = (self.from.money().amount, self.from.currency());
        self.below.is_none_or(|below| below.currency() == currency && from < below.money().amount)
    }

    fn has(&self, price: Price) -> bool {
        let (amount, currency) = (price.money().amount, price.currency());
        currency == self.from.currency()
            && self.from.money().amount <= amount
            && self.below.is_none_or(|below| amount < below.money().amount)
    }
}

/// The amount in this currency.
fn amount_in(amounts: &[Price], currency: Currency) -> Option<Money> {
    amounts.iter().find(|amount| amount.currency() == currency).map(|amount| amount.money())
}

/// Whether each currency is there once.
fn once<'a>(amounts: impl Iterator<Item = &'a Price>) -> bool {
    let mut seen = Vec::new();
    for amount in amounts {
        if seen.contains(&amount.currency()) {
            return false;
        }
        seen.push(amount.currency());
    }
    true
}
