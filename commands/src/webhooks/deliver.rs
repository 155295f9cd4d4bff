//! One delivery: an event, signed with every valid secret, posted, and its outcome.

use std::time::Instant;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_domain::Decider as _;
use byteshop_domain::ids::{Id as _, WebhookEndpointId};
use byteshop_domain::webhook_endpoint::{Known, WebhookEndpoint};
use byteshop_eventstore::Recorded;
use byteshop_eventstore::webhook::WebhookDelivery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::payload;
use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::execute::Done;
use crate::engine::intent::Intent;
use crate::ports::webhook::WebhookClient;
use crate::use_cases::webhook_endpoints::Maker;

/// The prefix of a secret.
pub(super) const SECRET_PREFIX: &str = "whsec_";

/// The signature of a message: `v1,` and the base64 of HMAC-SHA256 over id, seconds and body, joined by dots.
pub fn sign(secret: &str, id: &str, seconds: i64, body: &str) -> String {
    let bytes = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX).unwrap_or(secret)).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let mut context = hmac::Context::with_key(&key);
    for part in [id, ".", &seconds.to_string(), ".", body] {
        context.update(part.as_bytes());
    }
    format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
}

/// Delivers an event to an endpoint once.
pub(super) async fn deliver(
    commands: &Commands,
    client: &WebhookClient,
    endpoint: &Known,
    event: &Recorded,
    attempt: i32,
    by_hand: bool,
) -> Result<WebhookDelivery, Error> {
    let now = commands.clock().now();
    let (id, body) = (payload::id(event), payload::body(event)?);
    let mut signatures = Vec::new();
    for secret in endpoint.signing(now) {
        if let Some(secret) = commands.vault().open(secret).await? {
            signatures.push(sign(&secret.0, &id, now.timestamp(), &body));
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", now.timestamp().to_string()),
        ("webhook-signature", signatures.join(" ")),
    ] {
        // All of them are ASCII of our own making.
        headers.extend(HeaderValue::try_from(value).ok().map(|value| (HeaderName::from_static(name), value)));
    }
    let started = Instant::now();
    let answered = client.post(endpoint.url.as_str(), headers, body).await;
    let (status, answer) = match answered {
        Ok(answered) => (Some(answered.status), answered.text),
        Err(reason) => (None, reason),
    };
    let delivered = status.is_some_and(|status| (200..300).contains(&status));
    let outcome = if delivered { "delivered" } else { "failed" };
    metrics::counter!("byteshop_webhook_deliveries_total", "outcome" => outcome).increment(1);
    Ok(WebhookDelivery {
        number: 0,
        position: event.position,
        event_type: format!("{}.{}", event.category, event.event_type),
        attempt,
        by_hand,
        delivered,
        status: status.and_then(|status| i16::try_from(status).ok()),
        answer,
        duration_ms: i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX),
        at: now,
    })
}

/// Whether the endpoint responded that it is gone permanently.
pub(super) fn is_gone(delivery: &WebhookDelivery) -> bool {
    delivery.status.and_then(|status| u16::try_from(status).ok()) == Some(StatusCode::GONE.as_u16())
}

impl Commands {
    /// Redelivers the event of a delivery to its endpoint, at once and out of order; returns what `answer` makes of the
    /// outcome. With an idempotency key it is delivered once, and the first response is returned again. A program must be allowed
    /// to read what the endpoint is told.
    pub async fn redeliver<T: Serialize + DeserializeOwned + Clone + Send + Sync>(
        &self,
        client: &WebhookClient,
        intent: &Intent,
        by: Maker,
        (id, number): (WebhookEndpointId, i64),
        answer: impl FnOnce(WebhookDelivery) -> Result<T, Error>,
    ) -> Result<Done<T>, Error> {
        let _running = self.enter(intent)?;
        if let Some(key) = &intent.key
            && let Some(done) = self.first_answer(key).await?
        {
            return Ok(done);
        }
        let answer = &answer(self.deliver_again(client, by, id, number).await?)?;
        self.run_entered(intent, |_| async move { Ok(answer.clone()) }).await
    }

    async fn deliver_again(
        &self,
        client: &WebhookClient,
        by: Maker,
        id: WebhookEndpointId,
        number: i64,
    ) -> Result<WebhookDelivery, Error> {
        let missing = || Error::Rejected(Rejected::missing(WebhookEndpoint::CATEGORY));
        let found = self.get::<WebhookEndpoint>(id).await?.ok_or_else(missing)?;
        let endpoint = found.state.live().map_err(|_| missing())?;
        self.may_see_deliveries(by, endpoint).await?;
        let delivered = self.log().webhook_deliveries(id.uuid(), number.saturating_add(1), 1).await?;
        let delivered = delivered.first().filter(|delivered| delivered.number == number);
        let delivered = delivered.ok_or_else(|| Error::Rejected(Rejected::missing("webhook_delivery")))?;
        let event = self.log().event_at(delivered.position).await?.ok_or_else(missing)?;
        // What it wants may have changed since, but never to internal events.
        if !byteshop_domain::webhook_endpoint::TOLD.contains(&event.category.as_str()) {
            return Err(missing());
        }
        let mut delivery = deliver(self, client, endpoint, &event, 1, true).await?;
        delivery.number = self.log().write_webhook_delivery(id.uuid(), &delivery).await?;
        Ok(delivery)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks libraries' own tests.
    #[test]
    fn the_specifications_example_is_signed_as_it_says() {
        let signed = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
