//! The list of returns, in which staff finds what waits for it.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::ids::OrderId;
use byteshop_domain::returns::Stage;
use byteshop_projections::View as _;
use byteshop_projections::return_list::{self, ReturnList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::Params;
use crate::edge::problem::Problem;
use crate::edge::values::Limit;
use crate::edge::{lists, reply};
use crate::http::show::PageOf;

/// Which returns are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the return.
    status: Option<Stage>,
    /// Only of this order.
    order: Option<OrderId>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of the list.
type ReturnPage = PageOf<return_list::Row>;

/// Lists returns of all orders, newest first.
///
/// `status=requested` lists those waiting for a decision.
#[utoipa::path(get, path = "/v1/returns", operation_id = "listReturns",
    tag = "orders", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of returns", body = ReturnPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    app.await_views(&[ReturnList::NAME], &headers).await?;
    let query = return_list::Query { status: query.status, order: query.order, ask };
    Ok(reply::json(app.views.return_list(&query).await?.json()))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}
