//! The operations address: health in detail and metrics, for those who run the shop. Every role has one, on the loopback
//! interface unless the configuration says otherwise, since both tell how much the shop sells.

pub mod catalog;
mod exposition;
mod process;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use byteshop_eventstore::{Clock, Log};
use byteshop_projections::Views;
use http::{HeaderValue, StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{OperationsAddress, Shown};
use crate::edge::limits::permits::ConcurrencyLimit;
use crate::edge::proxies::Proxies;
use crate::edge::{guard, reply};
use crate::health::Health;
use crate::serve::{Patience, serve_with};

/// Connections at a time: a probe, a scraper, and an operator or two.
const CONNECTIONS: usize = 64;

/// How often what was recorded is filed.
const UPKEEP: Duration = Duration::from_secs(5);

/// The sources of the operations address. Clones share everything.
#[derive(Debug, Clone)]
pub struct Operations {
    /// How the process is.
    pub health: Health,
    /// The metrics that the process records.
    pub metrics: PrometheusHandle,
    /// The views whose connections are counted.
    pub views: Views,
    /// And the log beside them.
    pub log: Log,
    /// The settings in force, without secrets.
    pub settings: Arc<Shown>,
}

/// Listens where operators reach a process.
///
/// # Errors
/// When the address cannot be had.
pub async fn listen(OperationsAddress { address, is_chosen }: OperationsAddress) -> Result<TcpListener> {
    let taken = match TcpListener::bind(&address).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    if is_chosen {
        let advice = "choose another BYTESHOP_OPERATIONS_ADDRESS";
        return Err(taken).with_context(|| format!("cannot listen on {address}: {advice}"));
    }
    let anywhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
    TcpListener::bind(anywhere).await.with_context(|| format!("cannot listen on {}", anywhere.ip()))
}

/// The routes of the operations address.
pub fn router(operations: Operations) -> Router {
    Router::new()
        .route("/health/live", get(async || "live\n"))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/config", get(settings))
        .layer(from_fn(guarded))
        .with_state(operations)
}

/// Serves it until cancelled.
pub async fn serve(listener: TcpListener, operations: Operations, cancel: CancellationToken) {
    let bounds = (ConcurrencyLimit::new(CONNECTIONS, CONNECTIONS), Proxies::default());
    serve_with(listener, router(operations), bounds, cancel, Patience::default()).await;
}

/// Aggregates recorded metrics periodically, so that they do not grow while they are not scraped.
pub async fn upkeep(metrics: PrometheusHandle, cancel: CancellationToken) {
    let mut every = tokio::time::interval(UPKEEP);
    while cancel.run_until_cancelled(every.tick()).await.is_some() {
        metrics.run_upkeep();
    }
}

async fn ready(State(operations): State<Operations>) -> Response {
    let readiness = operations.health.readiness();
    let mut response = reply::json(serde_json::to_string(&readiness).unwrap_or_default());
    if !readiness.ready {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}

async fn settings(State(operations): State<Operations>) -> Response {
    reply::json(serde_json::to_string(&*operations.settings).unwrap_or_default())
}

async fn metrics(State(operations): State<Operations>) -> Response {
    let pools = [vec![operations.log.pool_use()], operations.views.pool_use()].concat();
    let read = exposition::text(&operations.health, &pools);
    let mut response = [operations.metrics.render(), read].concat().into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, text);
    response
}

/// The same as at the [edge](crate::http) of the shop: a request names its host once, and no browser shows more of a response than it
/// is.
async fn guarded(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = match guard::named_once(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let body = Body::from(problem.render(Clock.new_id()));
            problem.into_response().map(|_| body)
        }
    };
    let headers = response.headers_mut();
    guard::headers(&path, headers);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
