//! Webhook endpoints and their deliveries as they are shown.

use byteshop_domain::account::Secret;
use byteshop_domain::ids::{AccountId, ApiKeyId, WebhookEndpointId};
use byteshop_domain::text::{Link, Reason};
use byteshop_domain::webhook_endpoint::{Known, Topic};
use byteshop_domain::{Actor, Personal};
use byteshop_eventstore::webhook::WebhookDelivery;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A webhook endpoint.
#[derive(Serialize, ToSchema)]
pub(super) struct Endpoint<'a> {
    pub(super) id: WebhookEndpointId,
    url: &'a Link,
    filter: &'a [Topic],
    description: Option<&'a Reason>,
    enabled: bool,
    /// Why deliveries are paused: `by_hand`, `failing` (for five days), `gone` (it answered 410) or `expired`.
    disabled_reason: Option<byteshop_domain::webhook_endpoint::Silence>,
    /// The account that created it, itself or with one of its API keys; null when that is not known.
    created_by: Option<AccountId>,
    /// The API key that it was created with, if a program created it.
    created_with: Option<ApiKeyId>,
    /// When deliveries end.
    expires_at: Option<DateTime<Utc>>,
    /// When it last accepted an event, among the stored deliveries; null if it accepted none, and in responses of commands.
    last_delivered_at: Option<DateTime<Utc>>,
    /// The signing secret; shown only once, when it is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(default = json!({"x-schema": {"example": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}), nullable = false)]
    secret: Option<&'a Personal<Secret>>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Endpoints<'a> {
    pub(super) items: Vec<Endpoint<'a>>,
}

impl<'a> Endpoint<'a> {
    pub(super) fn of(id: WebhookEndpointId, it: &'a Known) -> Self {
        Self {
            id,
            url: &it.url,
            filter: &it.filter,
            description: it.description.as_ref(),
            enabled: it.silent.is_none(),
            disabled_reason: it.silent,
            created_by: it.created_by,
            created_with: it.created_with,
            expires_at: it.expires_at,
            last_delivered_at: None,
            secret: None,
        }
    }

    /// With what only the log and the deliveries know.
    pub(super) fn with_history(self, maker: Option<&Actor>, last_delivered_at: Option<DateTime<Utc>>) -> Self {
        let created_by = self.created_by.or_else(|| maker.and_then(Actor::account));
        let created_with = self.created_with.or_else(|| maker.and_then(Actor::key));
        Self { created_by, created_with, last_delivered_at, ..self }
    }

    pub(super) fn with_secret(self, it: &'a Known) -> Self {
        Self { secret: Some(&it.secret), ..self }
    }
}

/// A delivery attempt.
#[derive(Serialize, ToSchema)]
pub(super) struct Delivery {
    /// A sequence number within the endpoint.
    number: i64,
    /// The event.
    position: i64,
    #[schema(example = "order.paid")]
    r#type: String,
    attempt: i32,
    /// Requested by an operator.
    by_hand: bool,
    delivered: bool,
    /// The HTTP status of the response; null if there was none.
    status: Option<i16>,
    /// The beginning of the response body, or the error.
    answer: String,
    duration_ms: i32,
    at: DateTime<Utc>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Deliveries {
    pub(super) items: Vec<Delivery>,
    /// The cursor of the next page.
    pub(super) next: Option<String>,
}

impl From<WebhookDelivery> for Delivery {
    fn from(it: WebhookDelivery) -> Self {
        let WebhookDelivery {
            number,
            position,
            event_type: r#type,
            attempt,
            by_hand,
            delivered,
            status,
            answer,
            duration_ms,
            at,
        } = it;
        Self { number, position, r#type, attempt, by_hand, delivered, status, answer, duration_ms, at }
    }
}
