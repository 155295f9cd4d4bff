//! How categories, products and their variants look from outside.

use std::collections::HashMap;

use byteshop_domain::category::{LABELS_MAX, VALUES_MAX};
use byteshop_domain::ids::{CategoryId, ImageId, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::OPTION_VALUES_MAX;
use byteshop_domain::text::{AttributeName, Description, Label, Name, Reason, Sku, Slug, Title, Unit};
use byteshop_domain::{Bounded, Currency, category, product};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::openapi::max;
use super::Money;
use super::names;

/// A category of the catalog.
#[derive(Serialize, ToSchema)]
pub struct Category<'a> {
    #[schema(value_type = String, example = "cat_01h455vb4pex5vsknk084sn02q")]
    id: CategoryId,
    #[schema(value_type = String)]
    name: &'a Name,
    #[schema(value_type = String)]
    slug: &'a Slug,
    /// The parent category; null for a root category.
    #[schema(value_type = Option<String>, required = true)]
    parent: Option<CategoryId>,
    /// The rank among its siblings: lowest first, ties sorted by name.
    rank: u32,
    /// Own attributes, without inherited ones.
    #[schema(value_type = Vec<AttributeDefinition>)]
    attributes: &'a [category::AttributeDefinition],
    archived: bool,
}

/// An attribute of the products of a category, as it was set: what was left out is absent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct AttributeDefinition {
    /// The name used in products and filters.
    #[schema(pattern = "^[a-z0-9_-]+$", default = max::<AttributeName>)]
    name: String,
    r#type: names::AttributeType,
    /// The allowed values of a choice.
    #[schema(default = max::<Bounded<Vec<Label>, VALUES_MAX>>, nullable = false)]
    values: Option<Vec<String>>,
    /// The unit, such as `mm`.
    #[schema(default = max::<Unit>, nullable = false)]
    unit: Option<String>,
    /// Whether it is required for publishing.
    #[schema(nullable = false)]
    required: Option<bool>,
    /// Whether it is offered as a filter.
    #[schema(nullable = false)]
    filterable: Option<bool>,
    /// The label by language: `en` and `ru`.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>, default = max::<Bounded<(), LABELS_MAX>>, nullable = false)]
    labels: (),
}

/// An option of a product.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct OptionDefinition {
    /// The name, such as `size`.
    #[schema(pattern = "^[a-z0-9_-]+$", default = max::<AttributeName>)]
    name: String,
    /// The values, in display order.
    #[schema(min_items = 1, default = max::<Bounded<Vec<Label>, OPTION_VALUES_MAX>>)]
    values: Vec<String>,
}

/// An image of a product.
#[derive(Serialize, ToSchema)]
pub struct Image {
    #[schema(value_type = String, example = "img_01h455vb4pex5vsknk084sn02q")]
    id: ImageId,
    /// The format, whatever was uploaded.
    #[schema(value_type = names::ImageType, example = "jpeg")]
    r#type: product::ImageType,
    width: u32,
    height: u32,
    /// The alternative text.
    #[schema(value_type = Option<String>, required = true)]
    alt: Option<Label>,
    /// Its path at the address of the API.
    url: String,
    /// Its thumbnails.
    thumbnails: Vec<Thumbnail>,
}

/// A thumbnail of an image.
#[derive(Serialize, ToSchema)]
pub struct Thumbnail {
    /// The longer side in pixels, unless the image itself is smaller.
    size: u32,
    /// Its path at the address of the API.
    url: String,
}

/// The schedule of a product.
#[derive(Serialize, ToSchema)]
pub struct Schedule {
    /// When it is published.
    #[schema(required = true)]
    at: Option<DateTime<Utc>>,
    /// When it is unpublished.
    #[schema(required = true)]
    until: Option<DateTime<Utc>>,
}

