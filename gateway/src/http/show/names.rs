//! Closed sets of names as enums of the document, taken from the domain's own types: a new variant there stops the build here.

use byteshop_domain::notification::Template;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{
    AdditionalProperties, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

type Named = utoipa::openapi::RefOr<Schema>;

/// Declares the schema of a set: its description, its name in the document, and the type whose variants it has.
macro_rules! sets {
    ($($(#[doc = $doc:literal])+ $name:ident of $set:path { $($variant:ident)+ })+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> Named {
                type Set = $set;
                // All of them: without a wildcard, a new one does not compile.
                const _: fn(Set) = |it| match it { $(Set::$variant)|+ => () };
                closed(concat!($($doc),+), &[$(Set::$variant),+])
            }
        }

        impl ToSchema for $name {}
    )+};
}

/// Declares the schema of words that no type has.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident [ $($word:literal)+ ])+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> Named {
                closed(concat!($($doc),+), &[$($word),+])
            }
        }

        impl ToSchema for $name {}
    )+};
}

/// An enum of texts, as serde writes them.
fn closed(description: &str, all: &[impl Serialize]) -> Named {
    let names = all.iter().map(|it| serde_json::to_value(it).unwrap_or(Value::Null));
    let set = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
    set.description(Some(description.trim())).into()
}

sets! {
    /// The role of an account.
    Role of byteshop_domain::account::Role { Customer Seller Support Admin }
    /// A way to reach people.
    Channel of byteshop_domain::account::Channel { Email Sms Push }
    /// The language of mails and pages.
    Locale of byteshop_domain::Locale { En Ru }
    /// A permission of an API key.
    Scope of byteshop_domain::api_key::Scope {
        CatalogRead CatalogWrite StockRead StockWrite OrdersRead OrdersWrite CustomersRead PromotionsWrite SettingsWrite ReportsRead
        WebhooksWrite
    }
    /// The state of an account.
    AccountStatus of byteshop_projections::account_list::Status { Unconfirmed Active Banned }
    /// The type of an attribute.
    AttributeType of byteshop_domain::category::AttributeType { Text Number Boolean Choice }
    /// The state of a product.
    ProductStatus of byteshop_domain::product::Status { Draft Published Unpublished Archived }
    /// The tax class of goods or shipping.
    TaxClass of byteshop_domain::product::TaxClass { Standard Reduced SuperReduced Zero }
    /// The format of an image.
    ImageType of byteshop_domain::product::ImageType { Jpeg Png }
    /// The status axis of an order.
    OrderStatus of byteshop_domain::order::Status { Open Completed Cancelled Expired }
    /// The payment axis of an order.
    OrderPaymentStatus of byteshop_domain::order::PaymentStatus {
        Awaiting Authorized Paid PartlyRefunded Refunded RefundDue Voided
    }
    /// The fulfilment axis of an order.
    Fulfilment of byteshop_domain::order::Fulfilment { Unfulfilled PartlyFulfilled Fulfilled PartlyReturned Returned }
    /// Why an order was cancelled.
    CancelReason of byteshop_domain::order::CancelReason {
        BuyerRequest StaffRequest PaymentFailed PaymentCancelled PaymentWindowPassed AuthorizationExpired Imported
    }
    /// How an attempt to pay was made.
    PaymentMethod of byteshop_domain::payment::Method { Test External Free }
    /// Why an attempt to pay failed.
    DeclineReason of byteshop_domain::payment::DeclineReason {
        Declined InsufficientFunds NotReceived BuyerLeft ProviderError
    }
    /// Where taxes are rounded to the smallest unit of the currency.
    TaxRounding of byteshop_domain::tax_book::Rounding { Line Rate }
    /// The state of a refund.
    RefundStatus of byteshop_domain::payment::RefundStage { Requested Done Failed }
    /// The state of a shipment.
    ShipmentStatus of byteshop_domain::shipment::Stage {
        Prepared Packed HandedOver InTransit OutForDelivery AttemptFailed Delivered Returning Returned Lost Cancelled
    }
    /// What a carrier reports of a parcel.
    TrackingStatus of byteshop_domain::shipment::News {
        InTransit OutForDelivery AttemptFailed Delivered ReturningToSender Lost
    }
    /// The state of a return.
    ReturnStatus of byteshop_domain::returns::Stage { Requested Approved Rejected Withdrawn Received Refunded }
    /// Why goods are returned.
    ReturnReason of byteshop_domain::returns::Why {
        ChangedMind DoesNotFit Damaged NotAsDescribed WrongItem TooLate Other
    }
    /// The condition of returned goods.
    GoodsCondition of byteshop_domain::returns::Condition { New Used Damaged Incomplete }
    /// The state of a promotion at a moment: `scheduled` before its period, `over` after it.
    PromotionStatus of byteshop_domain::promotion::Standing { Scheduled Active Paused Over Ended }
    /// The status of a notification: a `failed` one is retried, a `dead` one is not.
    NotificationStatus of byteshop_projections::notification_list::Status { Queued Attempted Failed Sent Dead Skipped }
    /// Why a notification is dead; with `outcome_unknown` it may have arrived.
    DeathCause of byteshop_domain::notification::Death { Refused GaveUp OutcomeUnknown }
    /// Why a notification was not sent.
    SkipReason of byteshop_domain::notification::Skip { Preference NoAddress Erased Expired TooMany }
    /// Why a webhook endpoint is disabled: `failing` for five days, or `gone` (it answered 410).
    DisableReason of byteshop_domain::webhook_endpoint::Silence { ByHand Failing Gone Expired }
    /// A condition of a promotion that a cart does not meet.
    UnmetCondition of byteshop_domain::pricing::Miss {
        Currency MinimumSubtotal MinimumQuantity Goods FirstOrder Customer Country Service
    }
    /// How sales are grouped.
    SalesGrouping of byteshop_projections::sales::By { Month Country MonthCountry }
    /// A part of an address.
    AddressPart of byteshop_domain::address::Part { Name Lines City Email }
}

