//! The papers that a seller issues, for its members: its invoices and its credit notes.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Snapshot;
use byteshop_domain::Locale;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::ids::{OrderId, SellerId};
use byteshop_domain::order::{Order, Placed};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{OfTwo, Params};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::http::language::Reading;
use crate::http::print::{Audience, Papers, credit_notes_page, invoices_page};
use crate::http::show::credit_note::CreditNotes;

/// In which language a paper is read.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Language {
    /// The language, `en` or `ru`; taken from `Accept-Language` by default, then from the order.
    locale: Option<Locale>,
}

impl Language {
    async fn audience(&self, app: &Shared, placed: &Placed, headers: &HeaderMap) -> Result<Audience, Problem> {
        let locale = Reading { locale: self.locale }.of_order(app, placed, headers).await?;
        Ok(Audience { locale, missing: vec![], with_email: false })
    }
}

/// An order with a part of a seller, for its members.
async fn order_of(
    app: &Shared,
    who: &Trader,
    (seller, order): (SellerId, OrderId),
    headers: &HeaderMap,
) -> Result<Snapshot<Order>, Problem> {
    seen_by(app, who, seller, headers).await?;
    let found = app.snapshot::<Order>(order, &Then::default(), headers).await?;
    let has_part = found.state.live()?.parts.of_seller(seller).is_some();
    if has_part { Ok(found) } else { Err(Problem::missing("order")) }
}

/// The invoice that a seller issued for its part of an order, as a printable page.
///
/// There is none before the payment, and of a part that the house supplies (404 `seller.no_invoice`).
#[utoipa::path(get, path = "/v1/sellers/{id}/orders/{order}/invoice", operation_id = "printSellerInvoice",
    tag = "sellers", params(("id" = String, Path), ("order" = String, Path), Language), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
async fn invoice(
    State(app): State<Shared>,
    OfTwo(id, order): OfTwo<SellerId, OrderId>,
    who: Trader,
    Params(language): Params<Language>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = order_of(&app, &who, (id, order), &headers).await?;
    let placed = found.state.live()?;
    if placed.supplier_of(Some(id)).is_none() {
        let detail = "the seller has issued no invoice for its part of this order";
        return Err(Problem::new(StatusCode::NOT_FOUND, "seller.no_invoice", detail));
    }
    let audience = language.audience(&app, placed, &headers).await?;
    invoices_page(&app, (order, placed), Papers::OfSeller(id), audience).await
}

/// Lists the credit notes that a seller issued for its part of an order, oldest first.
#[utoipa::path(get, path = "/v1/sellers/{id}/orders/{order}/credit-notes", operation_id = "listSellerCreditNotes",
    tag = "sellers", params(("id" = String, Path), ("order" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The credit notes, oldest first", body = CreditNotes)))]
async fn credit_notes(
    State(app): State<Shared>,
    OfTwo(id, order): OfTwo<SellerId, OrderId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = order_of(&app, &who, (id, order), &headers).await?;
    let placed = found.state.live()?;
    let notes = app.commands.get_all::<CreditNote>(&placed.credit_notes).await?;
    lists::page(&CreditNotes::of(placed, &notes, |it| it.supplier.as_ref().is_some_and(|it| it.seller == id)))
}

/// The credit notes that a seller issued for its part of an order, as a printable page.
#[utoipa::path(get, path = "/v1/sellers/{id}/orders/{order}/credit-notes/print", operation_id = "printSellerCreditNotes",
    tag = "sellers", params(("id" = String, Path), ("order" = String, Path), Language), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String)))]
async fn print_credit_notes(
    State(app): State<Shared>,
    OfTwo(id, order): OfTwo<SellerId, OrderId>,
    who: Trader,
    Params(language): Params<Language>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = order_of(&app, &who, (id, order), &headers).await?;
    let placed = found.state.live()?;
    let audience = language.audience(&app, placed, &headers).await?;
    credit_notes_page(&app, (order, placed), Papers::OfSeller(id), audience).await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(invoice)).routes(routes!(credit_notes)).routes(routes!(print_credit_notes))
}
