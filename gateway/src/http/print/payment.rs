//! How and when an order was paid, as its invoice tells it.

use byteshop_commands::Error;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::ids::PaymentId;
use byteshop_domain::payment::{Event, Method, Payment};
use serde::Serialize;

use crate::app::App;

/// The payment of an order, as documents show it. The shop knows nothing about cards, so no card data can leak.
#[derive(Serialize)]
pub(super) struct Paid {
    /// The day on which the money was taken.
    on: String,
    method: Method,
    /// The provider's reference; none if there was nothing to pay.
    reference: Option<String>,
}

impl Paid {
    /// Whether it was emulated: no money moved.
    pub(super) fn is_test(&self) -> bool {
        self.method == Method::Test
    }

    /// The payment of an order; none unless it is captured.
    pub(super) async fn of(app: &App, payment: PaymentId, locale: Locale) -> Result<Option<Self>, Error> {
        for recorded in app.commands.beginning::<Payment>(payment).await?.iter() {
            if let Some(Event::Captured { method, reference, .. }) = recorded.event::<Payment>().transpose()? {
                let reference = match method {
                    Method::Free => None,
                    Method::Test | Method::External => Some(reference.to_string()),
                };
                return Ok(Some(Self { on: format::day(recorded.occurred_at(), locale), method, reference }));
            }
        }
        Ok(None)
    }
}
