//! The events of a product.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::attribute::Attributes;
use super::image::Image;
use super::options::OptionDefinition;
use super::schedule::Schedule;
use super::variant::{Variant, VariantChange};
use crate::ids::{CategoryId, ImageId, SellerId, VariantId};
use crate::money::Price;
use crate::text::{Description, Label, Reason, Sku, Title, present};

/// What happened to a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The product was created, as a draft.
    Created {
        /// The title.
        title: Title,
        /// The description.
        description: Description,
        /// Its category.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<CategoryId>,
        /// The values of its attributes.
        attributes: Attributes,
        /// The seller whose product it is; absent for the house.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller: Option<SellerId>,
    },
    /// Texts, category or attributes were changed; fields that did not change are absent.
    Revised {
        /// The new title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<Title>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Description>,
        /// The new category; null for none.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        category: Option<Option<CategoryId>>,
        /// The values of all its attributes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Attributes>,
    },
    /// A variant was added.
    VariantAdded {
        /// The variant.
        variant: VariantId,
        /// The variant.
        #[serde(flatten)]
        details: Variant,
    },
    /// A variant was changed; fields that did not change are absent.
    VariantRevised {
        /// The variant.
        variant: VariantId,
        /// The changed fields.
        #[serde(flatten)]
        change: VariantChange,
    },
    /// A price of a variant was set, in a currency that it has or in a new one.
    PriceSet {
        /// The variant.
        variant: VariantId,
        /// The new price of one piece.
        price: Price,
        /// The reference price, which is shown struck through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compare_at: Option<Price>,
        /// The previous price, if the variant was sold in this currency; absent in the oldest events.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Price>,
    },
    /// A variant is no longer sold in a currency.
    PriceWithdrawn {
        /// The variant.
        variant: VariantId,
        /// The last price.
        price: Price,
    },
    /// A variant was removed.
    VariantRemoved {
        /// The variant.
        variant: VariantId,
        /// Its SKU, which another variant may have now.
        sku: Sku,
    },
    /// The options of the product were defined.
    OptionsDefined {
        /// All options, in display order; empty if the variants may differ in anything.
        options: Vec<OptionDefinition>,
    },
    /// An image was added, after the existing ones.
    ImageAdded(Image),
    /// The images were put in another order.
    ImagesOrdered {
        /// All images.
        images: Vec<ImageId>,
    },
    /// The description of an image was changed.
    ImageDescribed {
        /// The picture.
        image: ImageId,
        /// The text alternative, for people who cannot see the image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alt: Option<Label>,
    },
    /// An image was removed.
    ImageRemoved {
        /// The picture.
        image: ImageId,
    },
    /// The publication was scheduled; without times, the schedule is cleared.
    Scheduled(Schedule),
    /// The scheduled publication was refused, as a rule forbids it by now. The schedule is cleared.
    PublicationRefused {
        /// The moment.
        at: DateTime<Utc>,
        /// The code of the rejection, such as `product.attribute_missing`.
        code: Label,
        /// The rejection in words.
        because: Reason,
    },
    /// The product was published: it is shown and sold.
    Published {},
    /// The product was unpublished.
    Unpublished {},
    /// The product was archived for good.
    Archived {},
}

impl crate::Event for Event {}
