//! A variant of a product: what is bought, at which prices, and what taxes and carriers need to know of it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{ATTRIBUTES_MAX, Created, Decision, Event, Options, Rejection, VARIANTS_MAX, changed, replace};
use crate::Currency;
use crate::ids::VariantId;
use crate::money::Price;
use crate::text::{Label, Sku, Title, present};

/// Most currencies of one variant: a shop that sells in more of them converts, and does not list.
pub const CURRENCIES_MAX: usize = 20;
/// Heaviest piece, in grams: a tonne; what weighs more is no parcel.
pub const WEIGHT_MAX_G: u32 = 1_000_000;

/// What of a product can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The seller's code.
    pub sku: Sku,
    /// What it is called.
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
    /// What it is called.
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

    fn check(self) -> Result<(), Rejection> {
        match self.compare_at {
            Some(higher) if higher.currency() != self.price.currency() => {
                Err(Rejection::OtherCurrency { currency: self.price.currency() })
            }
            Some(higher) if higher.money().amount <= self.price.money().amount => Err(Rejection::CompareAtTooLow),
            Some(_) | None => Ok(()),
        }
    }
}

impl Created {
    /// What tells a variant from the others of its product, for people: its own title, or else the values of its options, or
    /// else its SKU. Nothing where there is only one and it is called as the product is.
    pub fn told_apart(&self, variant: &Variant) -> Option<Title> {
        if variant.title != self.title {
            return Some(variant.title.clone());
        }
        let options = variant.options.values().map(Label::as_str).collect::<Vec<_>>().join(", ");
        let several = self.variants.len() > 1;
        let sku = variant.sku.as_str();
        [options.as_str(), sku].into_iter().filter(|_| several).find_map(|text| Title::new(text).ok())
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

    fn check(&self) -> Result<(), Rejection> {
        check_details(Some(&self.options), self.weight_g)?;
        check_prices(&self.listings().collect::<Vec<_>>())
    }
}

fn check_details(options: Option<&Options>, weight_g: Option<u32>) -> Result<(), Rejection> {
    if options.is_some_and(|options| options.len() > ATTRIBUTES_MAX) {
        return Err(Rejection::TooManyAttributes);
    }
    if weight_g.is_some_and(|weight| weight > WEIGHT_MAX_G) {
        return Err(Rejection::TooHeavy);
    }
    Ok(())
}

fn check_prices(prices: &[Listed]) -> Result<(), Rejection> {
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

impl Created {
    /// A variant, if the product has it.
    pub fn variant(&self, variant: VariantId) -> Result<&Variant, Rejection> {
        self.variants.get(&variant).ok_or(Rejection::NoSuchVariant)
    }

    pub(super) fn add(&self, id: VariantId, variant: &Variant) -> Decision {
        match self.variants.get(&id) {
            Some(known) if known == variant => return Ok(vec![]),
            Some(_) => return Err(Rejection::VariantExists),
            None => {}
        }
        if self.variants.len() == VARIANTS_MAX {
            return Err(Rejection::TooManyVariants);
        }
        variant.check()?;
        self.check_options(id, &variant.options)?;
        if self.variants.values().any(|other| other.sku == variant.sku) {
            return Err(Rejection::SkuTwice);
        }
        Ok(vec![Event::VariantAdded { variant: id, details: variant.clone() }])
    }

    pub(super) fn revise_variant(&self, variant: VariantId, change: &VariantChange) -> Decision {
        let known = self.variant(variant)?;
        check_details(change.options.as_ref(), change.weight_g.flatten())?;
        if let Some(options) = &change.options {
            self.check_options(variant, options)?;
        }
        let change = VariantChange {
            title: changed(&known.title, change.title.as_ref()),
            options: changed(&known.options, change.options.as_ref()),
            weight_g: changed(&known.weight_g, change.weight_g.as_ref()),
            tax_class: changed(&known.tax_class, change.tax_class.as_ref()),
            physical: changed(&known.physical, change.physical.as_ref()),
        };
        let same = change == VariantChange::default();
        Ok(if same { vec![] } else { vec![Event::VariantRevised { variant, change }] })
    }

    pub(super) fn set_price(&self, variant: VariantId, price: Price, compare_at: Option<Option<Price>>) -> Decision {
        let known = self.variant(variant)?;
        let other = Rejection::OtherCurrency { currency: known.price.currency() };
        let known = known.listed(price.currency()).ok_or(other)?;
        let listed = Listed { price, compare_at: compare_at.unwrap_or(known.compare_at) };
        listed.check()?;
        Ok(price_set(variant, listed, Some(known)).into_iter().collect())
    }

    pub(super) fn set_prices(&self, variant: VariantId, prices: &[Listed]) -> Decision {
        let known = self.variant(variant)?;
        check_prices(prices)?;
        let given: HashSet<Currency> = prices.iter().map(|listed| listed.price.currency()).collect();
        let first = known.price.currency();
        if !given.contains(&first) {
            return Err(Rejection::OtherCurrency { currency: first });
        }
        let set = prices.iter().filter_map(|it| price_set(variant, *it, known.listed(it.price.currency())));
        let gone = known.other_prices.iter().filter(|it| !given.contains(&it.price.currency()));
        let gone = gone.map(|it| Event::PriceWithdrawn { variant, price: it.price });
        Ok(set.chain(gone).collect())
    }

    pub(super) fn remove(&self, variant: VariantId) -> Decision {
        // Unknown, so removed already or never there.
        let Some(known) = self.variants.get(&variant) else { return Ok(vec![]) };
        if self.is_to_be_seen() && self.variants.len() == 1 {
            return Err(Rejection::LastVariant);
        }
        Ok(vec![Event::VariantRemoved { variant, sku: known.sku.clone() }])
    }
}

fn price_set(variant: VariantId, listed: Listed, known: Option<Listed>) -> Option<Event> {
    let Listed { price, compare_at } = listed;
    let set = || Event::PriceSet { variant, price, compare_at, from: known.map(|known| known.price) };
    (known != Some(listed)).then(set)
}
