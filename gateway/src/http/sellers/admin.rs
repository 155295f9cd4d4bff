//! What the house decides about sellers.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::sellers;
use byteshop_domain::ids::SellerId;
use byteshop_domain::seller::{Seller, Status};
use byteshop_domain::text::{MerchantId, Reason};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::page;
use crate::app::Shared;
use crate::edge::actor::{Admin, Staff};
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::edge::values::Limit;
use crate::http::show::seller::{self as show, SellerPage, changed};

/// The reason for a decision, which the members of the seller read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SellerDecision, example = json!({"reason": "The company register does not list the seller"}))]
struct Because {
    reason: Reason,
}

/// The account of a seller at PayPal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SellerPaypalLink, example = json!({"merchant": "SELLERB234567"}))]
struct PaypalLink {
    /// The merchant id, which the seller sees in the settings of its business account.
    merchant: MerchantId,
}

/// Which sellers are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the seller: `applied` lists those waiting for a decision.
    status: Option<Status>,
    /// Part of the name; case is ignored.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists sellers in any state by name.
#[utoipa::path(get, path = "/v1/admin/sellers", operation_id = "listAllSellers",
    tag = "sellers", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of sellers", body = SellerPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ListQuery { status, q, limit, cursor } = query;
    page(&app, &headers, q, status, lists::ask(limit, cursor), true).await
}

/// Approves the application of a seller.
#[utoipa::path(post, path = "/v1/admin/sellers/{id}/approve", operation_id = "approveSeller",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["admin"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn approve(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "seller.approve", |unit| async move {
        let mut seller = unit.load_matching::<Seller>(id).await?;
        sellers::approve(&unit, &mut seller)?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Rejects the application of a seller.
///
/// Its handle can be used again.
#[utoipa::path(post, path = "/v1/admin/sellers/{id}/reject", operation_id = "rejectSeller",
    tag = "sellers", params(("id" = String, Path)), request_body = Because, security(("bearer" = ["admin"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn reject(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Admin, Because>,
) -> Result<Response, Problem> {
    let reason = &ask.body.reason;
    app.run(&ask, "seller.reject", |unit| async move {
        let mut seller = unit.load_matching::<Seller>(id).await?;
        sellers::reject(&unit, &mut seller, reason.clone()).await?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Suspends a seller.
///
/// Its products are no longer shown or sold until it is reinstated.
#[utoipa::path(post, path = "/v1/admin/sellers/{id}/suspend", operation_id = "suspendSeller",
    tag = "sellers", params(("id" = String, Path)), request_body = Because, security(("bearer" = ["admin"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn suspend(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Admin, Because>,
) -> Result<Response, Problem> {
    let reason = &ask.body.reason;
    app.run(&ask, "seller.suspend", |unit| async move {
        let mut seller = unit.load_matching::<Seller>(id).await?;
        sellers::suspend(&unit, &mut seller, reason.clone())?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Lifts the suspension of a seller.
#[utoipa::path(post, path = "/v1/admin/sellers/{id}/reinstate", operation_id = "reinstateSeller",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["admin"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn reinstate(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "seller.reinstate", |unit| async move {
        let mut seller = unit.load_matching::<Seller>(id).await?;
        sellers::reinstate(&unit, &mut seller)?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Has PayPal pay a seller itself.
///
/// What buyers pay with PayPal for an order with goods of this seller alone then goes to the seller's own account at PayPal, and the house
/// gets its fee: the commission, and the sales tax if the house supplies. Nothing of it is held, reserved or paid out by the house. It
/// needs the setting `BYTESHOP_PAYPAL_PARTNER_ID`, and the permission of the seller at PayPal; where PayPal refuses, the house is paid.
#[utoipa::path(put, path = "/v1/admin/sellers/{id}/paypal", operation_id = "setSellerPaypalAccount",
    tag = "sellers", params(("id" = String, Path)), request_body = PaypalLink, security(("bearer" = ["admin"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn link_paypal(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Admin, PaypalLink>,
) -> Result<Response, Problem> {
    let account = &ask.body.merchant;
    app.run(&ask, "seller.link_paypal", |unit| async move {
        let mut seller = unit.load_matching::<Seller>(id).await?;
        sellers::link_paypal(&unit, &mut seller, account.clone())?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Has buyers pay the house for the goods of a seller again.
///
/// What was paid to the seller stays there, and is refunded from there.
#[utoipa::path(delete, path = "/v1/admin/sellers/{id}/paypal", operation_id = "removeSellerPaypalAccount",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["admin"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn unlink_paypal(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    app.run(&ask, "seller.unlink_paypal", |unit| async move {
        let mut seller = unit.load_matching::<Seller>(id).await?;
        sellers::unlink_paypal(&unit, &mut seller)?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(suspend))
        .routes(routes!(reinstate))
        .routes(routes!(link_paypal, unlink_paypal))
}
