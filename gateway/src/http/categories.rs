//! Categories: the tree that products hang in.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::categories;
use byteshop_commands::{Error, Intent};
use byteshop_domain::Bounded;
use byteshop_domain::category::{
    self, AttributeDefinition, BRANCH_MAX, Category, Children, DEFINITIONS_MAX, DEPTH_MAX,
};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::text::{Name, Slug};
use byteshop_projections::View as _;
use byteshop_projections::category_list::{self, CategoryList};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::{self, PageOf};
use crate::app::Shared;
use crate::edge::actor::{Caller, Staff};
use crate::edge::ask::{Ask, Named, Nothing, Of, Params, present};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::Limit;
use crate::queries::catalog::category_named;

/// Most categories that are put into an order at once: more do not lie beside each other in a tree for people.
const ORDER_MAX: usize = 200;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Kitchen", "slug": "kitchen"}))]
struct NewCategory {
    name: Name,
    /// A unique, URL-friendly name.
    slug: Slug,
    /// The parent category.
    parent: Option<CategoryId>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Kitchen and table"}))]
struct CategoryChange {
    name: Option<Name>,
    /// The new parent; null for a root category.
    #[serde(default, deserialize_with = "present")]
    parent: Option<Option<CategoryId>>,
}

/// Attributes that a category declares.
type Definitions = Bounded<Vec<AttributeDefinition>, DEFINITIONS_MAX>;
/// Categories to be put into an order.
type CategoryIds = Bounded<Vec<CategoryId>, ORDER_MAX>;

/// The attributes of a category.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"attributes": [{"name": "material", "type": "choice", "values": ["steel", "beech"], "required": true, "filterable": true}]}))]
struct Declaration {
    /// All attributes, in display order.
    attributes: Definitions,
}

/// The attributes that apply to the products of a category.
#[derive(Serialize, ToSchema)]
struct Counting<'a> {
    /// Own attributes first, then inherited ones.
    attributes: Vec<&'a AttributeDefinition>,
}

/// The order of one parent's categories.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"parent": null, "categories": ["cat_01h455vb4pex5vsknk084sn02q", "cat_01h455vb4pex5vsknk084sn02r"]}))]
struct CategoryOrder {
    /// The parent category; null for root categories.
    parent: Option<CategoryId>,
    /// Listed categories come first; others follow in their current order.
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    categories: CategoryIds,
}

/// The categories in their new order.
#[derive(Serialize, ToSchema)]
struct Ordered {
    categories: Vec<CategoryId>,
}

/// Creates a category.
#[utoipa::path(post, path = "/v1/categories", operation_id = "createCategory",
    tag = "catalog", request_body = NewCategory, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The category", body = show::Category)))]
async fn create(State(app): State<Shared>, ask: Ask<Staff, NewCategory>) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    app.run(ask, "category.create", |unit| async move {
        let category = categories::create(&unit, body.name.clone(), body.slug.clone(), body.parent).await?;
        let id = category.id;
        Reply::created(format!("/v1/categories/{id}"), category.version, &shown(id, &category.state)?)
    })
    .await
}

/// Renames or moves a category.
#[utoipa::path(patch, path = "/v1/categories/{id}", operation_id = "updateCategory",
    tag = "catalog", params(("id" = String, Path)),
    request_body = CategoryChange, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The category", body = show::Category)))]
async fn change(
    State(app): State<Shared>,
    Of(id): Of<CategoryId>,
    ask: Ask<Staff, CategoryChange>,
) -> Result<Response, Problem> {
    let (ask, body) = (&ask, &ask.body);
    let below = if matches!(body.parent, Some(Some(_))) { levels_below(&app, id).await? } else { 0 };
    app.run(ask, "category.change", |unit| async move {
        let mut category = unit.load_matching::<Category>(id).await?;
        if let Some(name) = &body.name {
            categories::rename(&unit, &mut category, name.clone())?;
        }
        if let Some(parent) = body.parent {
            categories::move_under(&unit, &mut category, parent, below).await?;
        }
        Reply::ok(category.version, &shown(id, &category.state)?)
    })
    .await
}

