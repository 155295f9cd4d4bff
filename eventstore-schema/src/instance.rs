//! Whether this database is the one that the shop was last at home in, or a backup that was restored. Events that happened after a
//! backup are missing in it: money that was taken, and numbers that buyers have on their invoices.

use chrono::{DateTime, Utc};

use crate::Log;
use crate::clock::Clock;
use crate::error::StoreError;

/// The identity of a database: the server's identifier and its timeline (point-in-time recovery and promotion start a
/// new one), the database in it, and the table of events, which `pg_restore` creates again.
const IDENTITY: &str = "select concat_ws('/',
    (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()),
    (select oid from pg_database where datname = current_database()), 'log.event'::regclass::oid)";

/// A stop of payments until an operator confirms the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

crate::from_row!(Closed { since = "closed_at", reason });

impl Log {
    /// Compares this database with the one that the shop was last at home in, and closes payments when it is another one. Gives
    /// why they are closed, from now on or from before.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when Postgres does not answer.
    pub async fn recognize(&self) -> Result<Option<Closed>, StoreError> {
        let identity: String = sqlx::query_scalar(IDENTITY).fetch_one(self.pool()).await?;
        let known: String = sqlx::query_scalar(
            "with first as (
                insert into log.instance (identity, known_at) values ($1, $2) on conflict do nothing returning identity)
             select identity from first union all select identity from log.instance limit 1",
        )
        .bind(&identity)
        .bind(Clock.now())
        .fetch_one(self.pool())
        .await?;
        if known != identity {
            self.close("the log is in a different database: a backup was restored").await?;
        }
        self.closed().await
    }

    /// Stops payments until an operator confirms that the log is right; the first reason is kept.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when Postgres does not answer.
    pub async fn close(&self, reason: &str) -> Result<(), StoreError> {
        sqlx::query("update log.instance set closed_at = $1, reason = $2 where closed_at is null")
            .bind(Clock.now())
            .bind(reason)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Why payments are closed; none when they are not.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when Postgres does not answer.
    pub async fn closed(&self) -> Result<Option<Closed>, StoreError> {
        Ok(sqlx::query_as("select closed_at, reason from log.instance where closed_at is not null")
            .fetch_optional(self.pool())
            .await?)
    }

    /// Resumes payments: an operator has confirmed the log, and this database is the one from now on. False if payments
    /// were not stopped.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when Postgres does not answer.
    pub async fn confirm(&self) -> Result<bool, StoreError> {
        let identity: String = sqlx::query_scalar(IDENTITY).fetch_one(self.pool()).await?;
        let opened = sqlx::query(
            "update log.instance set identity = $1, known_at = $2, closed_at = null, reason = null where closed_at is not null",
        )
        .bind(identity)
        .bind(Clock.now())
        .execute(self.pool())
        .await?;
        Ok(opened.rows_affected() > 0)
    }
}
