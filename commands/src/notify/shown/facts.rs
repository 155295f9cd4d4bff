//! The facts that a message has itself.

use byteshop_domain::Locale;
use byteshop_domain::money::Money;
use byteshop_domain::notification::{CancelledBy, Message};
use byteshop_domain::payout::Failure;
use byteshop_domain::payout_account::Means;
use byteshop_domain::seller::Role;
use byteshop_domain::text::Title;

use crate::notify::format;
use crate::notify::words::{Shown, ShownKeys, ShownProduct};

/// An amount as it is written; nothing when it is none.
pub(super) fn some_money(amount: Money, locale: Locale) -> Option<String> {
    (amount.amount != 0).then(|| format::money(amount, locale))
}

/// The facts that a message has itself.
pub(super) fn tell(message: &Message, locale: Locale, shown: &mut Shown) {
    match message {
        Message::OrderCancelled { by, refund_due, .. } | Message::OrderLinesCancelled { by, refund_due, .. } => {
            shown.reason = Some(match by {
                CancelledBy::Buyer => "buyer",
                CancelledBy::Shop => "shop",
                CancelledBy::Payment => "payment",
                CancelledBy::Unpaid => "unpaid",
            });
            shown.refund_due = *refund_due;
        }
        Message::ReturnRejected { reason, .. } => shown.because = Some(reason.to_string()),
        Message::OrderShipped { carrier, tracking, .. } => {
            shown.carrier = carrier.as_ref().map(ToString::to_string);
            shown.tracking = tracking.as_ref().map(ToString::to_string);
        }
        Message::BackInStock { title, variant_title, .. } => {
            shown.product = Some(product_of(title, variant_title.as_ref()));
        }
        Message::PriceDropped { title, variant_title, was, now, .. } => {
            shown.product = Some(product_of(title, variant_title.as_ref()));
            shown.was = Some(format::money(was.money(), locale));
            shown.now = Some(format::money(now.money(), locale));
        }
        Message::SellerInvitation { role, .. } => {
            shown.role = Some(match role {
                Role::Owner => "owner",
                Role::Staff => "staff",
            });
        }
        Message::KeysRanLow { title, variant_title, left, .. } => {
            shown.product = Some(product_of(title, variant_title.as_ref()));
            shown.left = Some(*left);
        }
        Message::FileUpdated { title, variant_title, name, version, .. } => {
            shown.product = Some(product_of(title, variant_title.as_ref()));
            (shown.file, shown.version) = (Some(name.to_string()), Some(*version));
        }
        Message::KeysRevoked { title, variant_title, keys, .. } => {
            shown.product = Some(product_of(title, variant_title.as_ref()));
            shown.revoked = keys.iter().map(ShownKeys::from).collect();
        }
        Message::PayoutDestinationChosen { .. } | Message::PayoutSent { .. } | Message::PayoutFailed { .. } => {
            tell_of_payout(message, locale, shown);
        }
        Message::DisputeOpened { .. } | Message::DisputeEnded { .. } | Message::DisputeForStaff { .. } => {
            tell_of_dispute(message, locale, shown);
        }
        Message::ConfirmEmail { .. }
        | Message::ResetPassword { .. }
        | Message::ConfirmNewEmail { .. }
        | Message::EmailChangeRequested {}
        | Message::AlreadyRegistered {}
        | Message::PasswordChanged {}
        | Message::SecondFactorSetUp {}
        | Message::SecondFactorRemoved {}
        | Message::OrderPlaced { .. }
        | Message::PaymentInstructions { .. }
        | Message::OrderPaid { .. }
        | Message::OrderRefunded { .. }
        | Message::ReturnApproved { .. }
        | Message::OrderDelivered { .. }
        | Message::DeliveryFailed { .. }
        | Message::DeliveryReturning { .. }
        | Message::DeliveryLost { .. }
        | Message::DisputeDue { .. } => {}
    }
}

fn tell_of_payout(message: &Message, locale: Locale, shown: &mut Shown) {
    // The moment needs the time zone of the shop.
    if let Message::PayoutDestinationChosen { means, .. } = message {
        shown.means = means.map(Means::as_str);
    }
    if let Message::PayoutSent { amount, means, .. } = message {
        (shown.amount, shown.means) = (Some(format::money(*amount, locale)), Some(means.as_str()));
    }
    if let Message::PayoutFailed { amount, means, payout, returned, failure, because, seller: _ } = message {
        (shown.amount, shown.means) = (Some(format::money(*amount, locale)), Some(means.as_str()));
        shown.payout = payout.map(|payout| payout.to_string());
        shown.outcome = Some(if *returned { "returned" } else { "failed" });
        shown.failure = failure.map(Failure::as_str);
        shown.because = because.as_ref().map(ToString::to_string);
    }
}

fn tell_of_dispute(message: &Message, locale: Locale, shown: &mut Shown) {
    if let Message::DisputeOpened { amount, .. } = message {
        shown.amount = some_money(*amount, locale);
    }
    if let Message::DisputeEnded { won, .. } = message {
        shown.reason = Some(if *won { "won" } else { "lost" });
    }
    if let Message::DisputeForStaff { dispute, news, amount, .. } = message {
        (shown.dispute, shown.reason) = (Some(dispute.to_string()), Some(news.as_str()));
        shown.amount = amount.and_then(|amount| some_money(amount, locale));
    }
}

/// A product with the variant that is meant, if there are several.
fn product_of(title: &Title, variant: Option<&Title>) -> ShownProduct {
    let title = match variant {
        None => title.to_string(),
        // Most titles of variants begin with that of their product.
        Some(variant) if variant.as_str().starts_with(title.as_str()) => variant.to_string(),
        Some(variant) => format!("{title} ({variant})"),
    };
    ShownProduct { title }
}
