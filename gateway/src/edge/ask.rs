//! Reading requests: ids from the path, the query, the body, and the one place where a request becomes an intent.

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Query, RawPathParams, Request};
use bytes::Bytes;
use byteshop_commands::{Done, Error, Intent, Key, Unit};
use byteshop_domain::ids::{CartId, Id};
use byteshop_domain::text::fresh;
use byteshop_eventstore::envelope::to_hex;
use http::request::Parts;
use http::{HeaderMap, Method};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::body::{self, explain};
use super::request::Edge;
use crate::app::{App, Shared};
use crate::edge::actor::Who;
use crate::edge::conditional::{self, Match};
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::{idempotency, version};

/// The id in the path. What is no id, or the id of something else, names nothing that exists: 404.
#[derive(Debug, Clone, Copy)]
pub struct Of<T>(pub T);

/// The two ids in the path.
#[derive(Debug, Clone, Copy)]
pub struct OfTwo<A, B>(pub A, pub B);

/// The text in the path, where a thing has names beside its id.
#[derive(Debug, Clone)]
pub struct Named(pub String);

/// The query of a request, every parameter known and readable.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

/// A command: the caller, the body, and the conditions of its execution.
#[derive(Debug)]
pub struct Ask<W, T> {
    /// The caller.
    pub who: W,
    /// The body.
    pub body: T,
    request_id: Uuid,
    client_request_id: Option<Uuid>,
    trace_id: Option<String>,
    key: Option<Key>,
    pub(crate) if_match: Option<Match>,
    cart: Option<CartId>,
}

/// A body with nothing in it; it may be left out.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

impl<W: Who, T> Ask<W, T> {
    /// Sets the cart on which a guest acts.
    pub fn on_cart(mut self, cart: CartId) -> Self {
        self.cart = Some(cart);
        self
    }

    /// The intent of this request's command, for the log.
    pub fn intent(&self, command: &'static str) -> Intent {
        Intent {
            trace_id: self.trace_id.clone(),
            key: self.key.clone(),
            if_match: self.if_match.as_ref().and_then(Match::versions),
            client_request_id: self.client_request_id,
            ..Intent::new(self.who.caller().actor(self.cart), command, self.request_id)
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
        let most = ask.who.caller().is_of_the_public().then_some(idempotency::KEPT_MAX);
        let work = |unit| {
            let reply = work(unit);
            async move { Ok(reply.await?.kept_up_to(most)) }
        };
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
        // The log is where acknowledged commands are, so a position that it does not have was never returned to a client.
        if self.reaches(position).await? { Ok(()) } else { Err(Problem::beyond_the_log()) }
    }

    /// Whether the log reaches a position.
    pub(crate) async fn reaches(&self, position: i64) -> Result<bool, Problem> {
        if position <= self.seen.highest() {
            return Ok(true);
        }
        let head = self.commands.log().head().await.map_err(Error::from)?;
        self.seen.raise(head);
        Ok(position <= head)
    }
}

/// Reads a field whose absence and whose null differ: absent is `None`, null is `Some(None)`.
pub(crate) fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    use serde::Deserialize as _;
    Option::<T>::deserialize(deserializer).map(Some)
}

impl<W, T> FromRequest<Shared> for Ask<W, T>
where
    W: Who,
    T: DeserializeOwned + Send,
{
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let max = body::max_of(request.uri().path());
        let method = request.method().clone();
        let path = request.extensions().get::<MatchedPath>().cloned();
        let (ask, headers) = Ask::<W, Bytes>::of_bytes(request, app, max).await?;
        if method == Method::PATCH && ask.body.is_empty() {
            return Err(Problem::invalid("", "the body must be a JSON object with the fields to change"));
        }
        let schema = path.and_then(|path| app.contract.body(&method, path.as_str()));
        let body = body::parse(&headers, &ask.body, schema)?;
        Ok(ask.with(body))
    }
}

impl<W: Who> Ask<W, Bytes> {
    /// Reads a request and its body as it is, up to so many bytes.
    pub(crate) async fn of_bytes(request: Request, app: &Shared, max: usize) -> Result<(Self, HeaderMap), Problem> {
        let (mut parts, body) = request.into_parts();
        // A caller without the right to ask learns that first, before anything is said about the body.
        let who = W::from_request_parts(&mut parts, app).await?;
        let if_match = conditional::if_match(&parts.headers)?;
        let bytes = body::read(&parts.headers, body, max).await?;
        let key = key_of(&who, &parts, app, &bytes).await?;
        let Edge { request_id, client_request_id, .. } = Edge::of(&parts);
        let trace_id = trace_id(&parts.headers);
        let ask = Self { who, body: bytes, request_id, client_request_id, trace_id, key, if_match, cart: None };
        Ok((ask, parts.headers))
    }
}

/// A request whose body comes in pieces. It has no idempotency key until the body is [read](Streamed::after).
pub(crate) struct Streamed<W> {
    /// The request.
    pub(crate) ask: Ask<W, ()>,
    /// The body.
    pub(crate) body: axum::body::Body,
    parts: Parts,
}

