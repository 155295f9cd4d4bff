//! The list of returns, in which staff finds what waits for it.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::ids::OrderId;
use byteshop_domain::returns::Stage;
use byteshop_projections::View as _;
use byteshop_projections::return_list::{self, ReturnList};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::Params;
use crate::edge::problem::Problem;
use crate::edge::{lists, reply};
use crate::http::show;

/// Which returns are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the return.
    #[param(value_type = Option<crate::http::show::names::ReturnStatus>)]
    status: Option<Stage>,
    /// Only of this order.
    #[param(value_type = Option<String>)]
    order: Option<OrderId>,
    /// Page size: 20 by default, at most 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A return in a list. The buyer's comment is in the return itself.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct ReturnRow {
    #[schema(example = "ret_01h455vb4pex5vsknk084sn02q")]
    id: String,
    order: String,
    /// The state of the return.
    #[schema(example = "requested")]
    status: crate::http::show::names::ReturnStatus,
    lines: Vec<show::LineQuantity>,
    /// Why the goods are returned.
    reason: crate::http::show::names::ReturnReason,
    /// The number of pieces to return.
    quantity: i64,
    /// The amount refunded; null until the goods are received.
    #[schema(required = true)]
    amount: Option<show::Money>,
    /// The refund; null until the goods are received, and if there is nothing to refund.
    #[schema(required = true)]
    refund: Option<String>,
    /// Null until the goods are received.
    #[schema(required = true)]
    credit_note: Option<String>,
    requested_at: DateTime<Utc>,
    /// When it last changed.
    changed_at: DateTime<Utc>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct ReturnPage {
    items: Vec<ReturnRow>,
    /// The cursor of the next page.
    #[schema(required = true)]
    next: Option<String>,
}

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
    let ask = lists::ask(query.limit, query.cursor)?;
    app.await_views(&[ReturnList::NAME], &headers).await?;
    let query = return_list::Query { status: query.status, order: query.order, ask };
    Ok(reply::json(app.views.return_list(&query).await?.json))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}
