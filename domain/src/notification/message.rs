//! What notifications say, to whom, and how: templates with their facts, none of which is personal in the clear.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::account::Secret;
use crate::ids::{
    AccountId, DisputeId, InvitationId, OrderId, PayoutId, ProductId, ReturnId, SellerId, ShipmentId, VariantId,
};
use crate::key_pool::KeyRange;
use crate::money::{Money, Price};
use crate::order::ReturnLine;
use crate::payment::Choice;
use crate::payout::Failure;
use crate::payout_account::Means;
use crate::seller;
use crate::text::{Email, FileName, Name, Reason, Reference, Title};

/// The recipient; their address is looked up when the message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The owner of an account.
    Account(AccountId),
    /// The guest who placed an order.
    Order(OrderId),
    /// The person whom a seller invites to become a member.
    Invitation(InvitationId),
    /// The staff of the shop, at the address of the settings.
    Staff,
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Order(order) => order.fmt(f),
            Self::Invitation(invitation) => invitation.fmt(f),
            Self::Staff => f.write_str("staff"),
        }
    }
}

/// What staff is told about a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeNews {
    /// It was opened.
    Opened,
    /// Its deadline is near, and it has no answer.
    Due,
    /// The shop keeps the money.
    Won,
    /// The buyer has the money back.
    Lost,
}

impl DisputeNews {
    /// Its name in templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Due => "due",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// Who cancelled an order, as its buyer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The buyer.
    Buyer,
    /// The shop.
    Shop,
    /// The payment failed.
    Payment,
    /// The order was not paid in time.
    Unpaid,
}

