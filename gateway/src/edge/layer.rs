//! The edge: what happens to every request before its handler sees it, and to every response after.

use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use byteshop_domain::Subject;
use byteshop_domain::personal::holds_sealed;
use byteshop_domain::webhook_endpoint::SHOP;
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body::Body as _;
use tokio::time::Instant;
use tonic::Status;

use super::trail::{self, Line, Reading};
use super::{caching, guard, total};
use crate::app::{App, Shared};
use crate::edge::actor::Caller;
use crate::edge::headers::{LOG_POSITION, MIN_LOG_POSITION, RATE_LIMIT, RATE_LIMIT_POLICY, REQUEST_ID};
use crate::edge::limits::permits::{Held, hold_until_body_sent};
use crate::edge::limits::{Limits, cost};
use crate::edge::positions::{self, Opened};
use crate::edge::problem::Problem;
use crate::edge::proxies::network;
use crate::edge::reply::{Fixed, ForStaff, Personal, Sealed, Versioned};
use crate::edge::request::Edge;
use crate::edge::values::said;
use crate::edge::{conditional, version};
use crate::grpc::protocol;

/// The parameter that asks for a thing as it was.
const AT: &str = "at";

/// The parts of a request that the log needs.
struct Outline {
    started: Instant,
    method: Method,
    uri: Uri,
    route: Option<MatchedPath>,
    /// Whether problems are told to it as gRPC tells them.
    is_grpc: bool,
    /// Its `If-None-Match`, and nothing else.
    known: HeaderMap,
    /// Whether its response is the same for everybody.
    is_shared: bool,
    /// Whether that response may be compressed.
    accepts_gzip: bool,
    edge: Edge,
}

impl Outline {
    fn of(app: &Shared, request: &Request) -> Self {
        let route = request.extensions().get::<MatchedPath>().cloned();
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        let path = route.as_ref().map_or("none", MatchedPath::as_str);
        let is_shared = caching::is_shared(method, path, uri.query(), headers);
        Self {
            started: Instant::now(),
            method: method.clone(),
            uri: uri.clone(),
            is_grpc: protocol::is_call(route.as_ref().map(MatchedPath::as_str), headers),
            known: conditional::known(headers),
            is_shared,
            accepts_gzip: is_shared && caching::accepts_gzip(headers),
            edge: Edge::read(app, request),
            route,
        }
    }

    fn cost(&self) -> NonZeroU32 {
        cost::of(&self.method, self.route.as_ref().map(MatchedPath::as_str))
    }

    /// The pattern of the path, so that paths that clients make up share one name.
    fn route(&self) -> &str {
        self.route.as_ref().map_or("none", MatchedPath::as_str)
    }

    /// Where the request comes from, as the log has it.
    async fn address(&self, app: &Shared) -> String {
        let network = network(self.edge.address).to_string();
        // The key is in memory from the start on.
        trail::shortened(app.commands.vault().blind("visitor", &network).await.unwrap_or_default())
    }

    /// The line of the request in the access log; `status` is that of the response, which gRPC encodes in its own way.
    fn line<'a>(
        &'a self,
        app: &App,
        response: &Response,
        status: StatusCode,
        problem: Option<&'a Problem>,
        is_personal: bool,
    ) -> Line<'a> {
        Line {
            request_id: self.edge.request_id,
            client_request_id: self.edge.client_request_id,
            method: name(&self.method),
            route: self.route(),
            resource: trail::resource(&self.uri),
            status,
            bytes: response.body().size_hint().exact(),
            duration: self.started.elapsed(),
            actor: self.edge.asker().map(|asker| &asker.actor),
            problem,
            contract: app.contract,
            reading: if is_personal { self.reading(response) } else { None },
        }
    }

    /// Whether any of these subjects is another person than the caller: neither they themselves, such as their own new secret, nor
    /// the shop.
    fn is_of_others(&self, subjects: &[Subject]) -> bool {
        let own = self.edge.asker().and_then(|asker| asker.actor.account()).map(Subject::from);
        subjects.iter().any(|subject| *subject != SHOP && Some(*subject) != own)
    }

    /// How staff reads what is known of a person, if it is staff who does.
    fn reading(&self, response: &Response) -> Option<Reading> {
        if self.edge.is_by_staff() {
            return Some(Reading::ByRole);
        }
        response.extensions().get::<ForStaff>().map(|_| Reading::ByLink)
    }
}

