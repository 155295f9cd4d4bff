//! A page of products as gRPC shows it.

use byteshop_domain::Locale;
use byteshop_domain::category::AttributeType;
use byteshop_domain::text::Label;
use byteshop_projections::product_list::{
    AttributeFacet, CategoryFacet, Facets, Found, PriceFacet, PriceRangeFacet, ValueFacet,
};

use super::super::v1;
use super::show;
use crate::edge::problem::Problem;

/// The answer of a search.
pub(super) fn of(found: &Found) -> Result<v1::SearchProductsResponse, Problem> {
    let rows = found.page.rows()?;
    Ok(v1::SearchProductsResponse {
        products: rows.iter().map(show::row).collect(),
        next: found.page.next.clone().unwrap_or_default(),
        total: found.total,
        original: found.original.clone().unwrap_or_default(),
        corrected: found.corrected.clone().unwrap_or_default(),
        facets: found.facets.as_ref().map(facets),
    })
}

fn facets(it: &Facets) -> v1::Facets {
    v1::Facets {
        categories: it.categories.iter().map(category).collect(),
        attributes: it.attributes.iter().map(attribute).collect(),
        price: it.price.as_ref().map(price),
        in_stock: it.in_stock,
    }
}

fn category(it: &CategoryFacet) -> v1::CategoryFacet {
    v1::CategoryFacet {
        id: it.id.to_string(),
        name: it.name.to_string(),
        slug: it.slug.to_string(),
        parent: it.parent.map(|id| id.to_string()).unwrap_or_default(),
        count: it.count,
    }
}

fn attribute(it: &AttributeFacet) -> v1::AttributeFacet {
    let label = |(locale, label): (&Locale, &Label)| (locale.as_str().to_owned(), label.to_string());
    v1::AttributeFacet {
        name: it.name.to_string(),
        r#type: attribute_type(it.r#type).to_owned(),
        unit: it.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
        labels: it.labels.iter().map(label).collect(),
        min: it.min,
        max: it.max,
        values: it.values.iter().map(value).collect(),
    }
}

fn attribute_type(it: AttributeType) -> &'static str {
    match it {
        AttributeType::Text => "text",
        AttributeType::Number => "number",
        AttributeType::Boolean => "boolean",
        AttributeType::Choice => "choice",
    }
}

fn value(it: &ValueFacet) -> v1::ValueFacet {
    v1::ValueFacet { value: Some(show::value(&it.value)), count: it.count }
}

fn price(it: &PriceFacet) -> v1::PriceFacet {
    let range = |it: &PriceRangeFacet| v1::PriceRangeFacet { min: it.min, max: it.max, count: it.count };
    v1::PriceFacet {
        currency: it.currency.code().to_owned(),
        min: it.min,
        max: it.max,
        ranges: it.ranges.iter().map(range).collect(),
    }
}
