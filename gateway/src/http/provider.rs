//! The emulated payment provider, from outside: what it tells the shop, and its page for people while developing.
//!
//! What it tells is a hint: signed, and still nothing moves on its word. The shop asks the provider itself.

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_commands::notify::format;
use byteshop_commands::ports::connected::Provider;
use byteshop_commands::ports::payment_test::{FailureModes, TestProvider, Verdict};
use byteshop_commands::ports::{Attempt, PaymentProvider as _};
use byteshop_commands::use_cases::disputes;
use byteshop_commands::{Commands, Error, Intent};
use byteshop_domain::aftersales::{self, Claim};
use byteshop_domain::dispute::{Cause, Dispute, Status, refund_of};
use byteshop_domain::ids::{DisputeId, Id as _, PaymentId};
use byteshop_domain::money::Money;
use byteshop_domain::order::Number;
use byteshop_domain::payment::{DeclineReason, Opened, Payment, ProviderReference, Stage};
use byteshop_domain::text::Reference;
use byteshop_domain::{BoundedText, Kind, Locale};
use byteshop_eventstore::{Clock, StoreError, random};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::body::{parse, read};
use crate::edge::page::page;
use crate::edge::problem::Problem;

/// Where notifications are sent.
const PATH: &str = "/v1/webhooks/test";
/// The headers of a signed notification (Standard Webhooks 1.0).
const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
/// How old a signed notification may be: what is older was recorded and is played again.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// Longest that a notification is, in bytes: it names two things.
const SAID_MAX: usize = 4 << 10;
/// Signatures of one notification that are looked at: one for each secret that holds. Each costs a hash of the whole.
const SIGNATURES_MAX: usize = 8;
/// How often the emulator looks what it is to tell.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// How much it tells at once.
const TELL_AT_ONCE: i64 = 64;

/// The type of a notification, of which there is one.
type TypeText = BoundedText<40>;

/// A report of the provider.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "charge.updated", "reference": "chg_3f9a1c", "payment": "pay_01h455vb4pex5vsknk084sn02q"}))]
struct Notification {
    /// `charge.updated`.
    r#type: TypeText,
    /// The provider's reference of the charge.
    reference: ProviderReference,
    /// The payment of the shop.
    payment: PaymentId,
}

/// Webhook of the test payment provider.
///
/// The notification is only a hint: the shop asks the provider for the outcome. Unknown charges are accepted and ignored.
#[utoipa::path(post, path = "/v1/webhooks/test", operation_id = "receiveTestProviderWebhook",
    tag = "payments", request_body = Notification,
    params(("webhook-id" = String, Header), ("webhook-timestamp" = String, Header), ("webhook-signature" = String, Header)),
    security(()), responses((status = 202, description = "Accepted")))]
async fn hear(State(app): State<Shared>, headers: HeaderMap, request: axum::body::Body) -> Result<Response, Problem> {
    if !app.commands.connected().has_provider(Provider::Test) {
        return Err(Problem::no_route());
    }
    let bytes = read(&headers, request, SAID_MAX).await?;
    let signed = HEADERS.map(|name| headers.get(name).and_then(|value| value.to_str().ok()));
    let [Some(id), Some(sent), Some(signature)] = signed else {
        return Err(unsigned("webhook-id, webhook-timestamp or webhook-signature is missing"));
    };
    let moment = sent.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    if moment.is_none_or(|moment| (Clock.now() - moment).abs() > FRESH) {
        return Err(unsigned("the timestamp differs from now by more than five minutes"));
    }
    let key = key(app.commands.emulator()).await?;
    let said =
        signature.split(' ').take(SIGNATURES_MAX).filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    let text = signed_text(id, sent, &bytes);
    if !said.into_iter().any(|tag| hmac::verify(&key, &text, &tag).is_ok()) {
        return Err(unsigned("the signature is invalid"));
    }
    let notification: Notification = parse(&headers, &bytes, app.contract.body(&Method::POST, PATH))?;
    let heard =
        app.commands.hear_of_charge(&intent("payment.hear"), notification.payment, &notification.reference).await;
    match heard {
        // A refusal means that the shop knows better already.
        Ok(()) | Err(Error::Rejected(_)) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(error) => Err(error.into()),
    }
}

fn unsigned(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "webhook.not_signed", detail)
}

fn signed_text(id: &str, sent: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", sent.as_bytes(), b".", body].concat()
}

async fn key(emulator: &TestProvider) -> Result<hmac::Key, Error> {
    let new: [u8; 32] = random().map_err(StoreError::from)?;
    let secret = emulator.books().secret(&new).await?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &secret))
}

