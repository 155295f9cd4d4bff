//! PayPal, from outside: its webhooks, and the pages to which it sends a buyer back.
//!
//! Both are hints: the shop asks PayPal itself, and nothing moves on the word of a webhook or of a browser.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::paypal::Unheard;
use byteshop_commands::{Error, Intent};
use byteshop_domain::BoundedText;
use byteshop_domain::ids::{Id as _, PaymentId};
use byteshop_domain::order::Number;
use byteshop_domain::payment::{Opened, Payment, Stage};
use byteshop_eventstore::Clock;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::language::accepted;
use crate::app::Shared;
use crate::edge::body::read;
use crate::edge::page::page;
use crate::edge::problem::Problem;

/// The largest webhook, in bytes: the largest objects that PayPal sends are orders with many items, and ours have none.
const BODY_MAX: usize = 256 << 10;
/// The longest id of an order at PayPal (its document: 36 characters).
const ID_MAX: usize = 36;

/// The longest names and ids of PayPal.
type IdText = BoundedText<100>;

/// An event of PayPal. The shop reads the ids in it and asks PayPal for the rest.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the event, of which the ids are read")]
#[schema(example = json!({"id": "WH-58D329510W468432D-8HN650336L201105X", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {"id": "3C679366HH908993F"}}))]
struct PaypalEvent {
    /// The id of the event.
    id: IdText,
    /// The kind of the event, such as `PAYMENT.CAPTURE.COMPLETED`.
    event_type: IdText,
    /// The order, the authorization, the capture or the refund.
    resource: serde_json::Value,
}

/// Webhook of PayPal.
///
/// The signature is verified as PayPal describes it. The event is only a hint: the shop reads the order from PayPal and compares it.
#[utoipa::path(post, path = "/v1/webhooks/paypal", operation_id = "receivePaypalWebhook",
    tag = "payments", request_body = PaypalEvent,
    params(("paypal-transmission-id" = String, Header), ("paypal-transmission-time" = String, Header),
        ("paypal-transmission-sig" = String, Header), ("paypal-cert-url" = String, Header),
        ("paypal-auth-algo" = String, Header)),
    security(()), responses((status = 202, description = "Accepted")))]
async fn hear(State(app): State<Shared>, headers: HeaderMap, request: axum::body::Body) -> Result<Response, Problem> {
    let Some(paypal) = &app.commands.connected().paypal else { return Err(Problem::no_route()) };
    let bytes = read(&headers, request, BODY_MAX).await?;
    let hint = match paypal.hear(&headers, &bytes, Clock.now()).await {
        Ok(hint) => hint,
        Err(Unheard::NotSigned(reason)) => {
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "webhook.not_signed", reason.to_string()));
        }
        // PayPal sends it again.
        Err(Unheard::NoAnswer(error)) => return Err(Error::Provider(error).into()),
    };
    app.commands.follow_hint(&intent(), &hint).await.inspect_err(|error| {
        if let Error::NotYet(rejected) = error {
            let code = &rejected.code;
            tracing::warn!(
                code,
                event = hint.event,
                "an event of PayPal cannot be followed now; PayPal sends it again"
            );
        }
    })?;
    Ok(StatusCode::ACCEPTED.into_response())
}

fn intent() -> Intent {
    Intent::new(Provider::Paypal.actor(), "payment.hear", Clock.new_id())
}

/// What PayPal adds to the address of a page of the shop.
#[derive(Deserialize)]
struct BackQuery {
    /// The id of the order.
    token: Option<String>,
}

/// A buyer comes back from PayPal: the shop asks PayPal, and sends the buyer on.
async fn back(
    State(app): State<Shared>,
    Path((payment, way)): Path<(String, String)>,
    Query(query): Query<BackQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let has_left = match way.as_str() {
        "return" => false,
        "cancel" => true,
        _ => return Err(Problem::no_route()),
    };
    let id: PaymentId = payment.parse().map_err(|_| Problem::no_route())?;
    let token = query.token.filter(|token| token.len() <= ID_MAX).ok_or_else(Problem::no_route)?;
    app.commands.come_back(&intent(), id, &token, has_left).await?;
    let found = app.commands.get::<Payment>(id).await?.ok_or_else(Problem::no_route)?;
    let opened = found.state.live().map_err(|_| Problem::no_route())?;
    if opened.registrations.named(&token).is_none() {
        return Err(Problem::no_route());
    }
    // It was checked when the payment was made.
    if let Some(url) = opened.attempt.as_ref().and_then(|attempt| attempt.return_url.as_ref()) {
        return Ok(Redirect::to(url.as_str()).into_response());
    }
    let context = json!({"order": Number::of(opened.order.uuid()), "state": state(opened)});
    page("returned.html", accepted(&headers).unwrap_or_default(), &context)
}

/// What the buyer is told.
fn state(opened: &Opened) -> &'static str {
    match opened.stage {
        Stage::Captured | Stage::Refunded | Stage::Authorized(_) => "paid",
        Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => "pending",
        Stage::Open => "open",
        Stage::OnDelivery | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => "closed",
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(hear))
}

/// The pages to which PayPal sends a buyer back.
pub fn pages() -> Router<Shared> {
    Router::new().route("/pay/{payment}/{way}", get(back))
}
