//! The commands of a product.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attribute::Attributes;
use super::image::Image;
use super::options::OptionDefinition;
use super::schedule::Schedule;
use super::variant::{Listed, Variant, VariantChange};
use crate::ids::{CategoryId, ImageId, SellerId, VariantId};
use crate::money::Price;
use crate::text::{Description, Label, Reason, Title, present};

/// The commands of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the product, as a draft.
    Create {
        /// The title.
        title: Title,
        /// The description.
        description: Description,
        /// Its category.
        category: Option<CategoryId>,
        /// The values of its attributes.
        attributes: Attributes,
        /// The seller whose product it is; absent for the house.
        #[serde(default)]
        seller: Option<SellerId>,
    },
    /// Change texts, category or attributes; absent fields stay as they are.
    Revise {
        /// The new title.
        title: Option<Title>,
        /// The new description.
        description: Option<Description>,
        /// The new category; null for none.
        #[serde(default, deserialize_with = "present")]
        category: Option<Option<CategoryId>>,
        /// The values of all its attributes.
        attributes: Option<Attributes>,
    },
    /// Add a variant.
    AddVariant {
        /// The id of the new variant.
        variant: VariantId,
        /// The variant.
        details: Variant,
    },
    /// Change a variant; absent fields stay as they are.
    ReviseVariant {
        /// The variant.
        variant: VariantId,
        /// The changed fields.
        change: VariantChange,
    },
    /// Set a price of a variant, in a currency that it has.
    SetPrice {
        /// The variant.
        variant: VariantId,
        /// The price of one piece.
        price: Price,
        /// The reference price, which is shown struck through; null for none; if absent, it stays as it is.
        #[serde(default, deserialize_with = "present")]
        compare_at: Option<Option<Price>>,
    },
    /// Set all prices of a variant: in other currencies it is not sold any more.
    SetPrices {
        /// The variant.
        variant: VariantId,
        /// All prices; the primary currency stays first.
        prices: Vec<Listed>,
    },
    /// Remove a variant.
    RemoveVariant {
        /// The variant.
        variant: VariantId,
    },
    /// Define the options of the product.
    DefineOptions {
        /// All options, in display order.
        options: Vec<OptionDefinition>,
    },
    /// Add an image.
    AddImage(Image),
    /// Put the images in another order.
    OrderImages {
        /// All images.
        images: Vec<ImageId>,
    },
    /// Describe an image.
    DescribeImage {
        /// The picture.
        image: ImageId,
        /// The text alternative; absent to remove it.
        alt: Option<Label>,
    },
    /// Remove an image.
    RemoveImage {
        /// The picture.
        image: ImageId,
    },
    /// Publish the product.
    Publish {},
    /// Publish the product at a time, or now, until another time, or for good. This replaces the earlier schedule.
    PublishWithin(Schedule),
    /// Publish the product, if this time is still scheduled.
    PublishDue {
        /// The moment.
        at: DateTime<Utc>,
    },
    /// Record that a rule forbids the scheduled publication; nothing if another time is scheduled by now.
    RefusePublication {
        /// The moment.
        at: DateTime<Utc>,
        /// The code of the rejection.
        code: Label,
        /// The rejection in words.
        because: Reason,
    },
    /// Unpublish the product and clear its schedule.
    Unpublish {},
    /// Unpublish the product, if this time is still scheduled.
    UnpublishDue {
        /// The moment.
        until: DateTime<Utc>,
    },
    /// Archive the product for good.
    Archive {},
}
