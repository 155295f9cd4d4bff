//! Which products are there, what do they cost, and which of them match?
//!
//! The table holds each product as it is shown. What people find, filter, count and sort by is kept in memory by the process
//! that answers: see `index`.

use std::collections::BTreeMap;

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{CategoryId, ProductId, SellerId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::product::{AttributeValue, Event, Listed, OptionDefinition, Product, Schedule, Status, in_order};
use byteshop_domain::text::{AttributeName, Description, Handle, Name, Title};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};
use crate::text::micros;

mod answer;
mod asked;
mod correct;
mod facet;
mod found;
mod index;
mod lexicon;
mod load;
mod matching;
mod page_cache;
mod past;
mod place;
mod query;
mod read;
mod row_cache;
mod shown;
mod slip;
mod stemming;
#[cfg(test)]
mod tests;
mod tree;
mod wanted;
mod words;

pub use facet::{AttributeFacet, CategoryFacet, Facets, PriceFacet, PriceRangeFacet, ValueFacet};
pub use found::{Found, Text};
pub(crate) use load::Catalog;
pub use query::{Query, Shown, Sort};
pub use shown::{Image, ListedPrice, Variant};

/// The view.
#[derive(Debug)]
pub struct ProductList;

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ProductInView))]
pub struct Row {
    /// Its id.
    pub id: ProductId,
    /// The position of the event that it was created with.
    /// Pages for visitors leave it out.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub serial: i64,
    /// The seller; null for the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub seller: Option<ProductSeller>,
    /// The state of the product.
    pub status: Status,
    /// The title.
    pub title: Title,
    /// The description.
    pub description: Description,
    /// The category.
    pub category: Option<CategoryId>,
    /// The attribute values by name.
    pub attributes: BTreeMap<AttributeName, AttributeValue>,
    /// The options of its variants.
    pub options: Vec<OptionDefinition>,
    /// The images.
    pub images: Vec<Image>,
    /// The variants, in the order of creation.
    pub variants: Vec<Variant>,
    /// The lowest and the highest price, per currency.
    pub prices: Vec<PriceRange>,
    /// The lowest price in the requested currency; by default in the most common currency of its variants.
    pub price_min: Option<Money>,
    /// The highest price, in that currency.
    pub price_max: Option<Money>,
    /// When it was created.
    #[serde(with = "micros")]
    pub created_at: DateTime<Utc>,
}

/// The seller of a product in a list. The table has its id alone; the rest of it is added when the row is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductSeller {
    /// Its id.
    pub id: SellerId,
    /// The part of a URL that names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub handle: Option<Handle>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub name: Option<Name>,
}

/// The lowest and highest price of a product's variants in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PriceRangeRow))]
pub struct PriceRange {
    /// The lowest price.
    pub min: Money,
    /// The highest price.
    pub max: Money,
}

impl View for ProductList {
    const NAME: &'static str = "product_list";
    const VERSION: i32 = 4;
    const READS: &'static [Reads] = &[Reads::all::<Product>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Product>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Product>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        if let Event::Created { title, description, category, attributes, seller } = fact {
            return Some(Row {
                id: event.id_of::<Product>(),
                serial: event.position,
                seller: seller.map(|id| ProductSeller { id, handle: None, name: None }),
                status: Status::Draft,
                title: title.clone(),
                description: description.clone(),
                category: *category,
                attributes: attributes.clone(),
                options: Vec::new(),
                images: Vec::new(),
                variants: Vec::new(),
                prices: Vec::new(),
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
            Event::OptionsDefined { options } => {
                self.options.clone_from(options);
                self.variants.iter_mut().for_each(|it| in_order(&mut it.options, options));
            }
            Event::ImageAdded(image) => self.images.push(Image::of(image)),
            Event::ImagesOrdered { images } => {
                self.images.sort_by_key(|image| images.iter().position(|id| *id == image.id));
            }
            Event::ImageDescribed { image, alt } => {
                self.images.iter_mut().filter(|it| it.id == *image).for_each(|it| it.alt.clone_from(alt));
            }
            Event::ImageRemoved { image } => self.images.retain(|it| it.id != *image),
            Event::VariantAdded { variant, details } => {
                let mut variant = Variant::of(*variant, details);
                in_order(&mut variant.options, &self.options);
                self.variants.push(variant);
                self.set_prices();
            }
            Event::VariantRevised { variant, change } => {
                let options = std::mem::take(&mut self.options);
                self.with_variant(*variant, |it| {
                    it.change(change);
                    in_order(&mut it.options, &options);
                });
                self.options = options;
            }
            Event::PriceSet { variant, price, compare_at, .. } => {
                let listed = Listed { price: *price, compare_at: *compare_at };
                self.with_variant(*variant, |it| it.set_listed(listed));
                self.set_prices();
            }
            Event::PriceWithdrawn { variant, price } => {
                self.with_variant(*variant, |it| it.withdraw(price.currency()));
                self.set_prices();
            }
            Event::VariantRemoved { variant, .. } => {
                self.variants.retain(|it| it.id != *variant);
                self.set_prices();
            }
            Event::Scheduled(Schedule { .. }) | Event::PublicationRefused { .. } => {}
            Event::Published {} => self.status = Status::Published,
            Event::Unpublished {} => self.status = Status::Unpublished,
            Event::Archived {} => self.status = Status::Archived,
        }
    }

    fn with_variant(&mut self, variant: VariantId, change: impl FnOnce(&mut Variant)) {
        if let Some(variant) = self.variants.iter_mut().find(|it| it.id == variant) {
            change(variant);
        }
    }

    /// The range of each currency, and of the one that most variants have: the first of them when there are several.
    fn set_prices(&mut self) {
        let mut ranges: BTreeMap<&str, (usize, PriceRange)> = BTreeMap::new();
        for price in self.variants.iter().flat_map(|it| &it.prices).map(|listed| listed.price.money()) {
            let (count, range) =
                ranges.entry(price.currency.code()).or_insert((0, PriceRange { min: price, max: price }));
            *count += 1;
            range.min.amount = range.min.amount.min(price.amount);
            range.max.amount = range.max.amount.max(price.amount);
        }
        let most = ranges.values().map(|(count, _)| *count).max();
        let main = self.variants.iter().map(|it| it.price.currency().code());
        let main = main.filter_map(|code| ranges.get(code)).find(|(count, _)| Some(*count) == most);
        let main = main.map(|(_, range)| *range);
        (self.price_min, self.price_max) = (main.map(|range| range.min), main.map(|range| range.max));
        self.prices = ranges.into_values().map(|(_, range)| range).collect();
    }
}

fn replace<T: Clone>(old: &mut T, new: Option<&T>) {
    if let Some(new) = new {
        old.clone_from(new);
    }
}
