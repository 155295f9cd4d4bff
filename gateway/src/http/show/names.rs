//! Closed sets of words that no type has, and maps, as schemas of the document.

use byteshop_domain::openapi::{Described, closed};
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// Declares the schema of words that no type has.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident [ $($word:literal)+ ])+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> Described {
                closed(concat!($($doc),+), &[$($word),+])
            }
        }

        impl ToSchema for $name {}
    )+};
}

words! {
    /// The order of products: by relevance to the search text, by age, by price, or by title.
    SortOrder ["relevance" "newest" "price" "price_desc" "title"]
    /// Which products staff sees.
    ShownProducts ["draft" "published" "unpublished" "archived" "all"]
    /// The three status axes of an order summarized in one word.
    OrderStage ["new" "paid" "fulfilled" "completed" "cancelled" "expired"]
    /// Why a payment failed or was voided.
    PaymentEndReason ["provider_error" "too_many_attempts" "order_cancelled" "buyer_request" "staff_request" "expired"]
    /// What the simulated carrier plays.
    CarrierStory ["delivered" "attempt_failed" "returned" "lost" "found" "silent"]
    /// A problem of a cart.
    CartProblemCode [
        "price_changed" "not_enough" "unavailable" "coupon_unknown" "coupon_too_early" "coupon_expired" "coupon_used_up"
        "coupon_needs_email" "coupon_not_applicable" "coupon_not_combinable" "no_destination" "address_incomplete" "country_unknown"
        "no_shipping" "shipping_not_chosen" "shipping_gone"
    ]
}

/// Bytes as they are.
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> Described {
        let bytes =
            ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        bytes.description(Some("Bytes as they are")).into()
    }
}

impl ToSchema for Binary {}

/// Any JSON object.
pub struct AnyObject;

impl PartialSchema for AnyObject {
    fn schema() -> Described {
        let free = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)));
        free.description(Some("Any JSON object")).into()
    }
}

impl ToSchema for AnyObject {}

/// A problem as part of an answer, or null.
pub fn problem() -> Schema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(Ref::from_schema_name("Problem")).item(null).build().into()
}