/// Replaces the attributes of a category.
///
/// Its products are validated against these and the inherited attributes.
#[utoipa::path(put, path = "/v1/categories/{id}/attributes", operation_id = "replaceCategoryAttributes",
    tag = "catalog", params(("id" = String, Path)),
    request_body = Declaration, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The category", body = show::Category)))]
async fn declare(
    State(app): State<Shared>,
    Of(id): Of<CategoryId>,
    ask: Ask<Staff, Declaration>,
) -> Result<Response, Problem> {
    let (ask, attributes) = (&ask, &ask.body.attributes);
    app.run(ask, "category.declare_attributes", |unit| async move {
        let mut category = unit.load_matching::<Category>(id).await?;
        categories::declare_attributes(&unit, &mut category, attributes.to_vec())?;
        Reply::ok(category.version, &shown(id, &category.state)?)
    })
    .await
}

/// Lists the attributes of a category, inherited ones included.
#[utoipa::path(get, path = "/v1/categories/{id}/attributes", operation_id = "listCategoryAttributes",
    tag = "catalog", security(()), params(("id" = String, Path)),
    responses((status = 200, description = "The attributes", body = Counting)))]
async fn attributes(
    State(app): State<Shared>,
    Of(id): Of<CategoryId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut path = vec![app.snapshot::<Category>(id, &Then::default(), &headers).await?];
    while let Some(parent) = path.last().and_then(|last| last.state.live().ok()?.parent) {
        let known = app.commands.get::<Category>(parent).await?;
        path.push(known.ok_or_else(|| Problem::missing("category"))?);
    }
    let own = path.iter().filter_map(|category| category.state.live().ok());
    let attributes = category::effective(own.map(|category| category.attributes.as_slice()));
    reply::one(path[0].version, &Counting { attributes })
}

/// Reorders the categories of one parent.
#[utoipa::path(post, path = "/v1/categories/order", operation_id = "reorderCategories",
    tag = "catalog", request_body = CategoryOrder,
    security(("bearer" = ["staff"])), responses((status = 200, description = "The order", body = Ordered)))]
async fn order(State(app): State<Shared>, ask: Ask<Staff, CategoryOrder>) -> Result<Response, Problem> {
    let CategoryOrder { parent, categories: listed } = &ask.body;
    let mut sorted = listed.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() != listed.len() || !(1..=ORDER_MAX).contains(&sorted.len()) {
        return Err(Problem::invalid(
            "/categories",
            format!("the new order must list 1 to {ORDER_MAX} categories, each once"),
        ));
    }
    app.run(&ask, "category.order", |unit| async move {
        let last = categories::reorder(&unit, *parent, listed).await?;
        Reply::ok(last.map_or(0, |last| last.version), &Ordered { categories: listed.to_vec() })
    })
    .await
}

/// How to treat open subcategories.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ArchiveQuery {
    /// `move_up` moves open subcategories to the nearest open category above, `archive` archives them with all their descendants.
    /// By default the request is refused if there are open subcategories.
    #[param(inline)]
    children: Option<Children>,
}

/// Archives a category.
///
/// It accepts no more products, it is no longer listed, and its slug can be used again. Its products stay in the shop and count
/// towards the categories above it.
#[utoipa::path(post, path = "/v1/categories/{id}/archive", operation_id = "archiveCategory",
    tag = "catalog", params(("id" = String, Path), ArchiveQuery),
    security(("bearer" = ["staff"])), responses((status = 200, description = "The category", body = show::Category),
        (status = 409, description = "The category has subcategories that are not archived")))]
async fn archive(
    State(app): State<Shared>,
    Of(id): Of<CategoryId>,
    Params(query): Params<ArchiveQuery>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    up_to_date(&app).await?;
    let below = &app.views.categories_below(id, BRANCH_MAX + 1).await?;
    let archived = app.run(ask, "category.archive", |unit| async move {
        let mut category = unit.load_matching::<Category>(id).await?;
        categories::archive_category(&unit, &mut category, below, query.children).await?;
        Reply::ok(category.version, &shown(id, &category.state)?)
    });
    let response = archived.await?;
    // Where nothing was said, there were none when it was decided: what came since moves up.
    let intent = Intent { key: None, if_match: None, ..ask.intent("category.archive") };
    archive_rest(&app, &intent, id, query.children.unwrap_or(Children::MoveUp)).await?;
    Ok(response)
}

