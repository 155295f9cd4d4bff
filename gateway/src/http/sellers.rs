//! Sellers: applying to sell, the public pages, and what their owners change.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Snapshot;
use byteshop_commands::use_cases::sellers::{self, Application, Revision};
use byteshop_domain::account::{Account, Open};
use byteshop_domain::ids::SellerId;
use byteshop_domain::seller::{Seller, Status};
use byteshop_domain::text::{Country, Description, Email, Handle, Name};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::seen::{page, published, sees_details};
use super::auth::check_mailbox;
use super::show::seller::{self as show, MySellers, SellerPage, changed};
use crate::app::Shared;
use crate::edge::actor::{Caller, Member};
use crate::edge::ask::{Ask, Named, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;
use crate::queries::sellers::seller_named;

mod account;
mod admin;
mod disputes;
mod legal;
mod members;
mod orders;
mod papers;
mod payouts;
mod products;
mod promotions;
pub(super) mod seen;
mod shipping;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"handle": "copper-kettles", "name": "Copper Kettles", "description": "Kettles, made by hand.", "country": "DE", "contact_email": "sales@example.org"}))]
struct NewSeller {
    /// A unique name in URLs; it cannot be changed.
    handle: Handle,
    /// The name that buyers see; it cannot be changed once the seller is approved.
    name: Name,
    /// Plain text, not HTML or Markdown; line breaks are kept.
    description: Option<Description>,
    /// The country that it sells from, by its ISO 3166-1 alpha-2 code.
    country: Country,
    /// The e-mail address at which the house reaches the seller; buyers do not see it.
    contact_email: Email,
}

/// Fields left out stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Kettles and pans, made by hand."}))]
struct SellerChange {
    /// Refused once the seller is approved.
    name: Option<Name>,
    /// Plain text, not HTML or Markdown; line breaks are kept.
    description: Option<Description>,
    /// The e-mail address at which the house reaches the seller; buyers do not see it.
    contact_email: Option<Email>,
}

/// Applies to sell in the marketplace.
///
/// The caller becomes the first owner. An admin approves or rejects the application.
#[utoipa::path(post, path = "/v1/sellers", operation_id = "applyToSell",
    tag = "sellers", request_body = NewSeller, security(("bearer" = [])),
    responses((status = 201, description = "The seller", body = show::Seller)))]
async fn apply(State(app): State<Shared>, ask: Ask<Member, NewSeller>) -> Result<Response, Problem> {
    check_mailbox(&app, &ask.body.contact_email)?;
    let NewSeller { handle, name, description, country, contact_email } = &ask.body;
    let description = match description {
        Some(description) => description.clone(),
        None => Description::new("").map_err(|_| Problem::internal())?,
    };
    let (handle, name, country, contact) = (handle.clone(), name.clone(), country.clone(), contact_email.clone());
    let application = &Application { handle, name, description, country, contact };
    let applicant = ask.who.1;
    app.run(&ask, "seller.apply", |unit| async move {
        let seller = sellers::apply(&unit, applicant, application).await?;
        Reply::created(format!("/v1/sellers/{}", seller.id), seller.version, &changed(&seller)?)
    })
    .await
}

/// Updates the details of a seller.
#[utoipa::path(patch, path = "/v1/sellers/{id}", operation_id = "updateSeller",
    tag = "sellers", params(("id" = String, Path)), request_body = SellerChange, security(("bearer" = ["owner"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn change(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, SellerChange>,
) -> Result<Response, Problem> {
    if let Some(contact) = &ask.body.contact_email {
        check_mailbox(&app, contact)?;
    }
    let (body, by) = (&ask.body, ask.who.1);
    app.run(&ask, "seller.revise", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        let revision = Revision {
            name: body.name.clone(),
            description: body.description.clone(),
            contact: body.contact_email.clone(),
        };
        sellers::revise(&unit, &mut seller, by, revision).await?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// Closes a seller permanently, or withdraws its application.
///
/// Its products are no longer shown or sold. The handle of a seller that was approved stays taken.
#[utoipa::path(post, path = "/v1/sellers/{id}/close", operation_id = "closeSeller",
    tag = "sellers", params(("id" = String, Path)), security(("bearer" = ["owner"])),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn close(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let by = ask.who.1;
    app.run(&ask, "seller.close", |unit| async move {
        let mut seller = sellers::for_owner(&unit, id, by).await?;
        sellers::close(&unit, &mut seller).await?;
        Reply::ok(seller.version, &changed(&seller)?)
    })
    .await
}

/// One seller, by its id or its handle.
///
/// Only its members and staff see a seller that is not approved, or is suspended or closed.
#[utoipa::path(get, path = "/v1/sellers/{id}", operation_id = "getSeller",
    tag = "sellers", security(()), params(("id" = String, Path)),
    responses((status = 200, description = "The seller", body = show::Seller)))]
async fn one(
    State(app): State<Shared>,
    Named(name): Named,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let missing = || Problem::missing("seller");
    let id = seller_named(&app, &name).await?.ok_or_else(missing)?;
    let found = app.commands.get::<Seller>(id).await?.ok_or_else(missing)?;
    let known = found.state.live()?;
    let seller = if sees_details(&app, &caller, &found).await? {
        show::Seller::with_details(id, known)
    } else if known.is_active() {
        show::Seller::of(id, known)
    } else {
        return Err(missing());
    };
    reply::one(found.version, &seller.with_products(published(&app, &[id], &headers).await?[0]))
}

/// Which sellers are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Part of the name; case is ignored.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Lists the sellers of the marketplace by name.
#[utoipa::path(get, path = "/v1/sellers", operation_id = "listSellers",
    tag = "sellers", security(()), params(ListQuery),
    responses((status = 200, description = "A page of sellers", body = SellerPage)))]
async fn list(
    State(app): State<Shared>,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ListQuery { q, limit, cursor } = query;
    page(&app, &headers, q, Some(Status::Approved), lists::ask(limit, cursor), false).await
}

/// The sellers that the caller is a member of, the oldest first.
#[utoipa::path(get, path = "/v1/me/sellers", operation_id = "listMySellers",
    tag = "sellers", security(("bearer" = [])),
    responses((status = 200, description = "The sellers", body = MySellers)))]
async fn mine(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let account = app.snapshot::<Account>(member.1, &Then::default(), &headers).await?;
    let open = account.state.live()?;
    let found = app.commands.get_all::<Seller>(&open.sellers.iter().copied().collect::<Vec<_>>()).await?;
    lists::page(&MySellers::of(member.1, sellers_of(open, &found)))
}

/// The sellers of an account that were found, in their order.
pub(super) fn sellers_of<'a>(
    open: &'a Open,
    found: &'a [Option<Snapshot<Seller>>],
) -> impl Iterator<Item = (SellerId, &'a Seller)> {
    open.sellers.iter().zip(found).filter_map(|(id, found)| Some((*id, found.as_ref()?.state.as_ref())))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(apply, list))
        .routes(routes!(one, change))
        .routes(routes!(close))
        .routes(routes!(mine))
        .merge(members::routes())
        .merge(products::routes())
        .merge(orders::routes())
        .merge(papers::routes())
        .merge(legal::routes())
        .merge(shipping::routes())
        .merge(account::routes())
        .merge(payouts::routes())
        .merge(disputes::routes())
        .merge(promotions::routes())
        .merge(admin::routes())
}
