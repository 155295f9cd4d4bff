//! Gift cards: issued, blocked and looked at by staff, and checked by everyone who has the code.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Loaded;
use byteshop_commands::use_cases::stored_values;
use byteshop_domain::BoundedText;
use byteshop_domain::ids::StoredValueId;
use byteshop_domain::money::Money;
use byteshop_domain::stored_value::StoredValue;
use byteshop_domain::text::Reason;
use byteshop_projections::View as _;
use byteshop_projections::stored_value_list::{self, StoredValueList};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::{GiftCard, PageOf, StoredValueMovement};
use crate::app::Shared;
use crate::edge::actor::{Caller, Staff};
use crate::edge::ask::{Ask, Of, Params};
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;
use crate::edge::{lists, past::Then};

/// Longest code, with spaces and hyphens as people type it.
const CODE_MAX: usize = 60;
/// The code of a gift card, as its owner enters it.
pub(super) type CodeText = BoundedText<CODE_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount": 5000, "currency": "EUR"}, "expires_at": null, "reason": "won in a raffle"}))]
struct NewGiftCard {
    /// Its value.
    amount: Money,
    /// When it expires, at most ten years from now; by default it does not.
    #[schema(default = json!({"x-schema": {"example": null}}))]
    expires_at: Option<DateTime<Utc>>,
    /// Why it is given away.
    #[schema(default = json!({"x-schema": {"example": "won in a raffle"}}))]
    reason: Reason,
}

fn not_a_card() -> Problem {
    Problem::missing("stored_value")
}

/// Issues a gift card.
///
/// Only this answer shows its code: the shop keeps a keyed hash. Large amounts require a recent proof of identity, as large refunds
/// do.
#[utoipa::path(post, path = "/v1/gift-cards", operation_id = "issueGiftCard",
    tag = "payments", request_body = NewGiftCard, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The gift card with its code", body = GiftCard)))]
async fn issue(State(app): State<Shared>, ask: Ask<Staff, NewGiftCard>) -> Result<Response, Problem> {
    let (app, ask) = (&app, &ask);
    app.run(ask, "stored_value.issue", |unit| async move {
        let NewGiftCard { amount, expires_at, reason } = &ask.body;
        let (card, code) = stored_values::issue(&unit, *amount, *expires_at, reason).await?;
        app.require_fresh_for_amount(&unit, &ask.who.0, *amount).await?;
        let shown = GiftCard::of(&card, unit.now()).map(|shown| shown.with_code(code));
        Reply::created(format!("/v1/gift-cards/{}", card.id), card.version, &shown)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "reported as stolen"}))]
struct WhyBlocked {
    /// The reason.
    #[schema(default = json!({"x-schema": {"example": "reported as stolen"}}))]
    reason: Reason,
}

/// Blocks a gift card.
///
/// It pays nothing more until it is unblocked. What it holds for orders pays them all the same, and refunds still come back to it.
#[utoipa::path(post, path = "/v1/gift-cards/{id}/block", operation_id = "blockGiftCard",
    tag = "payments", params(("id" = String, Path)), request_body = WhyBlocked, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The gift card", body = GiftCard)))]
async fn block(
    State(app): State<Shared>,
    Of(id): Of<StoredValueId>,
    ask: Ask<Staff, WhyBlocked>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "stored_value.block", |unit| async move {
        let mut card = stored_values::card(&unit, id).await?;
        stored_values::block(&unit, &mut card, &ask.body.reason)?;
        Reply::ok(card.version, &GiftCard::of(&card, unit.now()))
    })
    .await
}

/// Unblocks a gift card.
#[utoipa::path(post, path = "/v1/gift-cards/{id}/unblock", operation_id = "unblockGiftCard",
    tag = "payments", params(("id" = String, Path)), request_body = WhyBlocked, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The gift card", body = GiftCard)))]
async fn unblock(
    State(app): State<Shared>,
    Of(id): Of<StoredValueId>,
    ask: Ask<Staff, WhyBlocked>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "stored_value.unblock", |unit| async move {
        let mut card = stored_values::card(&unit, id).await?;
        stored_values::unblock(&unit, &mut card, &ask.body.reason)?;
        Reply::ok(card.version, &GiftCard::of(&card, unit.now()))
    })
    .await
}

/// One gift card, with what happened to it.
#[utoipa::path(get, path = "/v1/gift-cards/{id}", operation_id = "getGiftCard",
    tag = "payments", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The gift card", body = GiftCard)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<StoredValueId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<StoredValue>(id, &Then::default(), &headers).await?;
    let (version, at) = (found.version, app.commands.clock().now());
    let card = Loaded { id, version, state: found.state };
    let shown = GiftCard::of(&card, at).ok_or_else(not_a_card)?;
    reply::one(version, &shown.with_movements(StoredValueMovement::all(&app, id, version).await?))
}

/// Which gift cards are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of the list.
type GiftCardPage = PageOf<stored_value_list::Row>;

/// Lists gift cards, newest first.
#[utoipa::path(get, path = "/v1/gift-cards", operation_id = "listGiftCards",
    tag = "payments", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of gift cards", body = GiftCardPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor);
    app.await_views(&[StoredValueList::NAME], &headers).await?;
    Ok(reply::json(app.views.gift_cards(&stored_value_list::Query { ask }).await?.json()))
}

/// The code of a gift card.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "7K3Q-X9MW-2FBA-8HJT-C5DR"}))]
struct GiftCardCheck {
    /// In capitals or small letters, with or without hyphens.
    code: CodeText,
}

/// What a code is worth.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CodeStatus {
    /// It can be used.
    Valid,
    /// It cannot be used now: there is no such card, or nothing is left of it, or it has expired or is blocked.
    NotValid,
}

/// The standing of a gift card, for everyone who has its code.
#[derive(Serialize, ToSchema)]
struct GiftCardStanding {
    status: CodeStatus,
    /// What can be used; null unless it is valid.
    available: Option<Money>,
    /// When it expires; null if it does not, or is not valid.
    expires_at: Option<DateTime<Utc>>,
}

impl GiftCardStanding {
    fn of(card: Option<&Loaded<StoredValue>>, at: DateTime<Utc>) -> Self {
        let found = card.and_then(|card| card.state.live().ok());
        let usable = found.filter(|it| it.ensure_usable(it.balance.currency, at).is_ok() && it.available().amount > 0);
        match usable {
            Some(it) => {
                let (available, expires_at) = (Some(it.available()), it.expires_at());
                Self { status: CodeStatus::Valid, available, expires_at }
            }
            None => Self { status: CodeStatus::NotValid, available: None, expires_at: None },
        }
    }
}

/// Checks the code of a gift card.
///
/// The answer is the same for a code that does not exist and for one that cannot be used, and each address can ask only so often: so
/// codes cannot be found by trying.
#[utoipa::path(post, path = "/v1/gift-cards/check", operation_id = "checkGiftCard",
    tag = "payments", request_body = GiftCardCheck, security(()),
    responses((status = 200, description = "What the code is worth", body = GiftCardStanding)))]
async fn check(State(app): State<Shared>, ask: Ask<Caller, GiftCardCheck>) -> Result<Response, Problem> {
    app.limits.gift_cards(ask.who.address())?;
    let card = app.commands.card_of(&ask.body.code).await?;
    lists::page(&GiftCardStanding::of(card.as_ref(), app.commands.clock().now()))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(issue, list))
        .routes(routes!(check))
        .routes(routes!(one))
        .routes(routes!(block))
        .routes(routes!(unblock))
}
