//! Requests to PayPal's API: a token that is kept until it expires, timeouts, retries, and errors with their kind.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::payment::Registration;
use byteshop_domain::text::MerchantId;
use byteshop_eventstore::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::account::Account;
use super::form::{Part, form};
use super::{retry, wire};
use crate::ports::NoAnswer;

/// How long one request may take: a try and a repetition fit into the time that a call to a provider may take.
const TIMEOUT: Duration = Duration::from_secs(4);
/// How long a request with files may take: 15 MiB over a line of 5 Mbit/s.
const FILES_TIMEOUT: Duration = Duration::from_secs(28);
/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// The largest answer that is read, in bytes: an order with hundreds of refunds stays far below.
const ANSWER_MAX: usize = 1 << 20;
/// The largest file of certificates that is read, in bytes: a chain has two or three.
const CERTIFICATES_MAX: usize = 64 << 10;
/// A token is not used in the last moments before it expires, in which a request could arrive too late.
const TOKEN_MARGIN: TimeDelta = TimeDelta::seconds(60);
/// The longest text of PayPal that is put into the log.
const SAID_MAX: usize = 64;

/// The header with PayPal's own id of an exchange, which its support asks for.
const DEBUG_ID: &str = "paypal-debug-id";
/// The header that names the merchant for whom the house as a platform asks (PayPal's reference, "PayPal-Auth-Assertion").
const ASSERTION: &str = "PayPal-Auth-Assertion";
/// The header with the attribution id of a platform.
const PARTNER_ID: &str = "PayPal-Partner-Attribution-Id";
/// The header with the idempotency key. PayPal keeps keys of orders for 6 hours and keys of payments for 45 days.
const REQUEST_ID: &str = "PayPal-Request-Id";

/// Why a request has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// No answer in time: the request may have been carried out.
    #[error("PayPal did not answer: {0}")]
    Silent(&'static str),
    /// PayPal wants the request later.
    #[error("PayPal is busy: HTTP {status}{debug_id}")]
    Busy { status: u16, retry_after: Option<Duration>, debug_id: DebugId },
    /// The token was not accepted; the next request gets a new one.
    #[error("PayPal refused the credentials: HTTP {status}{debug_id}")]
    Unauthorized { status: u16, debug_id: DebugId },
    /// PayPal refuses the request itself.
    #[error("PayPal refused the request: {0}")]
    Refused(Refusal),
    /// An answer that cannot be read: the request may have been carried out.
    #[error("PayPal's answer cannot be read{debug_id}")]
    Unreadable { debug_id: DebugId },
    /// The object at PayPal is not the one that the shop created.
    #[error("the order at PayPal differs from the payment of the shop in its {0}")]
    Differs(&'static str),
}

/// A refusal of PayPal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    /// The kind of the error, such as `UNPROCESSABLE_ENTITY`.
    pub name: String,
    /// What is wrong, such as `ORDER_NOT_APPROVED`; empty if PayPal does not say.
    pub issue: String,
    /// The id of the object that the request would have created a second time, if PayPal names it.
    pub existing: Option<String>,
    pub debug_id: DebugId,
}

impl Refusal {
    /// Whether PayPal understood the request, and its rules about money refuse it.
    pub fn is_about_money(&self) -> bool {
        self.status == StatusCode::UNPROCESSABLE_ENTITY.as_u16()
    }

    /// Whether PayPal does not know the object.
    pub fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND.as_u16()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {} {} {}{}", self.status, self.name, self.issue, self.debug_id)
    }
}

/// PayPal's id of an exchange, if there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DebugId(String);

impl fmt::Display for DebugId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " (debug id {})", self.0) }
    }
}

impl Failure {
    /// The pause before the request is sent again, if it is.
    fn pause(&self, tries: u32, chance: u64) -> Option<Duration> {
        match self {
            Self::Silent(_) => retry::pause(tries, None, chance),
            Self::Busy { retry_after, .. } => retry::pause(tries, *retry_after, chance),
            // Once, with a new token.
            Self::Unauthorized { .. } => (tries == 1).then_some(Duration::ZERO),
            Self::Refused(_) | Self::Unreadable { .. } | Self::Differs(_) => None,
        }
    }
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self(failure.to_string())
    }
}

/// A request.
#[derive(Debug)]
pub(super) struct Call {
    method: Method,
    path: String,
    /// The idempotency key: a repeated request with it is carried out once.
    request_id: Option<String>,
    /// The account for which the house asks, if it is not its own.
    merchant: Option<MerchantId>,
    body: Option<Content>,
}

