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
use crate::followers::{Follower, Part, Standing};
use crate::reply;

/// How long Postgres may take to say that it is there; whoever asks for health asks again soon.
const PATIENCE: Duration = Duration::from_secs(2);
/// What Postgres is called among the roles.
const POSTGRES: &str = "postgres";

/// The state of a role of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum RoleState {
    /// It is starting.
    Starting,
    /// It is up.
    Up,
    /// It is down.
    Down {
        /// The reason.
        reason: String,
    },
}

/// Which roles this process has, what each is doing, and how what follows the log was last seen. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Health {
    roles: Arc<RwLock<BTreeMap<&'static str, RoleState>>>,
    followers: Arc<RwLock<Vec<Follower>>>,
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

    /// Says how what follows the log was seen just now.
    pub fn follow(&self, seen: Vec<Follower>) {
        *self.followers.write().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// The followers of the log as last seen; empty before the first look.
    pub fn followers(&self) -> Vec<Follower> {
        self.followers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The state of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Condition {
    /// Everything works.
    Ready,
    /// It answers, and an operator must act: a follower of the log is stalled.
    Degraded,
    /// It cannot answer requests: use another process.
    Unavailable,
}

/// Whether the process can answer requests.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    status: Condition,
    /// Whether to send requests here.
    ready: bool,
    /// The roles of the process.
    #[schema(value_type = std::collections::HashMap<String, RoleState>)]
    roles: BTreeMap<&'static str, RoleState>,
    /// Followers of the log in any process, as seen a few seconds ago.
    followers: Vec<Seen>,
}

/// A follower of the log. The operator sees the reason of a stall with `byteshop check`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Follower)]
struct Seen {
    part: Part,
    name: String,
    state: Standing,
    /// The last position it has read, if known.
    #[schema(required = true)]
    position: Option<i64>,
    /// Events not yet processed.
    #[schema(required = true)]
    lag: Option<i64>,
}

impl Readiness {
    /// A process without Postgres, or on its way, can do nothing. Whatever else stands still, commands are taken and what
    /// follows from them is done later: turning visitors away would only make it worse.
    fn of(roles: BTreeMap<&'static str, RoleState>, followers: Vec<Follower>) -> Self {
        let mut stands = roles.iter().map(|(role, state)| match state {
            RoleState::Up => Condition::Ready,
            RoleState::Down { .. } if *role != POSTGRES => Condition::Degraded,
            RoleState::Starting | RoleState::Down { .. } => Condition::Unavailable,
        });
        let status = if stands.clone().any(|it| it == Condition::Unavailable) {
            Condition::Unavailable
        } else if stands.all(|it| it == Condition::Ready)
            && followers.iter().all(|follower| follower.state == Standing::Live)
        {
            Condition::Ready
        } else {
            Condition::Degraded
        };
        let seen = |Follower { part, name, state, position, lag, .. }| Seen { part, name, state, position, lag };
        let followers = followers.into_iter().map(seen).collect();
        Self { status, ready: status != Condition::Unavailable, roles, followers }
    }
}

/// Liveness of the process.
#[utoipa::path(get, path = "/health/live", operation_id = "getLiveness",
    tag = "operations", responses((status = 200, description = "Alive", content_type = "text/plain", body = String)))]
async fn live() -> &'static str {
    "live\n"
}

/// Readiness of the process.
///
/// Ready when all roles of the process are up and Postgres answers. With a stalled view, process or relay the shop
/// stays open and the status is `degraded`.
#[utoipa::path(get, path = "/health/ready", operation_id = "getReadiness",
    tag = "operations", responses(
    (status = 200, description = "Ready, possibly degraded", body = Readiness),
    (status = 503, description = "Not ready", body = Readiness)))]
async fn ready(State(app): State<Shared>) -> Response {
    let readiness = readiness(&app).await;
    let mut response = reply::json(serde_json::to_string(&readiness).unwrap_or_default());
    if !readiness.ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Whether to send requests here.
pub(crate) async fn can_answer(app: &Shared) -> bool {
    readiness(app).await.ready
}

async fn readiness(app: &Shared) -> Readiness {
    let mut roles = app.health.roles();
    let postgres = match tokio::time::timeout(PATIENCE, app.commands.log().head()).await {
        Ok(Ok(_)) => RoleState::Up,
        Ok(Err(_)) => RoleState::Down { reason: "it does not answer".into() },
        Err(_) => RoleState::Down { reason: "it does not answer in time".into() },
    };
    roles.insert(POSTGRES, postgres);
    Readiness::of(roles, app.health.followers())
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", operation_id = "getMetrics",
    tag = "operations", responses((status = 200, description = "The metrics", content_type = "text/plain", body = String)))]
async fn metrics(State(app): State<Shared>) -> Response {
    text("text/plain; version=0.0.4; charset=utf-8", app.metrics.render())
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
