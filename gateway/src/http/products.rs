//! Products: what is shown in the shop.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::products::{self, Revision};
use byteshop_commands::{Error, Loaded, Snapshot, Unit};
use byteshop_domain::Bounded;
use byteshop_domain::ids::{CategoryId, ProductId, SellerId};
use byteshop_domain::product::{
    self, ATTRIBUTES_MAX, Attributes, OPTIONS_MAX, OptionDefinition, Product, price_history,
};
use byteshop_domain::text::{Description, Title};
use byteshop_eventstore::StreamId;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show;
use crate::app::Shared;
use crate::edge::actor::{Caller, Trader};
use crate::edge::ask::{Ask, Nothing, Of, present};
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::queries::catalog::{self, Named, seen_by};
use crate::queries::reductions::LowestBefore;

/// Events of a product that are read at once for its prices.
const HISTORY_PAGE: i64 = 1_000;

/// Attribute values by name.
pub(super) type AttributeMap = Bounded<Attributes, ATTRIBUTES_MAX>;
/// An option of a product.
pub(super) type OptionList = Bounded<Vec<OptionDefinition>, OPTIONS_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Espresso cup", "description": "Porcelain, 80 ml.", "category": "cat_01h455vb4pex5vsknk084sn02q", "attributes": {"material": "porcelain"}, "options": [{"name": "colour", "values": ["white", "blue"]}]}))]
struct NewProduct {
    title: Title,
    /// Plain text, not HTML or Markdown; line breaks are kept.
    description: Option<Description>,
    category: Option<CategoryId>,
    /// Strings, integers or booleans, by name.
    #[serde(default)]
    attributes: AttributeMap,
    /// The options of its variants.
    #[serde(default)]
    options: OptionList,
    /// The seller whose product it is; by default the house, for which only staff can create products.
    seller: Option<SellerId>,
}

/// The schedule of a publication; by default now and without an end.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"at": "2026-12-01T08:00:00Z", "until": "2027-01-01T00:00:00Z"}))]
struct Publication {
    /// When it is published; now by default.
    at: Option<DateTime<Utc>>,
    /// When it is unpublished; never by default.
    until: Option<DateTime<Utc>>,
}

/// Fields left out stay unchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Espresso cup, thin", "category": null}))]
struct ProductChange {
    title: Option<Title>,
    /// Plain text, not HTML or Markdown; line breaks are kept.
    description: Option<Description>,
    /// Null for none.
    #[serde(default, deserialize_with = "present")]
    category: Option<Option<CategoryId>>,
    /// All attributes: they replace the present ones.
    attributes: Option<AttributeMap>,
    /// All options: they replace the present ones.
    options: Option<OptionList>,
}

/// Creates a product as a draft.
///
/// Only staff and the members of its seller see drafts.
#[utoipa::path(post, path = "/v1/products", operation_id = "createProduct",
    tag = "catalog", request_body = NewProduct, security(("bearer" = ["member"])),
    responses((status = 201, description = "The product", body = show::Product)))]
async fn create(State(app): State<Shared>, ask: Ask<Trader, NewProduct>) -> Result<Response, Problem> {
    let (acts_for, body) = (ask.who.acts_for(), &ask.body);
    app.run(&ask, "product.create", |unit| async move {
        let new = products::NewProduct {
            title: body.title.clone(),
            description: body.description.clone(),
            category: body.category,
            attributes: (*body.attributes).clone(),
            options: body.options.to_vec(),
            seller: body.seller,
        };
        let product = products::create(&unit, new, acts_for).await?;
        made(&unit, &product, format!("/v1/products/{}", product.id)).await
    })
    .await
}

/// The answer of a command that changed a product.
pub(super) async fn changed(unit: &Unit, product: &Loaded<Product>) -> Result<Reply, Error> {
    let created = product.state.live()?;
    let seller = products::seller_of(unit, created).await?;
    let shown = show::Product::of(unit.commands(), product.id, created, None).of_seller(created, seller.as_deref());
    Reply::ok(product.version, &shown)
}

/// The answer of a command that made something of a product, which is at a path.
pub(super) async fn made(unit: &Unit, product: &Loaded<Product>, path: String) -> Result<Reply, Error> {
    let created = product.state.live()?;
    let seller = products::seller_of(unit, created).await?;
    let shown = show::Product::of(unit.commands(), product.id, created, None).of_seller(created, seller.as_deref());
    Reply::created(path, product.version, &shown)
}

/// Updates a product.
#[utoipa::path(patch, path = "/v1/products/{id}", operation_id = "updateProduct",
    tag = "catalog", params(("id" = String, Path)),
    request_body = ProductChange, security(("bearer" = ["member"])),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn change(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, ProductChange>,
) -> Result<Response, Problem> {
    let (acts_for, body) = (ask.who.acts_for(), &ask.body);
    app.run(&ask, "product.revise", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        let revision = Revision {
            title: body.title.clone(),
            description: body.description.clone(),
            category: body.category,
            attributes: body.attributes.as_deref().cloned(),
            options: body.options.as_ref().map(|options| options.to_vec()),
        };
        products::revise(&unit, &mut product, revision).await?;
        changed(&unit, &product).await
    })
    .await
}

