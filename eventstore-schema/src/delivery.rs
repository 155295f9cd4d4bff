//! Where JetStream stands against the log, kept beside the log because the log is the truth.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;

use crate::Log;
use crate::error::StoreError;

/// How often a follower of the log that does not lead looks whether it may.
pub const STAND_BY: Duration = Duration::from_secs(1);

/// A JetStream stream as the relay knows it: sequence + base = position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The difference between position and sequence; 0 until the stream is recreated for the first time.
    pub base: i64,
    /// When JetStream says that it created the stream: another moment means another stream.
    pub created_at: DateTime<Utc>,
    /// A position up to which everything was delivered once.
    pub relayed: i64,
}

crate::from_row!(Delivery { base, created_at, relayed });

impl Log {
    /// The stored state of a JetStream stream.
    pub async fn delivery(&self, stream: &str) -> Result<Option<Delivery>, StoreError> {
        Ok(sqlx::query_as("select base, created_at, relayed from log.delivery where stream = $1")
            .bind(stream)
            .fetch_optional(self.pool())
            .await?)
    }

    /// Remembers where a JetStream stream stands.
    pub async fn set_delivery(&self, stream: &str, delivery: &Delivery) -> Result<(), StoreError> {
        sqlx::query(
            "insert into log.delivery (stream, base, created_at, relayed) values ($1, $2, $3, $4)
             on conflict (stream) do update set base = excluded.base, created_at = excluded.created_at, relayed = excluded.relayed",
        )
        .bind(stream)
        .bind(delivery.base)
        .bind(delivery.created_at)
        .bind(delivery.relayed)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// A connection of its own that leads under this name, or nothing when another one leads.
    ///
    /// The lead ends with the connection, however that ends.
    pub async fn lead(&self, name: &str) -> Result<Option<Lead>, StoreError> {
        use sqlx::ConnectOptions as _;
        // What is written under a lead is derived from the log: when a crash takes the last of it, it is derived again.
        let options = self.options().clone().options([("synchronous_commit", "off")]);
        let mut connection = options.connect().await?;
        let leads: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended('byteshop ' || $1, 0))")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
        Ok(leads.then(|| Lead { name: name.to_owned(), connection }))
    }
}

/// The lead of one kind of work, held by a session-level advisory lock.
#[derive(Debug)]
pub struct Lead {
    /// The name that it leads under: of a process, its own.
    pub(crate) name: String,
    pub(crate) connection: PgConnection,
}

impl Lead {
    /// Fails when the connection, and with it the lead, is gone.
    pub async fn confirm(&mut self) -> Result<(), StoreError> {
        sqlx::query("select 1").execute(&mut self.connection).await?;
        Ok(())
    }

    /// The connection, for work that ends with the lead.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Releases the lease at once, before Postgres notices the lost connection.
    pub async fn resign(self) {
        use sqlx::Connection as _;
        // The process is stopping; after a failure Postgres notices the lost connection.
        let _ = self.connection.close().await;
    }
}
