//! The moments that messages show, in the time zone of the shop.

use byteshop_domain::Locale;
use byteshop_domain::notification::Message;

use super::payment;
use crate::notify::format::{Zone, moment};
use crate::notify::words::Shown;

/// The facts of a message with moments.
pub(super) fn tell(message: &Message, zone: Zone, locale: Locale, shown: &mut Shown) {
    if let Message::PayoutDestinationChosen { usable_from, at_once: false, .. } = message {
        shown.from = Some(moment(*usable_from, zone, locale));
    }
    if let Message::DisputeDue { respond_by, .. } | Message::DisputeForStaff { respond_by: Some(respond_by), .. } =
        message
    {
        shown.from = Some(moment(*respond_by, zone, locale));
    }
    if let Message::PaymentInstructions { choice, .. } = message {
        shown.payment = Some(payment::instructions(choice, zone, locale));
    }
}
