//! Messages that are kept and not sent, the last thousand of them.

use byteshop_domain::Subject;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Log;
use crate::error::StoreError;

/// The number of messages that are stored: several days of development.
pub const KEPT_MAX: i64 = 1_000;

/// A message to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewKept<'a> {
    /// The notification; one that is kept already stays as it is.
    pub id: Uuid,
    /// The channel that it would have gone through.
    pub channel: &'a str,
    /// To whom.
    pub recipient: &'a str,
    /// The person whose erasure deletes the message.
    pub person: Subject,
    /// The subject line.
    pub subject: &'a str,
    /// As plain text.
    pub text: &'a str,
    /// As HTML.
    pub html: Option<&'a str>,
    /// When.
    pub kept_at: DateTime<Utc>,
}

/// A message that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptMessage {
    /// The notification.
    pub id: Uuid,
    /// The channel that it would have gone through.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// The subject line.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: Option<String>,
    /// When.
    pub kept_at: DateTime<Utc>,
}

crate::from_row!(KeptMessage { id, channel, recipient, subject, text, html, kept_at });

impl Log {
    /// Keeps a message, and forgets those that are too many.
    pub async fn keep(&self, message: &NewKept<'_>) -> Result<(), StoreError> {
        // Nothing depends on it, so it does not wait for the disk; a local setting ends with the transaction.
        let number: Option<i64> = sqlx::query_scalar(
            "insert into log.kept_message (id, channel, recipient, subject, text, html, kept_at, person)
             select $1, $2, $3, $4, $5, $6, $7, $8
             where set_config('synchronous_commit', 'off', true) = 'off'
               and not exists (select from log.subject_key where subject = $8 and wrapped is null)
             on conflict (id) do nothing returning number",
        )
        .bind(message.id)
        .bind(message.channel)
        .bind(message.recipient)
        .bind(message.subject)
        .bind(message.text)
        .bind(message.html)
        .bind(message.kept_at)
        .bind(message.person.0)
        .fetch_optional(self.pool())
        .await?;
        // Some hundred too many do no harm, so most messages do not pay for this.
        if let Some(number) = number.filter(|number| number % 100 == 0) {
            sqlx::query("delete from log.kept_message where number <= $1")
                .bind(number - KEPT_MAX)
                .execute(self.pool())
                .await?;
        }
        Ok(())
    }

    /// The last messages that were kept, the newest first; only those to this recipient when one is given.
    pub async fn kept(&self, recipient: Option<&str>, limit: i64) -> Result<Vec<KeptMessage>, StoreError> {
        Ok(sqlx::query_as(
            "select id, channel, recipient, subject, text, html, kept_at from log.kept_message
             where $1::text is null or lower(recipient) = lower($1) order by number desc limit $2",
        )
        .bind(recipient)
        .bind(limit.min(KEPT_MAX))
        .fetch_all(self.pool())
        .await?)
    }

    /// One stored message.
    pub async fn kept_message(&self, id: Uuid) -> Result<Option<KeptMessage>, StoreError> {
        Ok(sqlx::query_as(
            "select id, channel, recipient, subject, text, html, kept_at from log.kept_message where id = $1",
        )
        .bind(id)
        .fetch_optional(self.pool())
        .await?)
    }

    /// Forgets the messages that were kept; only those to this recipient when one is given.
    pub async fn forget_kept(&self, recipient: Option<&str>) -> Result<(), StoreError> {
        sqlx::query("delete from log.kept_message where $1::text is null or lower(recipient) = lower($1)")
            .bind(recipient)
            .execute(self.pool())
            .await?;
        Ok(())
    }
}
