//! The total that a cart last showed to its owner (ADR 14).

use byteshop_domain::Currency;
use byteshop_domain::cart::Created;
use byteshop_domain::ids::{CartId, Id as _};
use byteshop_domain::money::Money;
use byteshop_eventstore::cart_total::ShownTotal;

use super::price::Priced;
use crate::Commands;
use crate::engine::error::Error;

/// The total of a cart that is worth remembering. While there is nothing in it, or it goes nowhere, it cannot be bought before it
/// is changed, and every change shows a total.
pub fn total_to_remember(cart: &Created, priced: Option<&Priced>) -> Option<Money> {
    let can_be_bought = !cart.lines.is_empty() && cart.destination.is_some();
    priced.filter(|_| can_be_bought).map(|priced| priced.quote.total)
}

/// The total that a checkout is held to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Agreed {
    /// The one that its buyer names.
    pub expected: Option<Money>,
    /// Without: the one that the cart last showed, if that is known.
    pub seen: Option<Money>,
}

impl Commands {
    /// Remembers the total of a cart that its owner is shown. If that fails, what they were shown before still counts, which
    /// refuses rather than sells at another total.
    pub async fn remember_total(&self, cart: CartId, total: Option<Money>) {
        let Some(total) = total else { return };
        let shown = ShownTotal { amount: total.amount, currency: total.currency.code().to_owned() };
        if let Err(error) = self.log().remember_total(cart.uuid(), &shown, self.clock().now()).await {
            tracing::warn!(%error, %cart, "the total shown for a cart could not be stored");
        }
    }

    /// The total that a checkout is held to. It is read before the checkout is decided, which must not wait between what it
    /// reads of the stock and its append.
    pub async fn agreed_total(&self, cart: CartId, expected: Option<Money>) -> Result<Agreed, Error> {
        if expected.is_some() {
            return Ok(Agreed { expected, seen: None });
        }
        let shown = self.log().shown_total(cart.uuid()).await?;
        let seen = shown.and_then(|it| Some(Money::new(it.amount, Currency::from_code(&it.currency)?)));
        Ok(Agreed { expected, seen })
    }
}
