//! A variant of a product: what is bought, at which prices, and what taxes and carriers need to know of it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::options::Options;
use super::rejections::{ATTRIBUTES_MAX, CURRENCIES_MAX, Rejection, WEIGHT_MAX_G};
use crate::Currency;
use crate::money::Price;
use crate::text::{Sku, Title, present};

/// What of a product can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The SKU.
    pub sku: Sku,
    /// The title.
    pub title: Title,
    /// What one piece costs in its first currency, which it keeps.
    pub price: Price,
    /// What tells it from the others.
    pub options: Options,
    /// The price that this one is shown to be below of, in the first currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Price>,
    /// What one piece costs in other currencies, each of which is there once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_prices: Vec<Listed>,
    /// What one piece weighs with its wrapping, in grams, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<u32>,
    /// At which rate it is taxed.
    #[serde(default, skip_serializing_if = "TaxClass::is_standard")]
    pub tax_class: TaxClass,
    /// Whether it is a thing that is sent; else it is handed over as data.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub physical: bool,
}

/// What one piece costs in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// The price.
    pub price: Price,
    /// The higher price that it is shown to be below of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Price>,
}

/// At which of a country's rates something is taxed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxClass {
    /// What has no rate of its own.
    #[default]
    Standard,
    /// Such as food and books in many countries.
    Reduced,
    /// The lower of two reduced rates, where a country has two.
    SuperReduced,
    /// Taxed at nothing.
    Zero,
}

/// What of a variant is to be others, or became so; what is not given stays.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VariantChange {
    /// The title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// What tells it from the others: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
    /// What one piece weighs, in grams; null for unknown.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<Option<u32>>,
    /// At which rate it is taxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<TaxClass>,
    /// Whether it is a thing that is sent.
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
    /// A price that is compared with none.
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
    /// A thing that is sent, with one price and of the standard tax class.
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

    /// What one piece costs in each currency, the first one first.
    pub fn listings(&self) -> impl Iterator<Item = Listed> + '_ {
        let first = Listed { price: self.price, compare_at: self.compare_at };
        std::iter::once(first).chain(self.other_prices.iter().copied())
    }

    /// What one piece costs in a currency, if it is sold in that.
    pub fn listed(&self, currency: Currency) -> Option<Listed> {
        self.listings().find(|listed| listed.price.currency() == currency)
    }

    /// Takes in a price that was set.
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

    /// Takes in that it is not sold in a currency any more.
    pub fn withdraw(&mut self, currency: Currency) {
        self.other_prices.retain(|it| it.price.currency() != currency);
    }

    /// Takes in a change.
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
