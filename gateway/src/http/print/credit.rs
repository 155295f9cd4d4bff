//! The credit notes of an order, to be printed: a sheet for each.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::credit_note::{Content, CreditNote};
use byteshop_domain::ids::{CreditNoteId, OrderId};
use byteshop_domain::money::{Money, MoneyError};
use byteshop_domain::order::{Number, Placed};
use byteshop_domain::{basis_points::BasisPoints, ids::Id as _};
use byteshop_eventstore::StreamId;
use http::HeaderMap;
use serde_json::{Value, json};

use super::{From, day, lines_of};
use crate::actor::Caller;
use crate::http::ask::{Of, Then};
use crate::http::orders::placed;
use crate::http::{App, Shared};
use crate::page::page;
use crate::problem::Problem;

/// The credit notes of an order, to be printed: what was given back for goods that were cancelled or came back.
#[utoipa::path(get, path = "/v1/orders/{id}/credit-notes/print", tag = "orders", params(("id" = String, Path)),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
pub(super) async fn print_credit_notes(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.seen_order(&caller, id, &Then::default(), &headers).await?;
    let it = placed(&found.state)?;
    let mut sheets = Vec::new();
    for (note, found) in it.credit_notes.iter().zip(app.commands.get_all::<CreditNote>(&it.credit_notes).await?) {
        let Some(CreditNote::Issued(content)) = found.as_ref().map(|found| found.state.as_ref()) else { continue };
        let sheet = sheet(content, it).map_err(|error| {
            tracing::error!(%error, credit_note = %note, "the taxes of a credit note cannot be summed");
            Problem::internal()
        })?;
        sheets.push(json!({"content": sheet, "issued": issued(&app, *note).await?}));
    }
    let context = json!({
        "order": Number::of(id.uuid()),
        "seller": From::of(&app.trade.seller),
        "buyer": lines_of(&app, &it.placement.destination, true).await?,
        "sheets": sheets,
    });
    page("credit_notes.html", &context)
}

/// The day on which it was issued.
async fn issued(app: &App, id: CreditNoteId) -> Result<Option<String>, Error> {
    let events = app.commands.log().read_stream(&StreamId::of::<CreditNote>(id), 0, 1).await?;
    Ok(events.first().map(|event| day(event.occurred_at())))
}

/// What stands on a sheet. What is given back for a line holds its share of the tax, whether prices included it or not.
fn sheet(content: &Content, it: &Placed) -> Result<Value, MoneyError> {
    let mut taxes: Vec<(BasisPoints, Money, Money)> = Vec::new();
    let mut lines = Vec::new();
    for line in &content.lines {
        let bought = it.placement.lines.iter().find(|bought| bought.variant == line.variant);
        let rate = bought.and_then(|bought| bought.tax).map(|tax| tax.rate_bps);
        lines.push(json!({
            "title": bought.map(|bought| &bought.title), "sku": line.sku, "quantity": line.quantity,
            "rate": rate.map(|rate| rate.to_string()), "amount": line.amount.to_string(),
        }));
        let Some(rate) = rate else { continue };
        let tax = rate.within(line.amount)?;
        let net = line.amount.minus(tax)?;
        match taxes.iter_mut().find(|(known, ..)| *known == rate) {
            Some((_, sum, of)) => (*sum, *of) = (sum.plus(tax)?, of.plus(net)?),
            None => taxes.push((rate, tax, net)),
        }
    }
    let row = |(rate, tax, net): &(BasisPoints, Money, Money)| json!({"name": format!("of which {rate} tax on {net}"), "amount": tax.to_string()});
    Ok(json!({
        "number": content.reference,
        "reason": content.reason,
        "lines": lines,
        "taxed": !taxes.is_empty(),
        "taxes": taxes.iter().map(row).collect::<Vec<_>>(),
        "total": content.total.to_string(),
    }))
}
