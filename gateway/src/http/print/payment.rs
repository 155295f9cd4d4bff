//! How and when an order was paid, or how it is to be paid, as its invoice tells it.

use byteshop_commands::Error;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::ids::PaymentId;
use byteshop_domain::money::Money;
use byteshop_domain::payment::{Event, Method, Payment};
use byteshop_domain::stored_value::Cover;
use serde::Serialize;

use crate::app::App;

/// The payment of an order, as documents show it. The shop knows nothing about cards, so no card data can leak.
#[derive(Serialize)]
pub(super) struct Paid {
    /// The day on which the money was taken.
    on: String,
    method: Method,
    /// The provider's reference; none if there was nothing to pay with money.
    reference: Option<String>,
    /// What was paid with money, if gift cards or store credit paid the rest.
    in_money: Option<String>,
    /// What gift cards and store credit paid.
    covers: Vec<PaidCover>,
}

/// What a gift card or store credit paid.
#[derive(Serialize)]
struct PaidCover {
    means: &'static str,
    amount: String,
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

    /// The same without its amounts.
    pub(super) fn without_amounts(self) -> Self {
        Self { in_money: None, covers: vec![], ..self }
    }

    /// The payment of an order; none unless it is captured.
    pub(super) async fn of(app: &App, payment: PaymentId, locale: Locale) -> Result<Option<Self>, Error> {
        for recorded in app.commands.beginning::<Payment>(payment).await?.iter() {
            let captured = recorded.event::<Payment>().transpose()?;
            if let Some(Event::Captured { amount, method, reference, covers, .. }) = captured {
                let reference = match method {
                    Method::Free | Method::StoredValue => None,
                    Method::Test
                    | Method::Paypal
                    | Method::External
                    | Method::BankTransfer
                    | Method::Elsewhere
                    | Method::CashOnDelivery => Some(reference.to_string()),
                };
                let covered = Cover::total(&covers);
                let in_money = Money { amount: amount.amount - covered, ..amount };
                let in_money = (0 < in_money.amount && covered > 0).then(|| format::money(in_money, locale));
                let covers = covers.iter().map(|cover| PaidCover {
                    means: if cover.means.is_card() { "gift_card" } else { "store_credit" },
                    amount: format::money(cover.amount, locale),
                });
                let (on, covers) = (format::day(recorded.occurred_at(), locale), covers.collect());
                return Ok(Some(Self { on, method, reference, in_money, covers }));
            }
        }
        Ok(None)
    }
}
