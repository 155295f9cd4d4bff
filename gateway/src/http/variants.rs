//! Variants of a product: what of it is bought, at what price.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::cases;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::money::Price;
use byteshop_domain::product::{Command, Options, Product};
use byteshop_domain::text::{Sku, Title};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::ask::{Ask, Nothing, Of, OfTwo};
use super::products::known;
use super::show;
use crate::actor::Staff;
use crate::problem::Problem;
use crate::reply::Reply;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewVariant {
    /// The seller's own code; no two variants share one.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    sku: Sku,
    /// The product's, when nothing is given.
    #[schema(value_type = Option<String>, max_length = 200)]
    title: Option<Title>,
    #[schema(value_type = show::Money)]
    price: Price,
    /// What tells it from the others, such as `{"size": "M"}`.
    #[serde(default)]
    #[schema(value_type = Object)]
    options: Options,
}

/// What is not given stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VariantChange {
    #[schema(value_type = Option<String>, max_length = 200)]
    title: Option<Title>,
    /// In the variant's currency.
    #[schema(value_type = Option<show::Money>)]
    price: Option<Price>,
    /// All of them.
    #[schema(value_type = Option<Object>)]
    options: Option<Options>,
}

/// Adds a variant, and opens its stock.
#[utoipa::path(post, path = "/v1/products/{id}/variants", tag = "catalog", params(("id" = String, Path)),
    request_body = NewVariant, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The product; Location names the variant", body = show::Product)))]
async fn add(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Staff, NewVariant>,
) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    app.run(ask, "product.add_variant", |unit| async move {
        let mut product = unit.load_matching::<Product>(id).await?;
        let variant: VariantId = unit.new_id();
        let title = match &body.title {
            Some(title) => title.clone(),
            None => known(&product.state)?.title.clone(),
        };
        let (sku, price, options) = (body.sku.clone(), body.price, body.options.clone());
        let command = Command::AddVariant { variant, sku, title, price, options };
        cases::add_variant(&unit, &mut product, variant, &body.sku, &command).await?;
        let shown = show::Product::of(id, known(&product.state)?, None);
        Reply::created(format!("/v1/products/{id}/variants/{variant}"), product.version, &shown)
    })
    .await
}

/// Changes a variant's title, options or price.
#[utoipa::path(patch, path = "/v1/products/{id}/variants/{variant}", tag = "catalog",
    params(("id" = String, Path), ("variant" = String, Path)),
    request_body = VariantChange, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn change(
    State(app): State<Shared>,
    OfTwo(id, variant): OfTwo<ProductId, VariantId>,
    ask: Ask<Staff, VariantChange>,
) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    app.run(ask, "product.revise_variant", |unit| async move {
        let mut product = unit.load_matching::<Product>(id).await?;
        let (title, options) = (body.title.clone(), body.options.clone());
        unit.decide(&mut product, &Command::ReviseVariant { variant, title, options })?;
        if let Some(price) = body.price {
            unit.decide(&mut product, &Command::SetPrice { variant, price })?;
        }
        Reply::ok(product.version, &show::Product::of(id, known(&product.state)?, None))
    })
    .await
}

/// Takes a variant out; its SKU is free again.
#[utoipa::path(delete, path = "/v1/products/{id}/variants/{variant}", tag = "catalog",
    params(("id" = String, Path), ("variant" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 204, description = "It is gone")))]
async fn remove(
    State(app): State<Shared>,
    OfTwo(id, variant): OfTwo<ProductId, VariantId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "product.remove_variant", |unit| async move {
        let mut product = unit.load_matching::<Product>(id).await?;
        cases::remove_variant(&unit, &mut product, variant).await?;
        Ok(Reply::gone(product.version))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(change, remove))
}
