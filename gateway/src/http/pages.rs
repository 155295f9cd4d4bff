//! Pages for people beside the API: what is where, the API reference, and a page for an address at which there is none.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use byteshop_domain::Locale;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde_json::json;
use utoipa_swagger_ui::Config;

use super::{dev_mail, guide, mode, paypal, provider};
use crate::app::Shared;
use crate::edge::local;
use crate::edge::page::{is_for_a_person, page};
use crate::edge::problem::Problem;
use crate::titles;

/// The content security policy of the API reference: its own scripts and styles, and requests to this shop. Swagger UI
/// sets styles of elements and draws its icons from data URLs.
const REFERENCE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// How Swagger UI shows the document: closed at first, with a field that filters by tag.
static REFERENCE: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::from("/openapi.json").doc_expansion("none").filter(true);
    Arc::new(config.default_models_expand_depth(0))
});

/// The overview at `/`.
async fn welcome(State(app): State<Shared>) -> Result<Response, Problem> {
    page("welcome.html", Locale::En, &json!({"dev": app.dev}))
}

async fn reference(State(app): State<Shared>) -> Result<Response, Problem> {
    let mut response = page("docs.html", Locale::En, &json!({"dev": app.dev}))?;
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(REFERENCE_POLICY));
    Ok(response)
}

/// The page that the `type` of a problem links to; none if there is no such code.
async fn kind_of_problem(Path(code): Path<String>) -> Result<Response, Problem> {
    match titles::of(&code) {
        Some(title) => page("problem.html", Locale::En, &json!({"title": title, "code": code})),
        None => Ok(not_found()),
    }
}

/// A page of the guide, or a file of Swagger UI; all of them are in this program.
async fn reference_file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(found) = guide::page_at(&name, is_for_a_person(&headers)) {
        return found;
    }
    let found = utoipa_swagger_ui::serve(&name, Arc::clone(&REFERENCE)).map_err(|error| {
        tracing::error!(%error, name, "cannot serve a file of the API reference");
        Problem::internal()
    })?;
    let Some(found) = found else {
        return if is_for_a_person(&headers) { Ok(not_found()) } else { Err(Problem::no_route()) };
    };
    let bytes = match found.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = Body::from(bytes).into_response();
    let kind = HeaderValue::from_str(&found.content_type);
    response.headers_mut().extend(kind.ok().map(|kind| (header::CONTENT_TYPE, kind)));
    // The files are in the program as every browser takes them.
    let coding = found.gzpipped.then_some((header::CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    response.headers_mut().extend(coding);
    Ok(response)
}

/// Answers an address at which there is nothing: with a page for a person, with a problem for a program and in the API.
pub(crate) async fn nothing(uri: Uri, headers: HeaderMap) -> Response {
    if is_for_a_person(&headers) && !uri.path().starts_with("/v1/") {
        not_found()
    } else {
        Problem::no_route().into_response()
    }
}

/// Shows a person a page in place of a problem that says that nothing is there.
async fn or_page(request: Request, next: Next) -> Response {
    let person = is_for_a_person(request.headers());
    let response = next.run(request).await;
    if person && response.status() == StatusCode::NOT_FOUND { not_found() } else { response }
}

fn not_found() -> Response {
    match page("not_found.html", Locale::En, &json!({})) {
        Ok(mut page) => {
            *page.status_mut() = StatusCode::NOT_FOUND;
            page
        }
        Err(problem) => problem.into_response(),
    }
}

/// The pages of development; those of the emulated payment provider only where the shop is connected to it.
pub(crate) fn development(emulator: bool) -> Router<Shared> {
    let pages = mode::routes().merge(dev_mail::routes());
    let pages = if emulator { pages.merge(provider::pages()) } else { pages };
    pages.route_layer(from_fn(local::only)).route_layer(from_fn(or_page))
}

/// The pages.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(welcome))
        .route("/docs", get(async || Redirect::to("/docs/")))
        .route("/docs/", get(reference))
        .route("/docs/{*file}", get(reference_file))
        .route("/problems/{code}", get(kind_of_problem))
        .merge(paypal::pages().route_layer(from_fn(or_page)))
}
