//! Closed sets of names as enums of the document: a new variant stops the build here.

use std::borrow::Cow;

use utoipa::{PartialSchema, ToSchema};

use super::{Described, closed};
use crate::notification::Template;

crate::sets! {
    /// The role of an account.
    Role of crate::account::Role { Customer Seller Support Admin }
    /// A way to reach people.
    Channel of crate::account::Channel { Email Sms Push }
    /// The state of a seller.
    SellerStatus of crate::seller::Status { Applied Approved Rejected Suspended Closed }
    /// The role of a member of a seller: an `owner` also keeps its details and its members.
    SellerRole of crate::seller::Role { Owner Staff }
    /// The language of mails and pages.
    Locale of crate::Locale { En Ru }
    /// A permission of an API key.
    Scope of crate::api_key::Scope {
        CatalogRead CatalogWrite StockRead StockWrite OrdersRead OrdersWrite CustomersRead PromotionsWrite SettingsWrite ReportsRead
        WebhooksWrite
    }
    /// The type of an attribute.
    AttributeType of crate::category::AttributeType { Text Number Boolean Choice }
    /// How archiving a category treats its open subcategories.
    Subcategories of crate::category::Children { MoveUp Archive }
    /// The state of a product.
    ProductStatus of crate::product::Status { Draft Published Unpublished Archived }
    /// The tax class of goods or shipping.
    TaxClass of crate::product::TaxClass { Standard Reduced SuperReduced Zero }
    /// The format of an image.
    ImageType of crate::product::ImageType { Jpeg Png }
    /// The status axis of an order.
    OrderStatus of crate::order::Status { Open Completed Cancelled Expired }
    /// The payment axis of an order.
    OrderPaymentStatus of crate::order::PaymentStatus {
        Awaiting Authorized OnDelivery Paid PartlyRefunded Refunded RefundDue Voided
    }
    /// What an entry of the ledger records.
    LedgerEntryKind of crate::ledger::Kind {
        Capture Receipt VoidedReceipt Sale CreditNote Refund GiftCard Grant Withdrawal Expiry Dispute DisputeReleased DisputeLost
        DisputeFee ProviderFee SellerPaid SellerCharged Payout PayoutPaid PayoutFailed PayoutReturned
    }
    /// The state of a dispute: `won` and `lost` are final.
    DisputeStatus of crate::dispute::Status { Open Answered Accepted Won Lost }
    /// What a buyer claims.
    DisputeCause of crate::dispute::Cause {
        NotReceived NotAsDescribed Unauthorized NotCredited Duplicate WrongAmount PaidOtherwise Other
    }
    /// The state of a payout: `failed` and `returned` ones are in the balance again.
    PayoutStatus of crate::payout::Status { Requested Exported Submitted Unresolved Paid Failed Returned }
    /// Why a payout did not reach its seller.
    PayoutFailure of crate::payout::Failure { Refused Blocked Unclaimed SentBack NoDestination }
    /// How a payout reaches its seller.
    PayoutMeans of crate::payout_account::Means { Sepa Paypal }
    /// When payouts are made without being asked for.
    PayoutSchedule of crate::payout_account::Schedule { OnRequest Weekly Monthly }
    /// The fulfilment axis of an order.
    Fulfilment of crate::order::Fulfilment { Unfulfilled PartlyFulfilled Fulfilled PartlyReturned Returned }
    /// The three status axes of an order summarized in one word.
    OrderStage of crate::order::Stage { New Paid Fulfilled Completed Cancelled Expired }
    /// Why an order was cancelled.
    CancelReason of crate::order::CancelReason {
        BuyerRequest StaffRequest PaymentFailed PaymentCancelled PaymentWindowPassed AuthorizationExpired Imported
    }
    /// How an attempt to pay was made.
    PaymentMethod of crate::payment::Method { Test Paypal External Free BankTransfer Elsewhere StoredValue CashOnDelivery }
    /// A payment provider that a shop can be connected to.
    ProviderName of crate::payment_provider::Provider { Test Paypal }
    /// How money reaches the shop without a payment provider.
    ManualPaymentKind of crate::payment_book::ManualKind { BankTransfer Elsewhere CashOnDelivery }
    /// Why an attempt to pay came to nothing.
    DeclineReason of crate::payment::DeclineReason {
        Declined InsufficientFunds NotReceived BuyerLeft ProviderError
    }
    /// Why a payment failed.
    PaymentFailureReason of crate::payment::FailureReason { ProviderError TooManyAttempts }
    /// Why a payment was voided.
    PaymentVoidReason of crate::payment::VoidReason { OrderCancelled BuyerRequest StaffRequest Expired }
    /// Where taxes are rounded to the smallest unit of the currency.
    TaxRounding of crate::tax_book::Rounding { Line Rate }
    /// The state of a refund.
    RefundStatus of crate::payment::RefundStage { Requested Done Failed }
    /// The state of a shipment.
    ShipmentStatus of crate::shipment::Stage {
        Prepared Packed HandedOver InTransit OutForDelivery AttemptFailed Delivered Returning Returned Lost Cancelled
    }
    /// What a carrier reports of a parcel.
    TrackingStatus of crate::shipment::News {
        InTransit OutForDelivery AttemptFailed Delivered ReturningToSender Lost
    }
    /// The state of a return.
    ReturnStatus of crate::returns::Stage { Requested Approved Rejected Withdrawn Received Refunded }
    /// Why goods are returned.
    ReturnReason of crate::returns::Why {
        ChangedMind DoesNotFit Damaged NotAsDescribed WrongItem TooLate Other
    }
    /// The condition of returned goods.
    GoodsCondition of crate::returns::Condition { New Used Damaged Incomplete }
    /// The state of a promotion at a moment: `scheduled` before its period, `over` after it.
    PromotionStatus of crate::promotion::Standing { Scheduled Active Paused Over Ended }
    /// Why a notification is dead; with `outcome_unknown` it may have arrived.
    DeathCause of crate::notification::Death { Refused GaveUp OutcomeUnknown }
    /// Why a notification was not sent.
    SkipReason of crate::notification::Skip { Preference NoAddress Erased Expired TooMany }
    /// Why a webhook endpoint is disabled: `failing` for five days, or `gone` (it answered 410).
    DisableReason of crate::webhook_endpoint::Silence { ByHand Failing Gone Expired }
    /// A condition of a promotion that a cart does not meet.
    UnmetCondition of crate::pricing::UnmetCondition {
        Currency MinimumSubtotal MinimumQuantity Goods FirstOrder Customer Country Service
    }
    /// A part of an address.
    AddressPart of crate::address::Part { Name Lines City Email }
}

impl PartialSchema for Template {
    fn schema() -> Described {
        closed("What a notification says", Self::ALL)
    }
}

impl ToSchema for Template {
    fn name() -> Cow<'static, str> {
        "NotificationTemplate".into()
    }
}
