//! What can be in the way of a change to a product.

use super::{ATTRIBUTES_MAX, CURRENCIES_MAX, VARIANTS_MAX, WEIGHT_MAX_G};
use crate::Currency;
use crate::decider::Kind;

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is no such product.
    #[error("there is no such product")]
    Missing,
    /// The id names another product already.
    #[error("the product exists already")]
    Exists,
    /// It is gone for good.
    #[error("the product is archived")]
    Archived,
    /// The product has no such variant.
    #[error("the product has no such variant")]
    NoSuchVariant,
    /// The id names another variant already.
    #[error("the variant exists already")]
    VariantExists,
    /// Another variant of it has the code.
    #[error("another variant of the product has this sku")]
    SkuTwice,
    /// A published product would have nothing to buy.
    #[error("a published product keeps its last variant")]
    LastVariant,
    /// There is nothing to buy yet.
    #[error("a product is published with at least one variant")]
    NoVariant,
    /// A variant keeps its first currency.
    #[error("the variant is priced in {}", currency.code())]
    OtherCurrency {
        /// The currency it keeps.
        currency: Currency,
    },
    /// Two prices of a variant are in one currency.
    #[error("a variant has one price in {}", currency.code())]
    CurrencyTwice {
        /// The currency.
        currency: Currency,
    },
    /// A price is said to be lower than one that it is not lower than.
    #[error("the price to compare with is above the price")]
    CompareAtTooLow,
    /// There are too many currencies.
    #[error("a variant has prices in at most {CURRENCIES_MAX} currencies")]
    TooManyPrices,
    /// It is no parcel.
    #[error("a piece weighs at most {WEIGHT_MAX_G} grams")]
    TooHeavy,
    /// There are too many variants.
    #[error("a product has at most {VARIANTS_MAX} variants")]
    TooManyVariants,
    /// There are too many attributes or options.
    #[error("there may be at most {ATTRIBUTES_MAX} attributes or options")]
    TooManyAttributes,
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
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::NoSuchVariant => Kind::Missing,
            Self::Exists
            | Self::Archived
            | Self::VariantExists
            | Self::SkuTwice
            | Self::LastVariant
            | Self::NoVariant => Kind::Conflict,
            Self::OtherCurrency { .. }
            | Self::CurrencyTwice { .. }
            | Self::CompareAtTooLow
            | Self::TooManyPrices
            | Self::TooHeavy
            | Self::TooManyVariants
            | Self::TooManyAttributes => Kind::Invalid,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::OtherCurrency { .. } => Some("/price/currency".to_owned()),
            Self::SkuTwice => Some("/sku".to_owned()),
            Self::CurrencyTwice { .. } | Self::TooManyPrices => Some("/prices".to_owned()),
            Self::CompareAtTooLow => Some("/compare_at".to_owned()),
            Self::TooHeavy => Some("/weight_g".to_owned()),
            Self::Missing
            | Self::Exists
            | Self::Archived
            | Self::NoSuchVariant
            | Self::VariantExists
            | Self::LastVariant
            | Self::NoVariant
            | Self::TooManyVariants
            | Self::TooManyAttributes => None,
        }
    }
}