/// The content of a notification.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "template", rename_all = "snake_case")]
pub enum Message {
    /// The code that confirms the address.
    ConfirmEmail {
        /// The code.
        code: Personal<Secret>,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// The code that allows setting a new password.
    ResetPassword {
        /// The code.
        code: Personal<Secret>,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// The code that confirms the new e-mail address; it is sent to that address.
    ConfirmNewEmail {
        /// The new address.
        email: Personal<Email>,
        /// The code.
        code: Personal<Secret>,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// A change of the e-mail address was requested with the right password.
    EmailChangeRequested {},
    /// A registration with this address was attempted, which has an account already.
    AlreadyRegistered {},
    /// The password was changed.
    PasswordChanged {},
    /// A second factor was set up.
    SecondFactorSetUp {},
    /// The second factor was removed, or reset by the shop.
    SecondFactorRemoved {},
    /// The order was placed.
    OrderPlaced {
        /// The order.
        order: OrderId,
    },
    /// How the buyer pays by the method that they chose.
    PaymentInstructions {
        /// The order.
        order: OrderId,
        /// What the buyer was told.
        choice: Box<Choice>,
    },
    /// The order was paid.
    OrderPaid {
        /// The order.
        order: OrderId,
    },
    /// The order was cancelled.
    OrderCancelled {
        /// The order.
        order: OrderId,
        /// Who cancelled it.
        by: CancelledBy,
        /// Whether the payment is refunded.
        refund_due: bool,
        /// The refunded amount; all of the payment if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// Some lines of the order were cancelled.
    OrderLinesCancelled {
        /// The order.
        order: OrderId,
        /// The cancelled lines.
        lines: Vec<ReturnLine>,
        /// The amount that is refunded or no longer due.
        amount: Money,
        /// Who cancelled them.
        by: CancelledBy,
        /// Whether the amount is refunded.
        refund_due: bool,
    },
    /// The refund is on its way.
    OrderRefunded {
        /// The order.
        order: OrderId,
        /// The amount; all of the payment if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// The goods were handed over to the carrier.
    OrderShipped {
        /// The order.
        order: OrderId,
        /// The carrier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<Name>,
        /// The tracking number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking: Option<Reference>,
        /// The parcel; the whole order if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parcel: Option<ShipmentId>,
    },
    /// The return was approved.
    ReturnApproved {
        /// The order.
        order: OrderId,
        /// The return.
        back: ReturnId,
    },
    /// The return was rejected.
    ReturnRejected {
        /// The order.
        order: OrderId,
        /// The return.
        back: ReturnId,
        /// The reason.
        reason: Reason,
    },
    /// The goods were delivered.
    OrderDelivered {
        /// The order.
        order: OrderId,
    },
    /// A delivery was attempted and failed.
    DeliveryFailed {
        /// The order.
        order: OrderId,
    },
    /// The goods are on their way back to the shop.
    DeliveryReturning {
        /// The order.
        order: OrderId,
    },
    /// The goods were lost in transit.
    DeliveryLost {
        /// The order.
        order: OrderId,
    },
    /// A watched product is in stock again.
    BackInStock {
        /// The product.
        product: ProductId,
        /// The variant that is in stock again.
        variant: VariantId,
        /// The title of the product.
        title: Title,
        /// The title of the variant, if it differs; absent in older messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
    },
    /// A watched product costs less.
    PriceDropped {
        /// The product.
        product: ProductId,
        /// The variant that costs less.
        variant: VariantId,
        /// The title of the product.
        title: Title,
        /// The title of the variant, if it differs; absent in older messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
        /// The price that the watcher was last told.
        was: Price,
        /// The new price.
        now: Price,
    },
    /// A seller invites a person to become a member; it is sent to the address that the seller gave.
    SellerInvitation {
        /// The address.
        email: Personal<Email>,
        /// The code that accepts the invitation.
        code: Personal<Secret>,
        /// The seller.
        seller: SellerId,
        /// The role that it gives.
        role: seller::Role,
        /// When the invitation expires.
        expires_at: DateTime<Utc>,
    },
    /// Few keys are left in a pool of a seller.
    KeysRanLow {
        /// The seller.
        seller: SellerId,
        /// The product.
        product: ProductId,
        /// The variant whose pool it is.
        variant: VariantId,
        /// The title of the product.
        title: Title,
        /// The title of the variant, if it differs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
        /// How many keys are left.
        left: i64,
    },
    /// There is a new version of a file that was bought.
    FileUpdated {
        /// The order.
        order: OrderId,
        /// The product.
        product: ProductId,
        /// The variant that delivers the file.
        variant: VariantId,
        /// The title of the product.
        title: Title,
        /// The title of the variant, if it differs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
        /// The name of the file.
        name: FileName,
        /// The number of the version.
        version: u32,
    },
    /// Keys of a seller that their buyer had been shown were revoked: they may be used.
    KeysRevoked {
        /// The seller.
        seller: SellerId,
        /// The product.
        product: ProductId,
        /// The variant whose keys they are.
        variant: VariantId,
        /// The title of the product.
        title: Title,
        /// The title of the variant, if it differs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
        /// The keys.
        keys: Vec<KeyRange>,
    },
    /// An owner of the seller chose where its payouts go.
    PayoutDestinationChosen {
        /// The seller.
        seller: SellerId,
        /// How payouts reach it; absent in older messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        means: Option<Means>,
        /// From when on it is used.
        usable_from: DateTime<Utc>,
        /// Whether it is used at once, so that there is no time to cancel it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        at_once: bool,
    },
    /// A payout has reached the seller.
    PayoutSent {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it was paid.
        means: Means,
    },
    /// A payout did not reach the seller, or came back; the amount is in the balance again.
    PayoutFailed {
        /// The seller.
        seller: SellerId,
        /// The amount.
        amount: Money,
        /// How it was to be paid.
        means: Means,
        /// The payout; absent in older messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payout: Option<PayoutId>,
        /// Whether it had arrived before.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        returned: bool,
        /// Why; absent in older messages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failure: Option<Failure>,
        /// The reason in the words of staff.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<Reason>,
    },
    /// A buyer disputes the payment of an order with a part of the seller.
    DisputeOpened {
        /// The seller.
        seller: SellerId,
        /// The order.
        order: OrderId,
        /// What is kept back of its balance.
        amount: Money,
    },
    /// The deadline of a dispute is near, and it has no answer.
    DisputeDue {
        /// The seller.
        seller: SellerId,
        /// The order.
        order: OrderId,
        /// The deadline.
        respond_by: DateTime<Utc>,
    },
    /// A dispute has an outcome.
    DisputeEnded {
        /// The seller.
        seller: SellerId,
        /// The order.
        order: OrderId,
        /// Whether the shop keeps the money.
        won: bool,
    },
    /// News of a dispute, for staff.
    DisputeForStaff {
        /// The dispute.
        dispute: DisputeId,
        /// The order.
        order: OrderId,
        /// The news.
        news: DisputeNews,
        /// The amount that the buyer claims, or got back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
        /// Until when the shop can answer, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        respond_by: Option<DateTime<Utc>>,
    },
}
