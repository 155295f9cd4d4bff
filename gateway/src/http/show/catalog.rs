//! How categories, products and their variants look from outside.

use std::collections::BTreeMap;

use byteshop_commands::Commands;
use byteshop_domain::ids::{CategoryId, ProductId, SellerId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::AttributeValue;
use byteshop_domain::seller::Seller;
use byteshop_domain::text::{AttributeName, Description, Handle, Label, Name, Reason, Sku, Slug, Title};
use byteshop_domain::{category, product};
use byteshop_projections::product_list::Image;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::Serialize;
use utoipa::ToSchema;

use crate::queries::reductions::LowestBefore;

/// A category of the catalog.
#[derive(Serialize, ToSchema)]
pub struct Category<'a> {
    id: CategoryId,
    name: &'a Name,
    slug: &'a Slug,
    /// The parent category; null for a root category.
    parent: Option<CategoryId>,
    /// The rank among its siblings: lowest first, ties sorted by name.
    rank: u32,
    /// Own attributes, without inherited ones.
    attributes: &'a [category::AttributeDefinition],
    archived: bool,
}

/// A category with the path to it.
#[derive(Serialize, ToSchema)]
pub struct CategoryWithPath<'a> {
    /// The category.
    #[serde(flatten)]
    pub category: Category<'a>,
    /// The categories above it, the root category first: the breadcrumbs of its page.
    pub path: Vec<PathCategory<'a>>,
}

/// A category above another one.
#[derive(Serialize, ToSchema)]
pub struct PathCategory<'a> {
    id: CategoryId,
    name: &'a Name,
    slug: &'a Slug,
}

impl<'a> PathCategory<'a> {
    /// A category as it is.
    pub fn of(id: CategoryId, it: &'a category::Created) -> Self {
        Self { id, name: &it.name, slug: &it.slug }
    }
}

/// The schedule of a product.
#[derive(Serialize, ToSchema)]
pub struct Schedule {
    /// When it is published.
    at: Option<DateTime<Utc>>,
    /// When it is unpublished.
    until: Option<DateTime<Utc>>,
}

impl<'a> Category<'a> {
    /// A category as it is.
    pub fn of(id: CategoryId, it: &'a category::Created) -> Self {
        let (name, slug, attributes) = (&it.name, &it.slug, it.attributes.as_slice());
        Self { id, name, slug, parent: it.parent, rank: it.rank, attributes, archived: it.archived }
    }
}

/// A product with its variants.
#[derive(Serialize, ToSchema)]
pub struct Product<'a> {
    id: ProductId,
    /// The seller; null for the house.
    seller: Option<ProductSeller<'a>>,
    /// The state of the product.
    status: product::Status,
    title: &'a Title,
    /// Plain text: escape it before you put it into HTML.
    description: &'a Description,
    category: Option<CategoryId>,
    /// The attribute values by name.
    attributes: &'a BTreeMap<AttributeName, AttributeValue>,
    /// The options of its variants; unrestricted if absent.
    options: &'a [product::OptionDefinition],
    /// The images in display order.
    images: Vec<Image>,
    /// The schedule; null if there is none, and for everybody but staff.
    schedule: Option<Schedule>,
    /// Why it was not published on schedule; null once it is published or rescheduled, and for everybody but staff.
    publication_refused: Option<PublicationRefused<'a>>,
    variants: Vec<Variant<'a>>,
}

/// The seller of a product.
#[derive(Serialize, ToSchema)]
#[schema(as = SellerOfProduct)]
pub struct ProductSeller<'a> {
    id: SellerId,
    /// The part of a URL that names it.
    handle: &'a Handle,
    name: &'a Name,
}

/// Why a product was not published on schedule.
#[derive(Serialize, ToSchema)]
pub struct PublicationRefused<'a> {
    /// When it was to be published.
    at: DateTime<Utc>,
    /// The code of the problem that prevents publishing.
    #[schema(default = json!({"x-schema": {"example": "product.attribute_missing"}}))]
    code: &'a Label,
    /// The same in words.
    reason: &'a Reason,
}

