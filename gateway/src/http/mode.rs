//! `GET /dev`: whether this shop is in development, for the commands beside it. In production there is nothing at this address.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use crate::app::Shared;
use crate::edge::problem::Problem;

async fn mode(State(app): State<Shared>) -> Result<Response, Problem> {
    if app.dev { Ok(Json(json!({"development": true})).into_response()) } else { Err(Problem::no_route()) }
}

/// The route; it is no part of the contract.
pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/dev", get(mode))
}
