//! Variants and pictures as lists show them.

use byteshop_domain::Currency;
use byteshop_domain::ids::{ImageId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{self, ImageType, Listed, TaxClass, VariantChange};
use byteshop_domain::text::{AttributeName, Label, Sku, Title};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = VariantRow))]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// The SKU.
    pub sku: Sku,
    /// The title.
    pub title: Title,
    /// The unit price in the primary currency.
    pub price: Price,
    /// A higher reference price, shown struck through.
    pub compare_at: Option<Price>,
    /// The unit price in each currency, the primary one first.
    pub prices: Vec<ListedPrice>,
    /// The option values.
    pub options: IndexMap<AttributeName, Label>,
    /// The weight of one piece, in grams.
    pub weight_g: Option<u32>,
    /// The tax class.
    pub tax_class: TaxClass,
    /// Whether it is a physical item that is shipped.
    pub physical: bool,
}

/// The unit price in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListedPrice {
    /// The price.
    pub price: Price,
    /// A higher reference price, shown struck through.
    pub compare_at: Option<Price>,
}

/// An image of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Image {
    /// Its id.
    pub id: ImageId,
    /// The format, whatever was uploaded.
    pub r#type: ImageType,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// The alternative text.
    pub alt: Option<Label>,
    /// Its URL; a path if the public address of the API is not set.
    pub url: String,
    /// Its thumbnails.
    pub thumbnails: Vec<Thumbnail>,
}

/// A thumbnail of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Thumbnail {
    /// The longer side in pixels, unless the image itself is smaller.
    pub size: u32,
    /// Its URL; a path if the public address of the API is not set.
    pub url: String,
}

impl Variant {
    /// A variant that was added.
    pub fn of(id: VariantId, it: &product::Variant) -> Self {
        Self {
            id,
            sku: it.sku.clone(),
            title: it.title.clone(),
            price: it.price,
            compare_at: it.compare_at,
            prices: it.listings().map(ListedPrice::from).collect(),
            options: it.options.clone(),
            weight_g: it.weight_g,
            tax_class: it.tax_class,
            physical: it.physical,
        }
    }

    /// The variant as the product has it.
    pub fn details(&self) -> product::Variant {
        product::Variant {
            compare_at: self.compare_at,
            other_prices: self.prices.iter().skip(1).map(Listed::from).collect(),
            weight_g: self.weight_g,
            tax_class: self.tax_class,
            physical: self.physical,
            ..product::Variant::new(self.sku.clone(), self.title.clone(), self.price, self.options.clone())
        }
    }

    pub(super) fn change(&mut self, change: &VariantChange) {
        self.alter(|details| details.change(change));
    }

    pub(super) fn set_listed(&mut self, listed: Listed) {
        self.alter(|details| details.set_listed(listed));
    }

    pub(super) fn withdraw(&mut self, currency: Currency) {
        self.alter(|details| details.withdraw(currency));
    }

    fn alter(&mut self, change: impl FnOnce(&mut product::Variant)) {
        let mut details = self.details();
        change(&mut details);
        *self = Self::of(self.id, &details);
    }
}

impl From<Listed> for ListedPrice {
    fn from(Listed { price, compare_at }: Listed) -> Self {
        Self { price, compare_at }
    }
}

impl From<&ListedPrice> for Listed {
    fn from(ListedPrice { price, compare_at }: &ListedPrice) -> Self {
        Self { price: *price, compare_at: *compare_at }
    }
}

impl Image {
    /// A picture that was added.
    pub fn of(it: &product::Image) -> Self {
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

    /// The picture, at the public address of the API; as it is if that address is empty.
    pub fn at(self, api: &str) -> Self {
        let url = |path: String| format!("{api}{path}");
        let thumbnails = self.thumbnails.into_iter().map(|it| Thumbnail { url: url(it.url), ..it }).collect();
        Self { url: url(self.url), thumbnails, ..self }
    }
}
