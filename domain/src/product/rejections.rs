//! Why a product refuses a command, and its limits.

use crate::Currency;
use crate::ids::VariantId;
use crate::text::AttributeName;

/// The maximum number of variants of one product: every combination of five sizes, five colours and four cuts; it is one small
/// state.
pub const VARIANTS_MAX: usize = 100;
/// The maximum number of attributes of a product, and of options of a variant: a table that a person can read.
pub const ATTRIBUTES_MAX: usize = 50;
/// The maximum number of options of a product: size, colour and one more is still a clear page.
pub const OPTIONS_MAX: usize = 5;
/// The maximum number of values of an option: every size and every colour there is.
pub const OPTION_VALUES_MAX: usize = 100;
/// The maximum number of images of a product: more than a buyer looks at.
pub const IMAGES_MAX: usize = 20;
/// The maximum number of currencies of one variant: a shop that sells in more of them converts its prices.
pub const CURRENCIES_MAX: usize = 20;
/// The heaviest piece, in grams: a tonne; more than that is no parcel.
pub const WEIGHT_MAX_G: u32 = 1_000_000;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such product";
        Exists => Conflict: "the product already exists";
        Archived => Conflict: "the product is archived";
        NoSuchVariant => Missing: "the product has no such variant";
        VariantExists => Conflict: "the variant already exists";
        SkuTwice => Conflict at "/sku": "another variant of the product has this SKU";
        LastVariant => Conflict: "the last variant of a published product cannot be removed";
        NoVariant => Conflict: "a product needs at least one variant to be published";
        OtherCurrency { currency: Currency } => Invalid at "/price/currency":
            "the primary currency of the variant is {code}; send all its prices in `prices`, with one in {code}",
            code = currency.code();
        CurrencyTwice { currency: Currency } => Invalid at "/prices":
            "a variant can have only one price in {code}", code = currency.code();
        CompareAtTooLow => Invalid at "/compare_at": "`compare_at` must be higher than the price";
        TooManyPrices => Invalid at "/prices": "a variant can have prices in at most {CURRENCIES_MAX} currencies";
        TooHeavy => Invalid at "/weight_g": "the weight can be at most {WEIGHT_MAX_G} grams";
        TooManyVariants => Invalid: "a product can have at most {VARIANTS_MAX} variants";
        TooManyAttributes => Invalid: "there can be at most {ATTRIBUTES_MAX} attributes or options";
        AttributeMissing { name: AttributeName } => Invalid at "/attributes/{name}":
            "the category requires the attribute {name}";
        AttributeUnknown { name: AttributeName } => Invalid at "/attributes/{name}":
            "the category has no attribute {name}";
        /// `expected` is the type in words.
        AttributeType { name: AttributeName, expected: &'static str } => Invalid at "/attributes/{name}":
            "the attribute {name} is {expected}";
        AttributeChoice { name: AttributeName } => Invalid at "/attributes/{name}":
            "the attribute {name} does not allow this value";
        TooManyOptions => Invalid at "/options": "a product can have at most {OPTIONS_MAX} options";
        OptionTwice { at: usize } => Invalid at "/options/{at}/name": "the option is listed twice";
        OptionValues { at: usize } => Invalid at "/options/{at}/values":
            "an option needs 1 to {OPTION_VALUES_MAX} different values";
        OptionUnknown { name: AttributeName } => Invalid at "/options/{name}":
            "the product has no option {name}";
        OptionMissing { name: AttributeName } => Invalid at "/options/{name}":
            "the variant has no value for the option {name}";
        OptionValue { name: AttributeName } => Invalid at "/options/{name}":
            "the option {name} does not have this value";
        OptionsTwice => Conflict at "/options": "another variant has the same options";
        VariantDoesNotFit { variant: VariantId } => Conflict at "/options":
            "the variant {variant} does not match these options";
        TooManyImages => Invalid: "a product can have at most {IMAGES_MAX} images";
        ImageTwice => Conflict: "the product already has this image";
        NoSuchImage => Missing: "the product has no such image";
        ImagesDiffer => Conflict at "/images": "the new order must list each image of the product once";
        ScheduleOrder => Invalid at "/until": "`until` must be in the future and after the publication";
        NotYours => Forbidden: "only staff and the members of its seller can create or change a product; members name their seller in `seller`";
        TaxClassOfHouse => Forbidden at "/tax_class": "only staff sets the tax class of a variant";
        AlreadyPublished => Conflict: "the product is already published";
    }
}
