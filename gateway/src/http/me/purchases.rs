//! What an account has bought that is delivered automatically.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::order::Order;
use byteshop_projections::View as _;
use byteshop_projections::purchase_list::{self, PurchaseList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::Shared;
use crate::edge::actor::Member;
use crate::edge::ask::Params;
use crate::edge::problem::Problem;
use crate::edge::values::Limit;
use crate::edge::{lists, reply};
use crate::http::show::{Purchase, Purchases};

/// Which purchases are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PurchasesQuery {
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the orders of the account with keys or downloads, last paid first.
///
/// The keys themselves are shown with `POST /v1/orders/{id}/keys/reveal`. Each answer has new URLs for downloads, one of which counts
/// once it is followed.
#[utoipa::path(get, path = "/v1/me/purchases", operation_id = "listPurchases",
    tag = "me", params(PurchasesQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of purchases", body = Purchases)))]
pub(super) async fn purchases(
    State(app): State<Shared>,
    member: Member,
    Params(query): Params<PurchasesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    app.await_views(&[PurchaseList::NAME], &headers).await?;
    let query = purchase_list::Query { account: member.1, ask };
    let page = app.views.purchase_list(&query).await?;
    let mut items = Vec::new();
    for row in page.rows()? {
        // What can be downloaded follows from the order itself, so that nothing is offered that was given back a moment ago.
        let has_downloads = row.lines.iter().any(|line| line.downloads);
        let order = if has_downloads { app.commands.get::<Order>(row.order).await? } else { None };
        let placed = order.as_ref().and_then(|order| order.state.live().ok());
        items.push(Purchase::of(&app, row, placed).await?);
    }
    let text = serde_json::to_string(&Purchases { items, next: page.next }).map_err(Error::from)?;
    Ok(reply::json(text))
}
