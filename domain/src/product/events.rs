//! What happens to a product.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attribute::Attributes;
use super::image::Image;
use super::options::OptionDefinition;
use super::schedule::Schedule;
use super::variant::{Variant, VariantChange};
use crate::ids::{CategoryId, ImageId, VariantId};
use crate::money::Price;
use crate::text::{Description, Label, Reason, Sku, Title, present};

/// What happened to a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It exists, as a draft.
    Created {
        /// What it is called.
        title: Title,
        /// What it is.
        description: Description,
        /// Where in the catalog it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<CategoryId>,
        /// What it is, in values.
        attributes: Attributes,
    },
    /// Its texts or values are others; only what changed is here.
    Revised {
        /// What it is called now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<Title>,
        /// What it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Description>,
        /// Where in the catalog it is; null for nowhere.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        category: Option<Option<CategoryId>>,
        /// What it is, in values: all of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Attributes>,
    },
    /// There is another variant.
    VariantAdded {
        /// The variant.
        variant: VariantId,
        /// All of it.
        #[serde(flatten)]
        details: Variant,
    },
    /// What a variant is called, or is, is others; only what changed is here.
    VariantRevised {
        /// The variant.
        variant: VariantId,
        /// What changed.
        #[serde(flatten)]
        change: VariantChange,
    },
    /// A variant costs more or less in a currency, or is sold in that now.
    PriceSet {
        /// The variant.
        variant: VariantId,
        /// What one piece costs now.
        price: Price,
        /// The higher price that it is shown to be below of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compare_at: Option<Price>,
        /// What one piece cost before, if it was sold in this currency; the oldest of these events do not tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Price>,
    },
    /// A variant is not sold in a currency any more.
    PriceWithdrawn {
        /// The variant.
        variant: VariantId,
        /// What one piece cost.
        price: Price,
    },
    /// A variant is gone.
    VariantRemoved {
        /// The variant.
        variant: VariantId,
        /// Its code, which others may have now.
        sku: Sku,
    },
    /// Its variants differ in this now.
    OptionsDefined {
        /// All of them, in the order in which people see them; none when they may differ in anything.
        options: Vec<OptionDefinition>,
    },
    /// It has another picture, behind those it had.
    ImageAdded(Image),
    /// Its pictures come in another order.
    ImagesOrdered {
        /// All of them.
        images: Vec<ImageId>,
    },
    /// A picture is described otherwise.
    ImageDescribed {
        /// The picture.
        image: ImageId,
        /// What it shows, for people who do not see it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alt: Option<Label>,
    },
    /// A picture is not shown any more.
    ImageRemoved {
        /// The picture.
        image: ImageId,
    },
    /// It will be shown, or hidden, by itself at these moments; when there are none, it will not.
    Scheduled(Schedule),
    /// Its moment came, and it was not shown: something forbids it by now. Nothing is planned for it any more.
    PublicationRefused {
        /// The moment.
        at: DateTime<Utc>,
        /// The code of what forbids it, such as `product.attribute_missing`.
        code: Label,
        /// The same in words.
        because: Reason,
    },
    /// It is shown and sold.
    Published {},
    /// It is shown no more, for now.
    Unpublished {},
    /// It is gone for good.
    Archived {},
}

impl crate::Event for Event {}
