//! The data that the index reads of products and of their stock.

use std::collections::{BTreeMap, BTreeSet};

use byteshop_domain::Currency;
use byteshop_domain::ids::{CategoryId, ProductId, SellerId, VariantId};
use byteshop_domain::product::{AttributeValue, Attributes, Listed, Options, Status};
use byteshop_domain::text::{Label, search_form};
use serde::Deserialize;

use super::words::{FIELD, Vocabulary};

/// Bytes of a title that products are sorted by: a whole title of 200 Cyrillic letters, in a cursor that fits an address. Titles that
/// agree in so much are sorted by age.
pub(super) const TITLE_KEY_MAX: usize = 512;

/// The data of a product's row.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    pub id: ProductId,
    pub serial: i64,
    #[serde(default)]
    pub seller: Option<ReadSeller>,
    pub status: Status,
    pub title: String,
    pub description: String,
    pub category: Option<CategoryId>,
    pub attributes: Attributes,
    pub variants: Vec<ReadVariant>,
    /// The words, by their numbers in the vocabulary that they were read with.
    #[serde(skip)]
    pub words: Vec<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadSeller {
    pub id: SellerId,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadVariant {
    pub id: VariantId,
    pub sku: String,
    pub options: Options,
    pub prices: Vec<Listed>,
}

/// The stock of a variant.
#[derive(Debug, Deserialize)]
pub(super) struct ReadStock {
    pub variant: VariantId,
    pub product: ProductId,
    pub available: i64,
}

/// The sort keys of a product.
#[derive(Debug)]
pub(super) struct Keys {
    /// The beginning of its title, in the form in which it is searched.
    pub title: String,
    /// The prices of the variants in each currency, lowest first.
    pub prices: Vec<(Currency, Box<[i64]>)>,
}

impl Read {
    /// Writes down its words: those of the title; of attributes, options and codes; of the description.
    pub fn with_words(mut self, vocabulary: &mut Vocabulary) -> Self {
        let mut words = Vec::new();
        vocabulary.write(&self.title, &mut words);
        words.push(FIELD);
        let values = self.attributes.values().filter_map(|value| match value {
            AttributeValue::Text(text) => Some(text),
            AttributeValue::Integer(_) | AttributeValue::Boolean(_) => None,
        });
        let options = self.variants.iter().flat_map(|variant| variant.options.values());
        let values: BTreeSet<&Label> = values.chain(options).collect();
        for value in values {
            vocabulary.write(value.as_str(), &mut words);
        }
        for variant in &self.variants {
            vocabulary.write_code(&variant.sku, &mut words);
        }
        words.push(FIELD);
        vocabulary.write(&std::mem::take(&mut self.description), &mut words);
        Self { words, ..self }
    }
}

impl Keys {
    /// The sort keys of a product's row.
    pub fn of(row: &Read) -> Self {
        let mut title = search_form(&row.title);
        title.truncate(title.floor_char_boundary(TITLE_KEY_MAX));
        let mut prices: BTreeMap<&str, (Currency, Vec<i64>)> = BTreeMap::new();
        for price in row.variants.iter().flat_map(|variant| &variant.prices).map(|listed| listed.price.money()) {
            prices.entry(price.currency.code()).or_insert((price.currency, Vec::new())).1.push(price.amount);
        }
        let sorted = |(currency, mut amounts): (Currency, Vec<i64>)| {
            amounts.sort_unstable();
            (currency, amounts.into())
        };
        Self { title, prices: prices.into_values().map(sorted).collect() }
    }

    /// The prices of the variants in a currency, lowest first.
    pub fn amounts(&self, currency: Currency) -> &[i64] {
        self.prices.iter().find(|(known, _)| *known == currency).map_or(&[], |(_, amounts)| amounts)
    }

    /// The lowest of them.
    pub fn lowest(&self, currency: Currency) -> Option<i64> {
        self.amounts(currency).first().copied()
    }
}