impl<W: Who> Streamed<W> {
    /// Reads a request without its body.
    pub(crate) async fn of(request: Request, app: &Shared) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let who = W::from_request_parts(&mut parts, app).await?;
        let if_match = conditional::if_match(&parts.headers)?;
        // A key that is none is refused before the body is read.
        key_of(&who, &parts, app, &[]).await?;
        let Edge { request_id, client_request_id, .. } = Edge::of(&parts);
        let (trace_id, key) = (trace_id(&parts.headers), None);
        let ask = Ask { who, body: (), request_id, client_request_id, trace_id, key, if_match, cart: None };
        Ok(Self { ask, body, parts })
    }

    /// The headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The request once its body is read: `digest` stands for the body in the fingerprint. What it expects of the version was
    /// checked before the body was read.
    pub(crate) async fn after(self, app: &Shared, digest: &[u8]) -> Result<Ask<W, ()>, Problem> {
        let key = key_of(&self.ask.who, &self.parts, app, digest).await?;
        Ok(Ask { key, if_match: None, ..self.ask })
    }
}

/// The idempotency key of a request, if it has one.
async fn key_of(who: &impl Who, parts: &Parts, app: &Shared, body: &[u8]) -> Result<Option<Key>, Problem> {
    let owner = || who.caller().key_owner();
    let kept_for = who.caller().answers_kept_for();
    let mut key = idempotency::key(&parts.headers, owner, &parts.method, &parts.uri, body, kept_for)?;
    if let Some(key) = &mut key {
        // Bodies contain secrets and personal data, which cannot be guessed from a fingerprint that only this shop can compute.
        let plain = to_hex(&key.fingerprint);
        key.fingerprint = app.commands.vault().blind("fingerprint", &plain).await.map_err(Error::from)?.into_bytes();
        // An address is personal, so it is not stored in plain text.
        if who.caller().is_anonymous() {
            key.who = app.commands.vault().blind("address", &key.who).await.map_err(Error::from)?;
        }
    }
    Ok(key)
}

impl<W, T> Ask<W, T> {
    /// The same request, with what was made of its body.
    pub(crate) fn with<U>(self, body: U) -> Ask<W, U> {
        let Self { who, body: _, request_id, client_request_id, trace_id, key, if_match, cart } = self;
        Ask { who, body, request_id, client_request_id, trace_id, key, if_match, cart }
    }

    /// One of many commands of the request, with its own idempotency key if the request has one.
    pub(crate) fn part(&self, number: usize, text: &[u8]) -> Ask<W, ()>
    where
        W: Clone,
    {
        let key = self.key.as_ref().map(|key| Key {
            who: key.who.clone(),
            key: format!("{}#{number}", key.key),
            fingerprint: Sha256::digest(text).to_vec(),
            kept_for: key.kept_for,
        });
        let Self { request_id, client_request_id, .. } = *self;
        let (who, trace_id) = (self.who.clone(), self.trace_id.clone());
        Ask { who, body: (), request_id, client_request_id, trace_id, key, if_match: None, cart: None }
    }

    /// The id of the request.
    pub(crate) fn request_id(&self) -> Uuid {
        self.request_id
    }
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
        let read = fresh(|| Query::try_from_uri(&parts.uri)).map(|Query(params)| Self(params));
        read.map_err(|_| explain::query::<T>(&parts.uri))
    }
}

/// The kinds of objects by the prefix of their ids: the category of their `missing` code.
pub(crate) const THINGS: [(&str, &str); 24] = [
    ("acc", "account"),
    ("addr", "address"),
    ("cart", "cart"),
    ("cat", "category"),
    ("cpn", "promotion"),
    ("dsp", "dispute"),
    ("file", "file"),
    ("img", "image"),
    ("inv", "invitation"),
    ("key", "api_key"),
    ("ntf", "notification"),
    ("ord", "order"),
    ("pay", "payment"),
    ("prod", "product"),
    ("pyf", "payout_file"),
    ("pyt", "payout"),
    ("rcp", "receipt"),
    ("ret", "return"),
    ("rfd", "refund"),
    ("sel", "seller"),
    ("ses", "session"),
    ("shp", "shipment"),
    ("var", "variant"),
    ("whk", "webhook_endpoint"),
];

/// The name of the kind of object with this id prefix.
fn thing(prefix: &str) -> &'static str {
    THINGS.iter().find(|(of, _)| *of == prefix).map_or("resource", |(_, name)| name)
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

impl FromRequestParts<Shared> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let path = path(parts, app).await?;
        path.iter().next().map(|(_, text)| Self(text.to_owned())).ok_or_else(Problem::no_route)
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
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_well_formed_trace_is_kept() {
        let of = |text: &'static str| {
            trace_id(&HeaderMap::from_iter([("traceparent".parse().unwrap(), HeaderValue::from_static(text))]))
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(), Some(trace));
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
