//! The requests of gRPC, read as the queries of HTTP.

use std::collections::HashSet;

use byteshop_domain::Currency;
use byteshop_domain::cart::LINES_MAX;
use byteshop_domain::money::{Money, Price};
use byteshop_domain::product::Status;
use byteshop_domain::quantity::{QUANTITY_MAX, Quantity};
use byteshop_domain::text::{Sku, fresh};
use byteshop_projections::product_list::{Query, Shown, Sort};

use super::super::v1;
use super::super::v1::get_product_request::By;
use super::super::v1::{
    AttributeFilter, GetProductRequest, LineToValidate, ProductSort, ProductVisibility, SearchProductsRequest,
};
use crate::edge::actor::Caller;
use crate::edge::problem::Problem;
use crate::edge::values::{Limit, said};
use crate::edge::{lists, parameters};
use crate::queries::catalog::{Named, by_default, check_values, words};
use crate::queries::lines::Line;

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
    let seller = Some(asked.seller).filter(|id| !id.is_empty()).map(|id| id.parse()).transpose();
    let currency = Some(asked.currency).filter(|code| !code.is_empty());
    let limit = Some(asked.limit).filter(|limit| *limit > 0).map(Limit::new).transpose();
    let limit = limit.map_err(|detail| Problem::query("limit", said("limit", &detail)))?;
    Ok(Query {
        shown: shown(asked.visibility)?.unwrap_or(by_default(caller, Some(&q))),
        q: Some(q),
        categories: categories.map_err(|_| Problem::query("category", "must be ids of categories"))?,
        seller: seller.map_err(|_| Problem::query("seller", "must be the id of a seller"))?,
        currency: currency.map(|code| currency_of(&code)).transpose()?,
        price_min: asked.price_min,
        price_max: asked.price_max,
        attributes,
        in_stock: asked.in_stock,
        sort: sort(asked.sort)?,
        facets: asked.facets,
        ask: lists::ask(limit, Some(asked.cursor).filter(|cursor| !cursor.is_empty())),
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

/// The lines of a request, each of which must be one that an order could have.
pub(super) fn lines(asked: &[LineToValidate], currency: Currency) -> Result<Vec<Line>, Problem> {
    if !(1..=LINES_MAX).contains(&asked.len()) {
        return Err(Problem::invalid("lines", format!("send 1 to {LINES_MAX} lines")));
    }
    let mut seen = HashSet::new();
    let read = |(index, asked): (usize, &LineToValidate)| {
        let wrong = |field: &str, detail: String| Problem::invalid(format!("lines/{index}/{field}"), detail);
        let line = line(asked, currency).map_err(|(field, detail)| wrong(field, detail))?;
        if !seen.insert(line.variant) {
            return Err(wrong(
                "variant",
                "this variant is already on an earlier line; add up the quantities".to_owned(),
            ));
        }
        Ok(line)
    };
    asked.iter().enumerate().map(read).collect()
}

/// A line; otherwise the field that is wrong, and why.
fn line(asked: &LineToValidate, currency: Currency) -> Result<Line, (&'static str, String)> {
    let variant = asked.variant.parse().map_err(|_| ("variant", "must be the id of a variant".to_owned()))?;
    let quantity =
        Quantity::new(asked.quantity).map_err(|_| ("quantity", format!("must be between 1 and {QUANTITY_MAX}")))?;
    let price = |shown: &v1::Money| {
        if shown.currency != currency.code() {
            return Err(format!("must be in {}, the currency of the order", currency.code()));
        }
        Price::new(Money::new(shown.amount, currency)).map_err(|error| error.to_string())
    };
    let seen = asked.unit_price.as_ref().map(price).transpose().map_err(|detail| ("unit_price", detail))?;
    Ok(Line { variant, quantity, seen })
}

/// The currency of a code.
pub(super) fn currency_of(code: &str) -> Result<Currency, Problem> {
    Currency::from_code(code)
        .ok_or_else(|| Problem::invalid("currency", "not a currency; use an ISO 4217 code such as EUR"))
}
