//! The error of a response: one shape (RFC 9457) with a stable code, for every error.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use byteshop_commands::{Error, Rejected};
use byteshop_domain::Kind;
use byteshop_eventstore::{SealError, StoreError};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use uuid::Uuid;

use crate::titles;

/// The media type of problems (RFC 9457, section 3).
pub const MEDIA_TYPE: &str = "application/problem+json";
/// Seconds after which a caller may come back when the store or a view is behind: longer than most hiccups last.
const RETRY_AFTER_S: u32 = 1;
/// Seconds after which a caller may retry what an operator has to connect or confirm.
const UNCONNECTED_RETRY_AFTER_S: u32 = 300;
/// Characters of a parameter's name that are repeated in an error; the longest known name is shorter.
const PARAMETER_MAX: usize = 60;

/// The code of what takes a recent proof of identity.
pub const REAUTHENTICATE: &str = "auth.reauthentication_required";
/// The challenge for re-authentication (RFC 9470, section 3): an authentication that is younger than
/// [`session::FRESH`], in seconds.
///
/// [`session::FRESH`]: byteshop_domain::session::FRESH
const STEP_UP: &str = "Bearer realm=\"byteshop\", error=\"insufficient_user_authentication\", max_age=\"600\"";

/// A field of the request that is to blame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// The description of the error.
    pub detail: String,
}

/// Where something is that is to blame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the request's body, as a JSON pointer (RFC 6901).
    Pointer(String),
    /// In the query: the name of the parameter.
    Parameter(String),
}

/// An error as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    retry_after_s: Option<u32>,
    etag: Option<i64>,
    replayed: bool,
    about: Option<Box<str>>,
}

/// A problem as it is written.
#[derive(Serialize)]
pub(crate) struct Written {
    r#type: String,
    title: String,
    status: u16,
    detail: Cow<'static, str>,
    code: Cow<'static, str>,
    errors: Vec<FieldError>,
    instance: String,
}

impl Problem {
    /// A problem by its status and code.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after_s: None,
            etag: None,
            replayed: false,
            about: None,
        }
    }

    /// Records whom the error is about, for the log of the shop only: a keyed hash or an id, never shown to the caller.
    pub fn concerning(mut self, about: String) -> Self {
        self.about = Some(about.into_boxed_str());
        self
    }

    /// Whom it is about, as the shop's own log says it.
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// Blames a field.
    pub fn at(self, pointer: impl Into<String>) -> Self {
        self.blame(Place::Pointer(pointer.into()))
    }

    fn blame(mut self, place: Place) -> Self {
        self.errors.push(FieldError { place, detail: self.detail.to_string() });
        self
    }

    /// Sets `Retry-After`.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// There is no route at this path.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, "request.not_found", "there is no resource at this path")
    }

    /// The path is known, the method is not.
    pub fn no_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "request.method_not_allowed",
            "method not allowed; the Allow header lists the allowed methods",
        )
    }

    /// The resource does not exist, or the caller may not know of it; the response is the same.
    pub fn missing(category: &str) -> Self {
        Self::from(Rejected::missing(category))
    }

    /// A header or the body cannot be read.
    pub fn malformed(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// A parameter of the query cannot be read, or cannot be meant.
    pub fn query(parameter: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        // An unknown name need not be repeated as a whole.
        let parameter = parameter.chars().take(PARAMETER_MAX).collect();
        Self::malformed("request.invalid_query", detail).blame(Place::Parameter(parameter))
    }

    /// There is no such parameter of the query.
    pub fn no_parameter(name: &str) -> Self {
        Self::query(name, format!("unknown query parameter `{}`", name.chars().take(PARAMETER_MAX).collect::<String>()))
    }

    /// A field of the body is refused by a rule that the gateway itself keeps.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "request.invalid", detail).at(pointer)
    }

    /// The body is refused as a whole, with a code of its own or the usual one.
    pub(super) fn of_body(code: Option<&'static str>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code.unwrap_or("request.invalid"), detail)
    }

    /// Blames a field in words of its own.
    pub(super) fn and_at(mut self, pointer: String, detail: String) -> Self {
        self.errors.push(FieldError { place: Place::Pointer(pointer), detail });
        self
    }

    /// Parameters of the query cannot be read, each with what is wrong with it; none without any.
    pub(crate) fn queries(parameters: impl IntoIterator<Item = (String, String)>) -> Option<Self> {
        let mut parameters = parameters.into_iter();
        let (name, detail) = parameters.next()?;
        let first = Self::query(&name, detail);
        Some(parameters.fold(first, |mut problem, (name, detail)| {
            problem.errors.extend(Self::query(&name, detail).errors);
            problem
        }))
    }

    /// Not with this role.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "auth.forbidden", detail)
    }

    /// The store did not answer.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "store.unavailable", detail).retry_after(RETRY_AFTER_S)
    }

    /// A view is not yet where the caller wants it.
    pub fn not_caught_up() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "query.not_caught_up",
            "the view has not reached the position in Min-Log-Position yet",
        )
        .retry_after(RETRY_AFTER_S)
    }

    /// The caller wants to wait for a position that the log does not have. Where the log ends is not said: it would count
    /// what others do.
    pub fn beyond_the_log() -> Self {
        Self::malformed("request.invalid_min_log_position", "Min-Log-Position is beyond the end of the log")
    }

    /// The program made a mistake. It is logged where it happened.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "internal error; quote the request id when reporting it",
        )
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The description of the error.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields that are to blame.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// Seconds after which to come back, where that helps.
    pub fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    /// The body, with the request that it answers.
    pub(crate) fn written(&self, request_id: Uuid) -> Written {
        Written {
            r#type: format!("/problems/{}", self.code),
            title: title(&self.code),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            code: self.code.clone(),
            errors: self.errors.clone(),
            instance: format!("urn:uuid:{request_id}"),
        }
    }

    /// The body as JSON text.
    pub(crate) fn render(&self, request_id: Uuid) -> Vec<u8> {
        // A struct of strings and numbers always has a JSON form.
        serde_json::to_vec(&self.written(request_id)).unwrap_or_default()
    }
}

