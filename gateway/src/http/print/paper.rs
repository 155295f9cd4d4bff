//! The parts that several documents share: seller, recipient, invoice number, and taxes.

use byteshop_commands::Error;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::address::Address;
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::{Id as _, OrderId};
use byteshop_domain::issuer::Issuer;
use byteshop_domain::order::{Number, Placed, Taxed};
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::edge::problem::Problem;
use crate::trade::missing_of_issuer;

/// The seller, as documents show it.
#[derive(Serialize)]
pub(super) struct From<'a> {
    name: &'a str,
    address: &'a [String],
    tax_id: Option<&'a str>,
}

impl<'a> From<'a> {
    pub(super) fn of(seller: &'a Issuer) -> Self {
        Self { name: &seller.name, address: &seller.address, tax_id: seller.tax_id.as_deref() }
    }
}

/// The settings that tax law requires on papers and that are missing: shown to staff on a screen, and never printed.
pub(super) fn missing_settings(app: &App, to_staff: bool) -> Vec<&'static str> {
    if to_staff { missing_of_issuer(&app.trade.issuer) } else { vec![] }
}

/// The number of the invoice of a paid order. One that was paid before there was a series goes by the number of its order.
pub(super) fn invoice_number(id: OrderId, it: &Placed) -> String {
    it.invoice.as_ref().map_or_else(|| format!("INV-{}", Number::of(id.uuid())), ToString::to_string)
}

/// A tax in words.
pub(super) fn tax(taxed: &Taxed, locale: Locale) -> Value {
    json!({
        "rate": format::rate(taxed.rate, locale),
        "net": format::money(taxed.net, locale), "amount": format::money(taxed.tax, locale),
    })
}

/// Where an order goes, in the lines that stand on an envelope; with the e-mail address where mails matter.
pub(super) async fn lines_of(
    app: &App,
    destination: &Destination,
    locale: Locale,
    with_email: bool,
) -> Result<Vec<String>, Problem> {
    let Some(sealed) = &destination.address else {
        return Ok(vec![format::country(&destination.country, locale).to_owned()]);
    };
    let Some(address) = app.commands.vault().open::<Address>(sealed).await.map_err(Error::from)? else {
        return Ok(vec![]);
    };
    let mut lines = format::address(&address, locale);
    lines.extend(address.email.filter(|_| with_email).map(|email| email.to_string()));
    Ok(lines)
}
