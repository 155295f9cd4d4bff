//! Searching the catalog.

use std::collections::{HashMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_domain::Currency;
use byteshop_domain::ids::{CategoryId, SellerId};
use byteshop_domain::openapi::Described;
use byteshop_projections::product_list::{self, Facets, Query, Shown, Sort};
use http::HeaderMap;
use serde::Deserialize;
use serde::de::IntoDeserializer as _;
use utoipa::{IntoParams, PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::Params;
use crate::edge::body::words::{twice_in_query, unknown_parameter};
use crate::edge::problem::Problem;
use crate::edge::values::{Limit, said};
use crate::edge::version::digits;
use crate::edge::{lists, parameters, reply};
use crate::queries::catalog::{self, by_default, category_named, check_values, words};
use crate::queries::sellers::seller_named;

/// The prefix of a filter by attribute, as in `attr.material=porcelain`.
const ATTRIBUTE: &str = "attr.";
/// The beginning of the same as clients write it that are generated from the document, `attr[material]=porcelain` (style `deepObject`).
const ATTRIBUTE_IN_BRACKETS: &str = "attr[";
/// The expected form of a price.
const AMOUNT: &str = "a non-negative integer in minor units";

/// Which products are wanted.
#[derive(Default, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words from the title, the description, an attribute, an option or a SKU, in English or Russian: `"…"` for a phrase, `or`
    /// between alternatives, `-` directly before a word to exclude it. The last word may be incomplete.
    #[param(max_length = 200)]
    q: Option<String>,
    /// The id or slug of a category: only products in it or its descendants; may be repeated.
    #[param(style = Form, explode, required = false)]
    category: Vec<String>,
    /// The id or handle of a seller: only its products.
    #[param(example = "copper-kettles")]
    seller: Option<String>,
    /// Only products with a price in this currency; prices are shown, filtered, counted and sorted in it. By default
    /// each product shows its own currency, and filters, counts and sorting use the most common one.
    #[param(example = "EUR")]
    currency: Option<Currency>,
    /// Only products with a variant whose price is at least this, in minor units, and at most `price_max`.
    #[param(minimum = 0)]
    price_min: Option<i64>,
    /// Only products with a variant whose price is at most this, in minor units; not below `price_min`.
    #[param(minimum = 0)]
    price_max: Option<i64>,
    /// Only products in stock.
    in_stock: Option<bool>,
    /// `relevance`, `newest`, `price`, `price_desc` or `title`; the default is `relevance` with `q` and `newest` without.
    #[param(example = "newest")]
    sort: Option<Sort>,
    /// For staff: `draft`, `published`, `unpublished`, `archived` or `all`; others see published products only. The
    /// default is `published`, and `all` for staff with `q`.
    status: Option<Shown>,
    /// Whether to count the values of every filter; by default on the first page only.
    facets: Option<bool>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
    /// Only products with these attribute values, by name: `attr[material]=porcelain` or `attr.material=porcelain`. A range of numbers is
    /// `100..200`. Several values of one attribute are alternatives: repeat the parameter.
    #[param(rename = "attr", style = DeepObject, explode, required = false, inline,
        example = json!({"material": "porcelain"}))]
    attributes: Attributes,
    /// The parameter by which each attribute was named.
    #[param(ignore)]
    written: HashMap<String, String>,
}

/// Values of attributes, each with the name of its attribute.
#[derive(Default)]
struct Attributes(Vec<(String, String)>);

impl PartialSchema for Attributes {
    fn schema() -> Described {
        HashMap::<String, String>::schema()
    }
}

impl ToSchema for Attributes {}

/// The attribute that a parameter filters by, if it is such a filter.
fn attribute_of(parameter: &str) -> Option<&str> {
    let in_brackets = || parameter.strip_prefix(ATTRIBUTE_IN_BRACKETS)?.strip_suffix(']');
    parameter.strip_prefix(ATTRIBUTE).or_else(in_brackets)
}

impl ListQuery {
    fn of(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut query = Self::default();
        let mut seen: HashSet<String> = HashSet::new();
        let (mut faults, mut last) = (Vec::new(), String::new());
        for (name, value) in pairs {
            let fault = query.take(&name, value).err();
            faults.extend(fault.map(|detail| (name.clone(), detail)));
            let several = name == "category" || attribute_of(&name).is_some();
            if several {
                last.clone_from(&name);
            }
            if let Some(twice) = seen.replace(name).filter(|_| !several) {
                let detail = twice_in_query(&twice);
                faults.push((twice, detail));
            }
        }
        if let Some(problem) = Problem::queries(faults) {
            return Err(problem);
        }
        check_values(&last, query.category.len() + query.attributes.0.len())?;
        parameters::in_order(("price_min", query.price_min), ("price_max", query.price_max))?;
        Ok(query)
    }

    fn unknown(name: &str) -> String {
        let known = Self::into_params(|| None);
        unknown_parameter(name, &known.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>())
    }

