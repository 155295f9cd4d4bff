//! Searching the catalog.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::ids::CategoryId;
use byteshop_domain::product::Status;
use byteshop_projections::View as _;
use byteshop_projections::category_list::CategoryList;
use byteshop_projections::product_list::{ProductList, Query, Shown, Sort};
use byteshop_projections::stock_level::StockLevel;
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::Params;
use super::{Shared, lists, show};
use crate::actor::Caller;
use crate::problem::Problem;
use crate::reply;

/// What a filter by an attribute starts with, as in `attr.color=red`.
const ATTRIBUTE: &str = "attr.";

/// Which products are wanted; `attr.<name>=<value>` filters by attributes.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words of the title, the description or a SKU; `"…"`, `or` and `-` as in search engines.
    q: Option<String>,
    /// Only in this category or one below it.
    #[param(value_type = Option<String>)]
    category: Option<CategoryId>,
    /// Only where something costs at least this, in minor units.
    price_min: Option<i64>,
    /// Only where something costs at most this, in minor units.
    price_max: Option<i64>,
    /// Only where something can be had.
    in_stock: Option<bool>,
    /// `newest`, `price`, `price_desc` or `title`.
    #[param(value_type = Option<String>, example = "newest")]
    sort: Option<Sort>,
    /// For staff: `draft`, `published`, `unpublished`, `archived` or `all`; others see what is published.
    #[param(value_type = Option<String>)]
    status: Option<Shown>,
    /// 20 unless it says something else, 100 at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    #[param(ignore)]
    attributes: Vec<(String, String)>,
}

impl ListQuery {
    fn of(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut query = Self::default();
        for (name, value) in pairs {
            let wrong =
                |expected: &str| Problem::malformed("request.invalid_query", format!("{name} takes {expected}"));
            match name.as_str() {
                "q" => query.q = Some(value),
                "category" => query.category = Some(value.parse().map_err(|_| wrong("the id of a category"))?),
                "price_min" => query.price_min = Some(value.parse().map_err(|_| wrong("a whole number"))?),
                "price_max" => query.price_max = Some(value.parse().map_err(|_| wrong("a whole number"))?),
                "in_stock" => query.in_stock = Some(value.parse().map_err(|_| wrong("true or false"))?),
                "sort" => query.sort = Some(sort(&value).ok_or_else(|| wrong("newest, price, price_desc or title"))?),
                "status" => query.status = Some(shown(&value).ok_or_else(|| wrong("a status, or all"))?),
                "limit" => query.limit = Some(value.parse().map_err(|_| wrong("a whole number"))?),
                "cursor" => query.cursor = Some(value),
                other => {
                    let Some(attribute) = other.strip_prefix(ATTRIBUTE) else {
                        let detail = format!("there is no parameter {}", other.chars().take(40).collect::<String>());
                        return Err(Problem::malformed("request.invalid_query", detail));
                    };
                    query.attributes.push((attribute.to_owned(), value));
                }
            }
        }
        Ok(query)
    }
}

fn sort(text: &str) -> Option<Sort> {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    Sort::deserialize(text).ok()
}

fn shown(text: &str) -> Option<Shown> {
    Some(match text {
        "all" => Shown::All,
        "draft" => Shown::Only(Status::Draft),
        "published" => Shown::Published,
        "unpublished" => Shown::Only(Status::Unpublished),
        "archived" => Shown::Only(Status::Archived),
        _ => return None,
    })
}

/// A product in a list.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct ProductRow {
    id: String,
    status: String,
    title: String,
    description: String,
    category: Option<String>,
    #[schema(value_type = Object)]
    attributes: (),
    variants: Vec<VariantRow>,
    /// The lowest price.
    price_min: Option<show::Money>,
    /// The highest price.
    price_max: Option<show::Money>,
    created_at: DateTime<Utc>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct VariantRow {
    id: String,
    sku: String,
    title: String,
    /// What one piece costs, in its first currency.
    price: show::Money,
    /// The higher price that this one is shown to be below of, if there is one.
    compare_at: Option<show::Money>,
    #[schema(value_type = Object)]
    options: (),
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the view's own text")]
struct ProductPage {
    items: Vec<ProductRow>,
    /// The cursor of the next page.
    next: Option<String>,
}

/// Searches the catalog. Beside the parameters named here, `attr.<name>=<value>` filters by attributes.
#[utoipa::path(get, path = "/v1/products", tag = "catalog", security(()), params(ListQuery),
    responses((status = 200, description = "A page of products", body = ProductPage)))]
async fn list(
    State(app): State<Shared>,
    Params(pairs): Params<Vec<(String, String)>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = ListQuery::of(pairs)?;
    let shown = query.status.unwrap_or_default();
    if shown != Shown::Published && !caller.is_staff() {
        return Err(Problem::forbidden("only staff sees what is not published"));
    }
    let mut views = vec![ProductList::NAME];
    views.extend(query.in_stock.filter(|wanted| *wanted).map(|_| StockLevel::NAME));
    views.extend(query.category.map(|_| CategoryList::NAME));
    app.await_views(&views, &headers).await?;
    let query = Query {
        shown,
        q: query.q.filter(|words| !words.trim().is_empty()),
        category: query.category,
        price_min: query.price_min,
        price_max: query.price_max,
        attributes: query.attributes,
        in_stock: query.in_stock.unwrap_or(false),
        sort: query.sort.unwrap_or_default(),
        ask: lists::ask(query.limit, query.cursor)?,
    };
    Ok(reply::json(app.views.product_list(&query).await?.json))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}
