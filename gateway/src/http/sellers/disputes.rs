//! The disputes about orders with a part of a seller: what each holds of the seller's balance, and nothing of other sellers.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::dispute::Status;
use byteshop_domain::ids::SellerId;
use byteshop_projections::View as _;
use byteshop_projections::dispute_list::{self, DisputeList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Of, Params};
use crate::edge::lists;
use crate::edge::parameters::period;
use crate::edge::problem::Problem;
use crate::edge::values::{DayOrTime, Limit};
use crate::http::show::dispute::SellerDisputePage;

/// Which disputes are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the dispute.
    status: Option<Status>,
    /// Opened on this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Opened before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the disputes about orders with a part of a seller, newest first.
#[utoipa::path(get, path = "/v1/sellers/{id}/disputes", operation_id = "listSellerDisputes",
    tag = "sellers", params(("id" = String, Path), ListQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page of disputes", body = SellerDisputePage)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let ListQuery { status, from, until, limit, cursor } = query;
    let (from, until) = period(from, until)?;
    let ask = lists::ask(limit, cursor);
    app.await_views(&[DisputeList::NAME], &headers).await?;
    let query = dispute_list::Query { seller: Some(id), status, from, until, ask, ..dispute_list::Query::default() };
    let found = app.views.dispute_list(&query).await?;
    lists::page(&SellerDisputePage::of(id, &found.rows()?, found.next.clone()))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}
