//! The general ledger, for accountants: the trial balance, and the entries that made it.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::ports::connected::Provider;
use byteshop_commands::{At, Error};
use byteshop_domain::ids::OrderId;
use byteshop_domain::ledger::{Difference, Kind, differences};
use byteshop_domain::reconciliation::{self, Comparison};
use byteshop_domain::text::Label;
use byteshop_eventstore::Clock;
use byteshop_projections::View as _;
use byteshop_projections::ledger::{self, Ledger};
use chrono::TimeDelta;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::PageOf;
use crate::app::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::Params;
use crate::edge::parameters::period;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::values::{DayOrTime, Limit};
use crate::edge::{lists, reply};
use crate::queries::reconciliation::compare;

/// The trial balance.
#[derive(Serialize, ToSchema)]
struct TrialBalance {
    /// The balances by currency and account. Those of a currency add up to zero.
    items: Vec<ledger::Balance>,
}

/// The trial balance of the general ledger: the balance of every account.
///
/// With `at` it is the balance after that position, or at that time.
#[utoipa::path(get, path = "/v1/admin/ledger", operation_id = "getTrialBalance",
    tag = "admin", params(Then), security(("bearer" = ["staff"]), ("api_key" = ["reports:read"])),
    responses((status = 200, description = "The balances", body = TrialBalance)))]
async fn balances(
    State(app): State<Shared>,
    _staff: Staff,
    then: Then,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let position = match then.moment(&app).await? {
        Some(At::Position(position)) => Some(position),
        Some(At::Moment(moment)) => Some(app.commands.log().position_at(moment).await.map_err(Error::from)?),
        // `at` names no version.
        Some(At::Version(_)) | None => None,
    };
    app.await_views(&[Ledger::NAME], &headers).await?;
    lists::page(&TrialBalance { items: app.views.ledger_balances(position).await? })
}

/// Which entries are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// Only entries with a line of this account, such as `customers`, or of the accounts below it: `sales_tax` has those of all
    /// countries, `sales_tax/DE` those of all rates there.
    account: Option<Label>,
    /// Only entries of this kind.
    kind: Option<Kind>,
    /// Only entries of this order.
    order: Option<OrderId>,
    /// Only entries of events that happened on this day (UTC) or at this time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Only entries of events that happened before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of entries.
type EntryPage = PageOf<ledger::Posted>;

/// Lists entries of the general ledger, newest first.
#[utoipa::path(get, path = "/v1/admin/ledger/entries", operation_id = "listLedgerEntries",
    tag = "admin", params(EntryQuery), security(("bearer" = ["staff"]), ("api_key" = ["reports:read"])),
    responses((status = 200, description = "A page of entries", body = EntryPage)))]
async fn entries(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<EntryQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let EntryQuery { account, kind, order, from, until, limit, cursor } = query;
    let (from, until) = period(from, until)?;
    let ask = lists::ask(limit, cursor);
    app.await_views(&[Ledger::NAME], &headers).await?;
    let account = account.map(|account| account.to_string());
    let query = ledger::Query { account, kind, order, from, until, ask };
    Ok(reply::json(app.views.ledger_entries(&query).await?.json()))
}

/// A comparison of the ledger with the books of a payment provider.
#[derive(Serialize, ToSchema)]
struct Reconciliation {
    /// The number of charges that were compared: at PayPal those of this page.
    charges: usize,
    /// The number of charges that differ.
    different: usize,
    /// The first 1,000 of them, by reference.
    items: Vec<Difference>,
    /// The cursor of the next page; null on the last one, and if all charges were compared.
    next: Option<String>,
}

/// The maximum number of differences in a response: beyond, both books are of different shops.
const DIFFERENCES_MAX: usize = 1_000;
/// How far back charges are compared by default.
const COMPARED: TimeDelta = TimeDelta::days(1);

/// What is compared.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReconciliationQuery {
    /// The provider: `test` by default, of which all charges are compared.
    provider: Option<Provider>,
    /// Only charges at PayPal that moved on this day (UTC) or at this time, or later: by default the day before `until`.
    #[param(example = "2026-11-30")]
    from: Option<DayOrTime>,
    /// Only charges at PayPal that moved before this day (UTC) or time: now by default.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Page size: 20 charges by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// Compares the clearing account with the books of a payment provider.
///
/// Of the provider `test` all charges are compared. PayPal has no list of captured payments, so it is asked about each charge of the ledger
/// that moved in a time, page by page. A payment that is captured or refunded during the comparison may differ: compare again.
#[utoipa::path(get, path = "/v1/admin/ledger/reconciliation", operation_id = "getLedgerReconciliation",
    tag = "admin", params(ReconciliationQuery), security(("bearer" = ["staff"]), ("api_key" = ["reports:read"])),
    responses((status = 200, description = "The differences", body = Reconciliation)))]
async fn reconciliation(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ReconciliationQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ReconciliationQuery { provider, from, until, limit, cursor } = query;
    let provider = provider.unwrap_or(Provider::Test);
    let (from, until) = period(from, until)?;
    app.await_views(&[Ledger::NAME], &headers).await?;
    let (charges, mut items, next) = match provider {
        Provider::Test => {
            let theirs = app.commands.provider_statement(Provider::Test).await?;
            let mut ours = app.views.ledger_holdings().await?;
            ours.retain(|holding| Provider::of(&holding.reference) == Provider::Test);
            (theirs.len(), differences(ours, theirs), None)
        }
        Provider::Paypal if !app.commands.connected().has_provider(provider) => {
            return Err(Error::NoProvider { provider: provider.as_str() }.into());
        }
        Provider::Paypal => {
            let until = until.unwrap_or_else(|| Clock.now());
            let window = (from.unwrap_or(until - COMPARED), until);
            let found = compare(&app.commands, &app.views, window, lists::ask(limit, cursor)).await?;
            let items = found.different.into_iter().map(|(_, found)| found).collect();
            (found.charges, items, found.next)
        }
    };
    let different = items.len();
    items.truncate(DIFFERENCES_MAX);
    lists::page(&Reconciliation { charges, different, items, next })
}

/// The comparisons of the last days.
#[derive(Serialize, ToSchema)]
struct Comparisons {
    /// The last 31 days, the newest first.
    items: Vec<Comparison>,
}

/// Lists the daily comparisons of the ledger with the books of PayPal, newest first.
///
/// Once a day the charges are compared that moved since the comparison before. Webhooks deliver each as `reconciliation.compared`.
#[utoipa::path(get, path = "/v1/admin/ledger/reconciliations", operation_id = "listLedgerReconciliations",
    tag = "admin", security(("bearer" = ["staff"]), ("api_key" = ["reports:read"])),
    responses((status = 200, description = "The comparisons", body = Comparisons)))]
async fn reconciliations(State(app): State<Shared>, _staff: Staff, headers: HeaderMap) -> Result<Response, Problem> {
    app.await_log(&headers).await?;
    let found = app.commands.get::<reconciliation::Reconciliation>(reconciliation::id_of(Provider::Paypal)).await?;
    let items = found.map(|found| found.state.last.iter().cloned().collect()).unwrap_or_default();
    lists::page(&Comparisons { items })
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(balances))
        .routes(routes!(entries))
        .routes(routes!(reconciliation))
        .routes(routes!(reconciliations))
}
