//! The products of a seller as its members see them, drafts among them.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::ids::SellerId;
use byteshop_domain::product::Status;
use byteshop_projections::product_list::{Query, Shown};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Of, Params};
use crate::edge::problem::Problem;
use crate::edge::values::Limit;
use crate::edge::{lists, reply};
use crate::http::search::ProductPage;
use crate::queries::catalog::{self, words};

/// Which products are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the product; all by default.
    status: Option<Status>,
    /// Words from the title, the description, an attribute, an option or a SKU, as in `GET /v1/products`.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the products of a seller, drafts included.
#[utoipa::path(get, path = "/v1/sellers/{id}/products", operation_id = "listSellerProducts",
    tag = "sellers", params(("id" = String, Path), ListQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page of products", body = ProductPage)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let query = Query {
        shown: Shown::Own(query.status),
        seller: Some(id),
        q: query.q.map(words).transpose()?,
        ask: lists::ask(query.limit, query.cursor),
        ..Query::default()
    };
    let found = catalog::products(&app, &who.0, &headers, query, str::to_owned).await?;
    Ok(reply::json(found.json().map_err(Error::from)?.as_str().to_owned()))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}
