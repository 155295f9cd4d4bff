//! Printable pages: the invoices and the credit notes for the buyer, the packing list and the label for staff.
//!
//! Documents for the buyer are in the language of the order, like its mails, those for staff in the reader's language;
//! `?locale=` and `Accept-Language` override this. Links in mails open the buyer's documents as well.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::links::Target;
use byteshop_domain::ids::OrderId;
use http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::{Of, Params};
use crate::edge::problem::Problem;
use link::ShownInvoices;
use paper::missing_settings;

mod credit;
mod invoice;
mod link;
mod paper;
mod parcel;
mod payment;

pub(super) use credit::credit_notes_page;
pub(super) use invoice::invoices_page;
pub(super) use paper::{Audience, Papers};

/// The invoices of an order as a printable page.
///
/// It has a sheet for the house and for each seller that supplies its part in its own name. Before the order is paid it is a pro forma
/// invoice.
#[utoipa::path(get, path = "/v1/orders/{id}/invoice", operation_id = "printInvoice",
    tag = "orders", params(("id" = String, Path), ShownInvoices),
    security(("cart_token" = []), ("bearer" = [])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 409, description = "The order was never paid and is no longer open")))]
async fn invoice(
    State(app): State<Shared>,
    Of(id): Of<OrderId>,
    Params(asked): Params<ShownInvoices>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (part, shown) = asked.split();
    let found = match shown.open(&app, id, Target::Invoice(id), &caller, &headers).await {
        Ok(found) => found,
        Err(refused) => return Ok(refused),
    };
    let now = found.state.live()?;
    let locale = shown.reading().of_order(&app, now, &headers).await?;
    let missing = missing_settings(&app, shown.to_staff(&caller));
    let papers = part.map_or(Papers::All, Papers::OfPart);
    invoices_page(&app, (id, now), papers, Audience { locale, missing, with_email: true }).await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(invoice))
        .routes(routes!(credit::print_credit_notes))
        .routes(routes!(parcel::packing_list))
        .routes(routes!(parcel::label))
}
