//! The account of a seller: what it is charged, and the entries from which follows what the house owes it.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::commission_book;
use byteshop_domain::Currency;
use byteshop_domain::commission::Commission;
use byteshop_domain::ids::{OrderId, ProductId, SellerId};
use byteshop_domain::ledger::Kind;
use byteshop_domain::money::{Money, Price};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::Slug;
use byteshop_projections::View as _;
use byteshop_projections::ledger::{Ledger, StatementQuery, StatementRow};
use byteshop_projections::page::Ask;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::Trader;
use crate::edge::ask::{Of, Params};
use crate::edge::parameters::period;
use crate::edge::problem::Problem;
use crate::edge::values::{DayOrTime, Limit, said};
use crate::edge::{lists, reply};
use crate::http::show::PageOf;
use crate::spreadsheet::{some, text, time};

/// Which entries are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// Only entries of this kind.
    kind: Option<Kind>,
    /// Only entries of this order.
    order: Option<OrderId>,
    /// Only entries in this currency.
    #[param(example = "EUR")]
    currency: Option<Currency>,
    /// Only entries of this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Only entries before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of a statement.
type StatementPage = PageOf<StatementRow>;

/// Lists the entries of the account of a seller, newest first.
///
/// The balance is the sum of their amounts.
#[utoipa::path(get, path = "/v1/sellers/{id}/statement", operation_id = "listSellerStatement",
    tag = "sellers", params(("id" = String, Path), EntryQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "A page of entries", body = StatementPage)))]
async fn statement(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<EntryQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let EntryQuery { kind, order, currency, from, until, limit, cursor } = query;
    let query = wanted(id, &FileQuery { kind, order, currency, from, until }, lists::ask(limit, cursor))?;
    app.await_views(&[Ledger::NAME], &headers).await?;
    Ok(reply::json(app.views.seller_statement(&query).await?.json()))
}

/// Which entries are wanted in one file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// Only entries of this kind.
    kind: Option<Kind>,
    /// Only entries of this order.
    order: Option<OrderId>,
    /// Only entries in this currency.
    #[param(example = "EUR")]
    currency: Option<Currency>,
    /// Only entries of this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Only entries before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
}

/// The entries of a seller that are wanted.
fn wanted(seller: SellerId, query: &FileQuery, ask: Ask) -> Result<StatementQuery, Problem> {
    let FileQuery { kind, order, currency, from, until } = *query;
    let (from, until) = period(from, until)?;
    Ok(StatementQuery { seller, kind, order, currency, from, until, ask })
}

/// The entries of the account of a seller as comma-separated values, newest first.
///
/// Amounts are in major units. A file has at most 10,000 entries: choose a period with `from` and `until`.
#[utoipa::path(get, path = "/v1/sellers/{id}/statement.csv", operation_id = "exportSellerStatement",
    tag = "sellers", params(("id" = String, Path), FileQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "The entries, with a header", content_type = "text/csv", body = String),
        (status = 422, description = "There are too many entries for one file")))]
async fn file(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<FileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let query = wanted(id, &query, Ask::whole())?;
    app.await_views(&[Ledger::NAME], &headers).await?;
    let found = app.views.seller_statement(&query).await?;
    lists::file("statement.csv", &COLUMNS, &found.rows()?, found.next.is_none(), fields)
}

/// The columns of a statement.
const COLUMNS: [&str; 10] = [
    "occurred_at_utc",
    "kind",
    "order",
    "document",
    "gross",
    "tax",
    "commission",
    "commission_tax",
    "amount",
    "currency",
];

fn fields(it: &StatementRow) -> [String; 10] {
    let decimal = |amount: Option<Money>| amount.map(Money::decimal).unwrap_or_default();
    [
        time(it.at),
        it.kind.as_str().to_owned(),
        some(it.order),
        text(it.document.as_ref()),
        decimal(it.gross),
        decimal(it.tax),
        decimal(it.commission),
        decimal(it.commission_tax),
        it.amount.decimal(),
        it.amount.currency.code().to_owned(),
    ]
}

/// What is sold.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PreviewQuery {
    /// The product of the seller.
    #[param(required = true)]
    product: Option<ProductId>,
    /// The price of one piece after discounts and without sales tax, in minor units.
    #[param(required = true, minimum = 0, example = 1_999)]
    amount: Option<i64>,
    /// The currency of the price.
    #[param(required = true, example = "EUR")]
    currency: Option<Currency>,
    /// The number of pieces; 1 by default.
    quantity: Option<Quantity>,
}

/// The commission on a sale.
#[derive(Serialize, ToSchema)]
struct CommissionPreview {
    /// The price of all pieces.
    price: Money,
    /// The commission, without tax.
    commission: Money,
    /// The tax on the commission.
    commission_tax: Money,
    /// What the seller has of the price.
    owed: Money,
    /// The name of the rule that applies; null if none does.
    #[schema(default = json!({"x-schema": {"example": "all"}}))]
    rule: Option<Slug>,
}

/// Previews the commission on a product of a seller at a price.
///
/// It follows from the rules that apply now. Shipping has no commission.
#[utoipa::path(get, path = "/v1/sellers/{id}/commission", operation_id = "getSellerCommission",
    tag = "sellers", params(("id" = String, Path), PreviewQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "The commission", body = CommissionPreview)))]
async fn preview(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<PreviewQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let PreviewQuery { product, amount, currency, quantity } = query;
    // Only who sees the seller hears what is missing.
    let product = named("product", product)?;
    let (amount, currency) = (named("amount", amount)?, named("currency", currency)?);
    let unit_price = Price::new(Money { amount, currency });
    let unit_price = unit_price.map_err(|error| Problem::query("amount", said("amount", &error.to_string())))?;
    let quantity = quantity.unwrap_or(Quantity::ONE);
    let charged = commission_book::preview(&app.commands, id, product, unit_price, quantity).await?;
    let Commission { amount: commission, tax, rule } = charged;
    let tax = tax.map_or(Money::zero(currency), |tax| tax.amount);
    // It was counted before.
    let price = unit_price.times(quantity).unwrap_or(unit_price.money());
    let owed = Money { amount: price.amount - commission.amount - tax.amount, ..price };
    let rule = rule.map(|applied| applied.rule);
    lists::page(&CommissionPreview { price, commission, commission_tax: tax, owed, rule })
}

fn named<T>(parameter: &'static str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::query(parameter, said(parameter, "is required")))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(statement)).routes(routes!(file)).routes(routes!(preview))
}
