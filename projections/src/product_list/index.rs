//! The index in memory for searching, filtering, counting and sorting products: one set of products for each value of
//! each attribute, and for each word.
//!
//! It is built from the tables of three views and updated before each query, so it always agrees with them; nothing is
//! lost with it. Its product numbers follow the order of creation.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use byteshop_domain::Currency;
use byteshop_domain::category::AttributeType;
use byteshop_domain::ids::{CategoryId, ProductId, SellerId, VariantId};
use byteshop_domain::product::{AttributeValue, Attributes, Status};
use byteshop_domain::seller;
use byteshop_domain::text::{AttributeName, Label, nfc};
use roaring::RoaringBitmap;

use super::ProductSeller;
use super::lexicon::Lexicon;
use super::past::Past;
use super::query::Shown;
use super::read::{Keys, Read, ReadStock};
use super::tree::Tree;
use crate::seller_list;

/// A product, as far as it is found by it.
#[derive(Debug)]
pub(super) struct Entry {
    pub id: ProductId,
    pub serial: i64,
    /// The sort keys.
    pub keys: Keys,
    status: Status,
    category: Option<CategoryId>,
    seller: Option<SellerId>,
    attributes: Attributes,
    variants: Vec<VariantId>,
}

/// A seller, as far as its products are shown by it.
#[derive(Debug, Default)]
struct SellerEntry {
    /// Whether it sells. One that is not known yet does not.
    is_active: bool,
    /// Its id, handle and name as JSON.
    text: String,
    products: RoaringBitmap,
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
    sellers: HashMap<SellerId, SellerEntry>,
    /// The products of sellers that do not sell.
    hidden: RoaringBitmap,
    /// Whether a variant can be had.
    stock: HashMap<VariantId, bool>,
    /// The products that have a price in each currency.
    currencies: HashMap<Currency, RoaringBitmap>,
    /// Which products have which words.
    pub lexicon: Lexicon,
    /// The categories.
    pub tree: Tree,
    /// How products were sorted before they changed.
    pub past: Past,
}

/// The products of a seller that has none.
static NONE: LazyLock<RoaringBitmap> = LazyLock::new(RoaringBitmap::new);

fn slot(status: Status) -> usize {
    match status {
        Status::Draft => 0,
        Status::Published => 1,
        Status::Unpublished => 2,
        Status::Archived => 3,
    }
}

/// A value as it is compared: texts from before there was one form are brought to it.
fn in_one_form(value: &AttributeValue) -> AttributeValue {
    match value {
        AttributeValue::Text(text) => match nfc(text.as_str()) {
            Cow::Owned(form) => Label::new(&form).map_or_else(|_| value.clone(), AttributeValue::Text),
            Cow::Borrowed(_) => value.clone(),
        },
        AttributeValue::Integer(_) | AttributeValue::Boolean(_) => value.clone(),
    }
}

impl Index {
    /// Adds or replaces products, with the words that they were read with and the stems of those. New products are
    /// newer than all existing ones.
    pub fn put(&mut self, mut rows: Vec<Read>, words: &[String], stems: &[Option<String>]) {
        rows.sort_by_key(|row| row.serial);
        let learned = |(word, stem): (&String, &Option<String>)| self.lexicon.learn(word, stem.as_deref());
        let numbers: Vec<u32> = words.iter().zip(stems).map(learned).collect();
        self.past.begin();
        for row in rows {
            self.put_one(row, &numbers);
        }
    }

    fn put_one(&mut self, row: Read, numbers: &[u32]) {
        let number = match self.numbers.get(&row.id) {
            Some(number) => *number,
            None => self.len(),
        };
        let known = |word: &u32| numbers.get(*word as usize).copied().unwrap_or(*word);
        let words = self.lexicon.put(number, row.words.iter().map(known).collect());
        let entry = Entry {
            id: row.id,
            serial: row.serial,
            keys: Keys::of(&row),
            status: row.status,
            category: row.category,
            seller: row.seller.map(|seller| seller.id),
            attributes: row.attributes,
            variants: row.variants.into_iter().map(|variant| variant.id).collect(),
        };
        if let Some(known) = self.entries.get_mut(number as usize) {
            let old = std::mem::replace(known, entry);
            self.forget(number, &old);
            self.past.note(number, old.keys, words);
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
            let value = in_one_form(value);
            let Some(with) = values.get_mut(&value) else { continue };
            with.remove(number);
            if with.is_empty() {
                values.remove(&value);
            }
        }
        for (currency, _) in &old.keys.prices {
            if let Some(with) = self.currencies.get_mut(currency) {
                with.remove(number);
            }
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
            values.entry(in_one_form(value)).or_default().insert(number);
        }
        for (currency, _) in &entry.keys.prices {
            self.currencies.entry(*currency).or_default().insert(number);
        }
        // The seller of a product does not change.
        if let Some(seller) = entry.seller {
            let seller = self.sellers.entry(seller).or_default();
            seller.products.insert(number);
            if !seller.is_active {
                self.hidden.insert(number);
            }
        }
        self.count_stock(number);
    }

    /// Sets the stock of a variant; a variant that was removed from its product has none.
    pub fn put_stock(&mut self, row: &ReadStock) {
        let can_be_had = row.available > 0;
        if self.stock.insert(row.variant, can_be_had) != Some(can_be_had)
            && let Some(number) = self.numbers.get(&row.product)
        {
            self.count_stock(*number);
        }
    }

    /// Sets a seller: the products of one that does not sell are hidden.
    pub fn put_seller(&mut self, row: seller_list::Row) {
        let is_active = row.status == seller::Status::Approved;
        let shown = ProductSeller { id: row.id, handle: Some(row.handle), name: Some(row.name) };
        let entry = self.sellers.entry(row.id).or_default();
        // Plain texts, which JSON can always write.
        (entry.is_active, entry.text) = (is_active, serde_json::to_string(&shown).unwrap_or_default());
        if is_active {
            self.hidden -= &entry.products;
        } else {
            self.hidden |= &entry.products;
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

    /// The product with an id, if there is one.
    pub fn named(&self, id: ProductId) -> Option<&Entry> {
        self.numbers.get(&id).map(|number| self.entry(*number))
    }

    /// The products of a status, or all of them.
    pub fn with_status(&self, status: Option<Status>) -> RoaringBitmap {
        match status {
            Some(status) => self.statuses[slot(status)].clone(),
            None => (0..self.len()).collect(),
        }
    }

    /// The products that a caller sees.
    pub fn shown(&self, shown: Shown) -> RoaringBitmap {
        let mut products = self.with_status(shown.status());
        if shown.is_public() {
            products -= &self.hidden;
        }
        products
    }

    /// The products of a seller.
    pub fn of_seller(&self, seller: SellerId) -> &RoaringBitmap {
        self.sellers.get(&seller).map_or(&NONE, |entry| &entry.products)
    }

    /// The seller of a product as JSON; `null` for the house.
    pub fn seller_of(&self, product: ProductId) -> &str {
        let seller = self.named(product).and_then(|entry| self.sellers.get(&entry.seller?));
        seller.map(|entry| entry.text.as_str()).filter(|text| !text.is_empty()).unwrap_or("null")
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

    /// Whether something of a product can be had.
    pub fn is_in_stock(&self, product: ProductId) -> bool {
        self.numbers.get(&product).is_some_and(|number| self.in_stock.contains(*number))
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

    /// The types of an attribute in the categories that declare it and the products that have it; empty if the
    /// attribute is unknown.
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
