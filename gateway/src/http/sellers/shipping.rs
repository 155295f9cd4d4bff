//! The shipping prices of a seller, for its parts of orders.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::{self, sellers};
use byteshop_domain::ids::SellerId;
use byteshop_domain::seller::Seller;
use byteshop_domain::shipping_book::{self, ShippingBook};
use http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::{Member, Trader};
use crate::edge::ask::{Ask, Of};
use crate::edge::conditional;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::http::shipping::{Shown, Zones};

/// The shipping zones of a seller.
///
/// Without any zone its goods are shipped at the prices of the house.
#[utoipa::path(get, path = "/v1/sellers/{id}/shipping", operation_id = "getSellerShipping",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["member"])),
    responses((status = 200, description = "The zones", body = Zones)))]
async fn zones(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let found = app.commands.get::<ShippingBook>(shipping_book::of_seller(id)).await?;
    match found {
        Some(found) => reply::one(found.version, &Shown::of(&found.state)),
        None => reply::one(0, &Shown::of(&ShippingBook::default())),
    }
}

/// Replaces all shipping zones of a seller.
///
/// Orders already placed keep their rates. `If-Match` is required. An empty list lets the house set the prices again.
#[utoipa::path(put, path = "/v1/sellers/{id}/shipping", operation_id = "replaceSellerShipping",
    tag = "sellers", params(("id" = String, Path)), request_body = Zones, security(("bearer" = ["owner"])),
    responses((status = 200, description = "The zones", body = Zones),
        (status = 428, description = "`If-Match` is missing")))]
async fn set(State(app): State<Shared>, Of(id): Of<SellerId>, ask: Ask<Member, Zones>) -> Result<Response, Problem> {
    let ask = &ask;
    let by = ask.who.1;
    // Only an owner hears what is missing.
    let found = app.commands.get::<Seller>(id).await?.ok_or_else(|| Problem::missing("seller"))?;
    found.state.live()?.require_owner(by)?;
    conditional::require(ask.if_match.as_ref())?;
    app.run(ask, "shipping_book.set", |unit| async move {
        sellers::of_owner(&unit, id, by).await?;
        let mut book = unit.load::<ShippingBook>(shipping_book::of_seller(id)).await?;
        unit.check_version(&book)?;
        use_cases::shipping_book::set(&unit, &mut book, ask.body.zones.to_vec())?;
        Reply::ok(book.version, &Shown::of(&book.state))
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(zones, set))
}
