//! The configuration: flags before `BYTESHOP_*` variables before `byteshop.toml` before defaults, with all mistakes told at once.

mod address;
mod kind;
mod mistake;
mod outside;
mod rate_limits;
mod reader;
mod settings;
mod show;
mod source;
mod trade;

use std::net::IpAddr;
use std::path::PathBuf;

use byteshop_commands::Connected;
use chrono::TimeDelta;

use crate::edge::cors::Origins;
use crate::edge::proxies::Proxies;
use crate::staff::StaffRules;
use crate::trade::Trade;
pub use address::OperationsAddress;
pub use kind::{Files, LogFormat};
pub use mistake::{Mistake, Mistakes};
pub use outside::{OutsideConfig, ProviderConfig};
pub use rate_limits::RateLimits;
pub use reader::Inputs;
use reader::Reader;
pub use show::{InForce, Row, Shown, hide_password};
pub use source::Source;

/// The configuration in force.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting that is on or off")]
pub struct Config {
    /// A Postgres that already runs; `up` starts one when there is none.
    pub database_url: Option<String>,
    /// The same Postgres for the owner of the database, who brings it up to date; the one above when there is none.
    pub migration_database_url: Option<String>,
    /// A nats-server that already runs; `up` starts one when there is none.
    pub nats_url: Option<String>,
    /// The JetStream stream that the log is delivered on.
    pub nats_stream: String,
    /// Where a shop on one machine keeps everything.
    pub data: PathBuf,
    /// Whether the data directory was named on the command line, which then finds the shop before the URLs do.
    pub data_by_flag: bool,
    /// Where HTTP is served.
    pub address: IpAddr,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Where operators reach the process.
    pub operations: OperationsAddress,
    /// Development: tokens for everybody, mail that is kept and not sent.
    pub dev: bool,
    /// Whether a shop in development may listen beyond this machine.
    pub dev_beyond_loopback: bool,
    /// The key that signs access tokens: PKCS#8 in PEM, or the name of its file. Without one, a key is made in `data`.
    pub jwt_key: Option<String>,
    /// The keys that personal data is sealed under, 32 bytes as base64 each, separated by commas, or the name of their file;
    /// the first one seals. Without any, a key is made in `data`.
    pub data_key: Option<String>,
    /// How the log of the program is written.
    pub log_format: LogFormat,
    /// Whether each HTTP request leaves a line in it.
    pub access_log: bool,
    /// The log filter in the notation of `tracing`: `info`, `warn,byteshop_gateway=debug`.
    pub log_level: Option<String>,
    /// How long an order waits for its payment, in minutes.
    pub payment_window_minutes: u32,
    /// The payment providers and carriers that the shop is connected to.
    pub connected: Connected,
    /// How the shop trades: when money is taken, how long goods come back, who sells.
    pub trade: Trade,
    /// The trusted proxies between the shop and its visitors.
    pub trusted_proxies: Proxies,
    /// The origins whose pages may call the API from a browser, besides the shop's own.
    pub cors_origins: Origins,
    /// How much one address and one account may ask.
    pub rate_limits: RateLimits,
    /// Whether disposable e-mail addresses are refused.
    pub refuse_disposable_email: bool,
    /// Database connections of one process for reading the log; the views have some more.
    /// What is asked of those who work here.
    pub staff: StaffRules,
    /// Database connections of one process for reading the log; the views have some more.
    pub database_connections: u32,
    /// The settings of outgoing messages and webhooks.
    pub outside: OutsideConfig,
    /// The file storage; by default in the data directory.
    pub files: Option<Files>,
    /// The endpoint of the bucket's store; Amazon's by default.
    pub files_endpoint: Option<String>,
    /// The region of the bucket.
    pub files_region: String,
    /// S3 access key id.
    pub files_key_id: Option<String>,
    /// The bucket's key.
    pub files_secret: Option<String>,
    /// The directory of the programs of Postgres.
    pub pg_bin: Option<PathBuf>,
    /// The program nats-server.
    pub nats_server: Option<PathBuf>,
    in_force: Vec<InForce>,
}

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All mistakes, not only the first.
    pub fn load(inputs: &Inputs) -> Result<Self, Mistakes> {
        let mut reader = Reader::default();
        reader.gather(inputs);
        let config = reader.config();
        match config {
            Some(config) if reader.mistakes.is_empty() => {
                let order: Vec<_> = settings::all().map(|setting| setting.name).collect();
                reader.in_force.sort_by_key(|setting| order.iter().position(|name| *name == setting.name));
                Ok(Self { in_force: reader.in_force, ..config })
            }
            Some(_) | None => Err(Mistakes(reader.mistakes)),
        }
    }

    /// Warnings that operators must see before the shop sells.
    pub fn warnings(&self) -> Vec<String> {
        let open = (!self.dev).then(|| self.connected.warnings().into_iter().chain(self.outside.warning()));
        self.trade.warnings().chain(open.into_iter().flatten()).collect()
    }

    /// Every setting with its value and where it comes from; secrets are hidden.
    pub fn in_force(&self) -> &[InForce] {
        &self.in_force
    }
}

