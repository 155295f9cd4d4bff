//! Reading requests: ids from the path, the query, the body, and the one place where a request becomes an intent.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, RawPathParams, Request};
use byteshop_commands::{At, Done, Error, Intent, Key, Loaded, Rejected, Snapshot, Unit};
use byteshop_domain::ids::{CartId, Id};
use byteshop_domain::{Decider, Kind};
use chrono::DateTime;
use futures_util::StreamExt as _;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio::time::timeout;
use uuid::Uuid;

use super::{App, Edge, Shared};
use crate::actor::Who;
use crate::problem::Problem;
use crate::reply::{self, Reply};
use crate::{idempotency, version};

/// Largest body: ten times the largest product, with all its variants.
pub const BODY_MAX: usize = 1 << 20;
/// How long a body may take: a megabyte over a bad mobile connection.
const BODY_PATIENCE: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still read, so that its sender hears why it was refused.
const DRAIN_MAX: usize = 16 << 20;

/// The id in the path. What is no id, or the id of something else, names nothing that exists: 404.
#[derive(Debug, Clone, Copy)]
pub struct Of<T>(pub T);

/// The two ids in the path.
#[derive(Debug, Clone, Copy)]
pub struct OfTwo<A, B>(pub A, pub B);

/// The query of a request, every parameter known and readable.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

/// A command: who asks, what, and how it is to be carried out.
#[derive(Debug)]
pub struct Ask<W, T> {
    /// Who asks.
    pub who: W,
    /// What is asked.
    pub body: T,
    request_id: Uuid,
    trace_id: Option<String>,
    key: Option<Key>,
    if_match: Option<i64>,
    cart: Option<CartId>,
}

/// A body with nothing in it; it may be left out.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<W: Who, T> Ask<W, T> {
    /// Says on which cart a guest acts.
    pub fn on_cart(mut self, cart: CartId) -> Self {
        self.cart = Some(cart);
        self
    }

    /// Everything that the log is to know about a command of this request.
    pub fn intent(&self, command: &'static str) -> Intent {
        Intent {
            trace_id: self.trace_id.clone(),
            key: self.key.clone(),
            if_match: self.if_match,
            ..Intent::new(self.who.caller().actor(self.cart), command, self.request_id)
        }
    }
}

impl<W: Send + Sync, T: Send + Sync> Ask<W, T> {
    /// Loads the aggregate that the command is about: it exists, and has the version that the caller has seen.
    pub async fn load<A: Decider>(&self, unit: &Unit, id: A::Id) -> Result<Loaded<A>, Error> {
        let loaded = unit.load::<A>(id).await?.exists()?;
        self.check_version(&loaded)?;
        Ok(loaded)
    }

    /// Holds the caller to the version that they have seen.
    pub fn check_version<A: Decider>(&self, loaded: &Loaded<A>) -> Result<(), Error> {
        match self.if_match {
            Some(version) if version != loaded.version => Err(Error::Version { current: loaded.version }),
            Some(_) | None => Ok(()),
        }
    }
}

impl App {
    /// Carries out a command and writes its answer.
    pub async fn run<W, T, F, Fut>(
        &self,
        ask: &Ask<W, T>,
        command: &'static str,
        work: F,
    ) -> Result<axum::response::Response, Problem>
    where
        W: Who,
        F: Fn(Unit) -> Fut + Send + Sync,
        Fut: Future<Output = Result<Reply, Error>> + Send,
    {
        let done = self.commands.run(&ask.intent(command), work).await?;
        self.respond(done).await
    }

    /// Writes the answer of a command that was carried out.
    pub async fn respond(&self, done: Done<Reply>) -> Result<axum::response::Response, Problem> {
        let position = match done.position {
            Some(position) => position,
            // Everything was so already: as far as the caller can know, it was so at the end of the log.
            None => self.commands.log().head().await.map_err(Error::from)?,
        };
        self.seen.raise(position);
        Ok(reply::respond(done, position))
    }

