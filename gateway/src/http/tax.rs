//! Taxes: the book of rates by country, for those who run the shop.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases;
use byteshop_domain::Bounded;
use byteshop_domain::tax_book::{self, CountryTax, Rounding, TaxBook};
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

/// The countries of a book.
type Countries = Bounded<Vec<CountryTax>, { tax_book::COUNTRIES_MAX }>;

/// Countries and their taxes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxRates, example = json!({"countries": [{"country": "DE", "prices_include_tax": true, "rates": [{"class": "standard", "rate_bps": 1900, "valid_from": "2021-01-01"}]}], "rounding": "line"}))]
struct TaxRates {
    /// Without duplicates; countries that are not listed are not taxed.
    countries: Countries,
    /// Where taxes are rounded to the smallest unit: `line`, the tax of each line and of the shipping (the default), or `rate`, of
    /// each rate over the whole order, as EN 16931 requires. Unchanged when left out. Orders keep the rounding that they were
    /// placed with.
    rounding: Option<Rounding>,
}

/// Countries and their taxes.
#[derive(Serialize, ToSchema)]
#[schema(as = TaxRates)]
struct ShownRates<'a> {
    countries: Vec<&'a CountryTax>,
    /// Where taxes are rounded to the smallest unit: in each line, or for each rate over the whole order.
    rounding: Rounding,
}

impl<'a> ShownRates<'a> {
    fn of(book: &'a TaxBook) -> Self {
        Self { countries: book.countries.values().collect(), rounding: book.rounding }
    }
}

/// Replaces the tax rates of all countries.
///
/// Orders already placed keep their rates. `If-Match` is required.
#[utoipa::path(put, path = "/v1/admin/tax-rates", operation_id = "replaceTaxRates",
    tag = "tax", request_body = TaxRates, security(("bearer" = ["admin"]), ("api_key" = ["settings:write"])),
    responses((status = 200, description = "The rates", body = ShownRates),
        (status = 428, description = "`If-Match` is missing")))]
async fn set(State(app): State<Shared>, ask: Ask<Admin, TaxRates>) -> Result<Response, Problem> {
    conditional::require(ask.if_match.as_ref())?;
    let ask = &ask;
    app.run(ask, "tax_book.set", |unit| async move {
        let mut book = unit.load::<TaxBook>(tax_book::id()).await?;
        unit.check_version(&book)?;
        let (countries, rounding) = (ask.body.countries.to_vec(), ask.body.rounding);
        use_cases::tax_book::set(&unit, &mut book, countries, rounding)?;
        Reply::ok(book.version, &ShownRates::of(&book.state))
    })
    .await
}

/// Tax rates of all countries.
#[utoipa::path(get, path = "/v1/admin/tax-rates", operation_id = "getTaxRates",
    tag = "tax", security(("bearer" = ["staff"])),
    responses((status = 200, description = "The rates", body = ShownRates)))]
async fn rates(State(app): State<Shared>, _staff: Staff, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<TaxBook>(tax_book::id()).await?;
    match found {
        Some(found) => reply::one(found.version, &ShownRates::of(&found.state)),
        None => reply::one(0, &ShownRates::of(&TaxBook::default())),
    }
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(set, rates))
}
