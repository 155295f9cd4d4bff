//! Receipts: every command that came with an idempotency key, and the first answer to it.

use chrono::{DateTime, Utc};

use crate::Log;
use crate::error::StoreError;

/// A receipt that is to be written in the append's own transaction.
#[derive(Debug, Clone)]
pub struct NewReceipt {
    /// The owner of the key: an account, a guest's cart, a process.
    pub who: String,
    /// The key, unique for them.
    pub key: String,
    /// The hash of method, path and body.
    pub fingerprint: Vec<u8>,
    /// The answer, as the caller wants it back.
    pub response: String,
    /// When it was written.
    pub recorded_at: DateTime<Utc>,
    /// When it may be deleted; never if absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A receipt as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The hash of method, path and body.
    pub fingerprint: Vec<u8>,
    /// The first position of the command's events; none when it had none.
    pub first_position: Option<i64>,
    /// The last position of the command's events.
    pub last_position: Option<i64>,
    /// The answer.
    pub response: String,
}

crate::from_row!(Receipt { fingerprint, first_position, last_position, response });

impl Log {
    /// The receipt of a command, if it has been answered before.
    pub async fn receipt(&self, who: &str, key: &str) -> Result<Option<Receipt>, StoreError> {
        Ok(sqlx::query_as(
            "select fingerprint, first_position, last_position, response from log.receipt where who = $1 and key = $2",
        )
        .bind(who)
        .bind(key)
        .fetch_optional(self.pool())
        .await?)
    }

    /// Deletes receipts that have expired, the oldest first and at most so many; gives how many there were.
    pub async fn delete_expired_receipts(&self, now: DateTime<Utc>, at_most: i64) -> Result<u64, StoreError> {
        // Rows that another process is deleting are skipped, not waited for.
        let deleted = sqlx::query(
            "delete from log.receipt where ctid = any (array(
                select ctid from log.receipt where expires_at <= $1 order by expires_at limit $2 for update skip locked))",
        )
        .bind(now)
        .bind(at_most)
        .execute(self.pool())
        .await?;
        Ok(deleted.rows_affected())
    }

    /// The keys among many that have been answered before, each with what was asked, in one round trip.
    pub async fn fingerprints(&self, who: &str, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        Ok(sqlx::query_as("select key, fingerprint from log.receipt where who = $1 and key = any ($2)")
            .bind(who)
            .bind(keys)
            .fetch_all(self.pool())
            .await?)
    }
}