/// Publishes a product, now or on a schedule.
#[utoipa::path(post, path = "/v1/products/{id}/publish", operation_id = "publishProduct",
    tag = "catalog", params(("id" = String, Path)),
    request_body = Publication, security(("bearer" = ["member"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn publish(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, Publication>,
) -> Result<Response, Problem> {
    let (acts_for, Publication { at, until }) = (ask.who.acts_for(), &ask.body);
    let (at, until) = (*at, *until);
    app.run(&ask, "product.publish", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::publish(&unit, &mut product, product::Schedule { at, until }).await?;
        changed(&unit, &product).await
    })
    .await
}

/// Unpublishes a product and clears its schedule.
#[utoipa::path(post, path = "/v1/products/{id}/unpublish", operation_id = "unpublishProduct",
    tag = "catalog", params(("id" = String, Path)),
    security(("bearer" = ["member"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn unpublish(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let acts_for = ask.who.acts_for();
    app.run(&ask, "product.unpublish", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::unpublish(&unit, &mut product)?;
        changed(&unit, &product).await
    })
    .await
}

/// Archives a product permanently.
///
/// It is hidden, and its SKUs can be used again.
#[utoipa::path(post, path = "/v1/products/{id}/archive", operation_id = "archiveProduct",
    tag = "catalog", params(("id" = String, Path)),
    security(("bearer" = ["member"])), responses((status = 200, description = "The product", body = show::Product)))]
async fn archive(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    ask: Ask<Trader, Nothing>,
) -> Result<Response, Problem> {
    let acts_for = ask.who.acts_for();
    app.run(&ask, "product.archive", |unit| async move {
        let mut product = products::for_change(&unit, id, acts_for).await?;
        products::archive(&unit, &mut product).await?;
        changed(&unit, &product).await
    })
    .await
}

/// One product with its variants, prices and availability.
///
/// Only staff and the members of its seller see a product that is not published.
#[utoipa::path(get, path = "/v1/products/{id}", operation_id = "getProduct",
    tag = "catalog", security(()), params(("id" = String, Path), Then),
    responses((status = 200, description = "The product", body = show::Product)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    then: Then,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (found, seen, available, lowest) = if then.at.is_some() {
        let found = app.snapshot::<Product>(id, &then, &headers).await?;
        // Rights are those of now: what was withdrawn is not shown as it was before.
        let now = app.commands.get::<Product>(id).await?.ok_or_else(|| Problem::missing("product"))?;
        seen_by(&app, &caller, &now.state).await?;
        let seen = seen_by(&app, &caller, &found.state).await?;
        (found, seen, None, Arc::default())
    } else {
        let current = catalog::product(&app, &caller, &headers, &Named::Product(id)).await?;
        let lowest = lowest_before(&app, id, &current.found).await?;
        (current.found, current.seen, Some(current.available), lowest)
    };
    let created = found.state.live()?;
    let product = show::Product::of(&app.commands, id, created, available.as_deref());
    let product = product.of_seller(created, seen.seller.as_deref());
    let product = if seen.is_keeper { product } else { product.for_buyers() };
    reply::one(found.version, &product.with_lowest_before(&lowest))
}

/// The lowest price of the 30 days before each reduction that is announced; the log is read only where one is, and once for each
/// version of the product.
async fn lowest_before(app: &Shared, id: ProductId, found: &Snapshot<Product>) -> Result<Arc<LowestBefore>, Error> {
    let mut listings = found.state.live()?.variants.values().flat_map(product::Variant::listings);
    if !listings.any(|it| it.compare_at.is_some()) {
        return Ok(Arc::default());
    }
    if let Some(known) = app.reductions.get(id, found.version) {
        return Ok(known);
    }
    let mut events = events_of(app, id).await?;
    events.truncate(usize::try_from(found.version).unwrap_or(usize::MAX));
    let reduced = history(app, &events).into_iter().filter_map(|it| {
        let lowest = it.reduction?.lowest_before;
        Some(((it.variant, it.currency), lowest))
    });
    let lowest = Arc::new(reduced.collect());
    app.reductions.put(id, found.version, &lowest);
    Ok(lowest)
}

/// The price history of a variant.
#[derive(Serialize, ToSchema)]
struct History {
    items: Vec<product::PriceHistory>,
}

/// The price history of a product's variants.
///
/// Includes the lowest price of the 30 days before a reduction.
#[utoipa::path(get, path = "/v1/products/{id}/price-history", operation_id = "getPriceHistory",
    tag = "catalog", security(()), params(("id" = String, Path)),
    responses((status = 200, description = "The prices of each variant in each currency", body = History)))]
async fn prices(
    State(app): State<Shared>,
    Of(id): Of<ProductId>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Product>(id, &Then::default(), &headers).await?;
    seen_by(&app, &caller, &found.state).await?;
    reply::one(found.version, &History { items: history(&app, &events_of(&app, id).await?) })
}

/// The past prices of a product's variants, from its events.
fn history(app: &Shared, events: &[(DateTime<Utc>, product::Event)]) -> Vec<product::PriceHistory> {
    price_history(events.iter().map(|(at, event)| (*at, event)), app.commands.clock().now())
}

/// All events of a product, with their times.
async fn events_of(app: &Shared, id: ProductId) -> Result<Vec<(DateTime<Utc>, product::Event)>, Error> {
    let (stream, mut events) = (StreamId::of::<Product>(id), Vec::new());
    loop {
        let after = i64::try_from(events.len()).unwrap_or(i64::MAX);
        let page = app.commands.log().read_stream(&stream, after, HISTORY_PAGE).await?;
        for event in page.iter().filter_map(|it| it.event::<Product>().map(|event| (it.occurred_at(), event))) {
            events.push((event.0, event.1?));
        }
        if page.is_empty() {
            break;
        }
    }
    Ok(events)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(one, change))
        .routes(routes!(publish))
        .routes(routes!(unpublish))
        .routes(routes!(archive))
        .routes(routes!(prices))
}
