//! The credentials of programs beside the log: when each was last used, and who made those whose events do not say so.

use byteshop_domain::Actor;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::Log;
use crate::envelope::StreamId;
use crate::error::StoreError;

impl Log {
    /// Notes when credentials were last used; an older moment than the one that is known changes nothing.
    pub async fn note_uses(&self, uses: &[(Uuid, DateTime<Utc>)]) -> Result<(), StoreError> {
        let (credentials, moments): (Vec<Uuid>, Vec<DateTime<Utc>>) = uses.iter().copied().unzip();
        sqlx::query(
            "insert into log.credential_use as u (credential, used_at)
             select * from unnest($1::uuid[], $2::timestamptz[])
             on conflict (credential) do update set used_at = greatest(u.used_at, excluded.used_at)",
        )
        .bind(credentials)
        .bind(moments)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// When credentials were last used; unused ones are left out.
    pub async fn uses(&self, credentials: &[Uuid]) -> Result<Vec<(Uuid, DateTime<Utc>)>, StoreError> {
        Ok(sqlx::query_as("select credential, used_at from log.credential_use where credential = any ($1)")
            .bind(credentials)
            .fetch_all(self.pool())
            .await?)
    }

    /// When each webhook endpoint last took an event, of the deliveries that are kept.
    pub async fn last_deliveries(&self, endpoints: &[Uuid]) -> Result<Vec<(Uuid, DateTime<Utc>)>, StoreError> {
        Ok(sqlx::query_as(
            "select endpoint, max(at) from log.webhook_delivery where endpoint = any ($1) and delivered group by endpoint",
        )
        .bind(endpoints)
        .fetch_all(self.pool())
        .await?)
    }

    /// The streams of some categories that an account, or a program with one of these keys, has created: the streams
    /// whose first event has them as its actor, oldest first.
    pub async fn made_by(
        &self,
        categories: &[&str],
        account: &str,
        keys: &[String],
    ) -> Result<Vec<StreamId>, StoreError> {
        let found: Vec<(String, Uuid)> = sqlx::query_as(
            "select category, stream from log.event where category = any ($1) and version = 1
                and (meta->'actor'->>'id' = $2 or meta->'actor'->>'key' = any ($3)) order by position",
        )
        .bind(categories)
        .bind(account)
        .bind(keys)
        .fetch_all(self.pool())
        .await?;
        Ok(found.into_iter().map(|(category, stream)| StreamId::named(category, stream)).collect())
    }

    /// The creators of some streams of a category: the actors of their first events.
    pub async fn makers(&self, category: &str, streams: &[Uuid]) -> Result<Vec<(Uuid, Actor)>, StoreError> {
        let found: Vec<(Uuid, String)> = sqlx::query_as(
            "select stream, (meta->'actor')::text from log.event where category = $1 and version = 1 and stream = any ($2)",
        )
        .bind(category)
        .bind(streams)
        .fetch_all(self.pool())
        .await?;
        found.into_iter().map(|(stream, actor)| Ok((stream, serde_json::from_str(&actor)?))).collect()
    }
}
