//! Reading bodies: a limit, a time, and a word about the field that does not fit.

use std::time::Duration;

use axum::body::Bytes;
use byteshop_commands::notify::format::country_code;
use byteshop_domain::text::{NO_COUNTRY, fresh};
use futures_util::StreamExt as _;
use http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::timeout;

use crate::edge::problem::Problem;

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

/// Reads JSON, and blames the field that does not fit.
pub(crate) fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    // A command that takes nothing, or only what may be left out, needs no body.
    let text = if bytes.is_empty() { b"{}" } else { bytes };
    if !bytes.is_empty() && !is_json(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.unsupported_media_type",
            "the body must be application/json",
        ));
    }
    object(text)
}

/// Reads one JSON object, and blames the field that does not fit.
pub(crate) fn object<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    if !text.trim_ascii_start().starts_with(b"{") {
        // A struct could also be read from an array of its fields, which nobody means.
        return Err(not_json(text).unwrap_or_else(|| Problem::invalid("", "the body must be a JSON object")));
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let parsed = fresh(|| serde_path_to_error::deserialize(&mut json)).map_err(|error| {
        let pointer = pointer(error.path());
        refuse(error.inner(), pointer, text)
    })?;
    json.end().map_err(|error| refuse(&error, String::new(), text))?;
    Ok(parsed)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// What is wrong with a text that is no JSON at all.
fn not_json(text: &[u8]) -> Option<Problem> {
    let error = serde_json::from_slice::<IgnoredAny>(text).err()?;
    Some(Problem::malformed("request.malformed_json", format!("the body is not JSON: {error}")))
}

fn refuse(error: &serde_json::Error, pointer: String, body: &[u8]) -> Problem {
    // Some values of a wrong type are told as wrong syntax, so the text is read again for its syntax alone.
    if !error.is_data()
        && let Some(problem) = not_json(body)
    {
        return problem;
    }
    let text = error.to_string();
    // Where it stands is said by the pointer; a line and a column mean nothing to a program's user.
    let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
    // These two are said of the object, and name the field only in words.
    let named = detail.strip_prefix("missing field `").or_else(|| detail.strip_prefix("duplicate field `"));
    let pointer = match named.and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => format!("{pointer}/{field}"),
        None => pointer,
    };
    if detail == NO_COUNTRY {
        return country_unknown(pointer, body);
    }
    let detail = words::of(detail, &pointer);
    Problem::invalid(pointer, detail)
}

/// A country that is none, with the code of the one that is meant, where that can be told.
fn country_unknown(pointer: String, body: &[u8]) -> Problem {
    let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let given = body.as_ref().and_then(|body| body.pointer(&pointer)?.as_str());
    let detail = match given.and_then(|given| Some((given, country_code(given)?))) {
        Some((given, code)) => {
            format!("not a country code; the two-letter ISO 3166 code of {} is {code}", given.trim())
        }
        None => NO_COUNTRY.to_owned(),
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request.country_unknown", detail).at(pointer)
}

/// A path as a JSON pointer (RFC 6901, section 3).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Map { key } => pointer.extend(["/", &key.replace('~', "~0").replace('/', "~1")]),
            Segment::Seq { index } => pointer.extend(["/", &index.to_string()]),
            // The name of a variant is no part of the text's own structure, or is its key.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests;
