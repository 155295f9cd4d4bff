//! The orders of the caller for which keys were delivered.

use axum::extract::State;
use axum::response::Response;
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
use crate::http::show::PageOf;

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

/// A page of the list.
type PurchasePage = PageOf<purchase_list::Row>;

/// Lists the orders of the account with keys, last paid first.
///
/// The keys themselves are shown with `POST /v1/orders/{id}/keys/reveal`.
#[utoipa::path(get, path = "/v1/me/purchases", operation_id = "listPurchases",
    tag = "me", params(PurchasesQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of purchases", body = PurchasePage)))]
pub(super) async fn purchases(
    State(app): State<Shared>,
    member: Member,
    Params(query): Params<PurchasesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    app.await_views(&[PurchaseList::NAME], &headers).await?;
    let query = purchase_list::Query { account: member.1, ask };
    Ok(reply::json(app.views.purchase_list(&query).await?.json()))
}
