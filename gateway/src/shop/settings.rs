//! What differs between the processes of shops: their roles, what they are connected to, and their limits.

use std::net::SocketAddr;
use std::sync::Arc;

use byteshop_commands::Connected;
use byteshop_commands::notify::outside::Outside;
use byteshop_commands::ports::blobs::Blobs;
use byteshop_commands::relay::NatsConfig;
use byteshop_eventstore::DataKeys;
use byteshop_eventstore::erased::ErasedList;
use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::config::{OperationsAddress, OutsideConfig, Shown};
use crate::edge::cors::Origins;
use crate::edge::limits::Limits;
use crate::rotation::KeySource;
use crate::security::token::Tokens;
use crate::staff::StaffRules;
use crate::trade::Trade;

/// Which roles a process runs, and on what.
pub struct Settings {
    /// Where Postgres is.
    pub database_url: String,
    /// Connections for reading the log, at most.
    pub database_connections: u32,
    /// Where JetStream is and what the stream is called. Without it, views and processes read the log from Postgres alone.
    pub nats: Option<NatsConfig>,
    /// Which roles run.
    pub roles: Roles,
    /// Where operators reach this process.
    pub operations: OperationsAddress,
    /// The settings that operators can see.
    pub shown: Arc<Shown>,
    /// The keys that sign and verify access tokens, where HTTP is served.
    pub tokens: Option<Tokens>,
    /// The data keys.
    pub data_keys: DataKeys,
    /// Where those come from.
    pub key_source: KeySource,
    /// Where those who were erased are written down outside of the database; none where nothing personal is opened.
    pub erased: Option<Arc<dyn ErasedList>>,
    /// The metrics of this process.
    pub metrics: PrometheusHandle,
    /// How much one visitor may ask.
    pub limits: Limits,
    /// The origins whose pages may call the API from a browser.
    pub cors: Origins,
    /// Whether disposable e-mail addresses are refused.
    pub refuse_disposable: bool,
    /// How long an order waits for its payment.
    pub pay_within: TimeDelta,
    /// How the shop trades.
    pub trade: Trade,
    /// The rules for staff.
    pub staff: StaffRules,
    /// The payment providers and carriers that the shop is connected to.
    pub connected: Connected,
    /// Development: what only a laptop may show.
    pub dev: bool,
    /// What carries messages to people.
    pub messages: Messages,
    /// Whether webhooks may go to this machine and its network, and over HTTP.
    pub webhook_private: bool,
    /// Where files are kept, where HTTP is served or processes run.
    pub files: Option<Blobs>,
}

/// What carries messages to people.
pub enum Messages {
    /// The carriers that the configuration names.
    Configured(Box<OutsideConfig>),
    /// These.
    Given(Outside),
    /// Nothing: they are stored.
    Stored,
}

/// The roles of a process.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    /// Serve HTTP there.
    pub serve: Option<SocketAddr>,
    /// Run these views, all when the list is empty, and the processes.
    pub work: Option<Vec<String>>,
    /// Relay the log to JetStream.
    pub relay: bool,
}