/// The outermost layer: gives every request an id, counts and measures it, and writes the body of its problem.
pub(crate) async fn pass(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let outline = Outline::of(&app, &request);
    let edge = &outline.edge;
    request.extensions_mut().insert(edge.clone());
    let admitted = guard::named_once(&request)
        .and_then(|()| guard::store_answers(&app.health, outline.uri.path()))
        .and_then(|()| app.limits.admit(edge.address, outline.cost()));
    let (mut response, standing, permit) = match admitted {
        Ok((standing, permit)) => (handled(&app, edge, request, next).await, standing, permit),
        Err(problem) => (problem.into_response(), None, None),
    };
    let is_personal = open(&app, &outline, &mut response).await;
    if outline.is_shared {
        let gzip = outline.accepts_gzip.then_some(&app.compressed);
        let asked = caching::Asked { uri: &outline.uri, known: &outline.known, gzip };
        response = caching::share(&asked, response).await;
    }
    let bytes = hold(&app, &outline, &mut response);
    total::remember(&app, &outline.method, &mut response).await;
    seal_position(&app, edge, &mut response).await;
    let problem = response.extensions_mut().remove::<Problem>();
    let status = problem.as_ref().map_or_else(|| protocol::status_of(&response), Problem::status);
    if let Some(problem) = &problem {
        write(&outline, problem, &mut response);
    }
    let mut id = [0u8; uuid::fmt::Hyphenated::LENGTH];
    let id = HeaderValue::from_str(edge.request_id.hyphenated().encode_lower(&mut id));
    let headers = response.headers_mut();
    headers.extend(id.ok().map(|id| (REQUEST_ID, id)));
    guard::headers(outline.uri.path(), headers);
    if let Some(standing) = standing {
        headers.insert(RATE_LIMIT_POLICY, standing.policy);
        headers.insert(RATE_LIMIT, standing.left);
    }
    app.measures.record(outline.route(), (name(&outline.method), status), outline.started.elapsed());
    let line = outline.line(&app, &response, status, problem.as_ref(), is_personal);
    if line.is_written() {
        line.write(&outline.address(&app).await);
    }
    response.map(|body| hold_until_body_sent(body, permit, bytes))
}

/// The response of the handler, or of what refuses the request before it.
async fn handled(app: &Shared, edge: &Edge, request: Request, next: Next) -> Response {
    let request = match open_positions(app, request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answer.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().copied();
        let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
        tracing::error!(request_id = %edge.request_id, said, "a handler panicked");
        Problem::internal().into_response()
    });
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut response = Problem::no_method().into_response();
    response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    response
}

/// Turns the positions that a caller sends into numbers. Only staff may send numbers: to everybody else the shop has shown
/// tokens, and a number would be a guess at where the log ends.
async fn open_positions(app: &Shared, request: Request) -> Result<Request, Problem> {
    let (mut parts, body) = request.into_parts();
    if let Some(value) = parts.headers.get(MIN_LOG_POSITION) {
        let text = value.to_str().unwrap_or_default().trim().to_owned();
        let position = position(app, &mut parts, &text).await?.ok_or_else(version::no_position)?;
        parts.headers.insert(MIN_LOG_POSITION, HeaderValue::from(position));
    }
    // Whatever the method: HEAD is answered by the handlers of GET.
    if let Some(text) = moment(&parts.uri).filter(|text| is_position(text)) {
        let position = position(app, &mut parts, &text).await?;
        let position = position.ok_or_else(|| Problem::query(AT, said(AT, version::AT_TAKES)))?;
        parts.extensions.insert(Opened(position));
    }
    Ok(Request::from_parts(parts, body))
}

fn is_position(text: &str) -> bool {
    text.starts_with(positions::PREFIX) || version::digits(text).is_some()
}

/// The position that a caller means.
async fn position(app: &Shared, parts: &mut Parts, text: &str) -> Result<Option<i64>, Problem> {
    match version::digits(text) {
        Some(number) => Ok(Caller::from_request_parts(parts, app).await?.is_staff().then_some(number)),
        None => Ok(app.positions().await?.open(text)),
    }
}

/// The value of `?at=`.
fn moment(uri: &Uri) -> Option<String> {
    let pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.into_iter().find(|(name, _)| name == AT).map(|(_, value)| value.into_owned())
}

