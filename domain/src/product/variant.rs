//! A variant of a product: what is bought, at which prices, and what taxes and carriers need to know of it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::options::Options;
use super::rejections::{ATTRIBUTES_MAX, CURRENCIES_MAX, Rejection, WEIGHT_MAX_G};
use crate::Currency;
use crate::money::Price;
use crate::text::{Sku, Title, present};

/// A variant of a product: what can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The SKU.
    pub sku: Sku,
    /// The title.
    pub title: Title,
    /// The price of one piece in the primary currency, which cannot be changed.
    pub price: Price,
    /// The options that distinguish it from the other variants.
    pub options: Options,
    /// The reference price in the primary currency, which is shown struck through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Price>,
    /// The prices of one piece in other currencies, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_prices: Vec<Listed>,
    /// The weight of one piece with its packaging, in grams, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// The tax class.
    #[serde(default, skip_serializing_if = "TaxClass::is_standard")]
    pub tax_class: TaxClass,
    /// Whether it is shipped; otherwise it is delivered as data.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub physical: bool,
}

/// The price of one piece in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = NewListedPrice))]
pub struct Listed {
    /// The price.
    pub price: Price,
    /// The reference price, which is shown struck through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Price>,
}

/// The kind of goods that decides which of a country's tax rates applies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxClass {
    /// Goods without a rate of their own.
    #[default]
    Standard,
    /// A reduced rate, such as for food and books in many countries.
    Reduced,
    /// The lower of two reduced rates, where a country has two.
    SuperReduced,
    /// A rate of zero.
    Zero,
}

/// Changes of a variant; absent fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VariantChange {
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// All its options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
    /// The weight of one piece, in grams; null for unknown.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<Option<u32>>,
    /// The tax class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<TaxClass>,
    /// Whether it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical: Option<bool>,
}

impl TaxClass {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the field")]
    fn is_standard(&self) -> bool {
        *self == Self::Standard
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference to the field")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Listed {
    /// A price without a reference price.
    pub fn plain(price: Price) -> Self {
        Self { price, compare_at: None }
    }

    pub(super) fn check(self) -> Result<(), Rejection> {
        match self.compare_at {
            Some(higher) if higher.currency() != self.price.currency() => {
                Err(Rejection::OtherCurrency { currency: self.price.currency() })
            }
            Some(higher) if higher.money().amount <= self.price.money().amount => Err(Rejection::CompareAtTooLow),
            Some(_) | None => Ok(()),
        }
    }
}

impl Variant {
    /// A variant that is shipped, with one price and the standard tax class.
    pub fn new(sku: Sku, title: Title, price: Price, options: Options) -> Self {
        Self {
            sku,
            title,
            price,
            options,
            compare_at: None,
            other_prices: Vec::new(),
            weight_g: None,
            tax_class: TaxClass::Standard,
            physical: true,
        }
    }

    /// The price of one piece in each currency, the primary one first.
    pub fn listings(&self) -> impl Iterator<Item = Listed> + '_ {
        let first = Listed { price: self.price, compare_at: self.compare_at };
        std::iter::once(first).chain(self.other_prices.iter().copied())
    }

    /// The price of one piece in a currency, if the variant is sold in it.
    pub fn listed(&self, currency: Currency) -> Option<Listed> {
        self.listings().find(|listed| listed.price.currency() == currency)
    }

    /// Applies a price that was set.
    pub fn set_listed(&mut self, listed: Listed) {
        let currency = listed.price.currency();
        if self.price.currency() == currency {
            (self.price, self.compare_at) = (listed.price, listed.compare_at);
            return;
        }
        match self.other_prices.iter_mut().find(|it| it.price.currency() == currency) {
            Some(known) => *known = listed,
            None => self.other_prices.push(listed),
        }
    }

    /// Applies that the variant is no longer sold in a currency.
    pub fn withdraw(&mut self, currency: Currency) {
        self.other_prices.retain(|it| it.price.currency() != currency);
    }

    /// Applies a change.
    pub fn change(&mut self, change: &VariantChange) {
        replace(&mut self.title, change.title.as_ref());
        replace(&mut self.options, change.options.as_ref());
        replace(&mut self.weight_g, change.weight_g.as_ref());
        replace(&mut self.tax_class, change.tax_class.as_ref());
        replace(&mut self.physical, change.physical.as_ref());
    }

    pub(super) fn check(&self) -> Result<(), Rejection> {
        check_details(Some(&self.options), self.weight_g)?;
        check_prices(&self.listings().collect::<Vec<_>>())
    }
}

pub(super) fn check_details(options: Option<&Options>, weight_g: Option<u32>) -> Result<(), Rejection> {
    if options.is_some_and(|options| options.len() > ATTRIBUTES_MAX) {
        return Err(Rejection::TooManyAttributes);
    }
    if weight_g.is_some_and(|weight| weight > WEIGHT_MAX_G) {
        return Err(Rejection::TooHeavy);
    }
    Ok(())
}

pub(super) fn check_prices(prices: &[Listed]) -> Result<(), Rejection> {
    if prices.len() > CURRENCIES_MAX {
        return Err(Rejection::TooManyPrices);
    }
    let mut currencies = HashSet::new();
    for listed in prices {
        listed.check()?;
        let currency = listed.price.currency();
        if !currencies.insert(currency) {
            return Err(Rejection::CurrencyTwice { currency });
        }
    }
    Ok(())
}

pub(super) fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}
