//! What messages say about payments that no provider makes.

use std::sync::Arc;

use byteshop_domain::Locale;
use byteshop_domain::notification::{Message, Template};
use byteshop_domain::order::Placed;
use byteshop_domain::payment::{Choice, Opened, Payment};
use byteshop_domain::stored_value::Cover;

use crate::Commands;
use crate::engine::error::Error;
use crate::notify::format;
use crate::notify::words::{Shown, ShownExtra, ShownPayment};

impl Commands {
    /// What was received of an order that was cancelled before all of it was paid: it goes back.
    pub(super) async fn received(
        &self,
        message: &Message,
        placed: &Placed,
        locale: Locale,
    ) -> Result<Option<String>, Error> {
        let Message::OrderCancelled { refund_due: false, .. } = message else { return Ok(None) };
        let payment = self.get::<Payment>(placed.placement.payment).await?;
        let received = payment.as_ref().and_then(|it| it.state.live().ok()).map(Opened::received);
        Ok(received.filter(|amount| amount.amount > 0).map(|amount| format::money(amount, locale)))
    }

    /// What gift cards and store credit paid, and whether something went back to them.
    pub(super) async fn add_stored(
        &self,
        message: &Message,
        placed: &Placed,
        locale: Locale,
        shown: &mut Shown,
    ) -> Result<(), Error> {
        let template = message.template();
        if !matches!(template, Template::OrderPaid | Template::OrderRefunded) {
            return Ok(());
        }
        // Once it is captured, what paid does not change; what went back is to be known as it is now.
        let payment = placed.placement.payment;
        let is_final = |it: &Arc<Payment>| template == Template::OrderPaid && it.live().is_ok_and(Opened::was_captured);
        let seen = self.seen::<Payment>(payment).await?.filter(is_final);
        let payment = match seen {
            Some(seen) => Some(seen),
            None => self.get::<Payment>(payment).await?.map(|found| found.state),
        };
        let Some(opened) = payment.as_ref().and_then(|payment| payment.live().ok()) else { return Ok(()) };
        let cover = |cover: &Cover| ShownExtra {
            kind: if cover.means.is_card() { "gift_card" } else { "store_credit" },
            amount: format::money(cover.amount, locale),
        };
        shown.covers = opened.covers.iter().map(cover).collect();
        shown.stored = opened.refunds.values().any(|refund| refund.to.is_some());
        Ok(())
    }
}

/// How an order is paid, as its buyer is told.
pub(super) fn instructions(choice: &Choice, zone: format::Zone, locale: Locale) -> ShownPayment {
    ShownPayment {
        title: choice.title.to_string(),
        instructions: choice.instructions.as_str().lines().map(str::to_owned).collect(),
        amount: format::money(choice.amount, locale),
        reference: choice.reference.to_string(),
        pay_by: choice.pay_by.map(|at| format::moment(at, zone, locale)),
        on_delivery: choice.kind.is_on_delivery(),
    }
}
