//! How far the events have been delivered to each webhook endpoint, and what came of the last attempts.

use byteshop_domain::Decider as _;
use byteshop_domain::webhook_endpoint::WebhookEndpoint;
use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::Log;
use crate::error::StoreError;

/// Deliveries that are kept for each endpoint.
const DELIVERIES_KEPT: i64 = 1_000;

/// Where an endpoint stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookCursor {
    /// The position up to which all events were delivered or do not match.
    pub position: i64,
    /// How often the next wanted event was tried in vain.
    pub attempts: i32,
    /// Since when.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it is tried again.
    pub retry_at: Option<DateTime<Utc>>,
    /// The version of the endpoint whose wish to start again was last granted.
    pub rewound: i64,
}

crate::from_row!(WebhookCursor { position, attempts, failing_since, retry_at, rewound });

/// The outcome of an attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookDelivery {
    /// Counts up within the endpoint; 0 until it is written down.
    pub number: i64,
    /// The event.
    pub position: i64,
    /// The type, such as `order.paid`.
    pub event_type: String,
    /// The how manieth attempt it was, from 1.
    pub attempt: i32,
    /// Whether it was requested by an operator.
    pub by_hand: bool,
    /// The endpoint took it.
    pub delivered: bool,
    /// The HTTP status that it answered; nothing when it did not.
    pub status: Option<i16>,
    /// The beginning of what it answered, or what was in the way.
    pub answer: String,
    /// How long it took.
    pub duration_ms: i32,
    /// When.
    pub at: DateTime<Utc>,
}

crate::from_row!(WebhookDelivery {
    number,
    position,
    event_type,
    attempt,
    by_hand,
    delivered,
    status,
    answer,
    duration_ms,
    at
});

/// Endpoints that fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WebhooksFailing {
    /// How many.
    pub endpoints: i64,
    /// Since when the first of them fails.
    pub since: Option<DateTime<Utc>>,
}

crate::from_row!(WebhooksFailing { endpoints, since });

impl Log {
    /// The endpoints whose next event was tried in vain.
    pub async fn webhooks_failing(&self) -> Result<WebhooksFailing, StoreError> {
        Ok(sqlx::query_as(
            "select count(*) as endpoints, min(failing_since) as since from log.webhook_cursor where failing_since is not null",
        )
        .fetch_one(self.pool())
        .await?)
    }

    /// Every endpoint that there ever was, removed ones included.
    pub async fn webhook_endpoints(&self) -> Result<Vec<Uuid>, StoreError> {
        Ok(sqlx::query_scalar("select stream from log.event where category = $1 and version = 1 order by position")
            .bind(WebhookEndpoint::CATEGORY)
            .fetch_all(self.pool())
            .await?)
    }

    /// The cursor of an endpoint; it is `otherwise` if there is none yet.
    pub async fn webhook_cursor(&self, endpoint: Uuid, otherwise: i64) -> Result<WebhookCursor, StoreError> {
        let known = sqlx::query_as(
            "select position, attempts, failing_since, retry_at, rewound from log.webhook_cursor where endpoint = $1",
        )
        .bind(endpoint)
        .fetch_optional(self.pool())
        .await?;
        if let Some(known) = known {
            return Ok(known);
        }
        sqlx::query("insert into log.webhook_cursor (endpoint, position) values ($1, $2) on conflict do nothing")
            .bind(endpoint)
            .bind(otherwise)
            .execute(self.pool())
            .await?;
        Ok(WebhookCursor { position: otherwise, attempts: 0, failing_since: None, retry_at: None, rewound: 0 })
    }

    /// Moves an endpoint on, with the delivery that made it move; false when it is no longer where it was thought to be.
    pub async fn advance_webhook(
        &self,
        endpoint: Uuid,
        from: i64,
        to: i64,
        delivery: Option<&WebhookDelivery>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.pool().begin().await?;
        let moved = sqlx::query(
            "update log.webhook_cursor set position = $3, attempts = 0, failing_since = null, retry_at = null
             where endpoint = $1 and position = $2",
        )
        .bind(endpoint)
        .bind(from)
        .bind(to)
        .execute(&mut *transaction)
        .await?
        .rows_affected();
        if let Some(delivery) = delivery {
            write_in(&mut transaction, endpoint, delivery).await?;
        }
        transaction.commit().await?;
        Ok(moved == 1)
    }

