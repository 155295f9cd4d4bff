//! The credit notes of an order, to be printed: a sheet for each.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::links::Target;
use byteshop_commands::notify::format;
use byteshop_domain::Locale;
use byteshop_domain::credit_note::{Content, CreditNote, said};
use byteshop_domain::ids::{CreditNoteId, Id as _, OrderId};
use byteshop_domain::issuer::Issuer;
use byteshop_domain::money::MoneyError;
use byteshop_domain::order::{Number, Placed};
use byteshop_eventstore::StreamId;
use http::HeaderMap;
use serde_json::{Value, json};

use super::link::Shown;
use super::paper::{Audience, From, Papers, invoice_number, issuer_of, lines_of, missing_settings, tax};
use super::payment::Paid;
use crate::app::{App, Shared};
use crate::edge::actor::Caller;
use crate::edge::ask::{Of, Params};
use crate::edge::page::page;
use crate::edge::problem::Problem;

/// The credit notes of an order as a printable page.
#[utoipa::path(get, path = "/v1/orders/{id}/credit-notes/print", operation_id = "printCreditNotes",
    tag = "orders",
    params(("id" = String, Path), Shown), security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub(super) async fn print_credit_notes(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(shown): Params<Shown>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = match shown.open(&app, id, Target::CreditNotes(id), &caller, &headers).await {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let it = found.state.live()?;
    let locale = shown.reading().of_order(&app, it, &headers).await?;
    let missing = missing_settings(&app, shown.to_staff(&caller));
    credit_notes_page(&app, (id, it), Papers::All, Audience { locale, missing, with_email: true }).await
}

/// The credit notes of an order as a page.
pub(in crate::http) async fn credit_notes_page(
    app: &App,
    (id, it): (OrderId, &Placed),
    papers: Papers,
    Audience { locale, missing, with_email }: Audience,
) -> Result<Response, Problem> {
    let mut sheets = Vec::new();
    for (note, found) in it.credit_notes.iter().zip(app.commands.get_all::<CreditNote>(&it.credit_notes).await?) {
        let Some(CreditNote::Issued(content)) = found.as_ref().map(|found| found.state.as_ref()) else { continue };
        if !papers.want(it, content.supplier.as_ref().map(|supplier| supplier.seller)) {
            continue;
        }
        let issued = issued(app, *note, locale).await?;
        let head = head(app, content, (id, it)).await?;
        let sheet = sheet(head, content, it, issued.as_deref(), locale).map_err(|error| {
            tracing::error!(%error, credit_note = %note, "the taxes of a credit note cannot be summed");
            Problem::internal()
        })?;
        sheets.push(sheet);
    }
    let paid = Paid::of(app, it.placement.payment, locale).await?;
    let context = json!({
        "test": paid.is_some_and(|paid| paid.is_test()),
        "order": Number::of(id.uuid()),
        "house": app.trade.issuer.name,
        "missing_settings": missing,
        "buyer": lines_of(app, &it.placement.destination, locale, with_email).await?,
        "sheets": sheets,
    });
    page("credit_notes.html", locale, &context)
}

/// Who issued a credit note, and the number of the invoice that it corrects.
async fn head(app: &App, content: &Content, (id, it): (OrderId, &Placed)) -> Result<(Issuer, String), Problem> {
    let Some(supplier) = &content.supplier else {
        // What is issued names the house as it was then; older notes did not keep that.
        return Ok((content.seller.as_ref().unwrap_or(&app.trade.issuer).clone(), invoice_number(id, it)));
    };
    let own = it.invoices.iter().find(|own| own.supplier.seller == supplier.seller);
    let number = own.map_or_else(|| invoice_number(id, it), |own| own.number.to_string());
    Ok((issuer_of(app, supplier).await?, number))
}

/// The day on which it was issued.
async fn issued(app: &App, id: CreditNoteId, locale: Locale) -> Result<Option<String>, Error> {
    let events = app.commands.log().read_stream(&StreamId::of::<CreditNote>(id), 0, 1).await?;
    Ok(events.first().map(|event| format::day(event.occurred_at(), locale)))
}

/// The content of a page. The amount credited for a line contains its share of the tax, whether prices included it or
/// not.
fn sheet(
    (from, invoice): (Issuer, String),
    content: &Content,
    it: &Placed,
    issued: Option<&str>,
    locale: Locale,
) -> Result<Value, MoneyError> {
    let lines = content.lines.iter().map(|line| {
        let bought = it.placement.lines.iter().find(|bought| bought.variant == line.variant);
        let rate = bought.and_then(|bought| bought.tax).map(|tax| tax.rate);
        json!({
            "title": bought.map(|bought| &bought.title), "sku": line.sku, "quantity": line.quantity,
            "rate": rate.map(|rate| format::rate(rate, locale)), "amount": format::money(line.amount, locale),
        })
    });
    let taxes = said(it, content)?;
    Ok(json!({
        "shipping": content.shipping.map(|amount| format::money(amount, locale)),
        "number": content.reference,
        "seller": From::of(&from),
        "is_of_seller": content.supplier.is_some(),
        "invoice": invoice,
        "reason": content.reason,
        "issued": issued,
        "lines": lines.collect::<Vec<_>>(),
        "taxes": taxes.iter().map(|it| tax(it, locale)).collect::<Vec<_>>(),
        "total": format::money(content.total, locale),
    }))
}
