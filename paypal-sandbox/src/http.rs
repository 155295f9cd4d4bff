//! PayPal's interface over HTTP: tokens, the switches, and the check of every request and every response against its document.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::{Value, json};

use super::books::{Books, text};
use super::fault::{Answer, Fault};
use super::input::{Call, Input};
use super::operation::{Operation, find};
use super::records::SentFile;
use super::shared::{Luck, Shared, TOKEN_SECONDS};
use super::{control, evidence, page, reading, schema};

/// The largest body: a batch of 15,000 payouts with notes.
const BODY_MAX: usize = 16 * 1024 * 1024;
/// What a token allows.
const SCOPE: &str = "https://uri.paypal.com/services/payments/payment https://uri.paypal.com/services/payments/refund";

/// All routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/oauth2/token", post(token))
        .merge(page::routes())
        .merge(control::routes())
        .fallback(operation)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(shared)
}

/// An access token for the id and the secret of the client.
async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: String) -> Response {
    if !is_client(&shared, &headers) {
        let refused = json!({"error": "invalid_client", "error_description": "Client Authentication failed"});
        return respond(&Answer::new(401, refused));
    }
    let is_grant =
        form_urlencoded::parse(body.as_bytes()).any(|it| it == ("grant_type".into(), "client_credentials".into()));
    if !is_grant {
        let refused = json!({"error": "unsupported_grant_type", "error_description": "Grant Type is not supported"});
        return respond(&Answer::new(400, refused));
    }
    let Ok(token) = shared.new_token() else { return unlucky(&shared, 500, 0) };
    respond(&Answer::new(
        200,
        json!({
            "scope": SCOPE,
            "access_token": token,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": TOKEN_SECONDS,
            "nonce": shared.now().to_rfc3339(),
        }),
    ))
}

fn is_client(shared: &Shared, headers: &HeaderMap) -> bool {
    let shown = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok()?.strip_prefix("Basic "));
    let expected = STANDARD.encode(format!("{}:{}", shared.client.id, shared.client.secret));
    shown.is_some_and(|shown| verify_slices_are_equal(shown.as_bytes(), expected.as_bytes()).is_ok())
}

/// Every operation of PayPal's documents.
async fn operation(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Some((operation, id)) = find(method.as_str(), uri.path()) else {
        let fault = Fault::new(404, "NOT_FOUND", "The sandbox has no such operation.");
        return respond(&fault.answer(&debug_id(&shared)));
    };
    let bearer = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "));
    if !bearer.is_some_and(|token| shared.is_token(token)) {
        return respond(&Fault::unauthenticated().answer(&debug_id(&shared)));
    }
    let Luck { latency, error, is_silent } = shared.luck(operation);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    if let Some((status, retry_after)) = error {
        return unlucky(&shared, status, retry_after);
    }
    let (body, files) = match evidence::body(operation, &headers, request).await {
        Ok(sent) => sent,
        Err(fault) => return respond(&fault.answer(&debug_id(&shared))),
    };
    let asked = Asked { operation, id, query: query(&uri), headers, files };
    let answer = match execute(&shared, asked, &body) {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "a request was not carried out");
            return unlucky(&shared, 500, 0);
        }
    };
    let breaches = schema::response(operation, answer.status, answer.body.as_ref());
    if !breaches.is_empty() {
        // A defect of the sandbox, which must not pass for PayPal's.
        tracing::error!(?breaches, operation = operation.row().id, status = answer.status, "not as documented");
        let text = format!("{breaches:?}");
        let shown =
            json!({"name": "SANDBOX_RESPONSE_INVALID", "message": text, "debug_id": "", "response": answer.body});
        return respond(&Answer::new(500, shown));
    }
    if is_silent {
        shared.cancel.cancelled().await;
    }
    respond(&answer)
}

/// A request that may be executed.
struct Asked {
    operation: Operation,
    id: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    files: Vec<SentFile>,
}

fn execute(shared: &Shared, asked: Asked, body: &Bytes) -> anyhow::Result<Answer> {
    let Asked { operation, id, query, headers, files } = asked;
    let refused = |fault: Fault| Ok(fault.answer(&debug_id(shared)));
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(body) => Some(body),
        Err(_) if body.is_empty() => None,
        Err(_) => return refused(Fault::malformed(operation)),
    };
    let breaches = schema::request(operation, body.as_ref());
    if !breaches.is_empty() {
        return refused(Fault::breaches(operation, &breaches));
    }
    if operation == Operation::VerifySignature {
        return verify(shared, &body.unwrap_or_default());
    }
    if operation.row().method == "GET" {
        return shared.look(|books, now| books.look(operation, &id, &query, now));
    }
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
    let is_full = header("prefer").is_some_and(|it| it.contains("return=representation"));
    let (request_id, body) = (header("paypal-request-id"), body.unwrap_or_default());
    let merchant = header("paypal-auth-assertion").and_then(|it| reading::asserted(&it));
    let call = Call { operation, id, request_id, merchant, is_full, body, files };
    shared.apply(Input::Call(call))
}

/// Whether a webhook was signed here.
fn verify(shared: &Shared, body: &Value) -> anyhow::Result<Answer> {
    let part = |name: &str| text(body, &format!("/{name}")).unwrap_or_default();
    let event = body["webhook_event"].to_string();
    let (id, time, webhook) = (part("transmission_id"), part("transmission_time"), part("webhook_id"));
    let expected = shared.certificates.sign(&id, &time, &webhook, event.as_bytes())?;
    let is_known = shared.look(|books, _| books.webhooks.contains_key(&webhook))?;
    let is_genuine =
        is_known && part("transmission_sig") == expected && part("cert_url").ends_with(&shared.certificates.name);
    Ok(Answer::new(200, json!({"verification_status": if is_genuine { "SUCCESS" } else { "FAILURE" }})))
}

fn unlucky(shared: &Shared, status: u16, retry_after: u32) -> Response {
    let fault = match status {
        429 => Fault::new(429, "RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
        503 => Fault::new(503, "SERVICE_UNAVAILABLE", "Service Unavailable."),
        _ => Fault::new(500, "INTERNAL_SERVER_ERROR", "An internal server error occurred."),
    };
    let mut response = respond(&fault.answer(&debug_id(shared)));
    if retry_after > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    }
    response
}

fn debug_id(shared: &Shared) -> String {
    shared.look(Books::debug_id).unwrap_or_default()
}

fn query(uri: &Uri) -> Vec<(String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// A response as HTTP.
pub(super) fn respond(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let Some(body) = &answer.body else { return status.into_response() };
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response();
    if let Some(id) = body.get("debug_id").and_then(Value::as_str).and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert("paypal-debug-id", id);
    }
    response
}
