//! What happens to a product, and what it can be asked.

use serde::{Deserialize, Serialize};

use super::{Attributes, Options};
use crate::ids::{CategoryId, VariantId};
use crate::money::Price;
use crate::text::{Description, Sku, Title, present};

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
        /// The seller's code.
        sku: Sku,
        /// What it is called.
        title: Title,
        /// What one piece costs.
        price: Price,
        /// What tells it from the others.
        options: Options,
    },
    /// A variant's title or options are others; only what changed is here.
    VariantRevised {
        /// The variant.
        variant: VariantId,
        /// What it is called now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<Title>,
        /// What tells it from the others: all of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        options: Option<Options>,
    },
    /// A variant costs more or less.
    PriceSet {
        /// The variant.
        variant: VariantId,
        /// What one piece costs now.
        price: Price,
    },
    /// A variant is gone.
    VariantRemoved {
        /// The variant.
        variant: VariantId,
        /// Its code, which others may have now.
        sku: Sku,
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
        /// The seller's code.
        sku: Sku,
        /// What it is called.
        title: Title,
        /// What one piece costs.
        price: Price,
        /// What tells it from the others.
        options: Options,
    },
    /// Change a variant's title or options; what is not given stays.
    ReviseVariant {
        /// The variant.
        variant: VariantId,
        /// What it is to be called.
        title: Option<Title>,
        /// What tells it from the others: all of it.
        options: Option<Options>,
    },
    /// Change what a variant costs.
    SetPrice {
        /// The variant.
        variant: VariantId,
        /// What one piece is to cost.
        price: Price,
    },
    /// Take a variant out.
    RemoveVariant {
        /// The variant.
        variant: VariantId,
    },
    /// Show and sell it.
    Publish {},
    /// Hide it for now.
    Unpublish {},
    /// Hide it for good.
    Archive {},
}
