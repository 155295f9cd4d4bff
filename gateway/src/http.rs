//! HTTP: every route under `/v1`, and what all of them share at the edge.
//!
//! Read [`ask`] for how a request becomes a command, then an area such as [`carts`], then [`openapi`].

pub mod accounts;
pub mod admin;
pub mod api_keys;
pub mod ask;
pub mod audit;
pub mod auth;
pub mod body;
pub mod bulk;
pub mod carts;
pub mod categories;
mod dev_mail;
mod fresh;
pub mod images;
pub mod language;
pub mod lists;
mod local;
pub mod matrix;
pub mod me;
mod mode;
pub mod notifications;
pub mod openapi;
pub mod operations;
pub mod orders;
mod pages;
pub mod parameters;
mod payments;
pub mod print;
pub mod products;
pub mod promotions;
pub mod provider;
pub mod returns;
pub mod search;
pub mod second_factor;
pub mod sessions;
pub mod shipments;
pub mod shipping;
pub mod show;
pub mod stock;
pub mod story;
pub mod tax;
pub mod variants;
pub mod webhooks_out;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use byteshop_commands::Commands;
use byteshop_commands::ports::webhook::WebhookClient;
use byteshop_eventstore::Clock;
use byteshop_projections::Views;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use http::{HeaderName, HeaderValue, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::cors::Origins;
use crate::ended::Ended;
use crate::grpc;
use crate::limits::{Limits, RATE_LIMIT, RATE_LIMIT_POLICY, cost};
use crate::password::Passwords;
use crate::pictures::Pictures;
use crate::problem::Problem;
use crate::reply::Sealed;
use crate::staff::StaffRules;
use crate::token::Tokens;
use crate::uses::Uses;
pub use operations::Health;

/// The id of a request: a UUID of the caller's, or a new one.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Everything that answering requests takes.
#[derive(Clone)]
pub struct App {
    /// The write side, and aggregates for queries.
    pub commands: Commands,
    /// The read side.
    pub views: Views,
    /// The keys of access tokens.
    pub tokens: Tokens,
    /// The metrics of this process.
    pub metrics: PrometheusHandle,
    /// Which roles of this process are up.
    pub health: Health,
    /// How much one visitor may ask.
    pub limits: Limits,
    /// Whose pages may ask from a browser.
    pub cors: Origins,
    /// What hashes passwords.
    pub passwords: Passwords,
    /// Whether throw-away mailboxes are refused.
    pub refuse_disposable: bool,
    /// How long goods stay reserved for an order that is not paid.
    pub pay_within: TimeDelta,
    /// How the shop trades.
    pub trade: crate::trade::Trade,
    /// What is asked of those who work here.
    pub staff: StaffRules,
    /// Development: what only a laptop may show.
    pub dev: bool,
    /// What posts to webhook endpoints.
    pub webhooks: WebhookClient,
    /// Cancelled when the process stops: what would go on for ever ends.
    pub closing: CancellationToken,
    /// Whose access tokens open nothing any more.
    pub ended: Ended,
    /// The furthest position that this process knows of.
    pub seen: Seen,
    /// Where pictures are made and kept.
    pub pictures: Pictures,
    /// When keys of programs were last used.
    pub uses: Uses,
}

/// What the handlers share.
pub type Shared = Arc<App>;

/// The furthest position of the log that this process knows of.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<AtomicI64>);

impl Seen {
    /// The position.
    pub fn highest(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Hears of a position.
    pub fn raise(&self, position: i64) {
        self.0.fetch_max(position, Ordering::Relaxed);
    }
}

/// What the edge knows of a request before anybody reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) request_id: Uuid,
    /// What begins with this request. The caller may choose the id of a request, and so that of another one.
    pub(crate) chain: Uuid,
    pub(crate) address: IpAddr,
}

/// The whole of HTTP; [`serve`](crate::serve::serve) it, so that limits know who asks.
pub fn router(app: App) -> Router {
    let app: Shared = Arc::new(app);
    let (routes, _) = openapi::routes().split_for_parts();
    let at_edge = from_fn_with_state(Arc::clone(&app), edge);
    let mut shop = routes
        .route_layer(from_fn(parameters::known))
        .merge(pages::routes())
        .merge(grpc::routes(&app))
        .fallback(pages::nothing)
        .layer(at_edge.clone());
    // Before the edge: what a browser asks for leave with counts for nobody, and a page reads refusals of the edge, too.
    if let Some(cors) = app.cors.layer() {
        shop = shop.layer(cors);
    }
    // No page of anybody else's may ask for those of development.
    shop.merge(pages::development().layer(at_edge)).with_state(app)
}

/// What happens to every request: it gets an id, is counted and measured, and its problem gets a body.
async fn edge(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
    let address = app.limits.proxies().visitor(peer, request.headers());
    let given = request.headers().get(REQUEST_ID).and_then(|value| Uuid::try_parse_ascii(value.as_bytes()).ok());
    let chain = Clock.new_id();
    let request_id = given.unwrap_or(chain);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let is_grpc = grpc::speaks(request.headers());
    let cost = cost::of(&method, route.as_ref().map(MatchedPath::as_str));
    let standing = app.limits.address(address, cost);
    let (standing, seat) = match standing.and_then(|standing| Ok((standing, app.limits.under_way(address)?))) {
        Ok((standing, seat)) => (Ok(standing), seat),
        Err(problem) => (Err(problem), None),
    };
    let mut response = match &standing {
        Ok(_) => {
            request.extensions_mut().insert(Edge { request_id, chain, address });
            let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            answer.unwrap_or_else(|panic| {
                let said = panic.downcast_ref::<&str>().copied();
                let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
                tracing::error!(%request_id, said, "a handler panicked");
                Problem::internal().into_response()
            })
        }
        Err(problem) => problem.clone().into_response(),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = response.headers().get(http::header::ALLOW).cloned();
        response = Problem::no_method().into_response();
        response.headers_mut().extend(allow.map(|allow| (http::header::ALLOW, allow)));
    }
    if let Some(Sealed(text)) = response.extensions_mut().remove::<Sealed>() {
        match app.commands.vault().open_json(&text).await {
            Ok(opened) => *response.body_mut() = opened.into(),
            Err(error) => response = Problem::from(byteshop_commands::Error::from(error)).into_response(),
        }
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        tracing::debug!(%request_id, code = problem.code(), status = problem.status().as_u16(), "refused");
        if is_grpc {
            response = Status::from(&problem).into_http();
        } else {
            *response.body_mut() = problem.render(request_id).into();
        }
    }
    let mut id = [0u8; uuid::fmt::Hyphenated::LENGTH];
    let id = HeaderValue::from_str(request_id.hyphenated().encode_lower(&mut id));
    let headers = response.headers_mut();
    headers.extend(id.ok().map(|id| (REQUEST_ID, id)));
    if let Ok(Some(standing)) = standing {
        headers.insert(RATE_LIMIT_POLICY, standing.policy);
        headers.insert(RATE_LIMIT, standing.left);
    }
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let status = response.status().as_u16().to_string();
    metrics::histogram!("byteshop_http_seconds", "method" => name(&method), "route" => route, "status" => status)
        .record(started.elapsed());
    match seat {
        Some(seat) => response.map(|body| seat.until_sent(body)),
        None => response,
    }
}

/// A method as a label: what clients make up is one name, so that they cannot make up series of metrics.
fn name(method: &http::Method) -> &'static str {
    match *method {
        http::Method::GET => "GET",
        http::Method::POST => "POST",
        http::Method::PUT => "PUT",
        http::Method::PATCH => "PATCH",
        http::Method::DELETE => "DELETE",
        http::Method::HEAD => "HEAD",
        http::Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
