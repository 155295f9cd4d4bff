//! The total that a cart last showed to its owner (ADR 14).

use byteshop_domain::Currency;
use byteshop_domain::cart::Created;
use byteshop_domain::ids::{CartId, Id as _};
use byteshop_domain::money::Money;
use byteshop_eventstore::cart_total::ShownTotal;

use super::Priced;
use crate::Commands;
use crate::error::Error;

/// The total of a cart that is worth remembering. While there is nothing in it, or it goes nowhere, it cannot be bought before it
/// is changed, and every change shows a total.
pub fn total_to_remember(cart: &Created, priced: Option<&Priced>) -> Option<Money> {
    let can_be_bought = !cart.lines.is_empty() && cart.destination.is_some();
    priced.filter(|_| can_be_bought).map(|priced| priced.quote.total)
}

impl Commands {
    /// Remembers the total of a cart that its owner is shown. If that fails, what they were shown before still counts, which
    /// refuses rather than sells at another total.
    pub async fn remember_total(&self, cart: CartId, total: Option<Money>) {
        let Some(total) = total else { return };
        let shown = ShownTotal { amount: total.amount, currency: total.currency.code().to_owned() };
        if let Err(error) = self.log().remember_total(cart.uuid(), &shown, self.clock().now()).await {
            tracing::warn!(%error, %cart, "the total that a cart shows could not be remembered");
        }
    }

    /// The total of a cart that its owner was last shown, if that is known.
    pub async fn shown_total(&self, cart: CartId) -> Result<Option<Money>, Error> {
        let shown = self.log().shown_total(cart.uuid()).await?;
        Ok(shown.and_then(|it| Some(Money::new(it.amount, Currency::from_code(&it.currency)?))))
    }
}
