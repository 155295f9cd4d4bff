//! Commission: the book of rules by which sellers are charged, for those who run the shop.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases;
use byteshop_domain::Bounded;
use byteshop_domain::commission_book::{self, CommissionBook, Known, PriceBand, Rule};
use byteshop_domain::ids::{CategoryId, ProductId, SellerId};
use byteshop_domain::money::Price;
use byteshop_domain::text::Slug;
use chrono::NaiveDate;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::edge::actor::{Admin, Staff};
use crate::edge::ask::Ask;
use crate::edge::conditional;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};

/// The rules of a book.
type RuleList = Bounded<Vec<Rule>, { commission_book::RULES_MAX }>;

/// The rules by which sellers are charged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCommissionRules, example = json!({"rules": [{"rule": "all", "rate_ppm": 100_000, "minimum": [{"amount": 30, "currency": "EUR"}]}, {"rule": "kettles", "seller": "sel_01h455vb4pex5vsknk084sn02q", "rate_ppm": 88_750, "fixed": [{"amount": 25, "currency": "EUR"}], "valid_from": "2026-01-01"}], "tax_ppm": 190_000}))]
struct Rules {
    /// Without duplicates. Of several new rules the first one counts as the oldest.
    rules: RuleList,
    /// The tax on commissions, in millionths: 190000 is 19 %. Unchanged when left out.
    #[schema(example = 190_000, maximum = 1_000_000)]
    tax_ppm: Option<u32>,
}

/// Prices of a piece, in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = CommissionPriceBand)]
struct ShownBand {
    /// The lowest price in it.
    from: Price,
    /// The lowest price above it; null if it has no end.
    below: Option<Price>,
}

/// A rule by which sellers are charged.
#[derive(Serialize, ToSchema)]
#[schema(as = CommissionRule)]
struct ShownRule<'a> {
    rule: &'a Slug,
    /// The seller that it is for; null if it is for all.
    seller: Option<SellerId>,
    /// The category that it is for, with all below it; null if it is for all.
    category: Option<CategoryId>,
    /// The product that it is for; null if it is for all.
    product: Option<ProductId>,
    /// The prices of a piece that it is for; all if empty.
    bands: Vec<ShownBand>,
    /// The rate of the price after discounts and without sales tax, in millionths.
    #[schema(example = 88_750)]
    rate_ppm: u32,
    /// The fixed amount per piece, by currency.
    fixed: &'a [Price],
    /// The least that is charged per piece, by currency.
    minimum: &'a [Price],
    /// The most that is charged per piece, by currency.
    maximum: &'a [Price],
    /// The first day of it, in UTC; null if it has none.
    valid_from: Option<NaiveDate>,
    /// The last day of it, in UTC; null if it has none.
    valid_until: Option<NaiveDate>,
}

impl<'a> From<&'a Known> for ShownRule<'a> {
    fn from(known: &'a Known) -> Self {
        let it = &known.rule;
        Self {
            rule: &it.rule,
            seller: it.seller,
            category: it.category,
            product: it.product,
            bands: it.bands.iter().map(|PriceBand { from, below }| ShownBand { from: *from, below: *below }).collect(),
            rate_ppm: it.rate_ppm,
            fixed: &it.fixed,
            minimum: &it.minimum,
            maximum: &it.maximum,
            valid_from: it.valid_from,
            valid_until: it.valid_until,
        }
    }
}

/// The rules by which sellers are charged.
#[derive(Serialize, ToSchema)]
#[schema(as = CommissionRules)]
struct ShownRules<'a> {
    /// The oldest first.
    rules: Vec<ShownRule<'a>>,
    /// The tax on commissions, in millionths.
    #[schema(example = 190_000)]
    tax_ppm: u32,
}

impl<'a> ShownRules<'a> {
    fn of(book: &'a CommissionBook) -> Self {
        let mut rules: Vec<&Known> = book.rules.values().collect();
        rules.sort_by_key(|known| known.since);
        Self { rules: rules.into_iter().map(ShownRule::from).collect(), tax_ppm: book.tax.ppm() }
    }
}

/// Replaces the rules by which sellers are charged a commission.
///
/// Orders keep the commissions that they were placed with. A rule that is set again under its name keeps its age. `If-Match` is
/// required.
#[utoipa::path(put, path = "/v1/admin/commission-rules", operation_id = "replaceCommissionRules",
    tag = "sellers", request_body = Rules, security(("bearer" = ["admin"]), ("api_key" = ["settings:write"])),
    responses((status = 200, description = "The rules", body = ShownRules),
        (status = 428, description = "`If-Match` is missing")))]
async fn set(State(app): State<Shared>, ask: Ask<Admin, Rules>) -> Result<Response, Problem> {
    conditional::require(ask.if_match.as_ref())?;
    let ask = &ask;
    app.run(ask, "commission_book.set", |unit| async move {
        let mut book = unit.load::<CommissionBook>(commission_book::id()).await?;
        unit.check_version(&book)?;
        use_cases::commission_book::set(&unit, &mut book, ask.body.rules.to_vec(), ask.body.tax_ppm)?;
        Reply::ok(book.version, &ShownRules::of(&book.state))
    })
    .await
}

/// The rules by which sellers are charged a commission.
#[utoipa::path(get, path = "/v1/admin/commission-rules", operation_id = "getCommissionRules",
    tag = "sellers", security(("bearer" = ["staff"]), ("api_key" = ["settings:write"])),
    responses((status = 200, description = "The rules", body = ShownRules)))]
async fn rules(State(app): State<Shared>, _staff: Staff, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<CommissionBook>(commission_book::id()).await?;
    match found {
        Some(found) => reply::one(found.version, &ShownRules::of(&found.state)),
        None => reply::one(0, &ShownRules::of(&CommissionBook::default())),
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(set, rules))
}
