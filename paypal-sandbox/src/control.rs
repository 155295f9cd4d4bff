//! Routes that PayPal does not have: switches, the clock, disputes, reversals, certificates, and the books.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::Answer;
use super::input::Input;
use super::records::DisputeOutcome;
use super::shared::Shared;
use super::switches::Switches;

/// Most seconds by which one request advances the clock: ten years.
const ADVANCE_MAX: u32 = 10 * 366 * 24 * 60 * 60;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u32,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    /// In major units; all that can be refunded if it is missing.
    amount: Option<String>,
    /// As PayPal names it.
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decide {
    outcome: DisputeOutcome,
}

/// The routes.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/sandbox/books", get(books))
        .route("/sandbox/switches", get(switches).put(switch))
        .route("/sandbox/clock", get(clock).post(advance))
        .route("/sandbox/captures/{id}/disputes", post(dispute))
        .route("/sandbox/captures/{id}/reverse", post(reverse))
        .route("/sandbox/disputes/{id}/decide", post(decide))
        .route("/sandbox/root.pem", get(root))
        .route("/v1/notifications/certs/{name}", get(leaf))
}

async fn books(State(shared): State<Arc<Shared>>) -> Response {
    shown(shared.look(|books, _| Answer::new(200, books.stated())))
}

async fn switches(State(shared): State<Arc<Shared>>) -> Response {
    shown(shared.look(|books, _| Answer::new(200, json!(books.switches))))
}

async fn switch(State(shared): State<Arc<Shared>>, Json(switches): Json<Switches>) -> Response {
    if let Some(fault) = switches.fault() {
        return (StatusCode::BAD_REQUEST, fault).into_response();
    }
    shown(shared.apply(Input::Switch { switches }))
}

async fn clock(State(shared): State<Arc<Shared>>) -> Response {
    shown(shared.look(|books, now| Answer::new(200, json!({"now": now, "ahead_seconds": books.ahead_seconds}))))
}

async fn advance(State(shared): State<Arc<Shared>>, Json(Advance { advance_seconds }): Json<Advance>) -> Response {
    if advance_seconds > ADVANCE_MAX {
        return (StatusCode::BAD_REQUEST, format!("advance_seconds is at most {ADVANCE_MAX}")).into_response();
    }
    shown(shared.apply(Input::Advance { seconds: advance_seconds }))
}

async fn dispute(State(shared): State<Arc<Shared>>, Path(capture): Path<String>, open: Option<Json<Open>>) -> Response {
    let Json(open) = open.unwrap_or_default();
    shown(shared.apply(Input::Dispute { capture, amount: open.amount, reason: open.reason }))
}

async fn reverse(State(shared): State<Arc<Shared>>, Path(capture): Path<String>) -> Response {
    shown(shared.apply(Input::Reverse { capture }))
}

async fn decide(State(shared): State<Arc<Shared>>, Path(dispute): Path<String>, Json(of): Json<Decide>) -> Response {
    shown(shared.apply(Input::Decide { dispute, outcome: of.outcome }))
}

async fn root(State(shared): State<Arc<Shared>>) -> Response {
    pem(&shared.certificates.root)
}

async fn leaf(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    if name == shared.certificates.name {
        pem(&shared.certificates.leaf)
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

fn pem(text: &str) -> Response {
    ([(header::CONTENT_TYPE, "application/x-pem-file")], text.to_owned()).into_response()
}

fn shown(answer: anyhow::Result<Answer>) -> Response {
    match answer {
        Ok(Answer { status, body }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            body.map_or_else(|| status.into_response(), |body: Value| (status, Json(body)).into_response())
        }
        Err(error) => {
            tracing::error!(%error, "a control request was not saved");
            (StatusCode::INTERNAL_SERVER_ERROR, "the books cannot be saved\n").into_response()
        }
    }
}