    /// Takes a parameter, or says what is wrong with it.
    fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        let wrong = |expected: &str| said(name, &format!("must be {expected}"));
        match name {
            "q" => self.q = Some(words(value).map_err(|problem| problem.detail().to_owned())?),
            "category" => self.category.push(value),
            "seller" => self.seller = Some(value),
            "currency" => self.currency = Some(Currency::from_code(&value).ok_or_else(|| wrong("an ISO 4217 code"))?),
            "price_min" => self.price_min = Some(digits(&value).ok_or_else(|| wrong(AMOUNT))?),
            "price_max" => self.price_max = Some(digits(&value).ok_or_else(|| wrong(AMOUNT))?),
            "in_stock" => self.in_stock = Some(value.parse().map_err(|_| wrong("true or false"))?),
            "sort" => {
                self.sort = Some(sort(&value).ok_or_else(|| wrong("relevance, newest, price, price_desc or title"))?);
            }
            "status" => {
                self.status =
                    Some(shown(&value).ok_or_else(|| wrong("draft, published, unpublished, archived or all"))?);
            }
            "facets" => self.facets = Some(value.parse().map_err(|_| wrong("true or false"))?),
            "limit" => self.limit = Some(value.parse().map_err(|detail: String| said(name, &detail))?),
            "cursor" => self.cursor = Some(value),
            other => {
                let attribute = attribute_of(other).ok_or_else(|| Self::unknown(other))?;
                self.attributes.0.push((attribute.to_owned(), value));
                self.written.entry(attribute.to_owned()).or_insert_with(|| other.to_owned());
            }
        }
        Ok(())
    }
}

fn sort(text: &str) -> Option<Sort> {
    let text: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    Sort::deserialize(text).ok()
}

fn shown(text: &str) -> Option<Shown> {
    Shown::NAMED.into_iter().find(|(name, _)| *name == text).map(|(_, shown)| shown)
}

/// A product in a list, with its availability, which another view knows.
#[derive(ToSchema)]
#[schema(as = ProductRow)]
#[expect(dead_code, reason = "the view writes the page as text, in which the stored rows are as they are")]
pub(super) struct ShownProduct {
    #[serde(flatten)]
    product: product_list::Row,
    /// Whether any of its variants is available for sale.
    available: bool,
}

/// A page of products.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the view writes the page as text, in which the stored rows are as they are")]
pub(super) struct ProductPage {
    items: Vec<ShownProduct>,
    /// The cursor of the next page.
    next: Option<String>,
    /// The number of items on all pages.
    total: u64,
    /// The given `q`, if it has no results and `corrected` was used instead.
    original: Option<String>,
    /// The search text that was used instead of `original`, without its typos.
    corrected: Option<String>,
    /// Null unless they were asked for, or on the first page.
    facets: Option<Facets>,
}

/// Searches the catalog.
///
/// Unknown attribute names are refused, and so are values that are not numbers where the attribute is numeric.
#[utoipa::path(get, path = "/v1/products", operation_id = "listProducts",
    tag = "catalog", security(()), params(ListQuery),
    responses((status = 200, description = "A page of products", body = ProductPage)))]
async fn list(
    State(app): State<Shared>,
    Params(pairs): Params<Vec<(String, String)>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = ListQuery::of(pairs)?;
    let written = query.written;
    let query = Query {
        shown: query.status.unwrap_or(by_default(&caller, query.q.as_deref())),
        q: query.q,
        categories: categories(&app, &query.category).await?,
        seller: seller(&app, query.seller.as_deref()).await?,
        currency: query.currency,
        price_min: query.price_min,
        price_max: query.price_max,
        attributes: query.attributes.0,
        in_stock: query.in_stock.unwrap_or(false),
        sort: query.sort,
        facets: query.facets.unwrap_or(query.cursor.is_none()),
        ask: lists::ask(query.limit, query.cursor),
        now: false,
    };
    let named = |attribute: &str| written.get(attribute).cloned().unwrap_or_else(|| format!("{ATTRIBUTE}{attribute}"));
    let found = catalog::products(&app, &caller, &headers, query, named).await?;
    Ok(reply::public(found.json().map_err(Error::from)?))
}

/// The seller with this id or handle, if one is named.
async fn seller(app: &Shared, name: Option<&str>) -> Result<Option<SellerId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let unknown = || Problem::query("seller", "no such seller; use the id or the handle of a seller");
    seller_named(app, name).await?.ok_or_else(unknown).map(Some)
}

/// The categories with these ids or slugs.
async fn categories(app: &Shared, named: &[String]) -> Result<Vec<CategoryId>, Problem> {
    let mut found = Vec::with_capacity(named.len());
    for text in named {
        let unknown = || Problem::query("category", "no such category; use the id or the slug of a category");
        found.push(category_named(app, text).await?.ok_or_else(unknown)?);
    }
    Ok(found)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list))
}
