//! The legal data of a seller: with it, the seller supplies in its own name, and papers name it.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::sellers;
use byteshop_domain::ids::SellerId;
use byteshop_domain::issuer::LegalData;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::actor::Member;
use crate::edge::ask::{Ask, Nothing, Of};
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::http::show::seller::{self as show, changed};

/// Gives or changes the legal data of a seller.
///
/// It requires a recent proof of identity. Orders that are paid from then on have an invoice of the seller for its part, in a number
/// series of its own, and the seller owes the sales tax.
#[utoipa::path(put, path = "/v1/sellers/{id}/legal-data", operation_id = "setSellerLegalData",
    tag = "sellers", params(("id" = String, Path)), request_body = LegalData, security(("bearer" = ["owner"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn give(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, LegalData>,
) -> Result<Response, Problem> {
    let (app, ask) = (&app, &ask);
    let by = ask.who.1;
    app.run(ask, "seller.give_legal_data", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        app.require_fresh(&unit, &ask.who.0).await?;
        sellers::give_legal_data(&unit, &mut seller, &ask.body).await?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Removes the legal data of a seller.
///
/// The house supplies what is paid from then on. Invoices that were issued stay, and so do credit notes for them.
#[utoipa::path(delete, path = "/v1/sellers/{id}/legal-data", operation_id = "removeSellerLegalData",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["owner"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn remove(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let (app, ask) = (&app, &ask);
    let by = ask.who.1;
    app.run(ask, "seller.remove_legal_data", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        app.require_fresh(&unit, &ask.who.0).await?;
        sellers::remove_legal_data(&unit, &mut seller)?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(give, remove))
}