/// Shows the position of a command to staff as a number, and to everybody else as a token.
async fn seal_position(app: &Shared, edge: &Edge, response: &mut Response) {
    let Some(position) = response.headers().get(LOG_POSITION).filter(|_| !edge.is_by_staff()) else { return };
    let position = position.to_str().ok().and_then(version::digits);
    // Without a token there is none: a command that was carried out is not refused for it.
    let token = match (position, app.positions().await) {
        (Some(position), Ok(positions)) => positions.seal(position).ok().and_then(|it| HeaderValue::try_from(it).ok()),
        _ => None,
    };
    match token {
        Some(token) => drop(response.headers_mut().insert(LOG_POSITION, token)),
        None => drop(response.headers_mut().remove(LOG_POSITION)),
    }
}

/// Opens what is sealed in a response; says whether it shows the caller what is known of another person. Pages for people were
/// written with it opened.
async fn open(app: &Shared, outline: &Outline, response: &mut Response) -> bool {
    if let Some(versioned) = response.extensions_mut().remove::<Versioned>() {
        return show(app, outline, versioned, response).await;
    }
    let Some(Sealed(text)) = response.extensions_mut().remove::<Sealed>() else {
        return response.extensions().get::<Personal>().is_some();
    };
    match app.commands.vault().open_json_of(&text).await {
        Ok((opened, subjects)) => {
            *response.body_mut() = opened.into();
            outline.is_of_others(&subjects)
        }
        Err(error) => {
            *response = Problem::from(byteshop_commands::Error::from(error)).into_response();
            false
        }
    }
}

/// Writes one resource with its entity tag, or that the caller has it already (RFC 9110, section 15.4.5); says whether it shows the
/// caller what is known of another person.
async fn show(app: &Shared, outline: &Outline, shown: Versioned, response: &mut Response) -> bool {
    let Versioned { version, text } = shown;
    let sealed = holds_sealed(&text);
    let opened = if sealed { app.commands.vault().open_json_of(&text).await } else { Ok((text, Vec::new())) };
    let (text, subjects) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            *response = Problem::from(byteshop_commands::Error::from(error)).into_response();
            return false;
        }
    };
    let tag = conditional::tag(version, text.as_bytes());
    if conditional::has(&outline.known, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(header::CONTENT_TYPE);
    } else {
        *response.body_mut() = text.into();
    }
    response.headers_mut().insert(header::ETAG, tag);
    outline.is_of_others(&subjects)
}

/// Counts the bytes of a response against what its visitor, and all visitors, may leave unread. The response to a query is
/// dropped when there is no room for it; a command was carried out, so its response is counted whatever there is.
fn hold(app: &Shared, outline: &Outline, response: &mut Response) -> Held {
    if response.extensions().get::<Fixed>().is_some() || response.body().is_end_stream() {
        return Held::Free;
    }
    let (held, visitor) = (app.limits.held(), outline.edge.address);
    let Some(size) = response.body().size_hint().exact().and_then(|size| usize::try_from(size).ok()) else {
        return Held::Each(held.clone(), visitor);
    };
    if outline.method != Method::GET {
        return Held::Whole(Arc::new(held.acquire_anyway(visitor, size)));
    }
    match held.acquire_many(visitor, size) {
        Ok(permit) => Held::Whole(Arc::new(permit)),
        Err(full) => {
            *response = Limits::unread(full).into_response();
            Held::Free
        }
    }
}

/// Writes the body of a problem, as the protocol of the request wants it.
fn write(outline: &Outline, problem: &Problem, response: &mut Response) {
    let request_id = outline.edge.request_id;
    if outline.is_grpc {
        *response = Status::from(problem).into_http();
    } else {
        *response.body_mut() = Body::from(problem.render(request_id));
    }
}

/// A method as a label: what clients make up is one name, so that they cannot make up series of metrics.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_is_found_in_a_query() {
        let uri: Uri = "/v1/carts/x?a=1%202&at=pos_abc&b=".parse().unwrap();
        assert_eq!(moment(&uri).as_deref(), Some("pos_abc"));
        assert_eq!(moment(&"/v1/carts/x?bat=7".parse().unwrap()), None);
        assert!(is_position("7") && is_position("pos_x") && !is_position("2026-01-01T00:00:00Z"));
    }
}
