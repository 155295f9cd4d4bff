//! The events of a payment.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::method::{CaptureMode, Choice, Method};
use super::reasons::{DeclineReason, FailureReason, VoidReason};
use crate::Personal;
use crate::ids::{DisputeId, OrderId, ReceiptId, RefundId, ReturnId, SellerId};
use crate::money::Money;
use crate::payment_book::ManualKind;
use crate::stored_value::{Cover, Means};
use crate::text::{Link, MerchantId, NoteText, Reason, Reference};

/// The reference of an attempt at the provider, and the idempotency key: a repeated request charges only once.
pub type ProviderReference = Reference;

/// What the provider calls an attempt that it knows under an id of its own, and where the buyer approves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The id at the provider, under which it is asked about the attempt.
    pub id: Reference,
    /// The amount of the attempt.
    pub amount: Money,
    /// The page of the provider where the buyer approves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Link>,
    /// The seller to whose account it is paid; absent if it is paid to the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<Direct>,
}

/// Whose account an attempt is paid to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direct {
    /// The seller.
    pub seller: SellerId,
    /// Its account at the provider.
    pub account: MerchantId,
    /// What the house gets of the payment.
    pub fee: Money,
    /// The minor units in the smallest amount that the provider moves.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub unit: i64,
}

/// What a refund is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RefundCause {
    /// The order was cancelled.
    OrderCancelled,
    /// Some lines of the order were cancelled.
    LinesCancelled,
    /// Goods were returned.
    Return {
        /// The return.
        id: ReturnId,
    },
    /// Staff refunded an amount.
    Staff {
        /// The reason that staff gave.
        reason: Reason,
    },
    /// Money was received that is not due: too much, too late, or for an order that was cancelled before it was paid. It was
    /// never captured, so there is no credit note of it.
    NotDue,
    /// A dispute was lost: the provider, or the bank, gave the buyer the money back.
    Dispute {
        /// The dispute.
        id: DisputeId,
    },
    /// The provider gave the money back without being asked by the shop: it reversed the payment, or it was refunded in the provider's
    /// own pages.
    Provider {
        /// What the provider calls it.
        reference: Reference,
    },
}

