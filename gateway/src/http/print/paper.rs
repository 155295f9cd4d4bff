//! The parts that several documents share: seller, recipient, invoice number, and taxes.

use byteshop_commands::Error;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::address::Address;
use byteshop_domain::cart::Destination;
use byteshop_domain::ids::{Id as _, OrderId, SellerId};
use byteshop_domain::issuer::{Issuer, Supplier};
use byteshop_domain::order::{Number, Placed, Taxed};
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::edge::problem::Problem;
use crate::trade::missing_of_issuer;

/// Which papers of an order are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Papers {
    /// All of them.
    All,
    /// Those of the supplier of the part with this number.
    OfPart(u16),
    /// Those that a seller issued.
    OfSeller(SellerId),
}

impl Papers {
    /// Whether they are wanted of a supplier: of a seller, or of the house.
    pub(super) fn want(self, it: &Placed, supplier: Option<SellerId>) -> bool {
        match self {
            Self::All => true,
            Self::OfPart(number) => it.parts.number(number).is_some_and(|part| it.supplier_of(part.seller) == supplier),
            Self::OfSeller(seller) => supplier == Some(seller),
        }
    }
}

/// Who reads papers.
pub(in crate::http) struct Audience {
    /// The language.
    pub(in crate::http) locale: Locale,
    /// The settings that are missing, for staff.
    pub(in crate::http) missing: Vec<&'static str>,
    /// Whether the buyer's e-mail address is shown, which a seller does not need.
    pub(in crate::http) with_email: bool,
}

/// The seller that issued a paper, by its handle alone if its data can no longer be read.
pub(super) async fn issuer_of(app: &App, supplier: &Supplier) -> Result<Issuer, Problem> {
    let legal = app.commands.vault().open(&supplier.legal).await.map_err(Error::from)?;
    let unknown = || Issuer { name: supplier.handle.to_string(), address: vec![], tax_id: None };
    Ok(legal.map_or_else(unknown, Issuer::from))
}

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