/// A notification as the provider sends it: its body and its headers.
pub async fn signed(
    emulator: &TestProvider,
    reference: &str,
    payment: &str,
    now: DateTime<Utc>,
) -> Result<(String, [(&'static str, String); 3]), Error> {
    let body = json!({"type": "charge.updated", "reference": reference, "payment": payment}).to_string();
    let (id, sent) = (format!("msg_{}", Clock.new_id().simple()), now.timestamp().to_string());
    let tag = hmac::sign(&key(emulator).await?, &signed_text(&id, &sent, body.as_bytes()));
    let [id_header, sent_header, signature_header] = HEADERS;
    let signature = format!("v1,{}", STANDARD.encode(tag));
    Ok((body, [(id_header, id), (sent_header, sent), (signature_header, signature)]))
}

/// Sends the notifications of the emulator to the shop at `base`, until the token is cancelled. Failed notifications
/// are not repeated.
pub async fn tell(commands: Commands, base: String, cancel: CancellationToken) {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap_or_default();
    let telling = async {
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            if let Err(error) = tell_once(&commands, &base, &client).await {
                tracing::debug!(%error, "the emulated provider could not notify the shop");
            }
        }
    };
    tokio::select! {
        () = telling => {}
        () = cancel.cancelled() => {}
    }
}

async fn tell_once(commands: &Commands, base: &str, client: &reqwest::Client) -> Result<(), Error> {
    let emulator = commands.emulator();
    for notification in emulator.books().due(Clock.now(), TELL_AT_ONCE).await? {
        let payment = PaymentId::from_uuid(notification.payment).to_string();
        let (body, headers) = signed(emulator, &notification.reference, &payment, Clock.now()).await?;
        let mut request = client.post(format!("{base}/v1/webhooks/test")).body(body);
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Err(error) = request.send().await {
            tracing::debug!(%error, "a notification of the emulated provider was dropped");
        }
    }
    Ok(())
}

/// The page on which a person approves or declines a charge.
async fn pay_page(State(app): State<Shared>, Path(payment): Path<String>) -> Result<Response, Problem> {
    let (id, payment) = known(&app, &payment).await?;
    let opened = payment.live().map_err(|_| Problem::no_route())?;
    let charge = app.commands.emulator().last_of(id).await.map_err(Error::from)?;
    let waiting = charge.as_ref().is_some_and(|it| it.scenario == "redirect" && it.state == "pending");
    let said = match opened.stage {
        Stage::Captured | Stage::Refunded | Stage::Authorized(_) => "Payment complete.",
        Stage::Failed { .. } => "The payment failed.",
        Stage::Cancelled | Stage::Voided { .. } => "The payment was cancelled.",
        Stage::OnDelivery => "The order is paid on delivery.",
        Stage::Open if opened.declined == Some(DeclineReason::BuyerLeft) => {
            "The payment was cancelled. The order can still be paid in the shop."
        }
        Stage::Open if opened.declined.is_some() => "The payment was declined.",
        Stage::Open => "The payment has not started.",
        Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
            "Your decision was recorded. The shop is notified shortly."
        }
    };
    let mut response = page(
        "pay.html",
        Locale::En,
        &json!({
            "seller": app.trade.issuer.name,
            "amount": format::money(opened.in_money(), Locale::En),
            "order": Number::of(opened.order.uuid()),
            "payment": id,
            "waiting": waiting,
            "said": said,
            // It was checked when the payment was made.
            "return_url": opened.attempt.as_ref().and_then(|attempt| attempt.return_url.as_ref()),
        }),
    )?;
    // Its buttons post to this shop, and without a referrer browsers name no origin in a post ("null", Fetch standard 3.1).
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    Ok(response)
}