/// A variant of a product.
#[derive(Serialize, ToSchema)]
pub struct Variant<'a> {
    id: VariantId,
    sku: &'a Sku,
    title: &'a Title,
    /// The unit price in the primary currency.
    price: Price,
    /// A higher reference price, shown struck through.
    compare_at: Option<Price>,
    /// The unit price in each currency, the primary one first.
    prices: Vec<VariantPrice>,
    /// The option values, such as `{"size": "M"}`.
    options: &'a IndexMap<AttributeName, Label>,
    /// The weight of one packed piece, in grams.
    weight_g: Option<u32>,
    /// The tax class.
    tax_class: product::TaxClass,
    /// Whether it is a physical item that is shipped.
    physical: bool,
    /// Available for sale; null for a past moment, and in responses of commands.
    available: Option<i64>,
}

/// The unit price of a variant in a currency.
#[derive(Serialize, ToSchema)]
pub struct VariantPrice {
    price: Price,
    /// A higher reference price, shown struck through.
    compare_at: Option<Price>,
    /// The lowest price of the 30 days before the current reduction, if `compare_at` announces one. Only `GET /v1/products/{id}`
    /// looks it up; null elsewhere and for a past moment.
    lowest_before: Option<Price>,
}

impl From<product::Listed> for VariantPrice {
    fn from(it: product::Listed) -> Self {
        Self { price: it.price, compare_at: it.compare_at, lowest_before: None }
    }
}

impl<'a> Product<'a> {
    /// A product, with what is available of each variant in their order, if that is known.
    pub fn of(commands: &Commands, id: ProductId, it: &'a product::Created, available: Option<&[i64]>) -> Self {
        let variants = it.variants.iter().enumerate().map(|(index, (id, variant))| Variant {
            id: *id,
            sku: &variant.sku,
            title: &variant.title,
            price: variant.price,
            compare_at: variant.compare_at,
            prices: variant.listings().map(VariantPrice::from).collect(),
            options: &variant.options,
            weight_g: variant.weight_g,
            tax_class: variant.tax_class,
            physical: variant.physical,
            available: available.map(|available| available.get(index).copied().unwrap_or(0)),
        });
        Self {
            id,
            seller: None,
            status: it.status,
            title: &it.title,
            description: &it.description,
            category: it.category,
            attributes: &it.attributes,
            options: &it.options,
            images: it.images.iter().map(|it| Image::of(it).at(commands.api_address())).collect(),
            schedule: Some(it.schedule).filter(|it| !it.is_empty()).map(|it| Schedule { at: it.at, until: it.until }),
            publication_refused: it.refusal.as_ref().map(|it| PublicationRefused {
                at: it.at,
                code: &it.code,
                reason: &it.because,
            }),
            variants: variants.collect(),
        }
    }

    /// With the seller whose product it is.
    pub fn of_seller(self, it: &product::Created, seller: Option<&'a Seller>) -> Self {
        let known = it.seller.zip(seller.and_then(|seller| seller.live().ok()));
        let seller = known.map(|(id, known)| ProductSeller { id, handle: &known.handle, name: &known.name });
        Self { seller, ..self }
    }

    /// Without what only those who run the shop need.
    pub fn for_buyers(self) -> Self {
        Self { schedule: None, publication_refused: None, ..self }
    }

    /// With the lowest prices before the reductions that are announced.
    pub fn with_lowest_before(mut self, lowest: &LowestBefore) -> Self {
        for variant in &mut self.variants {
            for it in variant.prices.iter_mut().filter(|it| it.compare_at.is_some()) {
                it.lowest_before = lowest.get(&(variant.id, it.price.currency())).copied();
            }
        }
        self
    }
}
