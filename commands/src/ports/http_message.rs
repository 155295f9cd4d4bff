//! SMS and push over HTTP: a JSON object posted to a provider, or to a small program before one.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::StatusCode;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::{Deserialize, Serialize};

use super::message::{Carrier, Message, Taken, Undelivered};

/// How long a provider may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of an answer is read: an id fits.
const ANSWER_MAX: usize = 16 << 10;
/// Longest id of a provider that is kept.
const TAKEN_MAX: usize = 64;

/// A channel over HTTP.
///
/// It posts `{"id", "to", "title", "text"}` with `Idempotency-Key: <id>` and a bearer secret. Since the key tells the
/// provider that a message is the same, one without an answer is sent again.
pub struct HttpCarrier {
    client: Client,
    url: String,
    secret: String,
}

#[derive(Serialize)]
struct Body<'a> {
    id: String,
    to: &'a str,
    title: &'a str,
    text: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: Option<String>,
}

impl HttpCarrier {
    /// The channel behind this URL.
    ///
    /// # Errors
    /// When HTTPS cannot be had on this machine.
    pub fn new(url: &str, secret: &str) -> Result<Self, reqwest::Error> {
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).build()?;
        Ok(Self { client, url: url.to_owned(), secret: secret.to_owned() })
    }

    async fn post(&self, message: &Message) -> Result<Taken, Undelivered> {
        let id = message.id.to_string();
        let body = Body { id: id.clone(), to: &message.to, title: &message.subject, text: &message.text };
        let request = self.client.post(&self.url).bearer_auth(&self.secret).header("Idempotency-Key", &id).json(&body);
        let not_now = |error: reqwest::Error| {
            Undelivered::NotNow(if error.is_timeout() { "timed out".into() } else { "no connection".into() })
        };
        let mut response = request.send().await.map_err(not_now)?;
        let status = response.status();
        if status.is_success() {
            let mut answer = Vec::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                answer.extend_from_slice(&chunk);
                if answer.len() > ANSWER_MAX {
                    break;
                }
            }
            let known = serde_json::from_slice::<Answer>(&answer).ok().and_then(|answer| answer.id);
            let clean = |id: String| id.chars().filter(char::is_ascii_graphic).take(TAKEN_MAX).collect();
            return Ok(known.map_or_else(|| status.as_u16().to_string(), clean));
        }
        let said = format!("HTTP {}", status.as_u16());
        match status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::TOO_EARLY
            | StatusCode::TOO_MANY_REQUESTS => Err(Undelivered::NotNow(said)),
            // The shop's own secret is wrong, which an operator has to fix.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Undelivered::NotNow(said)),
            status if status.is_client_error() => Err(Undelivered::Refused(said)),
            _ => Err(Undelivered::NotNow(said)),
        }
    }
}

impl Carrier for HttpCarrier {
    fn send<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<Taken, Undelivered>> {
        self.post(message).boxed()
    }
}
