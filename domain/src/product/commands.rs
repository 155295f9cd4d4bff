//! What a product can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attribute::Attributes;
use super::image::Image;
use super::options::OptionDefinition;
use super::schedule::Schedule;
use super::variant::{Listed, Variant, VariantChange};
use crate::ids::{CategoryId, ImageId, VariantId};
use crate::money::Price;
use crate::text::{Description, Label, Reason, Title, present};

/// What a product can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin, as a draft.
    Create {
        /// The title.
        title: Title,
        /// The description.
        description: Description,
        /// Where in the catalog it is.
        category: Option<CategoryId>,
        /// What it is, in values.
        attributes: Attributes,
    },
    /// Change texts or values; what is not given stays.
    Revise {
        /// The new title.
        title: Option<Title>,
        /// The description.
        description: Option<Description>,
        /// Where in the catalog it is to be; null for nowhere.
        #[serde(default, deserialize_with = "present")]
        category: Option<Option<CategoryId>>,
        /// What it is, in values: all of them.
        attributes: Option<Attributes>,
    },
    /// Add a variant.
    AddVariant {
        /// Its new id.
        variant: VariantId,
        /// All of it.
        details: Variant,
    },
    /// Change what a variant is called or is; what is not given stays.
    ReviseVariant {
        /// The variant.
        variant: VariantId,
        /// What is to be others.
        change: VariantChange,
    },
    /// Change what a variant costs in a currency that it has.
    SetPrice {
        /// The variant.
        variant: VariantId,
        /// What one piece is to cost.
        price: Price,
        /// The higher price that it is shown to be below of; null for none, and what is not given stays.
        #[serde(default, deserialize_with = "present")]
        compare_at: Option<Option<Price>>,
    },
    /// Change what a variant costs in every currency: in those that are not given it is not sold any more.
    SetPrices {
        /// The variant.
        variant: VariantId,
        /// All of them; the first currency stays.
        prices: Vec<Listed>,
    },
    /// Take a variant out.
    RemoveVariant {
        /// The variant.
        variant: VariantId,
    },
    /// Say what its variants differ in.
    DefineOptions {
        /// All of it, in the order in which people see it.
        options: Vec<OptionDefinition>,
    },
    /// Add a picture.
    AddImage(Image),
    /// Put the pictures into an order.
    OrderImages {
        /// All of them.
        images: Vec<ImageId>,
    },
    /// Describe a picture.
    DescribeImage {
        /// The picture.
        image: ImageId,
        /// What it shows; nothing for no words.
        alt: Option<Label>,
    },
    /// Take a picture away.
    RemoveImage {
        /// The picture.
        image: ImageId,
    },
    /// Show and sell it.
    Publish {},
    /// Show and sell it from a moment on, or now, until another, or for good. What was planned before is no more.
    PublishWithin(Schedule),
    /// Show it, if this is still the moment that is planned.
    PublishDue {
        /// The moment.
        at: DateTime<Utc>,
    },
    /// Note that its moment came and something forbids that it is shown; nothing if another moment is planned by now.
    RefusePublication {
        /// The moment.
        at: DateTime<Utc>,
        /// The code of what forbids it.
        code: Label,
        /// The same in words.
        because: Reason,
    },
    /// Hide it for now, and plan nothing.
    Unpublish {},
    /// Hide it, if this is still the moment that is planned.
    UnpublishDue {
        /// The moment.
        until: DateTime<Utc>,
    },
    /// Hide it for good.
    Archive {},
}