/// The content of a request.
#[derive(Debug)]
enum Content {
    Json(Value),
    /// JSON in a form, as Disputes v1 takes it beside files.
    Form(Value, Vec<Part>),
}

impl Call {
    /// A query.
    pub fn get(path: String) -> Self {
        Self { method: Method::GET, path, request_id: None, merchant: None, body: None }
    }

    /// A command, under an idempotency key.
    pub fn post(path: String, request_id: String, body: Value) -> Self {
        let (request_id, body) = (Some(request_id), Some(Content::Json(body)));
        Self { method: Method::POST, path, request_id, merchant: None, body }
    }

    /// A command with a form.
    pub fn form(path: String, input: Value, files: Vec<Part>) -> Self {
        let body = Some(Content::Form(input, files));
        Self { method: Method::POST, path, request_id: None, merchant: None, body }
    }

    /// A command that says all by its path, and that changes nothing when it is repeated.
    pub fn command(path: String) -> Self {
        Self { method: Method::POST, path, request_id: None, merchant: None, body: None }
    }

    /// The same, asked for the account that an attempt is paid to, if it is a seller's.
    pub fn for_payee(self, registration: &Registration) -> Self {
        Self { merchant: registration.direct.as_ref().map(|direct| direct.account.clone()), ..self }
    }
}

/// A token, and until when it is used.
struct Token {
    secret: String,
    until: DateTime<Utc>,
}

/// The client of one account.
pub(super) struct Client {
    http: reqwest::Client,
    account: Account,
    /// One request at a time gets a new token; the others wait for it.
    token: Mutex<Option<Token>>,
}

impl Client {
    /// A client; it connects with its first request.
    ///
    /// # Errors
    /// When HTTPS cannot be had on this machine.
    pub fn new(account: Account) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_WITHIN)
            .redirect(Policy::none())
            .https_only(account.url.starts_with("https://"))
            .user_agent("ByteShop/1")
            .build()?;
        Ok(Self { http, account, token: Mutex::default() })
    }

    /// The account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Sends a request, again if it has no answer, and reads the result.
    pub async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let failure = match self.send(call).await {
                Ok(said) => return said.read(),
                Err(failure) => failure,
            };
            tracing::debug!(%failure, path = call.path, tries, "a request to PayPal failed");
            // The last bits of an id are random.
            let chance = u64::try_from(Clock.new_id().as_u128() & u128::from(u32::MAX)).unwrap_or_default();
            let Some(pause) = failure.pause(tries, chance) else { return Err(failure) };
            tokio::time::sleep(pause).await;
        }
    }

    /// The text of a file of certificates, at an address that was checked.
    pub async fn certificates(&self, url: reqwest::Url) -> Result<String, Failure> {
        let response = self.http.get(url).send().await.map_err(|error| silent(&error))?;
        let said = Said::of(response, CERTIFICATES_MAX).await?;
        if said.status != StatusCode::OK {
            return Err(said.failure());
        }
        String::from_utf8(said.body).map_err(|_| Failure::Unreadable { debug_id: said.debug_id })
    }

    async fn send(&self, call: &Call) -> Result<Said, Failure> {
        let token = self.token().await?;
        let url = format!("{}{}", self.account.url, call.path);
        let mut request = self.http.request(call.method.clone(), url).bearer_auth(&token);
        if let Some(id) = &call.request_id {
            request = request.header(REQUEST_ID, id);
        }
        if let Some(partner) = &self.account.partner_id {
            request = request.header(PARTNER_ID, partner);
        }
        if let Some(merchant) = &call.merchant {
            request = request.header(ASSERTION, assertion(&self.account.client_id, merchant));
        }
        request = match &call.body {
            Some(Content::Json(body)) => request.header("Prefer", "return=representation").json(body),
            Some(Content::Form(input, files)) => {
                // A new boundary each time, which no text contains.
                let boundary = Clock.new_id().simple().to_string();
                let kind = format!("multipart/form-data; boundary={boundary}");
                let request = if files.is_empty() { request } else { request.timeout(FILES_TIMEOUT) };
                request.header(header::CONTENT_TYPE, kind).body(form(&boundary, input, files))
            }
            None => request,
        };
        let response = request.send().await.map_err(|error| silent(&error))?;
        let said = Said::of(response, ANSWER_MAX).await?;
        if said.status.is_success() {
            return Ok(said);
        }
        let failure = said.failure();
        if matches!(failure, Failure::Unauthorized { .. }) {
            self.forget(&token).await;
        }
        Err(failure)
    }

    /// A token that is valid for a while (OAuth 2.0, client credentials: RFC 6749, section 4.4).
    async fn token(&self) -> Result<String, Failure> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Clock.now() < token.until) {
            return Ok(token.secret.clone());
        }
        let Account { url, client_id, client_secret, .. } = &self.account;
        let request = self.http.post(format!("{url}/v1/oauth2/token")).basic_auth(client_id, Some(client_secret));
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response = request.body("grant_type=client_credentials").send().await.map_err(|error| silent(&error))?;
        let said = Said::of(response, ANSWER_MAX).await?;
        if !said.status.is_success() {
            return Err(said.failure());
        }
        let wire::Token { access_token, expires_in } = said.read()?;
        let until = Clock.now() + TimeDelta::seconds(expires_in.clamp(0, i64::from(u32::MAX))) - TOKEN_MARGIN;
        *kept = Some(Token { secret: access_token.clone(), until });
        Ok(access_token)
    }

    /// Forgets a token that was not accepted, unless there is a newer one.
    async fn forget(&self, token: &str) {
        let mut kept = self.token.lock().await;
        if kept.as_ref().is_some_and(|kept| kept.secret == token) {
            *kept = None;
        }
    }
}

