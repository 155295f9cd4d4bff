//! Which products are there, what do they cost, and which of them match?

use std::collections::BTreeMap;

use byteshop_domain::Decider as _;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::product::{self, Attributes, Event, Listed, Product, Status};
use byteshop_domain::text::{Description, Title};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};
use crate::text::micros;

mod query;
#[cfg(test)]
mod tests;

pub use query::{Query, Shown, Sort};

/// The view.
#[derive(Debug)]
pub struct ProductList;

/// A product as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The product.
    pub id: ProductId,
    /// Where it is in its life.
    pub status: Status,
    /// What it is called.
    pub title: Title,
    /// What it is.
    pub description: Description,
    /// Where in the catalog it is.
    pub category: Option<CategoryId>,
    /// What it is, in values.
    pub attributes: Attributes,
    /// What of it can be bought, in the order in which it came.
    pub variants: Vec<Variant>,
    /// The lowest price.
    pub price_min: Option<Money>,
    /// The highest price.
    pub price_max: Option<Money>,
    /// When it was created.
    #[serde(with = "micros")]
    pub created_at: DateTime<Utc>,
}

/// What of a product can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The variant.
    pub id: VariantId,
    /// All of it.
    #[serde(flatten)]
    pub details: product::Variant,
}

impl View for ProductList {
    const NAME: &'static str = "product_list";
    const VERSION: i32 = 1;
    const READS: &'static [&'static str] = &[Product::CATEGORY];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Product>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Product>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        if let Event::Created { title, description, category, attributes } = fact {
            return Some(Row {
                id: event.id_of::<Product>(),
                status: Status::Draft,
                title: title.clone(),
                description: description.clone(),
                category: *category,
                attributes: attributes.clone(),
                variants: Vec::new(),
                price_min: None,
                price_max: None,
                created_at: event.occurred_at(),
            });
        }
        let mut row = row?;
        row.change(fact);
        Some(row)
    }
}

impl Row {
    fn change(&mut self, fact: &Event) {
        match fact {
            // The row is made with it.
            Event::Created { .. } => {}
            Event::Revised { title, description, category, attributes } => {
                replace(&mut self.title, title.as_ref());
                replace(&mut self.description, description.as_ref());
                replace(&mut self.category, category.as_ref());
                replace(&mut self.attributes, attributes.as_ref());
            }
            Event::VariantAdded { variant, details } => {
                self.variants.push(Variant { id: *variant, details: details.clone() });
                self.set_prices();
            }
            Event::VariantRevised { variant, change } => {
                self.with_variant(*variant, |it| it.change(change));
            }
            Event::PriceSet { variant, price, compare_at, .. } => {
                self.with_variant(*variant, |it| it.set_listed(Listed { price: *price, compare_at: *compare_at }));
                self.set_prices();
            }
            Event::PriceWithdrawn { variant, price } => {
                self.with_variant(*variant, |it| it.withdraw(price.currency()));
            }
            Event::VariantRemoved { variant, .. } => {
                self.variants.retain(|it| it.id != *variant);
                self.set_prices();
            }
            Event::Published {} => self.status = Status::Published,
            Event::Unpublished {} => self.status = Status::Unpublished,
            Event::Archived {} => self.status = Status::Archived,
        }
    }

    fn with_variant(&mut self, variant: VariantId, change: impl FnOnce(&mut product::Variant)) {
        if let Some(variant) = self.variants.iter_mut().find(|it| it.id == variant) {
            change(&mut variant.details);
        }
    }

    /// Compares the prices of the currency that most variants have, the first of them when there are several.
    fn set_prices(&mut self) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for variant in &self.variants {
            *counts.entry(variant.details.price.currency().code()).or_default() += 1;
        }
        let most = counts.values().max();
        let currency =
            self.variants.iter().map(|it| it.details.price.currency()).find(|it| counts.get(it.code()) == most);
        let prices =
            || self.variants.iter().map(|it| it.details.price.money()).filter(|it| Some(it.currency) == currency);
        let lowest = prices().min_by_key(|price| price.amount);
        let highest = prices().max_by_key(|price| price.amount);
        (self.price_min, self.price_max) = (lowest, highest);
    }
}

fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}