/// The title of a code, or its words where it has none.
fn title(code: &str) -> String {
    titles::of(code).map_or_else(|| code.replace(['.', '_'], " "), str::to_owned)
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let status = match rejected.kind {
            Kind::Missing => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Forbidden => StatusCode::FORBIDDEN,
        };
        let problem = Self::new(status, rejected.code, rejected.detail);
        match rejected.pointer {
            Some(pointer) => problem.at(pointer),
            None => problem,
        }
    }
}

byteshop_domain::from_rejections!(Problem);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected(rejected) => rejected.into(),
            Error::Version { current } => {
                let detail = format!("the version is {current}, which differs from If-Match");
                let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "request.version_mismatch", detail);
                problem.etag = Some(current);
                problem
            }
            Error::Replayed(first) => Self { replayed: true, ..Self::from(*first) },
            Error::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency.key_reused",
                "this Idempotency-Key was used for another request",
            ),
            Error::InFlight => Self::new(
                StatusCode::CONFLICT,
                "idempotency.in_flight",
                "a request with this Idempotency-Key is in progress",
            )
            .retry_after(RETRY_AFTER_S),
            Error::Contended => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store.contended",
                "too much contention on the same records; nothing was written, retry",
            )
            .retry_after(RETRY_AFTER_S),
            Error::NotYet(rejected) => Self::from(rejected).retry_after(RETRY_AFTER_S),
            Error::Unproven(rejected) => Self { status: StatusCode::UNAUTHORIZED, ..Self::from(rejected) },
            Error::Closed { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "shop.restored",
                "the shop accepts no payments after a restored backup until an operator confirms it with \
                 `byteshop check --repair` and `byteshop numbers confirm`; try again later",
            )
            .retry_after(UNCONNECTED_RETRY_AFTER_S),
            Error::NoProvider { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment.no_provider",
                format!("{error}: operators set BYTESHOP_PAYMENT_PROVIDER"),
            )
            .retry_after(UNCONNECTED_RETRY_AFTER_S),
            Error::Provider(error) => {
                tracing::error!(%error, "the payment provider failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "payment.provider_unavailable",
                    "the payment provider is unavailable",
                )
                .retry_after(RETRY_AFTER_S)
            }
            Error::Store(StoreError::Seal(SealError::Erased)) => Self::new(
                StatusCode::CONFLICT,
                "account.erased",
                "the personal data of this person was erased; nothing more can be stored about them",
            ),
            Error::Store(error) => {
                // That Postgres is away is logged once, by its monitor; the access log has each request.
                if !error.is_outage() {
                    tracing::error!(%error, "the event store failed");
                }
                Self::unavailable("the event store is unavailable")
            }
            Error::Files(error) => Self::from(error),
            error @ (Error::Codec(_) | Error::OtherHistory { .. }) => {
                tracing::error!(%error, "the log cannot be read");
                Self::unavailable("the event store holds data that this program cannot read")
            }
        }
    }
}

impl IntoResponse for Problem {
    /// Sets status and headers; the edge writes the body, because only the edge knows the id of the request.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = match self.code.as_ref() {
                "auth.missing" => "Bearer realm=\"byteshop\"",
                // RFC 9470, section 3: the token is good, and the proof behind it too old.
                REAUTHENTICATE => STEP_UP,
                _ => "Bearer realm=\"byteshop\", error=\"invalid_token\"",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(version) = self.etag {
            headers.insert(header::ETAG, crate::edge::headers::etag(version));
        }
        if self.replayed {
            headers.insert(crate::edge::headers::REPLAYED, HeaderValue::from_static("true"));
        }
        response.extensions_mut().insert(self);
        response
    }
}
