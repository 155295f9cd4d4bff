//! The log: one totally ordered, gapless, append-only history in Postgres (schema `log`), and the only SQL that touches it.
//!
//! Read [`envelope`], then [`append`] with `migrations/0001_log.sql`, then [`read`], then
//! [`personal`] and [`subject`].

pub mod append;
mod backoff;
pub mod cart_total;
pub mod clock;
pub mod credential;
pub mod database;
pub mod delivery;
pub mod emulator;
pub mod envelope;
pub mod erased;
mod error;
pub mod feed;
pub mod instance;
pub mod kept;
pub mod nats;
pub mod personal;
mod pool;
pub mod pool_key;
pub mod process;
pub mod read;
pub mod receipt;
pub mod roles;
pub mod rotate;
pub mod row;
pub mod subject;
#[cfg(test)]
mod testing;
pub mod webhook;

use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

pub use append::{Append, Outcome};
pub use backoff::Backoff;
pub use clock::Clock;
pub use envelope::{Meta, NewEvent, Recorded, StreamId};
pub use error::{AWAY, StoreError, Trouble, advice, is_outage};
pub use personal::{DataKeys, SealError, random};
pub use pool::PoolUse;
pub use receipt::{NewReceipt, Receipt};
pub use subject::Vault;

/// The migrations of schema `log`, in order.
const MIGRATIONS: &[(&str, &str)] = migrations![
    "0001_log",
    "0002_delivery_and_processes",
    "0003_subject_key",
    "0004_messages_and_webhooks",
    "0005_emulator",
    "0006_kept_person",
    "0007_receipt_expiry",
    "0008_data_key",
    "0009_instance",
    "0010_credential_use",
    "0015_cart_total",
    "0016_leaf_at_planned_once",
    "0022_pool_key",
];

/// How long a caller waits for a free connection before it gets an error that the store is busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Readers per process; the writer has its own connection.
const MAX_CONNECTIONS: u32 = 16;

/// A connection that its holder keeps, for what is asked so often that a pool would cost more than the question.
pub type Connection = sqlx::PgConnection;

/// The log of one shop.
#[derive(Debug, Clone)]
pub struct Log {
    pool: PgPool,
    options: PgConnectOptions,
}

impl Log {
    /// The log in a database; connects when first used.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when the URL cannot be read.
    pub fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_with(url, MAX_CONNECTIONS)
    }

    /// The log in a database, with so many connections for reading at most.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when the URL cannot be read.
    pub fn open_with(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let options: PgConnectOptions = url.parse()?;
        // Every statement of ours is the same for any arguments, and most run in less time than planning them takes.
        let options = options.application_name("byteshop").options([("plan_cache_mode", "force_generic_plan")]);
        // Statements are counted and timed where they are asked; their text is of no use to who reads the program's log.
        let options = options.disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .connect_lazy_with(options.clone());
        Ok(Self { pool, options })
    }

    /// Brings schema `log` up to date.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // The history of migrations lives in the schema that it describes, so that other crates have their own.
        sqlx::raw_sql("create schema if not exists log").execute(&self.pool).await?;
        let mut connection = self.pool.acquire().await?;
        sqlx::query("set search_path to log, public").execute(&mut *connection).await?;
        let outcome = row::migrator(MIGRATIONS).run(&mut *connection).await;
        sqlx::query("reset search_path").execute(&mut *connection).await?;
        Ok(outcome?)
    }

    /// The pool of connections, for reading.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How the pool is used just now.
    pub fn pool_use(&self) -> PoolUse {
        PoolUse::of("log", &self.pool)
    }

    /// How to connect, for those who need a connection of their own.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// The version of Postgres, such as `15.18`.
    pub async fn server_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar("select split_part(current_setting('server_version'), ' ', 1)")
            .fetch_one(&self.pool)
            .await?)
    }

    /// A connection for reading, for who keeps it.
    pub async fn connect(&self) -> Result<Connection, StoreError> {
        Ok(self.options.connect().await?)
    }

    /// A connection for appending: it may not hold the head row while it sleeps, nor wait for it for ever.
    pub async fn writer(&self) -> Result<Connection, StoreError> {
        let options = self.options.clone().options([
            ("idle_in_transaction_session_timeout", "2s"),
            ("lock_timeout", "10s"),
            ("statement_timeout", "60s"),
            ("synchronous_commit", "on"),
        ]);
        Ok(options.connect().await?)
    }
}
