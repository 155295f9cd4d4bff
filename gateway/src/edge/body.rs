//! Reading bodies: a limit, a time, and a word about every field that does not fit.

use std::time::Duration;

use axum::body::Bytes;
use byteshop_domain::text::fresh;
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use self::schema::Schema;
use crate::edge::problem::Problem;
pub use faults::FAULTS_MAX;

mod check;
pub(crate) mod explain;
mod faults;
mod node;
mod reader;
pub(crate) mod schema;
pub(crate) mod words;

/// Largest body: ten times the largest product, with all its variants.
pub const BODY_MAX: usize = 1 << 20;
/// Largest body where a visitor or the owner of an account acts: three times the longest address, and a hundred lines to be quoted.
pub const BODY_MAX_SMALL: usize = 16 << 10;
/// Where the smaller limit holds.
const SMALL: [&str; 4] = ["/v1/carts", "/v1/auth/", "/v1/me", "/v1/delivery/"];
/// How long a body may take: a megabyte over a bad mobile connection.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still read, so that its sender hears why it was refused: for a file that somebody
/// picked without looking, it is worth reading more than anybody needs.
const DRAIN_MAX: usize = 64 << 20;

/// The largest body that a path takes, in bytes.
pub fn max_of(path: &str) -> usize {
    if SMALL.iter().any(|start| path.starts_with(start)) { BODY_MAX_SMALL } else { BODY_MAX }
}

/// Reads a body whole, up to a limit, in time.
pub(crate) async fn read(headers: &HeaderMap, body: axum::body::Body, max: usize) -> Result<Bytes, Problem> {
    timeout(BODY_PATIENCE, read_whole(headers, body, max)).await.map_err(|_| too_slow())?
}

async fn read_whole(headers: &HeaderMap, body: axum::body::Body, max: usize) -> Result<Bytes, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_none_or(|length| length <= max) {
        match axum::body::to_bytes(body, max).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) if is_too_large(&error) => return Err(too_large(max)),
            Err(_) => return Err(broken()),
        }
    }
    if announced.is_some_and(|length| length <= DRAIN_MAX) {
        let mut chunks = body.into_data_stream();
        while let Some(Ok(_)) = chunks.next().await {}
    }
    Err(too_large(max))
}

/// A body that is read piece by piece: each piece in time, the whole in time, and no more of it than a limit.
pub(crate) struct Pieces {
    body: axum::body::BodyDataStream,
    left: usize,
    max: usize,
    until: Instant,
}

impl Pieces {
    /// The pieces of a body of at most so many bytes.
    ///
    /// # Errors
    /// When its announced length is larger.
    pub(crate) fn of(
        headers: &HeaderMap,
        body: axum::body::Body,
        max: usize,
        patience: Duration,
    ) -> Result<Self, Problem> {
        let announced =
            headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(too_large(max));
        }
        Ok(Self { body: body.into_data_stream(), left: max, max, until: Instant::now() + patience })
    }

    /// The next piece; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let patience = BODY_PATIENCE.min(self.until.saturating_duration_since(Instant::now()));
        match timeout(patience, self.body.next()).await.map_err(|_| too_slow())? {
            None => Ok(None),
            Some(Err(_)) => Err(broken()),
            Some(Ok(piece)) => {
                self.left = self.left.checked_sub(piece.len()).ok_or_else(|| too_large(self.max))?;
                Ok(Some(piece))
            }
        }
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

/// Its chunks cannot be read, or it ended before its announced length.
fn broken() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request.broken_body", "the body is truncated, or its chunks are malformed")
}

fn too_slow() -> Problem {
    let detail = format!("the body did not arrive within {} seconds", BODY_PATIENCE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, "request.timeout", detail)
}

pub(crate) fn too_large(max: usize) -> Problem {
    let detail = format!("the body must not exceed {max} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", detail)
}

/// Reads JSON, and blames the fields that do not fit; the schema of the body helps to find them all.
pub(crate) fn parse<T: DeserializeOwned>(
    headers: &HeaderMap,
    bytes: &[u8],
    schema: Option<Schema<'_>>,
) -> Result<T, Problem> {
    // A command that takes nothing, or only what may be left out, needs no body.
    let text = if bytes.is_empty() { b"{}" } else { bytes };
    if !bytes.is_empty() && !is_json(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.unsupported_media_type",
            "the body must be application/json",
        ));
    }
    object(text, schema)
}

/// Reads one JSON object, and blames the fields that do not fit.
pub(crate) fn object<T: DeserializeOwned>(text: &[u8], schema: Option<Schema<'_>>) -> Result<T, Problem> {
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(explain::syntax(text).unwrap_or_else(|| Problem::invalid("", "the body must be a JSON object")));
    }
    match fresh(|| serde_json::from_slice(text)) {
        Ok(body) if !explain::has_wrong_list(text, schema) => Ok(body),
        Ok(_) | Err(_) => Err(explain::body::<T>(text, schema)),
    }
}

/// What is wrong with a text that should be a list of JSON values. No body at all is taken for an object.
pub(crate) fn no_list(text: &[u8]) -> Problem {
    let syntax = if text.is_empty() { None } else { explain::syntax(text) };
    syntax.unwrap_or_else(|| Problem::invalid("", "the body must be a JSON array"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests;