    /// Makes sure that a query of the log itself sees the position that the caller asks for.
    pub async fn await_log(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(position) = version::min_log_position(headers)? else { return Ok(()) };
        if position <= self.seen.highest() {
            return Ok(());
        }
        // The log is where acknowledged commands are, so a position that it does not have is nobody's yet.
        let head = self.commands.log().head().await.map_err(Error::from)?;
        self.seen.raise(head);
        if position <= head { Ok(()) } else { Err(Problem::not_caught_up()) }
    }
}

/// Which moment is asked for: `?at=` takes a position of the log or a time.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Then {
    /// As it was after this position of the log, or at this time (RFC 3339).
    #[param(example = "2026-01-01T12:00:00Z")]
    pub at: Option<String>,
}

impl Then {
    /// The moment, if one is asked for.
    pub fn moment(&self) -> Result<Option<At>, Problem> {
        let Some(text) = &self.at else { return Ok(None) };
        if let Some(position) = version::digits(text) {
            return Ok(Some(At::Position(position)));
        }
        match DateTime::parse_from_rfc3339(text) {
            Ok(moment) => Ok(Some(At::Moment(moment.to_utc()))),
            Err(_) => {
                Err(Problem::malformed("request.invalid_query", "at takes a position, or a time as RFC 3339 writes it"))
            }
        }
    }
}

impl App {
    /// An aggregate as it is, or as it was at the moment that is asked for.
    pub async fn snapshot<A: Decider>(
        &self,
        id: A::Id,
        then: &Then,
        headers: &HeaderMap,
    ) -> Result<Snapshot<A>, Problem> {
        let moment = then.moment()?;
        self.await_log(headers).await?;
        let found = match moment {
            Some(at) => self.commands.get_at::<A>(id, at).await?,
            None => self.commands.get::<A>(id).await?,
        };
        found.ok_or_else(|| Problem::missing(A::CATEGORY))
    }
}

/// Reads a field whose absence and whose null differ: absent is `None`, null is `Some(None)`.
pub(super) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    use serde::Deserialize as _;
    Option::<T>::deserialize(deserializer).map(Some)
}

/// Refuses an id in a body that names nothing: the field is to blame, not the path.
pub(super) fn no_such(thing: &'static str, pointer: &str) -> Error {
    Error::Rejected(Rejected {
        code: format!("{thing}.missing"),
        kind: Kind::Invalid,
        detail: format!("there is no such {thing}"),
        pointer: Some(pointer.to_owned()),
    })
}

impl Edge {
    pub(crate) fn of(parts: &Parts) -> Self {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .unwrap_or(Self { request_id: Uuid::nil(), address: IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED) })
    }
}

impl<W, T> FromRequest<Shared> for Ask<W, T>
where
    W: Who,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        // Whoever may not ask at all learns that first, before anything is said about the body.
        let who = W::from_request_parts(&mut parts, app).await?;
        let if_match = version::if_match(&parts.headers)?;
        let bytes = timeout(BODY_PATIENCE, read(&parts.headers, body)).await.map_err(|_| too_slow())??;
        let owner = || who.caller().key_owner();
        let key = idempotency::key(&parts.headers, owner, &parts.method, &parts.uri, &bytes)?;
        let body = parse(&parts.headers, &bytes)?;
        let (request_id, trace_id) = (Edge::of(&parts).request_id, trace_id(&parts.headers));
        Ok(Self { who, body, request_id, trace_id, key, if_match, cart: None })
    }
}

/// Reads a body whole, up to the limit.
async fn read(headers: &HeaderMap, body: axum::body::Body) -> Result<Bytes, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_none_or(|length| length <= BODY_MAX) {
        match axum::body::to_bytes(body, BODY_MAX).await {
            Ok(bytes) => return Ok(bytes),
            // Either it was too large after all, or its sender went away and hears nothing of this.
            Err(_) => return Err(too_large()),
        }
    }
    if announced.is_some_and(|length| length <= DRAIN_MAX) {
        let mut chunks = body.into_data_stream();
        while let Some(Ok(_)) = chunks.next().await {}
    }
    Err(too_large())
}