    /// Notes that an event could not be delivered, and when it is tried again.
    pub async fn fail_webhook(
        &self,
        endpoint: Uuid,
        at: i64,
        retry_at: DateTime<Utc>,
        delivery: &WebhookDelivery,
    ) -> Result<(), StoreError> {
        let mut transaction = self.pool().begin().await?;
        sqlx::query(
            "update log.webhook_cursor
             set attempts = attempts + 1, failing_since = coalesce(failing_since, $3), retry_at = $4
             where endpoint = $1 and position = $2",
        )
        .bind(endpoint)
        .bind(at)
        .bind(delivery.at)
        .bind(retry_at)
        .execute(&mut *transaction)
        .await?;
        write_in(&mut transaction, endpoint, delivery).await?;
        Ok(transaction.commit().await?)
    }

    /// Moves an endpoint somewhere else, as its version asks for, or takes its failures off it.
    pub async fn rewind_webhook(&self, endpoint: Uuid, to: i64, version: i64) -> Result<(), StoreError> {
        sqlx::query(
            "update log.webhook_cursor
             set position = $2, rewound = $3, attempts = 0, failing_since = null, retry_at = null where endpoint = $1",
        )
        .bind(endpoint)
        .bind(to)
        .bind(version)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Forgets where an endpoint stood and what was delivered to it.
    pub async fn drop_webhook(&self, endpoint: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "with cursor as (delete from log.webhook_cursor where endpoint = $1)
             delete from log.webhook_delivery where endpoint = $1",
        )
        .bind(endpoint)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Writes down a delivery that moves nothing; gives its number.
    pub async fn write_webhook_delivery(&self, endpoint: Uuid, delivery: &WebhookDelivery) -> Result<i64, StoreError> {
        let mut transaction = self.pool().begin().await?;
        let number = write_in(&mut transaction, endpoint, delivery).await?;
        transaction.commit().await?;
        Ok(number)
    }

    /// The deliveries to an endpoint before a number, the newest first.
    pub async fn webhook_deliveries(
        &self,
        endpoint: Uuid,
        before: i64,
        limit: i64,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        Ok(sqlx::query_as(
            "select number, position, event_type, attempt, by_hand, delivered, status, answer, duration_ms, at
             from log.webhook_delivery where endpoint = $1 and number < $2 order by number desc limit $3",
        )
        .bind(endpoint)
        .bind(before)
        .bind(limit)
        .fetch_all(self.pool())
        .await?)
    }
}

/// Numbers a delivery and writes it, and forgets the one that is too many.
async fn write_in(
    connection: &mut PgConnection,
    endpoint: Uuid,
    delivery: &WebhookDelivery,
) -> Result<i64, StoreError> {
    let number: i64 = sqlx::query_scalar(
        "insert into log.webhook_cursor (endpoint, position, deliveries) values ($1, $2, 1)
         on conflict (endpoint) do update set deliveries = log.webhook_cursor.deliveries + 1 returning deliveries",
    )
    .bind(endpoint)
    .bind(delivery.position)
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query(
        "insert into log.webhook_delivery
         (endpoint, number, position, event_type, attempt, by_hand, delivered, status, answer, duration_ms, at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(endpoint)
    .bind(number)
    .bind(delivery.position)
    .bind(&delivery.event_type)
    .bind(delivery.attempt)
    .bind(delivery.by_hand)
    .bind(delivery.delivered)
    .bind(delivery.status)
    .bind(&delivery.answer)
    .bind(delivery.duration_ms)
    .bind(delivery.at)
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from log.webhook_delivery where endpoint = $1 and number <= $2")
        .bind(endpoint)
        .bind(number - DELIVERIES_KEPT)
        .execute(&mut *connection)
        .await?;
    Ok(number)
}
