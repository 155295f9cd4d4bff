//! What can be in the way of a change to a product.

use super::{ATTRIBUTES_MAX, CURRENCIES_MAX, IMAGES_MAX, OPTION_VALUES_MAX, OPTIONS_MAX, VARIANTS_MAX, WEIGHT_MAX_G};
use crate::Currency;
use crate::decider::Kind;
use crate::ids::VariantId;
use crate::text::AttributeName;

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is no such product.
    #[error("there is no such product")]
    Missing,
    /// The id names another product already.
    #[error("the product already exists")]
    Exists,
    /// It is gone for good.
    #[error("the product is archived")]
    Archived,
    /// The product has no such variant.
    #[error("the product has no such variant")]
    NoSuchVariant,
    /// The id names another variant already.
    #[error("the variant already exists")]
    VariantExists,
    /// Another variant of it has the code.
    #[error("another variant of the product has this SKU")]
    SkuTwice,
    /// A published product would have nothing to buy.
    #[error("the last variant of a published product cannot be removed")]
    LastVariant,
    /// There is nothing to buy yet.
    #[error("a product needs at least one variant to be published")]
    NoVariant,
    /// A variant keeps its first currency.
    #[error("the primary currency of the variant is {code}; send all its prices in `prices`, with one in {code}", code = currency.code())]
    OtherCurrency {
        /// The currency it keeps.
        currency: Currency,
    },
    /// Two prices of a variant are in one currency.
    #[error("a variant can have only one price in {}", currency.code())]
    CurrencyTwice {
        /// The currency.
        currency: Currency,
    },
    /// A price is said to be lower than one that it is not lower than.
    #[error("`compare_at` must be higher than the price")]
    CompareAtTooLow,
    /// There are too many currencies.
    #[error("a variant can have prices in at most {CURRENCIES_MAX} currencies")]
    TooManyPrices,
    /// It is no parcel.
    #[error("the weight can be at most {WEIGHT_MAX_G} grams")]
    TooHeavy,
    /// There are too many variants.
    #[error("a product can have at most {VARIANTS_MAX} variants")]
    TooManyVariants,
    /// There are too many attributes or options.
    #[error("there can be at most {ATTRIBUTES_MAX} attributes or options")]
    TooManyAttributes,
    /// Its category asks for something that is not there.
    #[error("the category requires the attribute {name}")]
    AttributeMissing {
        /// The attribute.
        name: AttributeName,
    },
    /// Its category knows no such attribute.
    #[error("the category has no attribute {name}")]
    AttributeUnknown {
        /// The attribute.
        name: AttributeName,
    },
    /// Its category has another type for it.
    #[error("the attribute {name} is {expected}")]
    AttributeType {
        /// The attribute.
        name: AttributeName,
        /// What it is, in words.
        expected: &'static str,
    },
    /// Its category has other values for it.
    #[error("the attribute {name} does not allow this value")]
    AttributeChoice {
        /// The attribute.
        name: AttributeName,
    },
    /// There are too many options.
    #[error("a product can have at most {OPTIONS_MAX} options")]
    TooManyOptions,
    /// Two options share a name.
    #[error("the option is listed twice")]
    OptionTwice {
        /// The index of the second one.
        at: usize,
    },
    /// An option has no values, too many, or one of them twice.
    #[error("an option needs 1 to {OPTION_VALUES_MAX} different values")]
    OptionValues {
        /// Its index.
        at: usize,
    },
    /// A variant says something to what is no option.
    #[error("the product has no option {name}")]
    OptionUnknown {
        /// What it says something to.
        name: AttributeName,
    },
    /// A variant says nothing to an option.
    #[error("the variant has no value for the option {name}")]
    OptionMissing {
        /// The option.
        name: AttributeName,
    },
    /// A variant says something else than there is.
    #[error("the option {name} does not have this value")]
    OptionValue {
        /// The option.
        name: AttributeName,
    },
    /// Two variants are the same.
    #[error("another variant has the same options")]
    OptionsTwice,
    /// A variant that is there would be impossible.
    #[error("the variant {variant} does not match these options")]
    VariantDoesNotFit {
        /// The variant.
        variant: VariantId,
    },
    /// There are too many pictures.
    #[error("a product can have at most {IMAGES_MAX} images")]
    TooManyImages,
    /// The picture is there.
    #[error("the product already has this image")]
    ImageTwice,
    /// There is no such picture.
    #[error("the product has no such image")]
    NoSuchImage,
    /// The order leaves pictures out, or names others.
    #[error("the new order must list each image of the product once")]
    ImagesDiffer,
    /// It would be hidden before it is shown.
    #[error("`until` must be in the future and after the publication")]
    ScheduleOrder,
    /// It is shown already.
    #[error("the product is already published")]
    AlreadyPublished,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::Archived => "archived",
            Self::NoSuchVariant => "no_such_variant",
            Self::VariantExists => "variant_exists",
            Self::SkuTwice => "sku_twice",
            Self::LastVariant => "last_variant",
            Self::NoVariant => "no_variant",
            Self::OtherCurrency { .. } => "other_currency",
            Self::CurrencyTwice { .. } => "currency_twice",
            Self::CompareAtTooLow => "compare_at_too_low",
            Self::TooManyPrices => "too_many_prices",
            Self::TooHeavy => "too_heavy",
            Self::TooManyVariants => "too_many_variants",
            Self::TooManyAttributes => "too_many_attributes",
            Self::AttributeMissing { .. } => "attribute_missing",
            Self::AttributeUnknown { .. } => "attribute_unknown",
            Self::AttributeType { .. } => "attribute_type",
            Self::AttributeChoice { .. } => "attribute_choice",
            Self::TooManyOptions => "too_many_options",
            Self::OptionTwice { .. } => "option_twice",
            Self::OptionValues { .. } => "option_values",
            Self::OptionUnknown { .. } => "option_unknown",
            Self::OptionMissing { .. } => "option_missing",
            Self::OptionValue { .. } => "option_value",
            Self::OptionsTwice => "options_twice",
            Self::VariantDoesNotFit { .. } => "variant_does_not_fit",
            Self::TooManyImages => "too_many_images",
            Self::ImageTwice => "image_twice",
            Self::NoSuchImage => "no_such_image",
            Self::ImagesDiffer => "images_differ",
            Self::ScheduleOrder => "schedule_order",
            Self::AlreadyPublished => "already_published",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::NoSuchVariant | Self::NoSuchImage => Kind::Missing,
            Self::Exists
            | Self::Archived
            | Self::VariantExists
            | Self::SkuTwice
            | Self::LastVariant
            | Self::NoVariant
            | Self::OptionsTwice
            | Self::VariantDoesNotFit { .. }
            | Self::ImageTwice
            | Self::ImagesDiffer
            | Self::AlreadyPublished => Kind::Conflict,
            Self::OtherCurrency { .. }
            | Self::CurrencyTwice { .. }
            | Self::CompareAtTooLow
            | Self::TooManyPrices
            | Self::TooHeavy
            | Self::TooManyVariants
            | Self::TooManyAttributes
            | Self::AttributeMissing { .. }
            | Self::AttributeUnknown { .. }
            | Self::AttributeType { .. }
            | Self::AttributeChoice { .. }
            | Self::TooManyOptions
            | Self::OptionTwice { .. }
            | Self::OptionValues { .. }
            | Self::OptionUnknown { .. }
            | Self::OptionMissing { .. }
            | Self::OptionValue { .. }
            | Self::TooManyImages
            | Self::ScheduleOrder => Kind::Invalid,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::OtherCurrency { .. } => Some("/price/currency".to_owned()),
            Self::SkuTwice => Some("/sku".to_owned()),
            Self::CurrencyTwice { .. } | Self::TooManyPrices => Some("/prices".to_owned()),
            Self::CompareAtTooLow => Some("/compare_at".to_owned()),
            Self::TooHeavy => Some("/weight_g".to_owned()),
            Self::AttributeMissing { name }
            | Self::AttributeUnknown { name }
            | Self::AttributeType { name, .. }
            | Self::AttributeChoice { name } => Some(format!("/attributes/{name}")),
            Self::OptionUnknown { name } | Self::OptionMissing { name } | Self::OptionValue { name } => {
                Some(format!("/options/{name}"))
            }
            Self::OptionTwice { at } => Some(format!("/options/{at}/name")),
            Self::OptionValues { at } => Some(format!("/options/{at}/values")),
            Self::TooManyOptions | Self::OptionsTwice | Self::VariantDoesNotFit { .. } => Some("/options".to_owned()),
            Self::ImagesDiffer => Some("/images".to_owned()),
            Self::ScheduleOrder => Some("/until".to_owned()),
            Self::Missing
            | Self::Exists
            | Self::Archived
            | Self::NoSuchVariant
            | Self::VariantExists
            | Self::LastVariant
            | Self::NoVariant
            | Self::TooManyVariants
            | Self::TooManyAttributes
            | Self::TooManyImages
            | Self::ImageTwice
            | Self::NoSuchImage
            | Self::AlreadyPublished => None,
        }
    }
}