fn too_slow() -> Problem {
    let detail = format!("the body did not arrive within {} seconds", BODY_PATIENCE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, "request.timeout", detail)
}

fn too_large() -> Problem {
    let detail = format!("a body has at most {BODY_MAX} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", detail)
}

/// Reads JSON, and blames the field that does not fit.
fn parse<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, Problem> {
    // A command that takes nothing, or only what may be left out, needs no body.
    let text = if bytes.is_empty() { b"{}" } else { bytes };
    if !bytes.is_empty() && !is_json(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "request.unsupported_media_type",
            "a body is application/json",
        ));
    }
    if !text.trim_ascii_start().starts_with(b"{") {
        // A struct could also be read from an array of its fields, which nobody means.
        return Err(match serde_json::from_slice::<IgnoredAny>(text) {
            Ok(_) => Problem::invalid("", "the body is an object"),
            Err(error) => refuse(&error, String::new()),
        });
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = pointer(error.path());
        refuse(error.inner(), pointer)
    })?;
    json.end().map_err(|error| refuse(&error, String::new()))?;
    Ok(parsed)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn refuse(error: &serde_json::Error, pointer: String) -> Problem {
    let text = error.to_string();
    // Where it stands is said by the pointer; a line and a column mean nothing to a program's user.
    let detail = text.rsplit_once(" at line ").map_or(text.as_str(), |(detail, _)| detail);
    if !error.is_data() {
        return Problem::malformed("request.malformed_json", format!("the body is not JSON: {text}"));
    }
    // These two are said of the object, and name the field only in words.
    let named = detail.strip_prefix("missing field `").or_else(|| detail.strip_prefix("duplicate field `"));
    let pointer = match named.and_then(|rest| rest.split_once('`')) {
        Some((field, _)) => format!("{pointer}/{field}"),
        None => pointer,
    };
    Problem::invalid(pointer, detail.to_owned())
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

/// The trace id of a `traceparent` header (W3C Trace Context, section 3.2).
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let known = hex(version, 2) && version != "ff" && hex(trace, 32) && hex(parent, 16);
    (known && trace.bytes().any(|byte| byte != b'0')).then(|| trace.to_owned())
}

impl<T: DeserializeOwned> FromRequestParts<Shared> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &Shared) -> Result<Self, Problem> {
        let Query(params) = Query::try_from_uri(&parts.uri).map_err(|error| {
            let text = error.body_text();
            let detail = text.split_once(": ").map_or(text.as_str(), |(_, detail)| detail);
            Problem::malformed("request.invalid_query", detail.to_owned())
        })?;
        Ok(Self(params))
    }
}

/// What a thing is called whose id has this prefix: the category that says that it is missing.
fn thing(prefix: &str) -> &'static str {
    match prefix {
        "acc" => "account",
        "cart" => "cart",
        "prod" => "product",
        "var" => "variant",
        "cat" => "category",
        "ord" => "order",
        "pay" => "payment",
        _ => "resource",
    }
}

fn id<T: Id + std::str::FromStr>(text: Option<&str>) -> Result<T, Problem> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Problem::missing(thing(T::PREFIX)))
}

impl<T: Id + std::str::FromStr> FromRequestParts<Shared> for Of<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let path = path(parts, app).await?;
        id(path.iter().next().map(|(_, text)| text)).map(Self)
    }
}

impl<A, B> FromRequestParts<Shared> for OfTwo<A, B>
where
    A: Id + std::str::FromStr,
    B: Id + std::str::FromStr,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let path = path(parts, app).await?;
        let mut texts = path.iter().map(|(_, text)| text);
        Ok(Self(id(texts.next())?, id(texts.next())?))
    }
}

async fn path(parts: &mut Parts, app: &Shared) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, app).await.map_err(|_| Problem::no_route())
}

#[cfg(test)]
mod tests;
