//! How and when an order was paid, or how it is to be paid, as its invoice tells it.

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

/// How an unpaid order is paid, as its buyer was told.
#[derive(Serialize)]
pub(super) struct HowToPay {
    title: String,
    lines: Vec<String>,
    due: String,
    reference: String,
}

impl HowToPay {
    /// What the buyer was told who chose a manual method; none without a choice, or if nothing is due.
    pub(super) async fn of(app: &App, payment: PaymentId, locale: Locale) -> Result<Option<Self>, Error> {
        let found = app.commands.get::<Payment>(payment).await?;
        let opened = found.as_ref().and_then(|found| found.state.live().ok()).filter(|it| it.due().amount > 0);
        Ok(opened.and_then(|opened| {
            let choice = opened.choice.as_deref()?;
            Some(Self {
                title: choice.title.to_string(),
                lines: choice.instructions.as_str().lines().map(str::to_owned).collect(),
                due: format::money(opened.due(), locale),
                reference: choice.reference.to_string(),
            })
        }))
    }
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
                    Method::Test | Method::Paypal | Method::External | Method::BankTransfer | Method::Elsewhere => {
                        Some(reference.to_string())
                    }
                };
                return Ok(Some(Self { on: format::day(recorded.occurred_at(), locale), method, reference }));
            }
        }
        Ok(None)
    }
}
