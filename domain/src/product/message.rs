//! What happens to a product, and what it can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Attributes, Image, Listed, OptionDefinition, Schedule, Variant, VariantChange};
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

/// What a product can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin, as a draft.
    Create {
        /// What it is called.
        title: Title,
        /// What it is.
        description: Description,
        /// Where in the catalog it is.
        category: Option<CategoryId>,
        /// What it is, in values.
        attributes: Attributes,
    },
    /// Change texts or values; what is not given stays.
    Revise {
        /// What it is to be called.
        title: Option<Title>,
        /// What it is.
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
