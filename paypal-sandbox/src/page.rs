//! The approval page, on which a developer plays the buyer.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Deserialize;
use serde_json::Value;

use super::input::Input;
use super::orders::Choice;
use super::shared::Shared;

const PAGE: &str = "approval.html";
/// The content security policy. It has no `form-action`, because browsers apply that to the redirect to the shop as well.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::Strict);
    pages.add_template(PAGE, include_str!("../templates/approval.html")).expect("a test looks at the page");
    pages
});

#[derive(Deserialize)]
struct Wanted {
    /// The id of the order.
    token: String,
}

/// The routes of the page.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/checkoutnow", get(show).post(choose))
}

async fn show(State(shared): State<Arc<Shared>>, Query(wanted): Query<Wanted>) -> Response {
    let order = shared.look(|books, _| books.orders.get(&wanted.token).map(|order| books.show_order(order, true)));
    match order {
        Ok(Some(order)) => page(StatusCode::OK, &order, None),
        Ok(None) => page(StatusCode::NOT_FOUND, &Value::Null, Some("There is no such order.")),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn choose(State(shared): State<Arc<Shared>>, Query(wanted): Query<Wanted>, body: String) -> Response {
    let Some(choice) = choice(&body) else {
        return page(StatusCode::BAD_REQUEST, &Value::Null, Some("Choose approve, decline or cancel."));
    };
    let answer = match shared.apply(Input::Choose { order: wanted.token, choice }) {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "a choice was not saved");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer.body {
        Some(Value::String(next)) => Redirect::to(&next).into_response(),
        Some(_) => page(status, &Value::Null, Some("The order cannot be approved any more.")),
        None => page(status, &Value::Null, Some("Done. The order names no page to return to.")),
    }
}

/// The choice in a form.
fn choice(body: &str) -> Option<Choice> {
    let (_, chosen) = form_urlencoded::parse(body.as_bytes()).find(|(name, _)| name == "choice")?;
    serde_json::from_value(Value::String(chosen.into_owned())).ok()
}

fn page(status: StatusCode, order: &Value, message: Option<&str>) -> Response {
    let html = PAGES.get_template(PAGE).and_then(|page| page.render(context! { order => Serde(order), message }));
    let Ok(html) = html else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
