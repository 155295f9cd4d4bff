//! The requests of gRPC, read as the queries of HTTP.

use byteshop_domain::Currency;
use byteshop_domain::product::Status;
use byteshop_domain::text::{Sku, fresh};
use byteshop_projections::product_list::{Query, Shown, Sort};

use super::super::v1::get_product_request::By;
use super::super::v1::{AttributeFilter, GetProductRequest, ProductSort, ProductVisibility, SearchProductsRequest};
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;
use crate::edge::{lists, parameters};
use crate::queries::catalog::{Named, by_default, check_values, words};

/// Reads a search.
pub(super) fn of(caller: &Caller, asked: SearchProductsRequest) -> Result<Query, Problem> {
    let q = words(asked.q)?;
    if let Some(index) = asked.attributes.iter().position(|filter| filter.values.is_empty()) {
        return Err(Problem::query(&format!("attributes.{index}.values"), "at least one value is required"));
    }
    // Counted before each value gets a copy of its name: a long name with many empty values would fill the memory.
    let values: usize = asked.attributes.iter().map(|filter| filter.values.len()).sum();
    check_values("attributes", asked.category.len() + values)?;
    let attributes: Vec<(String, String)> = asked.attributes.into_iter().flat_map(pairs).collect();
    for (name, bound) in [("price_min", asked.price_min), ("price_max", asked.price_max)] {
        if bound.is_some_and(|bound| bound < 0) {
            return Err(Problem::query(name, format!("{name} must be an integer in minor units, 0 or more")));
        }
    }
    parameters::in_order(("price_min", asked.price_min), ("price_max", asked.price_max))?;
    let categories = asked.category.iter().map(|id| id.parse()).collect::<Result<_, _>>();
    let currency = Some(asked.currency).filter(|code| !code.is_empty());
    let limit = Some(asked.limit).filter(|limit| *limit > 0);
    Ok(Query {
        shown: shown(asked.visibility)?.unwrap_or(by_default(caller, Some(&q))),
        q: Some(q),
        categories: categories.map_err(|_| Problem::query("category", "must be ids of categories"))?,
        currency: currency.map(|code| currency_of(&code)).transpose()?,
        price_min: asked.price_min,
        price_max: asked.price_max,
        attributes,
        in_stock: asked.in_stock,
        sort: sort(asked.sort)?,
        facets: asked.facets,
        ask: lists::ask(limit, Some(asked.cursor).filter(|cursor| !cursor.is_empty()))?,
        now: false,
    })
}

fn pairs(filter: AttributeFilter) -> impl Iterator<Item = (String, String)> {
    let AttributeFilter { name, values } = filter;
    values.into_iter().map(move |value| (name.clone(), value))
}

fn shown(visibility: i32) -> Result<Option<Shown>, Problem> {
    let known = ProductVisibility::try_from(visibility);
    Ok(match known.map_err(|_| Problem::query("visibility", "unknown visibility"))? {
        ProductVisibility::Unspecified => None,
        ProductVisibility::Published => Some(Shown::Published),
        ProductVisibility::All => Some(Shown::All),
        ProductVisibility::Draft => Some(Shown::Only(Status::Draft)),
        ProductVisibility::Unpublished => Some(Shown::Only(Status::Unpublished)),
        ProductVisibility::Archived => Some(Shown::Only(Status::Archived)),
    })
}

fn sort(sort: i32) -> Result<Option<Sort>, Problem> {
    let known = ProductSort::try_from(sort);
    Ok(match known.map_err(|_| Problem::query("sort", "unknown sort order"))? {
        ProductSort::Unspecified => None,
        ProductSort::Relevance => Some(Sort::Relevance),
        ProductSort::Newest => Some(Sort::Newest),
        ProductSort::Price => Some(Sort::Price),
        ProductSort::PriceDesc => Some(Sort::PriceDesc),
        ProductSort::Title => Some(Sort::Title),
    })
}

/// The product that a request names.
pub(super) fn named(asked: GetProductRequest) -> Result<Named, Problem> {
    let named = match asked.by {
        Some(By::Product(id)) => id.parse().ok().map(Named::Product),
        Some(By::Variant(id)) => id.parse().ok().map(Named::Variant),
        Some(By::Sku(sku)) => fresh(|| Sku::new(&sku)).ok().map(Named::Sku),
        None => return Err(Problem::invalid("by", "one of `product`, `variant` and `sku` is required")),
    };
    // What cannot be a name is the name of no product.
    named.ok_or_else(|| Problem::missing("product"))
}

/// The currency of a code.
pub(super) fn currency_of(code: &str) -> Result<Currency, Problem> {
    Currency::from_code(code)
        .ok_or_else(|| Problem::invalid("currency", "not a currency; use an ISO 4217 code such as EUR"))
}
