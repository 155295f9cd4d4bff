//! Products: what is shown in the shop.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::{Error, Rejected, Unit};
use byteshop_domain::category::Category;
use byteshop_domain::ids::{CategoryId, ProductId, VariantId};
use byteshop_domain::product::{Attributes, Command, Created, Product, Status};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::text::{Description, Title};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::ask::{Ask, Nothing, Of, Params, Then, no_such, present};
use super::show;
use crate::actor::{Caller, Staff};
use crate::problem::Problem;
use crate::reply::{self, Reply};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewProduct {
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    title: Title,
    #[schema(value_type = Option<String>, max_length = 10_000)]
    description: Option<Description>,
    #[schema(value_type = Option<String>)]
    category: Option<CategoryId>,
    /// Texts, whole numbers, true or false, by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    attributes: Attributes,
}

/// What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProductChange {
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    title: Option<Title>,
    #[schema(value_type = Option<String>, max_length = 10_000)]
    description: Option<Description>,
    /// Null for none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    category: Option<Option<CategoryId>>,
    /// All of them.
    #[schema(value_type = Option<Object>)]
    attributes: Option<Attributes>,
}

/// Adds a product, as a draft that only staff sees.
#[utoipa::path(post, path = "/v1/products", tag = "catalog", request_body = NewProduct, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The product", body = show::Product)))]
async fn create(State(app): State<Shared>, ask: Ask<Staff, NewProduct>) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    app.run(ask, "product.create", |unit| async move {
        let id: ProductId = unit.new_id();
        check_category(&unit, body.category).await?;
        let command = Command::Create {
            title: body.title.clone(),
            description: body.description.clone().map_or_else(nothing_said, Ok)?,
            category: body.category,
            attributes: body.attributes.clone(),
        };
        let mut product = unit.start::<Product>(id);
        unit.decide(&mut product, &command)?;
        let shown = show::Product::of(id, known(&product.state)?, None);
        Reply::created(format!("/v1/products/{id}"), product.version, &shown)
    })
    .await
}

/// Changes what a product is called or is.
#[utoipa::path(patch, path = "/v1/products/{id}", tag = "catalog", params(("id" = String, Path)),
    request_body = ProductChange, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn change(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Staff, ProductChange>,
) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    app.run(ask, "product.revise", |unit| async move {
        let mut product = unit.load_matching::<Product>(id).await?;
        check_category(&unit, body.category.flatten()).await?;
        let command = Command::Revise {
            title: body.title.clone(),
            description: body.description.clone(),
            category: body.category,
            attributes: body.attributes.clone(),
        };
        unit.decide(&mut product, &command)?;
        Reply::ok(product.version, &show::Product::of(id, known(&product.state)?, None))
    })
    .await
}

/// Shows and sells a product.
#[utoipa::path(post, path = "/v1/products/{id}/publish", tag = "catalog", params(("id" = String, Path)),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn publish(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    decide(&app, id, &ask, "product.publish", &Command::Publish {}).await
}

/// Hides a product for now.
#[utoipa::path(post, path = "/v1/products/{id}/unpublish", tag = "catalog", params(("id" = String, Path)),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn unpublish(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    decide(&app, id, &ask, "product.unpublish", &Command::Unpublish {}).await
}

/// Hides a product for good.
#[utoipa::path(post, path = "/v1/products/{id}/archive", tag = "catalog", params(("id" = String, Path)),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn archive(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    decide(&app, id, &ask, "product.archive", &Command::Archive {}).await
}

/// A command that concerns one product alone.
async fn decide(
    app: &Shared,
    id: ProductId,
    ask: &Ask<Staff, Nothing>,
    name: &'static str,
    command: &Command,
) -> Result<Response, Problem> {
    app.run(ask, name, |unit| async move {
        let mut product = unit.load_matching::<Product>(id).await?;
        unit.decide(&mut product, command)?;
        Reply::ok(product.version, &show::Product::of(id, known(&product.state)?, None))
    })
    .await
}

/// One product with its variants, their prices and how many of each can be bought. Only staff sees what is not published.
#[utoipa::path(get, path = "/v1/products/{id}", tag = "catalog", security(()), params(("id" = String, Path), Then),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    Params(then): Params<Then>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (found, available) = if then.at.is_some() {
        (app.snapshot::<Product>(id, &then, &headers).await?, None)
    } else {
        app.await_log(&headers).await?;
        let found = app.commands.get_with::<Product, StockLevel>(id, variants).await?;
        let (found, stock) = found.ok_or_else(|| Problem::missing("product"))?;
        let available = stock.into_iter().map(|found| found.map_or(0, |found| found.state.available()));
        (found, Some(available.collect::<Vec<_>>()))
    };
    let created = known(&found.state)?;
    if created.status != Status::Published && !caller.is_staff() {
        return Err(Problem::missing("product"));
    }
    reply::one(found.version, &show::Product::of(id, created, available.as_deref()))
}

/// The variants of a product, in their order.
fn variants(product: &Product) -> Vec<VariantId> {
    product.existing().map(|created| created.variants.keys().copied().collect()).unwrap_or_default()
}

pub(super) fn known(product: &Product) -> Result<&Created, Error> {
    product.existing().map_err(|rejection| Error::Rejected(Rejected::of::<Product>(&rejection)))
}

async fn check_category(unit: &Unit, category: Option<CategoryId>) -> Result<(), Error> {
    let Some(id) = category else { return Ok(()) };
    let category = unit.load::<Category>(id).await?;
    match category.state.existing() {
        Ok(created) if created.archived => {
            Err(Error::Rejected(Rejected::of::<Category>(&byteshop_domain::category::Rejection::Archived)))
        }
        Ok(_) => Ok(()),
        Err(_) => Err(no_such("category", "/category")),
    }
}

fn nothing_said() -> Result<Description, Error> {
    Description::new("").map_err(|_| no_such("product", "/description"))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(one, change))
        .routes(routes!(publish))
        .routes(routes!(unpublish))
        .routes(routes!(archive))
}
