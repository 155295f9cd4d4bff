//! What messages say about payments that no provider makes.

use byteshop_domain::Locale;
use byteshop_domain::notification::Message;
use byteshop_domain::order::Placed;
use byteshop_domain::payment::{Choice, Opened, Payment};

use crate::Commands;
use crate::engine::error::Error;
use crate::notify::format;
use crate::notify::words::ShownPayment;

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
}

/// How an order is paid, as its buyer is told.
pub(super) fn instructions(choice: &Choice, zone: format::Zone, locale: Locale) -> ShownPayment {
    ShownPayment {
        title: choice.title.to_string(),
        instructions: choice.instructions.as_str().lines().map(str::to_owned).collect(),
        amount: format::money(choice.amount, locale),
        reference: choice.reference.to_string(),
        pay_by: choice.pay_by.map(|at| format::moment(at, zone, locale)),
    }
}
