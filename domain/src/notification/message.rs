//! What notifications say, to whom, and how: templates with their facts, none of which is personal in the clear.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::account::Secret;
use crate::ids::{AccountId, OrderId, ProductId, ReturnId, ShipmentId, VariantId};
use crate::money::{Money, Price};
use crate::order::ReturnLine;
use crate::text::{Email, Name, Reason, Reference, Title};

/// Who is written to; where they are is looked up when the message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// The owner of an account.
    Account(AccountId),
    /// Whoever placed an order without an account.
    Order(OrderId),
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Order(order) => order.fmt(f),
        }
    }
}

/// Who called an order off, as its buyer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// They themselves.
    Buyer,
    /// The shop.
    Shop,
    /// Nobody: the payment did not go through.
    Payment,
    /// Nobody: it was not paid for in time.
    Unpaid,
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "template", rename_all = "snake_case")]
pub enum Message {
    /// Here is the code that confirms the address.
    ConfirmEmail {
        /// The code.
        code: Personal<Secret>,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// Here is the code that sets a new password.
    ResetPassword {
        /// The code.
        code: Personal<Secret>,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// Here is the code that proves that this other address is yours; it goes there.
    ConfirmNewEmail {
        /// The other address.
        email: Personal<Email>,
        /// The code.
        code: Personal<Secret>,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// Somebody who knows your password wants to put another address in the place of this one.
    EmailChangeRequested {},
    /// Somebody tried to register with your address, which has an account already.
    AlreadyRegistered {},
    /// The password is another one.
    PasswordChanged {},
    /// A log-in takes a code beside the password now.
    SecondFactorSetUp {},
    /// A log-in takes the password alone: the second factor was removed, or reset by the shop.
    SecondFactorRemoved {},
    /// We have your order.
    OrderPlaced {
        /// The order.
        order: OrderId,
    },
    /// We have your payment.
    OrderPaid {
        /// The order.
        order: OrderId,
    },
    /// Your order is off.
    OrderCancelled {
        /// The order.
        order: OrderId,
        /// By whom.
        by: CancelledBy,
        /// Whether money goes back.
        refund_due: bool,
        /// How much; all that it cost when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// Some of your order is off.
    OrderLinesCancelled {
        /// The order.
        order: OrderId,
        /// What of it.
        lines: Vec<ReturnLine>,
        /// What goes back for it, or need not be paid.
        amount: Money,
        /// By whom.
        by: CancelledBy,
        /// Whether that goes back.
        refund_due: bool,
    },
    /// Your money is on its way back.
    OrderRefunded {
        /// The order.
        order: OrderId,
        /// How much; all of it when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amount: Option<Money>,
    },
    /// Your goods are on their way.
    OrderShipped {
        /// The order.
        order: OrderId,
        /// Who carries them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carrier: Option<Name>,
        /// What the carrier calls them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tracking: Option<Reference>,
        /// The parcel that they are in; all of the order when nothing is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parcel: Option<ShipmentId>,
    },
    /// You may send back what you want to.
    ReturnApproved {
        /// The order.
        order: OrderId,
        /// The return.
        back: ReturnId,
    },
    /// You may not.
    ReturnRejected {
        /// The order.
        order: OrderId,
        /// The return.
        back: ReturnId,
        /// The reason.
        reason: Reason,
    },
    /// Your goods are there.
    OrderDelivered {
        /// The order.
        order: OrderId,
    },
    /// Your goods could not be handed over.
    DeliveryFailed {
        /// The order.
        order: OrderId,
    },
    /// Your goods go back to the shop.
    DeliveryReturning {
        /// The order.
        order: OrderId,
    },
    /// Your goods were lost on their way.
    DeliveryLost {
        /// The order.
        order: OrderId,
    },
    /// What you watch can be bought again.
    BackInStock {
        /// The product.
        product: ProductId,
        /// What of it there is again.
        variant: VariantId,
        /// What the product is called.
        title: Title,
        /// What the variant is called, where that is something else; messages once did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
    },
    /// What you watch costs less.
    PriceDropped {
        /// The product.
        product: ProductId,
        /// What of it costs less.
        variant: VariantId,
        /// What the product is called.
        title: Title,
        /// What the variant is called, where that is something else; messages once did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant_title: Option<Title>,
        /// What it cost when you last heard of it.
        was: Price,
        /// What it costs now.
        now: Price,
    },
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The account itself: it comes by mail, and cannot be declined.
    Account,
    /// An order.
    Order(OrderId),
    /// A product that somebody watches.
    Product(ProductId),
}

macro_rules! templates {
    ($($name:ident $text:literal;)*) => {
        /// The templates, by their names alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the variant of Message with the same name")]
        pub enum Template { $($name,)* }

        impl Template {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl Message {
            /// Its template.
            pub fn template(&self) -> Template {
                match self { $(Self::$name { .. } => Template::$name,)* }
            }
        }
    };
}

templates! {
    ConfirmEmail "confirm_email";
    ResetPassword "reset_password";
    ConfirmNewEmail "confirm_new_email";
    EmailChangeRequested "email_change_requested";
    AlreadyRegistered "already_registered";
    PasswordChanged "password_changed";
    SecondFactorSetUp "second_factor_set_up";
    SecondFactorRemoved "second_factor_removed";
    OrderPlaced "order_placed";
    OrderPaid "order_paid";
    OrderCancelled "order_cancelled";
    OrderLinesCancelled "order_lines_cancelled";
    OrderRefunded "order_refunded";
    OrderShipped "order_shipped";
    ReturnApproved "return_approved";
    ReturnRejected "return_rejected";
    OrderDelivered "order_delivered";
    DeliveryFailed "delivery_failed";
    DeliveryReturning "delivery_returning";
    DeliveryLost "delivery_lost";
    BackInStock "back_in_stock";
    PriceDropped "price_dropped";
}

impl Message {
    /// What it is about.
    pub fn about(&self) -> About {
        match self {
            Self::ConfirmEmail { .. }
            | Self::ResetPassword { .. }
            | Self::ConfirmNewEmail { .. }
            | Self::EmailChangeRequested {}
            | Self::AlreadyRegistered {}
            | Self::PasswordChanged {}
            | Self::SecondFactorSetUp {}
            | Self::SecondFactorRemoved {} => About::Account,
            Self::OrderPlaced { order }
            | Self::OrderPaid { order }
            | Self::OrderCancelled { order, .. }
            | Self::OrderLinesCancelled { order, .. }
            | Self::OrderRefunded { order, .. }
            | Self::DeliveryFailed { order }
            | Self::DeliveryReturning { order }
            | Self::DeliveryLost { order }
            | Self::OrderShipped { order, .. }
            | Self::ReturnApproved { order, .. }
            | Self::ReturnRejected { order, .. }
            | Self::OrderDelivered { order } => About::Order(*order),
            Self::BackInStock { product, .. } | Self::PriceDropped { product, .. } => About::Product(*product),
        }
    }

    /// Until when it is worth saying.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::ConfirmEmail { expires_at, .. }
            | Self::ResetPassword { expires_at, .. }
            | Self::ConfirmNewEmail { expires_at, .. } => Some(*expires_at),
            Self::EmailChangeRequested {}
            | Self::AlreadyRegistered {}
            | Self::PasswordChanged {}
            | Self::SecondFactorSetUp {}
            | Self::SecondFactorRemoved {}
            | Self::OrderPlaced { .. }
            | Self::OrderPaid { .. }
            | Self::OrderCancelled { .. }
            | Self::OrderLinesCancelled { .. }
            | Self::OrderRefunded { .. }
            | Self::DeliveryFailed { .. }
            | Self::DeliveryReturning { .. }
            | Self::DeliveryLost { .. }
            | Self::OrderShipped { .. }
            | Self::ReturnApproved { .. }
            | Self::ReturnRejected { .. }
            | Self::OrderDelivered { .. }
            | Self::BackInStock { .. }
            | Self::PriceDropped { .. } => None,
        }
    }
}