/// What happened to a payment. No data of a card and no token of a provider is ever in an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The payment of an order was opened.
    Opened {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// An attempt is about to be made: this is recorded first, so that nothing is charged without a record.
    Attempted {
        /// The method.
        method: Method,
        /// The reference of the attempt.
        reference: ProviderReference,
        /// When the payment is captured.
        #[serde(default, skip_serializing_if = "CaptureMode::is_automatic")]
        capture: CaptureMode,
        /// Where the buyer returns to from the provider's page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_url: Option<Link>,
    },
    /// The provider knows the attempt under an id of its own: this is recorded before the buyer is told where to approve it, so that
    /// nothing is approved that the shop cannot ask about.
    Registered {
        /// The attempt.
        reference: ProviderReference,
        /// What the provider calls it.
        registration: Registration,
    },
    /// The provider authorized the amount.
    Authorized {
        /// The order.
        order: OrderId,
        /// The attempt.
        reference: ProviderReference,
        /// When the authorization expires unless it is captured; absent when it is captured at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
    },
    /// The provider does not know yet whether the attempt succeeds.
    Pended {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// The provider did not answer the attempt in time.
    Unresolved {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// An attempt was declined; another one can be made.
    Declined {
        /// The attempt.
        reference: ProviderReference,
        /// The reason.
        reason: DeclineReason,
    },
    /// The payment failed for good.
    Failed {
        /// The order.
        order: OrderId,
        /// The reason.
        reason: FailureReason,
    },
    /// The buyer left the payment. Only in older events; now such an attempt is declined, and another one can be made.
    Cancelled {
        /// The order.
        order: OrderId,
    },
    /// The authorized amount is to be captured: goods were handed over for it, or staff requested it.
    CaptureRequested {
        /// The order.
        order: OrderId,
    },
    /// The payment is to be voided: the provider releases the authorized amount, or the attempt in progress is not captured.
    VoidRequested {
        /// The reason.
        reason: VoidReason,
    },
    /// The payment was voided: nothing is captured.
    Voided {
        /// The order.
        order: OrderId,
        /// The reason.
        reason: VoidReason,
    },
    /// The payment was captured.
    Captured {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// The method.
        method: Method,
        /// The attempt.
        reference: ProviderReference,
        /// The part of the amount that gift cards and store credit paid.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        covers: Vec<Cover>,
    },
    /// A gift card or store credit pays an amount of the order, in place of what it paid before; it holds the amount.
    Covered {
        /// The order.
        order: OrderId,
        /// The amount.
        cover: Cover,
    },
    /// A gift card or store credit does not pay an amount any more.
    Uncovered {
        /// The order.
        order: OrderId,
        /// The amount.
        cover: Cover,
    },
    /// The amount to pay was reduced, as lines of the order were cancelled.
    Reduced {
        /// The amount that is left to pay.
        amount: Money,
    },
    /// An earlier attempt, whose outcome was no longer awaited, turned out to have succeeded; its amount was released.
    StrayReleased {
        /// The attempt.
        reference: ProviderReference,
    },
    /// The provider does not answer about an earlier attempt whose outcome is no longer awaited.
    StrayUnresolved {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// The provider has not answered the last request: a capture, a void or a refund.
    Delayed {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// A refund was requested: this is recorded first, so that nothing is refunded without a record.
    RefundRequested {
        /// The order.
        order: OrderId,
        /// The id of the refund, and its key at the provider.
        refund: RefundId,
        /// The amount.
        amount: Money,
        /// The reason.
        cause: RefundCause,
        /// The failed refund that this one retries.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retries: Option<RefundId>,
        /// Whether staff carries it out and settles it, as no provider does.
        #[serde(default, skip_serializing_if = "is_false")]
        manual: bool,
        /// The gift card or store credit that it goes to; absent if money is returned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Means>,
        /// The refund that this one is a part of, if one request goes to several means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<RefundId>,
    },
    /// The provider refused a refund.
    RefundFailed {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
    },
    /// A refund was made.
    Refunded {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// The refund; absent when the whole payment was refunded at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund: Option<RefundId>,
        /// The cause; absent when the order was cancelled.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<RefundCause>,
        /// The gift card or store credit that it went to; absent if money was returned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Means>,
        /// The refund that this one is a part of, if one request went to several means.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<RefundId>,
    },
    /// A dispute holds some of the captured amount: it cannot be refunded any more.
    Disputed {
        /// The order.
        order: OrderId,
        /// The dispute.
        dispute: DisputeId,
        /// The amount that it holds, in addition to what it holds already.
        amount: Money,
        /// The amount that the buyer claims.
        claimed: Money,
        /// Whether the money was received outside of payment providers.
        #[serde(default, skip_serializing_if = "is_false")]
        by_hand: bool,
    },
    /// A dispute does not hold an amount any more: it was won, or lost in part.
    DisputeReleased {
        /// The order.
        order: OrderId,
        /// The dispute.
        dispute: DisputeId,
        /// The amount.
        amount: Money,
        /// Whether the money was received outside of payment providers.
        #[serde(default, skip_serializing_if = "is_false")]
        by_hand: bool,
    },
    /// A provider keeps a fee of what an attempt captured, or gives some of it back.
    FeeCharged {
        /// The order.
        order: OrderId,
        /// The attempt.
        reference: ProviderReference,
        /// What it keeps in addition to what it kept before; negative if it gives some of that back.
        amount: Money,
    },
    /// The provider paid a seller what it has of the captured amount: the house never holds it.
    SellerPaid {
        /// The order.
        order: OrderId,
        /// The seller.
        seller: SellerId,
        /// The attempt.
        reference: ProviderReference,
        /// The captured amount without the fee of the house.
        amount: Money,
    },
    /// The provider took from the account of a seller what went back to the buyer.
    SellerCharged {
        /// The order.
        order: OrderId,
        /// The seller.
        seller: SellerId,
        /// The refund.
        refund: RefundId,
        /// What went back, without what the house gave back of its fee.
        amount: Money,
    },
    /// The buyer chose a method that staff settles by hand, and was told how to pay.
    MethodChosen {
        /// The order.
        order: OrderId,
        /// What the buyer was told.
        choice: Box<Choice>,
    },
    /// Staff recorded that money was received.
    ReceiptRecorded {
        /// The order.
        order: OrderId,
        /// The receipt.
        receipt: ReceiptId,
        /// How the money reached the shop.
        kind: ManualKind,
        /// The amount.
        amount: Money,
        /// The reference of the money, such as that of the bank statement.
        reference: Reference,
        /// The day on which the money was received.
        received_on: NaiveDate,
        /// A note for staff, sealed, as it may contain personal data.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<NoteText>>,
    },
    /// A receipt was recorded by mistake: it does not count any more.
    ReceiptVoided {
        /// The order.
        order: OrderId,
        /// The receipt.
        receipt: ReceiptId,
        /// Its amount.
        amount: Money,
        /// The reason.
        reason: Reason,
    },
    /// Staff made a refund outside the shop; `refunded` follows in the same append.
    RefundSettled {
        /// The order.
        order: OrderId,
        /// The refund.
        refund: RefundId,
        /// The reference of the money that went back.
        reference: Reference,
        /// The day on which it went back.
        settled_on: NaiveDate,
    },
}

fn one() -> i64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_one(it: &i64) -> bool {
    *it == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl crate::Event for Event {}
