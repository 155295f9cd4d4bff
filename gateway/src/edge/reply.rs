//! The response of a command, small enough for a receipt, so that it can be repeated.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use byteshop_commands::{Done, Error};
use byteshop_domain::personal::holds_sealed;
use byteshop_projections::product_list::Text;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::edge::headers::{LOG_POSITION, REPLAYED, etag};

/// The body of a repeated response that was too large to store.
const CUT: &str = r#"{"status":"done","detail":"this request was carried out earlier; its response was too large to store: read the resource"}"#;

/// The answer of a command that was carried out.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Kept")]
pub struct Reply {
    status: u16,
    etag: Option<i64>,
    location: Option<String>,
    body: Option<Box<RawValue>>,
    /// The largest body that a receipt keeps, in bytes; any if absent.
    most: Option<usize>,
}

/// The part of a response that a receipt stores.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    /// There was a body, and it was too large to be kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { status, etag, location, body, most } = self.clone();
        let cut = body.as_ref().zip(most).is_some_and(|(body, most)| body.get().len() > most);
        Kept { status, etag, location, body: body.filter(|_| !cut), cut }.serialize(serializer)
    }
}

impl From<Kept> for Reply {
    fn from(Kept { status, etag, location, body, cut }: Kept) -> Self {
        let body = if cut { RawValue::from_string(CUT.to_owned()).ok() } else { body };
        Self { status, etag, location, body, most: None }
    }
}

/// Accepted; the result is sent by e-mail.
#[derive(Serialize, ToSchema)]
pub struct Accepted {
    #[schema(example = "accepted")]
    status: &'static str,
}

impl Reply {
    /// 200 with the resource as it is now.
    pub fn ok(version: i64, body: &impl Serialize) -> Result<Self, Error> {
        let body = Some(serde_json::value::to_raw_value(body)?);
        Ok(Self { status: 200, etag: Some(version), location: None, body, most: None })
    }

    /// 201 with the new resource and where it is.
    pub fn created(location: String, version: i64, body: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { status: 201, location: Some(location), ..Self::ok(version, body)? })
    }

    /// 201, from where nothing can fail: a body that has no JSON form, which ours always have, is left out.
    pub fn made(location: String, version: i64, body: &impl Serialize) -> Self {
        let body = serde_json::value::to_raw_value(body).ok();
        Self { status: 201, etag: Some(version), location: Some(location), body, most: None }
    }

    /// 202: it is taken on, and nothing is said about what comes of it.
    pub fn accepted() -> Self {
        let body = serde_json::value::to_raw_value(&Accepted { status: "accepted" }).ok();
        Self { status: 202, etag: None, location: None, body, most: None }
    }

    /// 200 with something that has no version of its own.
    pub fn told(body: &impl Serialize) -> Result<Self, Error> {
        Ok(Self { etag: None, ..Self::ok(0, body)? })
    }

    /// 204 without a body.
    pub fn done() -> Self {
        Self { status: 204, etag: None, location: None, body: None, most: None }
    }

    /// 204: it is gone, and what it was part of has this version.
    pub fn gone(version: i64) -> Self {
        Self { status: 204, etag: Some(version), location: None, body: None, most: None }
    }

    /// The same, of which a receipt keeps no body that is larger.
    pub(crate) fn kept_up_to(self, most: Option<usize>) -> Self {
        Self { most, ..self }
    }
}

/// Writes the answer: with the position of the command's last event, or, when everything was so already, the given one.
pub fn respond(done: Done<Reply>, otherwise: i64) -> Response {
    let Done { answer, position, replayed } = done;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = match answer.body {
        Some(body) => (status, body_of(Box::<str>::from(body).into())).into_response(),
        None => status.into_response(),
    };
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // What is only accepted says nothing of what came of it, and the position would: on a quiet shop it counts its events.
    if status != StatusCode::ACCEPTED {
        headers.insert(LOG_POSITION, HeaderValue::from(position.unwrap_or(otherwise)));
    }
    if let Some(version) = answer.etag {
        headers.insert(header::ETAG, etag(version));
    }
    if let Some(location) = answer.location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Marks a response that shows what is known of a person, though nothing in it is sealed any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Personal;

/// Marks a response for staff, even without a staff caller: a link for staff opens it without a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForStaff;

/// The same response, marked as one for staff.
pub(crate) fn for_staff(mut response: Response) -> Response {
    response.extensions_mut().insert(ForStaff);
    response
}

/// Marks a response whose body lies in the program's own memory, however often it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fixed;

/// Writes a response that is always the same: its text is shared and not copied.
pub(crate) fn fixed(content_type: &'static str, text: Bytes) -> Response {
    let mut response = Body::from(text).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.extensions_mut().insert(Fixed);
    response
}

/// A body that holds sealed values, which the edge opens on the way out: no handler can forget it, and receipts and views
/// keep them sealed.
#[derive(Debug, Clone)]
pub(crate) struct Sealed(pub(crate) String);

/// The text of one resource with its version, from which the edge makes the entity tag once it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Versioned {
    pub(crate) version: i64,
    pub(crate) text: String,
}

fn body_of(text: String) -> Response {
    if !holds_sealed(&text) {
        return Body::from(text).into_response();
    }
    let mut response = Response::default();
    response.extensions_mut().insert(Sealed(text));
    response
}

/// JSON text that others hold, too, and are sent.
#[derive(Debug, Clone)]
pub(crate) struct SharedText(pub(crate) Arc<Text>);

impl AsRef<[u8]> for SharedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_str().as_bytes()
    }
}

/// Writes the answer of a query: text that is JSON already.
pub fn json(text: String) -> Response {
    as_json(body_of(text))
}

/// The same for text in which nothing is sealed, and which is not copied.
pub fn public(text: Arc<Text>) -> Response {
    let shared = SharedText(text);
    let mut response = as_json(Body::from(Bytes::from_owner(shared.clone())).into_response());
    response.extensions_mut().insert(shared);
    response
}

fn as_json(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Writes the answer of a query about one resource at a version.
pub fn one(version: i64, body: &impl Serialize) -> Result<Response, crate::edge::problem::Problem> {
    let text = serde_json::to_string(body).map_err(Error::from)?;
    let mut response = json(String::new());
    response.extensions_mut().insert(Versioned { version, text });
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_keeps_a_body_up_to_its_limit_and_otherwise_the_outcome() {
        let reply = Reply::created("/v1/carts/1".to_owned(), 3, &"x".repeat(100)).unwrap();
        let again = |reply: &Reply| serde_json::from_str::<Reply>(&serde_json::to_string(reply).unwrap()).unwrap();
        let whole = again(&reply.clone().kept_up_to(Some(102)));
        assert_eq!(whole.body.unwrap().get().len(), 102);
        let cut = again(&reply.kept_up_to(Some(101)));
        assert_eq!((cut.status, cut.etag, cut.location.as_deref()), (201, Some(3), Some("/v1/carts/1")));
        assert_eq!(cut.body.unwrap().get(), CUT);
    }
}