/// Records the person's decision, and shows the page again.
async fn pay_decide(
    State(app): State<Shared>,
    Path((payment, verdict)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (id, _) = known(&app, &payment).await?;
    let verdict = match verdict.as_str() {
        "approve" => Verdict::Approve,
        "decline" => Verdict::Decline,
        "cancel" => Verdict::Cancel,
        _ => return Err(Problem::no_route()),
    };
    let decided = app.commands.emulator().decide(id, verdict).await.map_err(Error::from)?;
    // The shop looks by itself before the notification comes, so that the person sees the outcome. It looks for this charge: the
    // payment may have begun another attempt meanwhile, which has not reached the provider yet.
    if let Some(reference) = decided.and_then(|charge| ProviderReference::new(&charge.reference).ok()) {
        match app.commands.hear_of_charge(&intent("payment.hear"), id, &reference).await {
            Ok(()) | Err(Error::Rejected(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Redirect::to(&format!("/dev/pay/{id}")).into_response())
}

/// A payment that there is.
async fn known(app: &Shared, payment: &str) -> Result<(PaymentId, std::sync::Arc<Payment>), Problem> {
    let id: PaymentId = payment.parse().map_err(|_| Problem::no_route())?;
    let found = app.commands.get::<Payment>(id).await?.ok_or_else(Problem::no_route)?;
    Ok((id, found.state))
}

/// How the emulated provider behaves.
async fn failure_modes(State(app): State<Shared>) -> Response {
    axum::Json(app.commands.emulator().failure_modes()).into_response()
}

/// Makes the emulated provider behave otherwise: late, repeating itself, losing things, silent.
async fn behave(State(app): State<Shared>, headers: HeaderMap, request: axum::body::Body) -> Result<Response, Problem> {
    let failure_modes: FailureModes = parse(&headers, &read(&headers, request, SAID_MAX).await?, None)?;
    if failure_modes.lost_percent > 100 {
        return Err(Problem::from(byteshop_commands::Rejected {
            code: "request.invalid".into(),
            kind: Kind::Invalid,
            detail: "`lost_percent` must be between 0 and 100".into(),
            pointer: Some("/lost_percent".into()),
        }));
    }
    app.commands.emulator().behave(failure_modes);
    Ok(axum::Json(failure_modes).into_response())
}

/// A dispute that the emulated provider opens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmulatedDispute {
    payment: PaymentId,
    /// All that was captured in money, if it is absent.
    amount: Option<Money>,
    /// Until when the shop can answer.
    respond_by: Option<DateTime<Utc>>,
}

/// Opens a dispute at the emulated provider, as a buyer does.
async fn dispute(
    State(app): State<Shared>,
    headers: HeaderMap,
    request: axum::body::Body,
) -> Result<Response, Problem> {
    let EmulatedDispute { payment, amount, respond_by } =
        parse(&headers, &read(&headers, request, SAID_MAX).await?, None)?;
    let reference = Reference::new(&format!("test-{}", Clock.new_id().simple())).map_err(|_| Problem::internal())?;
    let reference = &reference;
    let found = app.commands.get::<Payment>(payment).await?;
    let is_other = |it: &Opened| it.was_captured() && it.at_provider().map(Provider::of) != Some(Provider::Test);
    if found.as_ref().and_then(|found| found.state.live().ok()).is_some_and(is_other) {
        return Err(Problem::invalid("/payment", "was not made with the provider `test`"));
    }
    let intent = intent("dispute.open");
    let done = app.commands.run(&intent, |unit| async move {
        let mut payment = unit.load::<Payment>(payment).await?.exists()?;
        let opened = payment.state.live()?;
        let amount = amount.unwrap_or(opened.in_money());
        let (provider, cause, reference) = (Some(Provider::Test), Cause::NotReceived, reference.clone());
        let claim = Claim { payment: payment.id, provider, reference, cause, amount, respond_by };
        Ok(disputes::open(&unit, &mut payment, &claim).await?.id)
    });
    Ok((StatusCode::CREATED, axum::Json(json!({"id": done.await?.answer}))).into_response())
}

/// How the emulated provider decides a dispute.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmulatedVerdict {
    won: bool,
}

/// Decides a dispute at the emulated provider: of one that is lost the buyer gets what is held.
async fn judge(
    State(app): State<Shared>,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: axum::body::Body,
) -> Result<Response, Problem> {
    let EmulatedVerdict { won } = parse(&headers, &read(&headers, request, SAID_MAX).await?, None)?;
    let id: DisputeId = id.parse().map_err(|_| Problem::no_route())?;
    let found = app.commands.get::<Dispute>(id).await?.ok_or_else(Problem::no_route)?;
    let known = found.state.live().map_err(|_| Problem::no_route())?;
    if !known.is_open() && won == (known.status == Status::Won) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let payment = app.commands.get::<Payment>(known.opening.payment).await?.ok_or_else(Problem::no_route)?;
    let opened = payment.state.live().map_err(|_| Problem::no_route())?;
    let reference = opened.at_provider().filter(|_| known.opening.provider == Some(Provider::Test));
    let reference = reference.ok_or_else(Problem::no_route)?;
    let held = opened.disputes.get(&id).map(|it| it.held).filter(|held| held.amount > 0);
    let lost = aftersales::Verdict::Lost { amount: held, fee: None };
    let verdict = if won { aftersales::Verdict::Won } else { lost };
    if let Some(held) = held.filter(|_| !won) {
        let attempt = Attempt { reference, registration: None, payment: known.opening.payment };
        app.commands.emulator().refund(attempt, refund_of(id), held).await.map_err(Error::from)?;
    }
    let intent = intent("dispute.conclude");
    let concluded = app.commands.run(&intent, |unit| async move {
        let mut dispute = unit.load::<Dispute>(id).await?.exists()?;
        disputes::conclude(&unit, &mut dispute, verdict).await
    });
    concluded.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn intent(command: &'static str) -> Intent {
    Intent::new(Provider::Test.actor(), command, Clock.new_id())
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(hear))
}

/// The pages and switches of the emulated provider, for development.
pub fn pages() -> Router<Shared> {
    Router::new()
        .route("/dev/pay/{payment}", get(pay_page))
        .route("/dev/pay/{payment}/{verdict}", post(pay_decide))
        .route("/dev/provider", get(failure_modes).put(behave))
        .route("/dev/disputes", post(dispute))
        .route("/dev/disputes/{dispute}", post(judge))
}