impl From<&product::Image> for Image {
    fn from(it: &product::Image) -> Self {
        let thumbnail = |size| Thumbnail { size, url: it.path(Some(size)) };
        Self {
            id: it.image,
            r#type: it.r#type,
            width: it.width,
            height: it.height,
            alt: it.alt.clone(),
            url: it.path(None),
            thumbnails: product::THUMBNAILS.map(thumbnail).into(),
        }
    }
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
    #[schema(value_type = String, example = "prod_01h455vb4pex5vsknk084sn02q")]
    id: ProductId,
    /// The state of the product.
    #[schema(value_type = names::ProductStatus, example = "published")]
    status: product::Status,
    #[schema(value_type = String)]
    title: &'a Title,
    /// Plain text: escape it before you put it into HTML.
    #[schema(value_type = String)]
    description: &'a Description,
    #[schema(value_type = Option<String>, required = true)]
    category: Option<CategoryId>,
    #[schema(value_type = names::Attributes)]
    attributes: &'a product::Attributes,
    /// The options of its variants; unrestricted if absent.
    #[schema(value_type = Vec<OptionDefinition>)]
    options: &'a [product::OptionDefinition],
    /// The images in display order.
    images: Vec<Image>,
    /// The schedule; null if there is none, and for everybody but staff.
    #[schema(required = true)]
    schedule: Option<Schedule>,
    /// Why it was not published on schedule; null once it is published or rescheduled, and for everybody but staff.
    #[schema(required = true)]
    publication_refused: Option<PublicationRefused<'a>>,
    variants: Vec<Variant<'a>>,
}

/// Why a product was not published on schedule.
#[derive(Serialize, ToSchema)]
pub struct PublicationRefused<'a> {
    /// When it was to be published.
    at: DateTime<Utc>,
    /// The code of the problem that prevents publishing.
    #[schema(value_type = String, example = "product.attribute_missing")]
    code: &'a Label,
    /// The same in words.
    #[schema(value_type = String)]
    reason: &'a Reason,
}

/// A variant of a product.
#[derive(Serialize, ToSchema)]
pub struct Variant<'a> {
    #[schema(value_type = String, example = "var_01h455vb4pex5vsknk084sn02q")]
    id: VariantId,
    #[schema(value_type = String)]
    sku: &'a Sku,
    #[schema(value_type = String)]
    title: &'a Title,
    /// The unit price in the primary currency.
    #[schema(value_type = Money)]
    price: Price,
    /// A higher reference price, shown struck through.
    #[schema(value_type = Option<Money>, required = true)]
    compare_at: Option<Price>,
    /// The unit price in each currency, the primary one first.
    prices: Vec<VariantPrice>,
    #[schema(value_type = names::Options)]
    options: &'a product::Options,
    /// The weight of one packed piece, in grams.
    #[schema(required = true)]
    weight_g: Option<u32>,
    /// The tax class.
    #[schema(value_type = names::TaxClass, example = "standard")]
    tax_class: product::TaxClass,
    /// Whether it is a physical item that is shipped.
    physical: bool,
    /// Available for sale; null for a past moment, and in responses of commands.
    #[schema(required = true)]
    available: Option<i64>,
}

/// The unit price in a currency.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ListedPrice {
    #[schema(value_type = Money)]
    price: Price,
    /// A higher reference price, shown struck through.
    #[schema(value_type = Option<Money>, required = true)]
    compare_at: Option<Price>,
}

/// The unit price of a variant in a currency.
#[derive(Serialize, ToSchema)]
pub struct VariantPrice {
    #[schema(value_type = Money)]
    price: Price,
    /// A higher reference price, shown struck through.
    #[schema(value_type = Option<Money>, required = true)]
    compare_at: Option<Price>,
    /// The lowest price of the 30 days before the current reduction, if `compare_at` announces one. Only `GET /v1/products/{id}`
    /// looks it up; null elsewhere and for a past moment.
    #[schema(value_type = Option<Money>, required = true)]
    lowest_before: Option<Price>,
}

/// The unit price in a currency, as it is set.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct NewListedPrice {
    price: Money,
    /// A higher reference price, shown struck through.
    compare_at: Option<Money>,
}

impl From<product::Listed> for VariantPrice {
    fn from(it: product::Listed) -> Self {
        Self { price: it.price, compare_at: it.compare_at, lowest_before: None }
    }
}

/// The lowest prices before reductions, by variant and currency.
pub type LowestBefore = HashMap<(VariantId, Currency), Price>;

impl<'a> Product<'a> {
    /// A product, with what is available of each variant in their order, if that is known.
    pub fn of(id: ProductId, it: &'a product::Created, available: Option<&[i64]>) -> Self {
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
            status: it.status,
            title: &it.title,
            description: &it.description,
            category: it.category,
            attributes: &it.attributes,
            options: &it.options,
            images: it.images.iter().map(Image::from).collect(),
            schedule: Some(it.schedule).filter(|it| !it.is_empty()).map(|it| Schedule { at: it.at, until: it.until }),
            publication_refused: it.refusal.as_ref().map(|it| PublicationRefused {
                at: it.at,
                code: &it.code,
                reason: &it.because,
            }),
            variants: variants.collect(),
        }
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
