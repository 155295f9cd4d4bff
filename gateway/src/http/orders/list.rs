//! Lists of orders, and what they are narrowed down by, where a bad value has a code of its own.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::ids::AccountId;
use byteshop_domain::order::{Fulfilment, Number, PaymentStatus, Status};
use byteshop_domain::text::{Email, Reference};
use byteshop_projections::View as _;
use byteshop_projections::order_email::OrderEmail;
use byteshop_projections::order_list::{self, OrderList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Params, Shared};
use crate::edge::actor::{Caller, Member, nobody};
use crate::edge::problem::Problem;
use crate::edge::values::{DayOrTime, Limit};
use crate::edge::{lists, parameters, reply};
use crate::http::show::PageOf;

/// Which orders are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The order number shown to people, in any notation.
    number: Option<Number>,
    /// The invoice number as printed.
    invoice: Option<Reference>,
    /// The status of the order as a whole.
    status: Option<Status>,
    /// How far the order is paid.
    payment_status: Option<PaymentStatus>,
    /// How far the order is fulfilled.
    fulfilment: Option<Fulfilment>,
    /// Whether a failed refund was not retried; staff only.
    refunds_failed: Option<bool>,
    /// Whether a refund waits for staff to make and settle it; staff only.
    refunds_to_settle: Option<bool>,
    /// Placed on or after this day (UTC) or time.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Placed before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
    /// Orders of the account with this e-mail address and of guests who gave it; staff only.
    email: Option<Email>,
    /// Orders of this account; only staff may name another account.
    account: Option<AccountId>,
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

impl ListQuery {
    /// Refuses what is for staff alone.
    fn asks_nothing_of_staff(&self) -> Result<(), Problem> {
        if self.email.is_some() {
            return Err(Problem::forbidden("only staff can search orders by e-mail address"));
        }
        if self.refunds_failed.is_some() {
            return Err(Problem::forbidden("only staff can filter orders by failed refunds"));
        }
        if self.refunds_to_settle.is_some() {
            return Err(Problem::forbidden("only staff can filter orders by refunds to settle"));
        }
        Ok(())
    }
}

/// A page of the list.
type OrderPage = PageOf<order_list::Row>;

/// Lists orders, newest first.
///
/// Customers see their own orders; staff sees all.
#[utoipa::path(get, path = "/v1/orders", operation_id = "listOrders",
    tag = "orders", params(ListQuery), security(("bearer" = []), ("api_key" = ["orders:read"])),
    responses((status = 200, description = "A page of orders", body = OrderPage)))]
async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = if caller.is_staff() { query.account } else { Some(caller.account().ok_or_else(nobody)?) };
    if query.account.is_some() && query.account != wanted {
        return Err(Problem::forbidden("only staff can list the orders of other accounts"));
    }
    if !caller.is_staff() {
        query.asks_nothing_of_staff()?;
    }
    find(&app, wanted, query, &headers).await
}

/// Lists the caller's orders, newest first.
#[utoipa::path(get, path = "/v1/me/orders", operation_id = "listMyOrders",
    tag = "orders", params(ListQuery), security(("bearer" = [])),
    responses((status = 200, description = "A page of orders", body = OrderPage)))]
async fn mine(
    State(app): State<Shared>,
    member: Member,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query.asks_nothing_of_staff()?;
    find(&app, Some(member.1), query, &headers).await
}

async fn find(
    app: &Shared,
    account: Option<AccountId>,
    query: ListQuery,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(query.limit, query.cursor.clone());
    app.await_views(&[OrderList::NAME], headers).await?;
    let (from, until) = (query.from.map(|from| from.0), query.until.map(|until| until.0));
    parameters::in_order(("from", from), ("until", until))?;
    let contact = match &query.email {
        Some(email) => {
            app.await_views(&[OrderEmail::NAME], headers).await?;
            let name = app.commands.email_name(email).await?;
            let account = app.commands.account_named(&name).await?;
            Some(order_list::Contact { account, email_hashes: app.commands.guest_hashes(email).await? })
        }
        None => None,
    };
    let query = order_list::Query {
        account,
        status: query.status,
        number: query.number,
        invoice: query.invoice,
        payment_status: query.payment_status,
        fulfilment: query.fulfilment,
        refunds_failed: query.refunds_failed,
        refunds_to_settle: query.refunds_to_settle,
        from,
        until,
        contact,
        ask,
    };
    Ok(reply::json(app.views.order_list(&query).await?.json()))
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(mine))
}
