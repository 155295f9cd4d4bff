//! Coupons of a seller: what it gives off its own goods, and bears.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::promotions;
use byteshop_domain::ids::{PromotionId, SellerId};
use byteshop_domain::promotion::{Promotion, Standing, Terms};
use byteshop_projections::View as _;
use byteshop_projections::promotion_list::{self, PromotionList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::{Member, Trader};
use crate::edge::ask::{Ask, Nothing, Of, OfTwo, Params};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;
use crate::http::promotions::{PromotionPage, shown};
use crate::http::show;

/// The terms of a coupon of a seller; they may name that seller and no other one.
fn terms_of(seller: SellerId, terms: &Terms) -> Result<Terms, Problem> {
    if terms.seller.is_some_and(|named| named != seller) {
        return Err(Problem::invalid("/seller", "must be the seller of the path, or be left out"));
    }
    Ok(Terms { seller: Some(seller), ..terms.clone() })
}

/// Creates a coupon of a seller.
///
/// It is for the goods of this seller alone, whose payout it reduces, and needs a code that no other promotion has.
#[utoipa::path(post, path = "/v1/sellers/{id}/promotions", operation_id = "createSellerPromotion",
    tag = "sellers", params(("id" = String, Path)), request_body = show::Terms, security(("bearer" = ["member"])),
    responses((status = 201, description = "The coupon", body = show::Promotion)))]
async fn create(State(app): State<Shared>, Of(id): Of<SellerId>, ask: Ask<Member, Terms>) -> Result<Response, Problem> {
    let (by, terms) = ((id, ask.who.1), &terms_of(id, &ask.body)?);
    app.run(&ask, "promotion.create", |unit| async move {
        let promotion = promotions::create_for_seller(&unit, by, terms.clone()).await?;
        let shown = show::Promotion::of(promotion.id, promotion.state.live()?, unit.now(), None);
        Reply::created(format!("/v1/sellers/{id}/promotions/{}", promotion.id), promotion.version, &shown)
    })
    .await
}

/// Replaces the terms of a coupon of a seller.
///
/// All terms are replaced; the code stays the same.
#[utoipa::path(put, path = "/v1/sellers/{id}/promotions/{promotion}", operation_id = "replaceSellerPromotion",
    tag = "sellers", params(("id" = String, Path), ("promotion" = String, Path)), request_body = show::Terms,
    security(("bearer" = ["member"])), responses((status = 200, description = "The coupon", body = show::Promotion)))]
async fn revise(
    State(app): State<Shared>,
    OfTwo(id, promotion): OfTwo<SellerId, PromotionId>,
    ask: Ask<Member, Terms>,
) -> Result<Response, Problem> {
    let (by, terms) = ((id, ask.who.1), &terms_of(id, &ask.body)?);
    app.run(&ask, "promotion.revise", |unit| async move {
        let mut promotion = promotions::of_seller(&unit, by, promotion).await?;
        promotions::revise(&unit, &mut promotion, terms.clone()).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// Pauses a coupon of a seller.
///
/// Its code stays reserved.
#[utoipa::path(post, path = "/v1/sellers/{id}/promotions/{promotion}/pause", operation_id = "pauseSellerPromotion",
    tag = "sellers", params(("id" = String, Path), ("promotion" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The coupon", body = show::Promotion)))]
async fn pause(
    State(app): State<Shared>,
    OfTwo(id, promotion): OfTwo<SellerId, PromotionId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = (id, ask.who.1);
    app.run(&ask, "promotion.pause", |unit| async move {
        let mut promotion = promotions::of_seller(&unit, by, promotion).await?;
        promotions::pause(&unit, &mut promotion).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// Resumes a paused coupon of a seller.
#[utoipa::path(post, path = "/v1/sellers/{id}/promotions/{promotion}/resume", operation_id = "resumeSellerPromotion",
    tag = "sellers", params(("id" = String, Path), ("promotion" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The coupon", body = show::Promotion)))]
async fn resume(
    State(app): State<Shared>,
    OfTwo(id, promotion): OfTwo<SellerId, PromotionId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = (id, ask.who.1);
    app.run(&ask, "promotion.resume", |unit| async move {
        let mut promotion = promotions::of_seller(&unit, by, promotion).await?;
        promotions::resume(&unit, &mut promotion).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// Ends a coupon of a seller permanently.
///
/// Its code becomes available to other promotions.
#[utoipa::path(post, path = "/v1/sellers/{id}/promotions/{promotion}/end", operation_id = "endSellerPromotion",
    tag = "sellers", params(("id" = String, Path), ("promotion" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The coupon", body = show::Promotion)))]
async fn end(
    State(app): State<Shared>,
    OfTwo(id, promotion): OfTwo<SellerId, PromotionId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = (id, ask.who.1);
    app.run(&ask, "promotion.end", |unit| async move {
        let mut promotion = promotions::of_seller(&unit, by, promotion).await?;
        promotions::end(&unit, &mut promotion).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// One coupon of a seller.
#[utoipa::path(get, path = "/v1/sellers/{id}/promotions/{promotion}", operation_id = "getSellerPromotion",
    tag = "sellers", params(("id" = String, Path), ("promotion" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The coupon", body = show::Promotion)))]
async fn one(
    State(app): State<Shared>,
    OfTwo(id, promotion): OfTwo<SellerId, PromotionId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let found = app.snapshot::<Promotion>(promotion, &Then::default(), &headers).await?;
    let created = found.state.live()?;
    if created.terms.seller != Some(id) {
        return Err(Problem::missing("promotion"));
    }
    let now = app.commands.clock().now();
    reply::one(found.version, &show::Promotion::of(promotion, created, now, None))
}

/// Which coupons are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `scheduled` (before its period), `active`, `paused`, `over` (after its period) or `ended`.
    status: Option<Standing>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the coupons of a seller, newest first.
#[utoipa::path(get, path = "/v1/sellers/{id}/promotions", operation_id = "listSellerPromotions",
    tag = "sellers", params(("id" = String, Path), ListQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page of coupons", body = PromotionPage)))]
async fn list(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let (ask, now) = (lists::ask(query.limit, query.cursor), app.commands.clock().now());
    let query = promotion_list::Query { standing: query.status, seller: Some(id), now, ask };
    app.await_views(&[PromotionList::NAME], &headers).await?;
    Ok(reply::json(app.views.promotion_list(&query).await?.json()))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(one, revise))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(end))
}
