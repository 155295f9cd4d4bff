//! What products are filtered, counted and sorted by, in memory: one set of products for each value of each attribute.
//!
//! It is made from the tables of three views and brought up to date before it is asked, so it says what they say; nothing
//! is lost with it. Products have numbers in it in the order in which they were created.

use std::collections::{BTreeMap, HashMap};

use byteshop_domain::Currency;
use byteshop_domain::category::AttributeType;
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::product::{AttributeValue, Attributes, Status};
use byteshop_domain::text::AttributeName;
use roaring::RoaringBitmap;
use serde::Deserialize;

use super::PriceRange;
use super::lexemes::Lexemes;
use super::tree::Tree;
use super::tsearch;
use super::words::Words;

/// What is read of a product's row.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    pub id: ProductId,
    pub serial: i64,
    pub status: Status,
    pub title: String,
    pub category: Option<CategoryId>,
    pub attributes: Attributes,
    pub prices: Vec<PriceRange>,
    pub variants: Vec<ReadVariant>,
    /// Its words, as Postgres writes a `tsvector`; a column of its own.
    #[serde(skip)]
    pub search: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ReadVariant {
    pub id: VariantId,
}

/// What is read of the stock of a variant.
#[derive(Debug, Deserialize)]
pub(super) struct ReadStock {
    pub variant: VariantId,
    pub product: ProductId,
    pub available: i64,
}

/// A product, as far as it is found by it.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: ProductId,
    pub serial: i64,
    pub title: String,
    pub prices: Vec<PriceRange>,
    status: Status,
    category: Option<CategoryId>,
    attributes: Attributes,
    variants: Vec<VariantId>,
    /// The numbers of its lexemes.
    lexemes: Box<[u32]>,
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// In the order of their serials.
    entries: Vec<Entry>,
    numbers: HashMap<ProductId, u32>,
    statuses: [RoaringBitmap; 4],
    categories: HashMap<CategoryId, RoaringBitmap>,
    attributes: HashMap<AttributeName, BTreeMap<AttributeValue, RoaringBitmap>>,
    in_stock: RoaringBitmap,
    /// Whether a variant can be had.
    stock: HashMap<VariantId, bool>,
    /// The products that have a price in each currency.
    currencies: HashMap<Currency, RoaringBitmap>,
    /// Which products have which words.
    pub lexemes: Lexemes,
    /// The categories.
    pub tree: Tree,
    /// The words of published titles.
    pub words: Words,
}

fn slot(status: Status) -> usize {
    match status {
        Status::Draft => 0,
        Status::Published => 1,
        Status::Unpublished => 2,
        Status::Archived => 3,
    }
}

impl Index {
    /// Takes in products as they are now. New ones are newer than all that are known.
    pub fn put(&mut self, mut rows: Vec<Read>) {
        rows.sort_by_key(|row| row.serial);
        for row in rows {
            self.put_one(row);
        }
    }

    fn put_one(&mut self, row: Read) {
        let number = match self.numbers.get(&row.id) {
            Some(number) => *number,
            None => self.len(),
        };
        if let Some(known) = self.entries.get(number as usize) {
            self.lexemes.remove(number, &known.lexemes);
        }
        let entry = Entry {
            id: row.id,
            serial: row.serial,
            title: super::words::folded(&row.title),
            prices: row.prices,
            status: row.status,
            category: row.category,
            attributes: row.attributes,
            variants: row.variants.into_iter().map(|variant| variant.id).collect(),
            lexemes: self.lexemes.add(number, tsearch::lexemes(&row.search)),
        };
        if let Some(known) = self.entries.get_mut(number as usize) {
            let old = std::mem::replace(known, entry);
            self.forget(number, &old);
        } else {
            self.numbers.insert(entry.id, number);
            self.entries.push(entry);
        }
        self.remember(number);
    }

    fn forget(&mut self, number: u32, old: &Entry) {
        self.statuses[slot(old.status)].remove(number);
        if let Some(category) = old.category.and_then(|category| self.categories.get_mut(&category)) {
            category.remove(number);
        }
        for (name, value) in &old.attributes {
            let Some(values) = self.attributes.get_mut(name) else { continue };
            let Some(with) = values.get_mut(value) else { continue };
            with.remove(number);
            if with.is_empty() {
                values.remove(value);
            }
        }
        for range in &old.prices {
            if let Some(with) = self.currencies.get_mut(&range.min.currency) {
                with.remove(number);
            }
        }
        if old.status == Status::Published {
            self.words.remove(&old.title);
        }
    }

