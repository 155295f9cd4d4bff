//! Routes about the shop itself: health, public keys, and the OpenAPI document.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::contract::Contract;
use crate::edge::{caching, reply};

/// Whether this process can answer requests. The operations address shows the reason if not.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    status: ReadyStatus,
}

/// Whether requests can be answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ReadyStatus {
    /// The process answers requests.
    Ready,
    /// Send requests to another process.
    Unavailable,
}

/// Liveness of the process.
#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness",
    tag = "operations", responses((status = 200, description = "Alive", content_type = "text/plain", body = String)))]
async fn live() -> &'static str {
    "live\n"
}

/// Readiness of the process.
#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness",
    tag = "operations", responses(
    (status = 200, description = "Ready", body = Readiness),
    (status = 503, description = "Not ready", body = Readiness)))]
async fn ready(State(app): State<Shared>) -> Response {
    let ready = app.health.readiness().ready;
    let readiness = Readiness { status: if ready { ReadyStatus::Ready } else { ReadyStatus::Unavailable } };
    let mut response = reply::json(serde_json::to_string(&readiness).unwrap_or_default());
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Public keys of access tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "getSigningKeys",
    tag = "operations", responses((status = 200, description = "The keys", content_type = "application/jwk-set+json", body = crate::http::show::names::AnyObject)))]
async fn jwks(State(app): State<Shared>) -> Response {
    text("application/jwk-set+json", app.tokens.jwks())
}

/// This OpenAPI document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getApiDescription",
    tag = "operations", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = crate::http::show::names::AnyObject)))]
async fn document(State(app): State<Shared>, headers: HeaderMap) -> Response {
    let contract: &'static Contract = app.contract;
    let compressed = contract.compressed().filter(|_| caching::accepts_gzip(&headers));
    let mut response = match compressed {
        Some(compressed) => reply::fixed("application/json", compressed.clone()),
        None => reply::fixed("application/json", Bytes::from_static(contract.document().as_bytes())),
    };
    let headers = response.headers_mut();
    headers.extend(compressed.map(|_| (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

fn text(content_type: &'static str, text: String) -> Response {
    let mut response = Body::from(text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(jwks)).routes(routes!(document))
}