impl Shown {
    /// The settings of this process.
    pub fn of(config: &Config) -> Self {
        let settings = config.in_force().iter().map(Row::of).collect();
        Self { pid: std::process::id(), settings, warnings: config.warnings() }
    }
}

impl Reader {
    /// The rules for staff; none if one of the settings is invalid.
    fn staff(&mut self, dev: bool) -> Option<StaffRules> {
        let second_factor = self.read("staff_second_factor", dev.then_some("false"), kind::flag);
        let hours = self.read("staff_session_hours", None, kind::number(1_u16, 720));
        let large_refund = self.read("large_refund", None, kind::number(0, 1_000_000_000));
        let session = TimeDelta::hours(i64::from(hours?));
        Some(StaffRules { second_factor: second_factor?, session, large_refund: large_refund? })
    }

    /// Checks every setting; nothing when one that must have a value has none that can be used.
    fn config(&mut self) -> Option<Config> {
        let dev = self.read("dev", None, kind::flag);
        let dev_beyond_loopback = self.read("dev_beyond_loopback", None, kind::flag);
        let limit = if dev == Some(true) { Some("0") } else { None };
        let database_url = self.optional("database_url", kind::postgres_url);
        let migration_database_url = self.optional("migration_database_url", kind::postgres_url);
        let nats_url = self.optional("nats_url", kind::nats_url);
        let nats_stream = self.read("nats_stream", None, kind::stream_name);
        let data = self.read("data", None, kind::path);
        let address = self.read("address", None, kind::address);
        let port = self.read("port", None, kind::number(0, u16::MAX));
        let operations = self.operations();
        let (jwt_key, data_key) =
            (self.optional("jwt_key", kind::jwt_key), self.optional("data_key", kind::data_key));
        let log_format = self.read("log_format", None, kind::log_format);
        let access_log = self.read("access_log", None, kind::flag);
        let log_level = self.optional("log_level", kind::log_level);
        let trade = self.trade(limit);
        let connected = self.connected(dev == Some(true));
        let payment_window_minutes = self.read("payment_window_minutes", None, kind::number(1, 10_080));
        let trusted_proxies = self.optional("trusted_proxies", str::parse::<Proxies>);
        let here = if dev == Some(true) { Some("localhost") } else { None };
        let cors_origins = self.read("cors_origins", here, str::parse::<Origins>);
        let rate_limits = self.rate_limits(limit);
        let refuse_disposable_email = self.read("refuse_disposable_email", None, kind::flag);
        let staff = self.staff(dev == Some(true));
        let database_connections = self.read("database_connections", None, kind::number(2, 500));
        let outside = self.outside(dev == Some(true));
        let files = self.optional("files", kind::files);
        let files_endpoint = self.optional("files_endpoint", kind::http_url);
        let (files_region, files_key_id) =
            (self.read("files_region", None, kind::line), self.optional("files_key_id", kind::line));
        let files_secret = self.optional("files_secret", kind::line);
        let (pg_bin, nats_server) =
            (self.optional("pg_bin", kind::path), self.optional("nats_server", kind::path));
        Some(Config {
            database_url,
            migration_database_url,
            nats_url,
            nats_stream: nats_stream?,
            data: data?,
            data_by_flag: matches!(self.given.get("data"), Some((_, Source::Flag(_)))),
            address: address?,
            port: port?,
            operations: operations?,
            dev: dev?,
            dev_beyond_loopback: dev_beyond_loopback?,
            jwt_key,
            data_key,
            log_format: log_format?,
            access_log: access_log?,
            log_level,
            payment_window_minutes: payment_window_minutes?,
            connected: connected?,
            trade: trade?,
            trusted_proxies: trusted_proxies.unwrap_or_default(),
            cors_origins: cors_origins.unwrap_or_default(),
            rate_limits: rate_limits?,
            refuse_disposable_email: refuse_disposable_email?,
            staff: staff?,
            database_connections: database_connections?,
            outside: outside?,
            files,
            files_endpoint,
            files_region: files_region?,
            files_key_id,
            files_secret,
            pg_bin,
            nats_server,
            in_force: Vec::new(),
        })
    }
}

#[cfg(test)]
mod tests;
