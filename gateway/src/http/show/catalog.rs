//! How categories, products and their variants look from outside.

use byteshop_domain::category::{LABELS_MAX, VALUES_MAX};
use byteshop_domain::ids::{CategoryId, ImageId, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::OPTION_VALUES_MAX;
use byteshop_domain::text::{AttributeName, Description, Label, Name, Reason, Sku, Slug, Title, Unit};
use byteshop_domain::{Bounded, category, product};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::openapi::max;
use super::Money;

/// A category of the catalog.
#[derive(Serialize, ToSchema)]
pub struct Category<'a> {
    #[schema(value_type = String, example = "cat_01h455vb4pex5vsknk084sn02q")]
    id: CategoryId,
    #[schema(value_type = String)]
    name: &'a Name,
    #[schema(value_type = String)]
    slug: &'a Slug,
    /// What it is under; null for a root.
    #[schema(value_type = Option<String>)]
    parent: Option<CategoryId>,
    /// Its place among those beside it: the lowest comes first, and equals by name.
    rank: u32,
    /// What it asks of its products, beside what the categories above it ask.
    #[schema(value_type = Vec<AttributeDefinition>)]
    attributes: &'a [category::AttributeDefinition],
    archived: bool,
}

/// An attribute that the products of a category have.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct AttributeDefinition {
    /// Its name in products and filters.
    #[schema(pattern = "^[a-z0-9_-]+$", default = max::<AttributeName>)]
    name: String,
    /// `text`, `number`, `boolean` or `choice`.
    r#type: AttributeType,
    /// The values there can be, when it is a choice.
    #[schema(default = max::<Bounded<Vec<Label>, VALUES_MAX>>)]
    values: Option<Vec<String>>,
    /// What its numbers count, such as `mm`.
    #[schema(default = max::<Unit>)]
    unit: Option<String>,
    /// Whether a product is published only with it.
    required: Option<bool>,
    /// Whether people filter by it.
    filterable: Option<bool>,
    /// What people call it, by language: `en` and `ru`.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>, default = max::<Bounded<(), LABELS_MAX>>)]
    labels: (),
}

#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
enum AttributeType {
    Text,
    Number,
    Boolean,
    Choice,
}

/// What the variants of a product differ in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct OptionDefinition {
    /// Its name, such as `size`.
    #[schema(pattern = "^[a-z0-9_-]+$", default = max::<AttributeName>)]
    name: String,
    /// What there is of it, in the order in which people see it.
    #[schema(min_items = 1, default = max::<Bounded<Vec<Label>, OPTION_VALUES_MAX>>)]
    values: Vec<String>,
}

/// A picture of a product.
#[derive(Serialize, ToSchema)]
pub struct Image {
    #[schema(value_type = String, example = "img_01h455vb4pex5vsknk084sn02q")]
    id: ImageId,
    /// `jpeg` or `png`, whatever was sent in.
    #[schema(value_type = String, example = "jpeg")]
    r#type: product::ImageType,
    width: u32,
    height: u32,
    /// What it shows, for people who do not see it.
    #[schema(value_type = Option<String>)]
    alt: Option<Label>,
    /// Where it is.
    url: String,
    /// Where smaller copies of it are.
    thumbnails: Vec<Thumbnail>,
}

/// A smaller copy of a picture.
#[derive(Serialize, ToSchema)]
pub struct Thumbnail {
    /// Its longer side in pixels, unless the picture itself is smaller.
    size: u32,
    url: String,
}

/// When a product is shown and hidden by itself.
#[derive(Serialize, ToSchema)]
pub struct Schedule {
    /// From when on it is shown.
    at: Option<DateTime<Utc>>,
    /// Until when.
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
    /// `draft`, `published`, `unpublished` or `archived`.
    #[schema(value_type = String, example = "published")]
    status: product::Status,
    #[schema(value_type = String)]
    title: &'a Title,
    #[schema(value_type = String)]
    description: &'a Description,
    #[schema(value_type = Option<String>)]
    category: Option<CategoryId>,
    /// Texts, whole numbers, true or false, by name.
    #[schema(value_type = Object)]
    attributes: &'a product::Attributes,
    /// What its variants differ in; when nothing is said, in anything.
    #[schema(value_type = Vec<OptionDefinition>)]
    options: &'a [product::OptionDefinition],
    /// What it looks like, the first picture first.
    images: Vec<Image>,
    /// What is planned; null when nothing is.
    schedule: Option<Schedule>,
    /// Why it was not shown when its moment came; not there once it is shown or another moment is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    publication_refused: Option<PublicationRefused<'a>>,
    variants: Vec<Variant<'a>>,
}

/// Why a product was not shown when its moment came.
#[derive(Serialize, ToSchema)]
pub struct PublicationRefused<'a> {
    /// The moment.
    at: DateTime<Utc>,
    /// The code of the problem that publishing it now has.
    #[schema(value_type = String, example = "product.attribute_missing")]
    code: &'a Label,
    /// The same in words.
    #[schema(value_type = String)]
    detail: &'a Reason,
}

/// What of a product can be bought.
#[derive(Serialize, ToSchema)]
pub struct Variant<'a> {
    #[schema(value_type = String, example = "var_01h455vb4pex5vsknk084sn02q")]
    id: VariantId,
    #[schema(value_type = String)]
    sku: &'a Sku,
    #[schema(value_type = String)]
    title: &'a Title,
    /// What one piece costs, in its first currency.
    #[schema(value_type = Money)]
    price: Price,
    /// The higher price that this one is shown to be below of.
    #[schema(value_type = Option<Money>)]
    compare_at: Option<Price>,
    /// What one piece costs in each currency, the first one first.
    prices: Vec<Listed>,
    /// What tells it from the others, by name.
    #[schema(value_type = Object)]
    options: &'a product::Options,
    /// What one piece weighs with its wrapping, in grams.
    weight_g: Option<u32>,
    /// `standard`, `reduced`, `super_reduced` or `zero`.
    #[schema(value_type = String, example = "standard")]
    tax_class: product::TaxClass,
    /// Whether it is a thing that is sent.
    physical: bool,
    /// How many can be bought now; not told for a moment of the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
}

/// What one piece costs in a currency.
#[derive(Serialize, ToSchema)]
pub struct Listed {
    #[schema(value_type = Money)]
    price: Price,
    /// The higher price that it is shown to be below of.
    #[schema(value_type = Option<Money>)]
    compare_at: Option<Price>,
}

impl From<product::Listed> for Listed {
    fn from(it: product::Listed) -> Self {
        Self { price: it.price, compare_at: it.compare_at }
    }
}

impl<'a> Product<'a> {
    /// A product, with what is available of each variant in their order, if that is known.
    pub fn of(id: ProductId, it: &'a product::Created, available: Option<&[i64]>) -> Self {
        let variants = it.variants.iter().enumerate().map(|(index, (id, variant))| Variant {
            id: *id,
            sku: &variant.sku,
            title: &variant.title,
            price: variant.price,
            compare_at: variant.compare_at,
            prices: variant.listings().map(Listed::from).collect(),
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
                detail: &it.because,
            }),
            variants: variants.collect(),
        }
    }
}
