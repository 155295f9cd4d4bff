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
mod by_link;
mod caching;
pub mod carts;
pub mod categories;
mod dev_mail;
mod edge;
mod fresh;
pub(crate) mod guard;
mod guide;
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
pub mod past;
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
mod total;
pub mod trail;
pub mod unsubscribe;
pub mod variants;
pub mod webhooks_out;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use byteshop_commands::Commands;
use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::webhook::WebhookClient;
use byteshop_projections::Views;
use chrono::TimeDelta;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::cors::Origins;
use crate::ended::Ended;
use crate::grpc;
use crate::health::Health;
use crate::known::Known;
use crate::limits::Limits;
use crate::password::Passwords;
use crate::pictures::Pictures;
use crate::positions::Positions;
use crate::staff::StaffRules;
use crate::token::Tokens;
use crate::uses::Uses;
pub use edge::REQUEST_ID;
pub(crate) use edge::{Asker, Edge};

/// Everything that answering requests takes.
#[derive(Clone)]
pub struct App {
    /// The write side, and aggregates for queries.
    pub commands: Commands,
    /// The read side.
    pub views: Views,
    /// The keys of access tokens.
    pub tokens: Tokens,
    /// How this process is.
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
    /// What this process knows of positions of the log.
    pub seen: Seen,
    /// Where pictures are made and kept.
    pub pictures: Pictures,
    /// When keys of programs were last used.
    pub uses: Uses,
}

/// What the handlers share.
pub type Shared = Arc<App>;

/// What this process has seen: the furthest position of the log, how positions are shown, and whose sessions are whose. Clones
/// share everything.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    highest: Arc<AtomicI64>,
    pub(crate) positions: Arc<OnceCell<Positions>>,
    pub(crate) sessions: Known,
}

impl Seen {
    /// The position.
    pub fn highest(&self) -> i64 {
        self.highest.load(Ordering::Relaxed)
    }

    /// Hears of a position.
    pub fn raise(&self, position: i64) {
        self.highest.fetch_max(position, Ordering::Relaxed);
    }
}

/// The whole of HTTP; [`serve`](crate::serve::serve) it, so that limits know who asks.
pub fn router(app: App) -> Router {
    let app: Shared = Arc::new(app);
    let (routes, _) = openapi::routes().split_for_parts();
    let at_edge = from_fn_with_state(Arc::clone(&app), edge::pass);
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
    if app.dev {
        let emulator = app.commands.connected().has_provider(Provider::Test);
        shop = shop.merge(pages::development(emulator).layer(at_edge));
    }
    shop.with_state(app)
}