/// Treats categories that were added below one while it was archived like the others. Further ones are refused, so this
/// comes to an end.
async fn archive_rest(app: &Shared, intent: &Intent, id: CategoryId, children: Children) -> Result<(), Problem> {
    // Each look closes one more level.
    for _ in 0..DEPTH_MAX {
        up_to_date(app).await?;
        let below = &app.views.categories_below(id, BRANCH_MAX + 1).await?;
        let moved = app.commands.run(intent, |unit| async move {
            let mut category = unit.load::<Category>(id).await?;
            categories::archive_category(&unit, &mut category, below, Some(children)).await
        });
        if moved.await?.position.is_none() {
            break;
        }
    }
    Ok(())
}

/// One category, by its id or its slug, with the path to it.
///
/// Only staff can read earlier states of a category that is archived, or that was below one.
#[utoipa::path(get, path = "/v1/categories/{id}", operation_id = "getCategory",
    tag = "catalog", security(()), params(("id" = String, Path, description = "The id or the slug"), Then),
    responses((status = 200, description = "The category", body = show::CategoryWithPath)))]
async fn one(
    State(app): State<Shared>,
    Named(name): Named,
    then: Then,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let id = category_named(&app, &name).await?.ok_or_else(|| Problem::missing("category"))?;
    let may_see = |category: &Category| {
        let withdrawn = then.at.is_some() && category.live().is_ok_and(|it| it.archived);
        if withdrawn && !caller.is_staff() { Err(Problem::missing("category")) } else { Ok(()) }
    };
    let found = app.snapshot_for(id, &then, &headers, may_see).await?;
    let mut above = Vec::new();
    let mut parent = found.state.live()?.parent;
    while let Some(id) = parent {
        let next = app.snapshot_for(id, &then, &headers, may_see).await?.state;
        parent = next.live()?.parent;
        above.push((id, next));
    }
    let path = above.iter().rev().map(|(id, category)| Ok(show::PathCategory::of(*id, category.live()?)));
    let path = path.collect::<Result<_, Error>>()?;
    reply::one(found.version, &show::CategoryWithPath { category: shown(id, &found.state)?, path })
}

/// Which categories are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only direct children of this category, or `none` for root categories.
    parent: Option<String>,
    /// Include archived categories.
    #[serde(default)]
    archived: bool,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of the list.
type CategoryPage = PageOf<show::Category<'static>>;

/// Lists categories by rank and name.
#[utoipa::path(get, path = "/v1/categories", operation_id = "listCategories",
    tag = "catalog", security(()), params(ListQuery),
    responses((status = 200, description = "A page of categories", body = CategoryPage)))]
async fn list(
    State(app): State<Shared>,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let parent = match query.parent.as_deref() {
        None => None,
        Some("none") => Some(None),
        Some(id) => Some(Some(
            id.parse().map_err(|_| Problem::query("parent", "`parent` must be the id of a category or `none`"))?,
        )),
    };
    let query = category_list::Query { parent, archived: query.archived, ask: lists::ask(query.limit, query.cursor) };
    app.await_views(&[CategoryList::NAME], &headers).await?;
    Ok(reply::json(app.views.category_list(&query).await?.json()))
}

fn shown(id: CategoryId, category: &Category) -> Result<show::Category<'_>, Error> {
    let created = category.live()?;
    Ok(show::Category::of(id, created))
}

/// How many levels there are below a category. No category knows what is below it, so the list is asked, once it has everything.
async fn levels_below(app: &Shared, id: CategoryId) -> Result<usize, Problem> {
    up_to_date(app).await?;
    Ok(app.views.levels_below(id).await?)
}

/// Waits until the list of categories has everything that has happened.
async fn up_to_date(app: &Shared) -> Result<(), Problem> {
    let head = app.commands.log().head().await.map_err(Error::from)?;
    if app.views.wait(CategoryList::NAME, head, lists::PATIENCE).await? {
        Ok(())
    } else {
        Err(Problem::not_caught_up())
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(one, change))
        .routes(routes!(archive))
        .routes(routes!(attributes, declare))
        .routes(routes!(order))
}