/// An unsigned token (RFC 7519, section 6) that names the merchant.
fn assertion(client_id: &str, merchant: &MerchantId) -> String {
    let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let (header, claims) = (json!({"alg": "none"}), json!({"iss": client_id, "payer_id": merchant}));
    format!("{}.{}.", part(header), part(claims))
}

/// An answer.
struct Said {
    status: StatusCode,
    retry_after: Option<Duration>,
    debug_id: DebugId,
    body: Vec<u8>,
}

impl Said {
    async fn of(mut response: reqwest::Response, most: usize) -> Result<Self, Failure> {
        let (status, headers) = (response.status(), response.headers());
        let (retry_after, debug_id) = (retry_after(headers), DebugId(text(headers, DEBUG_ID)));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| silent(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > most {
                return Err(Failure::Unreadable { debug_id });
            }
        }
        Ok(Self { status, retry_after, debug_id, body })
    }

    fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        // What PayPal carries out without an answer has an empty one.
        let body = if self.body.is_empty() { b"null".as_slice() } else { self.body.as_slice() };
        serde_json::from_slice(body).map_err(|_| Failure::Unreadable { debug_id: self.debug_id })
    }

    /// What an answer other than a success means.
    fn failure(&self) -> Failure {
        let (status, debug_id) = (self.status.as_u16(), self.debug_id.clone());
        let problem: wire::Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        let existing = problem.links.iter().find(|link| link.rel == "self");
        let existing = existing.and_then(|link| link.href.rsplit('/').next()).map(short);
        let issue = problem.details.into_iter().map(|detail| detail.issue).find(|issue| !issue.is_empty());
        let issue = short(&issue.unwrap_or_default());
        let debug_id = if debug_id.0.is_empty() { DebugId(short(&problem.debug_id)) } else { debug_id };
        let retry_after = self.retry_after;
        match self.status {
            StatusCode::UNAUTHORIZED => Failure::Unauthorized { status, debug_id },
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Failure::Busy { status, retry_after, debug_id }
            }
            // A request with the same key is in progress.
            StatusCode::CONFLICT if issue == "PREVIOUS_REQUEST_IN_PROGRESS" => {
                Failure::Busy { status, retry_after, debug_id }
            }
            other if other.is_server_error() => Failure::Busy { status, retry_after, debug_id },
            _ => Failure::Refused(Refusal { status, name: short(&problem.name), issue, existing, debug_id }),
        }
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    text(headers, header::RETRY_AFTER.as_str()).parse().ok().map(Duration::from_secs)
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).map(short).unwrap_or_default()
}

/// The words of PayPal that the log may show: names of errors and ids.
fn short(text: &str) -> String {
    let fits = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    text.chars().filter(fits).take(SAID_MAX).collect()
}

fn silent(error: &reqwest::Error) -> Failure {
    Failure::Silent(if error.is_timeout() {
        "it took too long"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection was lost"
    })
}
