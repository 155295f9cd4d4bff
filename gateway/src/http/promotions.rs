//! Promotions: coupons and what is given by itself, for those who run the shop.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::promotions;
use byteshop_commands::{At, Error, Loaded, Unit};
use byteshop_domain::ids::{PromotionId, SellerId};
use byteshop_domain::promotion::{Promotion, Standing, Terms};
use byteshop_domain::usage::{self, Usage};
use byteshop_projections::View as _;
use byteshop_projections::promotion_list::{self, PromotionList};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::{self, PageOf};
use crate::app::Shared;
use crate::edge::actor::{Admin, Staff};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;

/// Creates a promotion.
///
/// It is active at once, or within its period if it has one.
#[utoipa::path(post, path = "/v1/admin/promotions", operation_id = "createPromotion",
    tag = "promotions", request_body = show::Terms, security(("bearer" = ["admin"]), ("api_key" = ["promotions:write"])),
    responses((status = 201, description = "The promotion", body = show::Promotion)))]
async fn create(State(app): State<Shared>, ask: Ask<Admin, Terms>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "promotion.create", |unit| async move {
        let promotion = promotions::create(&unit, ask.body.clone()).await?;
        let shown = show::Promotion::of(promotion.id, promotion.state.live()?, unit.now(), None);
        Reply::created(format!("/v1/admin/promotions/{}", promotion.id), promotion.version, &shown)
    })
    .await
}

/// Replaces the terms of a promotion.
///
/// All terms are replaced; the code stays the same.
#[utoipa::path(put, path = "/v1/admin/promotions/{id}", operation_id = "replacePromotion",
    tag = "promotions", params(("id" = String, Path)),
    request_body = show::Terms, security(("bearer" = ["admin"]), ("api_key" = ["promotions:write"])),
    responses((status = 200, description = "The promotion", body = show::Promotion)))]
async fn revise(
    State(app): State<Shared>,
    Of(id): Of<PromotionId>,
    ask: Ask<Admin, Terms>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "promotion.revise", |unit| async move {
        let mut promotion = unit.load_matching::<Promotion>(id).await?;
        promotions::revise(&unit, &mut promotion, ask.body.clone()).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// Pauses a promotion.
///
/// Its code stays reserved.
#[utoipa::path(post, path = "/v1/admin/promotions/{id}/pause", operation_id = "pausePromotion",
    tag = "promotions", params(("id" = String, Path)),
    security(("bearer" = ["admin"]), ("api_key" = ["promotions:write"])), responses((status = 200, description = "The promotion", body = show::Promotion)))]
async fn pause(
    State(app): State<Shared>,
    Of(id): Of<PromotionId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "promotion.pause", |unit| async move {
        let mut promotion = unit.load_matching::<Promotion>(id).await?;
        promotions::pause(&unit, &mut promotion).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// Resumes a paused promotion.
#[utoipa::path(post, path = "/v1/admin/promotions/{id}/resume", operation_id = "resumePromotion",
    tag = "promotions", params(("id" = String, Path)),
    security(("bearer" = ["admin"]), ("api_key" = ["promotions:write"])), responses((status = 200, description = "The promotion", body = show::Promotion)))]
async fn resume(
    State(app): State<Shared>,
    Of(id): Of<PromotionId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "promotion.resume", |unit| async move {
        let mut promotion = unit.load_matching::<Promotion>(id).await?;
        promotions::resume(&unit, &mut promotion).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// Ends a promotion permanently.
///
/// Its code becomes available to other promotions.
#[utoipa::path(post, path = "/v1/admin/promotions/{id}/end", operation_id = "endPromotion",
    tag = "promotions", params(("id" = String, Path)),
    security(("bearer" = ["admin"]), ("api_key" = ["promotions:write"])), responses((status = 200, description = "The promotion", body = show::Promotion)))]
async fn end(
    State(app): State<Shared>,
    Of(id): Of<PromotionId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "promotion.end", |unit| async move {
        let mut promotion = unit.load_matching::<Promotion>(id).await?;
        promotions::end(&unit, &mut promotion).await?;
        shown(&unit, &promotion)
    })
    .await
}

/// One promotion.
#[utoipa::path(get, path = "/v1/admin/promotions/{id}", operation_id = "getPromotion",
    tag = "promotions", params(("id" = String, Path), Then),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The promotion", body = show::Promotion)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<PromotionId>,
    _staff: Staff,
    then: Then,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Promotion>(id, &then, &headers).await?;
    let created = found.state.live()?;
    let counted = then.at.is_none() && created.terms.limits.total.is_some();
    let used = if counted { Some(app.commands.get::<Usage>(usage::of_promotion(id)).await?) } else { None };
    let used = used.map(|used| used.map_or(0, |usage| usage.state.used));
    reply::one(found.version, &show::Promotion::of(id, created, moment(&app, &then).await?, used))
}

/// The moment at which a promotion is looked at.
async fn moment(app: &Shared, then: &Then) -> Result<DateTime<Utc>, Problem> {
    let now = app.commands.clock().now();
    match then.moment(app).await? {
        None | Some(At::Version(_)) => Ok(now),
        Some(At::Moment(moment)) => Ok(moment),
        Some(At::Position(position)) => {
            let event = app.commands.log().event_at(position).await.map_err(Error::from)?;
            Ok(event.map_or(now, |event| event.recorded_at))
        }
    }
}

/// Which promotions are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// `scheduled` (before its period), `active`, `paused`, `over` (after its period) or `ended`.
    status: Option<Standing>,
    /// Only promotions of this seller.
    seller: Option<SellerId>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of the list.
pub(super) type PromotionPage = PageOf<promotion_list::Shown>;

/// Lists promotions, newest first.
#[utoipa::path(get, path = "/v1/admin/promotions", operation_id = "listPromotions",
    tag = "promotions", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of promotions", body = PromotionPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (ask, now) = (lists::ask(query.limit, query.cursor), app.commands.clock().now());
    let query = promotion_list::Query { standing: query.status, seller: query.seller, now, ask };
    app.await_views(&[PromotionList::NAME], &headers).await?;
    Ok(reply::json(app.views.promotion_list(&query).await?.json()))
}

pub(super) fn shown(unit: &Unit, promotion: &Loaded<Promotion>) -> Result<Reply, Error> {
    let shown = show::Promotion::of(promotion.id, promotion.state.live()?, unit.now(), None);
    Reply::ok(promotion.version, &shown)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(one, revise))
        .routes(routes!(pause))
        .routes(routes!(resume))
        .routes(routes!(end))
}