    fn remember(&mut self, number: u32) {
        let entry = &self.entries[number as usize];
        self.statuses[slot(entry.status)].insert(number);
        if let Some(category) = entry.category {
            self.categories.entry(category).or_default().insert(number);
        }
        for (name, value) in &entry.attributes {
            let values = self.attributes.entry(name.clone()).or_default();
            values.entry(value.clone()).or_default().insert(number);
        }
        for range in &entry.prices {
            self.currencies.entry(range.min.currency).or_default().insert(number);
        }
        if entry.status == Status::Published {
            self.words.add(&entry.title);
        }
        self.count_stock(number);
    }

    /// Takes in the stock of a variant as it is now; that of one that was taken out of its product counts for nothing.
    pub fn put_stock(&mut self, row: &ReadStock) {
        let can_be_had = row.available > 0;
        if self.stock.insert(row.variant, can_be_had) != Some(can_be_had)
            && let Some(number) = self.numbers.get(&row.product)
        {
            self.count_stock(*number);
        }
    }

    fn count_stock(&mut self, number: u32) {
        let variants = &self.entries[number as usize].variants;
        if variants.iter().any(|variant| self.stock.get(variant) == Some(&true)) {
            self.in_stock.insert(number);
        } else {
            self.in_stock.remove(number);
        }
    }

    /// How many products there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap_or(u32::MAX)
    }

    /// A product.
    pub fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    /// The number of the product with a serial.
    pub fn number(&self, serial: i64) -> Option<u32> {
        let found = self.entries.binary_search_by_key(&serial, |entry| entry.serial).ok()?;
        u32::try_from(found).ok()
    }

    /// The products of a status, or all of them.
    pub fn with_status(&self, status: Option<Status>) -> RoaringBitmap {
        match status {
            Some(status) => self.statuses[slot(status)].clone(),
            None => (0..self.len()).collect(),
        }
    }

    /// The products directly in a category.
    pub fn in_category(&self, category: CategoryId) -> Option<&RoaringBitmap> {
        self.categories.get(&category)
    }

    /// The values of an attribute, with the products that have each.
    pub fn values(&self, name: &AttributeName) -> Option<&BTreeMap<AttributeValue, RoaringBitmap>> {
        self.attributes.get(name)
    }

    /// The products of which something can be had.
    pub fn in_stock(&self) -> &RoaringBitmap {
        &self.in_stock
    }

    /// The currency that most products have a price in; of equals the first in the alphabet.
    pub fn main_currency(&self) -> Option<Currency> {
        let counts = self.currencies.iter().map(|(currency, with)| (*currency, with.len())).filter(|it| it.1 > 0);
        let most = counts.max_by_key(|(currency, count)| (*count, std::cmp::Reverse(currency.code())));
        most.map(|(currency, _)| currency)
    }

    /// The products that have a price in a currency.
    pub fn priced_in(&self, currency: Currency) -> Option<&RoaringBitmap> {
        self.currencies.get(&currency)
    }

    /// The types that an attribute has where it is declared and in the products that have it; none when nobody knows it.
    pub fn attribute_types(&self, name: &str) -> Vec<AttributeType> {
        let Ok(name) = AttributeName::new(name) else { return Vec::new() };
        let of_value = |(value, _): (&AttributeValue, _)| match value {
            AttributeValue::Integer(_) => AttributeType::Number,
            AttributeValue::Boolean(_) => AttributeType::Boolean,
            AttributeValue::Text(_) => AttributeType::Text,
        };
        // Values of a kind lie together, so the ends tell whether there is more than one.
        let ends = self.attributes.get(&name).map(|values| [values.first_key_value(), values.last_key_value()]);
        let values = ends.into_iter().flatten().flatten().map(of_value);
        values.chain(self.tree.types_of(&name)).collect()
    }
}

impl Entry {
    /// What it costs in a currency.
    pub fn range(&self, currency: Currency) -> Option<&PriceRange> {
        self.prices.iter().find(|range| range.min.currency == currency)
    }
}
