//! What a message is about, and until when it is valid.

use chrono::{DateTime, Utc};

use super::message::Message;
use crate::ids::{OrderId, ProductId, SellerId, VariantId};

/// The subject of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The account itself: it is sent by mail and cannot be declined.
    Account,
    /// An order.
    Order(OrderId),
    /// A watched product.
    Product(ProductId),
    /// A seller that invites the recipient.
    Seller(SellerId),
    /// A variant of an order that is downloaded.
    Download(OrderId, VariantId),
    /// The keys of a product of a seller, of which the recipient is a member.
    Keys(SellerId, ProductId),
    /// A dispute about an order, with a part of a seller if the recipient is an owner of it: it is sent by mail and cannot be declined.
    Dispute(Option<SellerId>, OrderId),
    /// The payouts of a seller, of which the recipient is an owner: it is sent by mail and cannot be declined.
    Payouts(SellerId),
}

impl Message {
    /// Its subject.
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
            | Self::PaymentInstructions { order, .. }
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
            Self::SellerInvitation { seller, .. } => About::Seller(*seller),
            Self::FileUpdated { order, variant, .. } => About::Download(*order, *variant),
            Self::KeysRanLow { seller, product, .. } | Self::KeysRevoked { seller, product, .. } => {
                About::Keys(*seller, *product)
            }
            Self::PayoutDestinationChosen { seller, .. }
            | Self::PayoutSent { seller, .. }
            | Self::PayoutFailed { seller, .. } => About::Payouts(*seller),
            Self::DisputeOpened { seller, order, .. }
            | Self::DisputeDue { seller, order, .. }
            | Self::DisputeEnded { seller, order, .. } => About::Dispute(Some(*seller), *order),
            Self::DisputeForStaff { order, .. } => About::Dispute(None, *order),
        }
    }

    /// Until when the message is valid.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::ConfirmEmail { expires_at, .. }
            | Self::ResetPassword { expires_at, .. }
            | Self::ConfirmNewEmail { expires_at, .. }
            | Self::SellerInvitation { expires_at, .. } => Some(*expires_at),
            Self::EmailChangeRequested {}
            | Self::AlreadyRegistered {}
            | Self::PasswordChanged {}
            | Self::SecondFactorSetUp {}
            | Self::SecondFactorRemoved {}
            | Self::OrderPlaced { .. }
            | Self::PaymentInstructions { .. }
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
            | Self::PriceDropped { .. }
            | Self::FileUpdated { .. }
            | Self::KeysRanLow { .. }
            | Self::KeysRevoked { .. }
            | Self::PayoutDestinationChosen { .. }
            | Self::PayoutSent { .. }
            | Self::PayoutFailed { .. }
            | Self::DisputeOpened { .. }
            | Self::DisputeDue { .. }
            | Self::DisputeEnded { .. }
            | Self::DisputeForStaff { .. } => None,
        }
    }
}