words! {
    /// The order of products: by relevance to the search text, by age, by price, or by title.
    SortOrder ["relevance" "newest" "price" "price_desc" "title"]
    /// Which products staff sees.
    ShownProducts ["draft" "published" "unpublished" "archived" "all"]
    /// The three status axes of an order summarized in one word.
    OrderStage ["new" "paid" "fulfilled" "completed" "cancelled" "expired"]
    /// The stage of a payment.
    PaymentStatus [
        "open" "attempted" "pending" "unresolved" "authorized" "captured" "refunded" "failed" "cancelled" "voided"
    ]
    /// Why a payment failed or was voided.
    PaymentEndReason ["provider_error" "too_many_attempts" "order_cancelled" "buyer_request" "staff_request" "expired"]
    /// What a refund is for.
    RefundCauseKind ["order_cancelled" "lines_cancelled" "return" "staff"]
    /// The kind of a carrier.
    CarrierKind ["simulated" "other"]
    /// What the simulated carrier plays.
    CarrierStory ["delivered" "attempt_failed" "returned" "lost" "found" "silent"]
    /// The kind of a grant.
    GrantKind ["api_key" "webhook_endpoint"]
    /// The state of a view.
    ViewState ["live" "parked" "other_history"]
    /// A problem of a cart.
    CartProblemCode [
        "price_changed" "not_enough" "unavailable" "coupon_unknown" "coupon_too_early" "coupon_expired" "coupon_used_up"
        "coupon_needs_email" "coupon_not_applicable" "coupon_not_combinable" "no_destination" "address_incomplete" "country_unknown"
        "no_shipping" "shipping_not_chosen" "shipping_gone"
    ]
}

/// Declares the schema of a map: its description, its name in the document, and the schemas that a value may have.
macro_rules! maps {
    ($($(#[doc = $doc:literal])+ $name:ident { $($kind:ident)+ })+) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> Named {
                map(concat!($($doc),+), &[$(Type::$kind),+])
            }
        }

        impl ToSchema for $name {}
    )+};
}

maps! {
    /// Attributes by name: a string, an integer or a boolean each.
    Attributes { String Integer Boolean }
    /// Option values by the name of the option, such as `{"size": "M"}`.
    Options { String }
    /// Labels by language.
    Labels { String }
}

/// What a notification says.
pub struct NotificationTemplate;

impl PartialSchema for NotificationTemplate {
    fn schema() -> Named {
        let all: Vec<_> = Template::ALL.iter().map(|template| template.as_str()).collect();
        closed("The kind of a notification", &all)
    }
}

impl ToSchema for NotificationTemplate {}

/// Bytes as they are.
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> Named {
        let bytes =
            ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        bytes.description(Some("Bytes as they are")).into()
    }
}

impl ToSchema for Binary {}

/// Any JSON object.
pub struct AnyObject;

impl PartialSchema for AnyObject {
    fn schema() -> Named {
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

fn map(description: &str, kinds: &[Type]) -> Named {
    let value = |kind: &Type| ObjectBuilder::new().schema_type(kind.clone()).build();
    let values = match kinds {
        [kind] => Schema::from(value(kind)),
        kinds => kinds.iter().fold(OneOfBuilder::new(), |all, kind| all.item(value(kind))).build().into(),
    };
    let map = ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(values));
    map.description(Some(description.trim())).into()
}
