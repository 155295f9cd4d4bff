//! `/dev/mail`: the messages that development keeps, as a page for people and as JSON for programs. Elsewhere there is no such
//! page.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use byteshop_commands::Error;
use byteshop_eventstore::kept::{KEPT_MAX, KeptMessage};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::Shared;
use crate::edge::ask::Params;
use crate::edge::lists;
use crate::edge::problem::Problem;

const PAGE: &str = "dev_mail.html";
/// The content security policy of the page: it shows itself, and no content that a mail brings along.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; frame-ancestors 'self'";

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    pages.add_template(PAGE, include_str!("../../templates/dev_mail.html")).expect("a test looks at the page");
    pages
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Only to this address.
    to: Option<String>,
    /// `text` for the text of a mail that has HTML.
    show: Option<String>,
}

/// A message as it is shown.
#[derive(Serialize)]
struct Mail {
    id: Uuid,
    channel: String,
    to: String,
    subject: String,
    kept_at: String,
    text: String,
    html: Option<String>,
}

impl From<KeptMessage> for Mail {
    fn from(it: KeptMessage) -> Self {
        let kept_at = it.kept_at.format("%Y-%m-%d %H:%M:%S").to_string();
        Self {
            id: it.id,
            channel: it.channel,
            to: it.recipient,
            subject: it.subject,
            kept_at,
            text: it.text,
            html: it.html,
        }
    }
}

#[derive(Serialize)]
struct Mails {
    items: Vec<Mail>,
}

#[derive(Serialize)]
struct Page {
    to: String,
    mails: Vec<Mail>,
    chosen: Option<Mail>,
    as_text: bool,
}

async fn list(
    State(app): State<Shared>,
    Params(wanted): Params<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let items = kept(&app, wanted.to.as_deref()).await?;
    if wants_json(&headers) {
        return lists::page(&Mails { items });
    }
    page(Page { to: wanted.to.unwrap_or_default(), mails: items, chosen: None, as_text: false })
}

async fn one(
    State(app): State<Shared>,
    axum::extract::Path(id): axum::extract::Path<String>,
    Params(wanted): Params<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mails = kept(&app, wanted.to.as_deref()).await?;
    let id = Uuid::try_parse(&id).map_err(|_| Problem::no_route())?;
    let found = app.commands.log().kept_message(id).await.map_err(Error::from)?;
    let chosen = found.map(Mail::from).ok_or_else(Problem::no_route)?;
    if wants_json(&headers) {
        return lists::page(&chosen);
    }
    let as_text = wanted.show.as_deref() == Some("text");
    page(Page { to: wanted.to.unwrap_or_default(), mails, chosen: Some(chosen), as_text })
}

/// The recipient whose messages are deleted; all messages by default.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    to: Option<String>,
}

async fn clear(State(app): State<Shared>, Params(Whose { to }): Params<Whose>) -> Result<Response, Problem> {
    let to = recipient(&app, to.as_deref())?;
    app.commands.log().forget_kept(to).await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The button of the page: forms cannot delete.
async fn empty(State(app): State<Shared>, whose: Params<Whose>) -> Result<Response, Problem> {
    clear(State(app), whose).await?;
    Ok(Redirect::to("/dev/mail").into_response())
}

/// The recipient whose messages are listed, if one is given.
fn recipient<'a>(app: &Shared, to: Option<&'a str>) -> Result<Option<&'a str>, Problem> {
    if !app.dev {
        return Err(Problem::no_route());
    }
    if to.is_some_and(|to| to.contains('\0')) {
        return Err(Problem::query("to", "`to` must be an e-mail address or a phone number"));
    }
    Ok(to.filter(|to| !to.is_empty()))
}

async fn kept(app: &Shared, to: Option<&str>) -> Result<Vec<Mail>, Problem> {
    let to = recipient(app, to)?;
    let kept = app.commands.log().kept(to, KEPT_MAX).await.map_err(Error::from)?;
    Ok(kept.into_iter().map(Mail::from).collect())
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT).iter().any(|accept| accept.as_bytes().starts_with(b"application/json"))
}

fn page(page: Page) -> Result<Response, Problem> {
    let filled = PAGES.get_template(PAGE).and_then(|template| template.render(Value::from(Serde(page))));
    let html = filled.map_err(|error| {
        tracing::error!(%error, "cannot render the development mailbox");
        Problem::internal()
    })?;
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The routes; they are no part of the contract.
pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/dev/mail", get(list).delete(clear))
        .route("/dev/mail/empty", post(empty))
        .route("/dev/mail/{id}", get(one))
}
