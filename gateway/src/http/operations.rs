//! What the people and programs that run the shop ask: whether it lives, how it is doing, how to talk to it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Shared, openapi};
use crate::reply;

/// How long Postgres may take to say that it is there; whoever asks for health asks again soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// What one role of the process is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RoleState {
    /// It is on its way.
    Starting,
    /// It works.
    Up,
    /// It does not.
    Down {
        /// Why.
        reason: String,
    },
}

/// Which roles this process has, and what each is doing. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Health {
    roles: Arc<RwLock<BTreeMap<&'static str, RoleState>>>,
}

impl Health {
    /// Says what a role is doing; the first word about a role makes it one that readiness waits for.
    pub fn set(&self, role: &'static str, state: RoleState) {
        self.roles.write().unwrap_or_else(PoisonError::into_inner).insert(role, state);
    }

    /// What every role is doing.
    pub fn roles(&self) -> BTreeMap<&'static str, RoleState> {
        self.roles.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Whether the process can answer.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// Each role of the process.
    #[schema(value_type = std::collections::HashMap<String, RoleState>)]
    roles: BTreeMap<&'static str, RoleState>,
}

/// Whether the process lives: it does if it answers.
#[utoipa::path(get, path = "/health/live", tag = "operations", responses((status = 200, description = "It lives", content_type = "text/plain", body = String)))]
async fn live() -> &'static str {
    "live\n"
}

/// Whether the process can do its work: its roles are up and Postgres answers.
#[utoipa::path(get, path = "/health/ready", tag = "operations", responses(
    (status = 200, description = "It can", body = Readiness),
    (status = 503, description = "It cannot, or not yet", body = Readiness)))]
async fn ready(State(app): State<Shared>) -> Response {
    let mut roles = app.health.roles();
    let postgres = match tokio::time::timeout(PATIENCE, app.commands.log().head()).await {
        Ok(Ok(_)) => RoleState::Up,
        Ok(Err(_)) => RoleState::Down { reason: "it does not answer".into() },
        Err(_) => RoleState::Down { reason: "it does not answer in time".into() },
    };
    roles.insert("postgres", postgres);
    let ready = roles.values().all(|state| *state == RoleState::Up);
    let text = serde_json::to_string(&Readiness { ready, roles }).unwrap_or_default();
    let mut response = reply::json(text);
    if !ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// The metrics of the process, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "The metrics", content_type = "text/plain", body = String)))]
async fn metrics(State(app): State<Shared>) -> Response {
    text("text/plain; version=0.0.4; charset=utf-8", app.metrics.render())
}

/// The public keys of access tokens (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "operations", responses((status = 200, description = "The keys", content_type = "application/jwk-set+json", body = Object)))]
async fn jwks(State(app): State<Shared>) -> Response {
    text("application/jwk-set+json", app.tokens.jwks())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
async fn document() -> Response {
    text("application/json", openapi::document().to_owned())
}

fn text(content_type: &'static str, text: String) -> Response {
    let mut response = Body::from(text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(metrics))
        .routes(routes!(jwks))
        .routes(routes!(document))
}
