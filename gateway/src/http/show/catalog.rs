//! How categories, products and their variants look from outside.

use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::text::{Description, Name, Sku, Slug, Title};
use byteshop_domain::{category, product};
use serde::Serialize;
use utoipa::ToSchema;

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
    archived: bool,
}

impl<'a> Category<'a> {
    /// A category as it is.
    pub fn of(id: CategoryId, it: &'a category::Created) -> Self {
        Self { id, name: &it.name, slug: &it.slug, parent: it.parent, archived: it.archived }
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
    variants: Vec<Variant<'a>>,
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
            variants: variants.collect(),
        }
    }
}
