//! A page of products as gRPC tells it, read from the page that the view writes.

use std::collections::HashMap;

use byteshop_commands::Error;
use byteshop_domain::product::AttributeValue;
use byteshop_projections::product_list::Row;
use serde::Deserialize;

use super::super::v1;
use super::show;
use crate::edge::problem::Problem;

#[derive(Deserialize)]
struct Page {
    items: Vec<Row>,
    next: Option<String>,
    total: u64,
    original: Option<String>,
    corrected: Option<String>,
    facets: Option<Facets>,
}

#[derive(Deserialize)]
struct Facets {
    categories: Vec<Category>,
    attributes: Vec<Attribute>,
    price: Option<Price>,
    in_stock: u64,
}

#[derive(Deserialize)]
struct Category {
    id: String,
    name: String,
    slug: String,
    parent: Option<String>,
    count: u64,
}

#[derive(Deserialize)]
struct Attribute {
    name: String,
    r#type: String,
    unit: Option<String>,
    labels: HashMap<String, String>,
    min: Option<i64>,
    max: Option<i64>,
    values: Vec<Value>,
}

#[derive(Deserialize)]
struct Value {
    value: AttributeValue,
    count: u64,
}

#[derive(Deserialize)]
struct Price {
    currency: String,
    min: i64,
    max: i64,
    ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct Range {
    min: Option<i64>,
    max: Option<i64>,
    count: u64,
}

/// Reads a page.
pub(super) fn of(json: &str) -> Result<v1::SearchProductsResponse, Problem> {
    let page: Page = serde_json::from_str(json).map_err(Error::from)?;
    Ok(v1::SearchProductsResponse {
        products: page.items.iter().map(show::row).collect(),
        next: page.next.unwrap_or_default(),
        total: page.total,
        original: page.original.unwrap_or_default(),
        corrected: page.corrected.unwrap_or_default(),
        facets: page.facets.map(facets),
    })
}

fn facets(it: Facets) -> v1::Facets {
    let category = |it: Category| v1::CategoryFacet {
        id: it.id,
        name: it.name,
        slug: it.slug,
        parent: it.parent.unwrap_or_default(),
        count: it.count,
    };
    v1::Facets {
        categories: it.categories.into_iter().map(category).collect(),
        attributes: it.attributes.into_iter().map(attribute).collect(),
        price: it.price.map(price),
        in_stock: it.in_stock,
    }
}

fn attribute(it: Attribute) -> v1::AttributeFacet {
    let value = |it: &Value| v1::ValueFacet { value: Some(show::value(&it.value)), count: it.count };
    v1::AttributeFacet {
        name: it.name,
        r#type: it.r#type,
        unit: it.unit.unwrap_or_default(),
        labels: it.labels,
        min: it.min,
        max: it.max,
        values: it.values.iter().map(value).collect(),
    }
}

fn price(it: Price) -> v1::PriceFacet {
    let range = |it: Range| v1::PriceRangeFacet { min: it.min, max: it.max, count: it.count };
    v1::PriceFacet {
        currency: it.currency,
        min: it.min,
        max: it.max,
        ranges: it.ranges.into_iter().map(range).collect(),
    }
}
