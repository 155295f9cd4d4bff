//! The state that all handlers share: the two sides of the shop, and the caches of this process.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use byteshop_commands::Commands;
use byteshop_commands::ports::private_files::PrivateFiles;
use byteshop_commands::ports::webhook::WebhookClient;
use byteshop_projections::Views;
use chrono::TimeDelta;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::edge::compressed::Compressed;
use crate::edge::contract::Contract;
use crate::edge::cors::Origins;
use crate::edge::limits::Limits;
use crate::edge::measures::Measures;
use crate::edge::positions::Positions;
use crate::health::Health;
use crate::pictures::Pictures;
use crate::queries::reductions::Reductions;
use crate::security::ended_sessions::Ended;
use crate::security::key_uses::Uses;
use crate::security::known_sessions::Known;
use crate::security::password::Passwords;
use crate::security::token::Tokens;
use crate::staff::StaffRules;
use crate::trade::Trade;

/// The dependencies of the handlers.
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
    /// The contract of the routes; it is built at the first use.
    pub contract: &'static LazyLock<Contract>,
    /// How much one visitor may ask.
    pub limits: Limits,
    /// The origins whose pages may call the API from a browser.
    pub cors: Origins,
    /// The password hasher.
    pub passwords: Passwords,
    /// Whether disposable e-mail addresses are refused.
    pub refuse_disposable: bool,
    /// How long goods stay reserved for an order that is not paid.
    pub pay_within: TimeDelta,
    /// How the shop trades.
    pub trade: Trade,
    /// The rules for staff.
    pub staff: StaffRules,
    /// Development: what only a laptop may show.
    pub dev: bool,
    /// The client that posts to webhook endpoints.
    pub webhooks: WebhookClient,
    /// Cancelled when the process stops: what would go on for ever ends.
    pub closing: CancellationToken,
    /// The sessions whose access tokens are no longer accepted.
    pub ended: Ended,
    /// The log positions that this process has seen.
    pub seen: Seen,
    /// Where pictures are made and kept.
    pub pictures: Pictures,
    /// Where files that are sold are kept.
    pub sold_files: PrivateFiles,
    /// When keys of programs were last used.
    pub uses: Uses,
    /// Compressed responses.
    pub compressed: Compressed,
    /// The metrics of requests.
    pub measures: Measures,
    /// The lowest prices before reductions.
    pub reductions: Reductions,
}

/// The shared state of the handlers.
pub type Shared = Arc<App>;

/// The furthest position of the log that this process has seen, the encryption of positions, and the known sessions.
/// Clones share everything.
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
