//! Lists as files of comma-separated values (RFC 4180): payouts, disputes and the orders of a seller.
//!
//! Amounts are in major units and times in UTC, in the forms that spreadsheets know. A file has at most
//! [`FILE_MAX`](byteshop_projections::page::FILE_MAX) rows.

use axum::extract::State;
use axum::response::Response;
use byteshop_domain::dispute;
use byteshop_domain::ids::{OrderId, PayoutFileId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{Fulfilment, Part, PaymentStatus, Status};
use byteshop_domain::payout;
use byteshop_domain::payout_account::Means;
use byteshop_projections::View as _;
use byteshop_projections::dispute_list::{self, DisputeList};
use byteshop_projections::page::Ask;
use byteshop_projections::part_list::{self, PartList};
use byteshop_projections::payout_list::{self, PayoutList};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sellers::seen::seen_by;
use crate::app::Shared;
use crate::edge::actor::{Staff, Trader};
use crate::edge::ask::{Of, Params};
use crate::edge::lists;
use crate::edge::parameters::period;
use crate::edge::problem::Problem;
use crate::edge::values::DayOrTime;
use crate::spreadsheet::{moment, name, some, text, time};

/// Which payouts are wanted in one file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PayoutFileQuery {
    /// Only payouts of this seller.
    seller: Option<SellerId>,
    /// The state of the payout.
    status: Option<payout::Status>,
    /// How the payout is paid.
    means: Option<Means>,
    /// Only payouts in this file for the bank.
    file: Option<PayoutFileId>,
    /// Requested on this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Requested before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
}

/// The payouts of all sellers as comma-separated values, newest first.
///
/// Amounts are in major units. A file has at most 10,000 rows: choose a period with `from` and `until`.
#[utoipa::path(get, path = "/v1/admin/payouts.csv", operation_id = "exportPayouts",
    tag = "admin", params(PayoutFileQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The payouts, with a header", content_type = "text/csv", body = String),
        (status = 422, description = "There are too many payouts for one file")))]
async fn payouts(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<PayoutFileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let PayoutFileQuery { seller, status, means, file, from, until } = query;
    let (from, until) = period(from, until)?;
    let query = payout_list::Query { seller, status, means, file, from, until, ask: Ask::whole() };
    payout_file(&app, &query, &headers).await
}

/// Which rows of a seller are wanted in one file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SellerPayoutFileQuery {
    /// The state of the payout.
    status: Option<payout::Status>,
    /// Requested on this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Requested before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
}

/// The payouts of a seller as comma-separated values, newest first.
///
/// Amounts are in major units. A file has at most 10,000 rows: choose a period with `from` and `until`.
#[utoipa::path(get, path = "/v1/sellers/{id}/payouts.csv", operation_id = "exportSellerPayouts",
    tag = "sellers", params(("id" = String, Path), SellerPayoutFileQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "The payouts, with a header", content_type = "text/csv", body = String),
        (status = 422, description = "There are too many payouts for one file")))]
async fn seller_payouts(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<SellerPayoutFileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let (from, until) = period(query.from, query.until)?;
    let (seller, status, ask) = (Some(id), query.status, Ask::whole());
    let query = payout_list::Query { seller, status, from, until, ask, ..payout_list::Query::default() };
    payout_file(&app, &query, &headers).await
}

async fn payout_file(app: &Shared, query: &payout_list::Query, headers: &HeaderMap) -> Result<Response, Problem> {
    app.await_views(&[PayoutList::NAME], headers).await?;
    let found = app.views.payout_list(query).await?;
    let columns = [
        "payout",
        "seller",
        "status",
        "means",
        "amount",
        "currency",
        "file",
        "reference",
        "return_reference",
        "failure",
        "reason",
        "requested_at_utc",
        "changed_at_utc",
    ];
    let fields = |it: &payout_list::Row| {
        [
            it.id.to_string(),
            it.seller.to_string(),
            name(&it.status),
            it.means.as_str().to_owned(),
            it.amount.decimal(),
            it.amount.currency.code().to_owned(),
            some(it.file),
            text(it.reference.as_ref()),
            text(it.return_reference.as_ref()),
            it.failure.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            text(it.reason.as_ref()),
            time(it.requested_at),
            time(it.changed_at),
        ]
    };
    lists::file("payouts.csv", &columns, &found.rows()?, found.next.is_none(), fields)
}

/// Which disputes are wanted in one file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DisputeFileQuery {
    /// The state of the dispute.
    status: Option<dispute::Status>,
    /// Only disputes about orders with a part of this seller.
    seller: Option<SellerId>,
    /// Only disputes about this order.
    order: Option<OrderId>,
    /// Opened on this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Opened before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
}

/// The disputes as comma-separated values, newest first.
///
/// Amounts are in major units. A file has at most 10,000 rows: choose a period with `from` and `until`.
#[utoipa::path(get, path = "/v1/admin/disputes.csv", operation_id = "exportDisputes",
    tag = "admin", params(DisputeFileQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The disputes, with a header", content_type = "text/csv", body = String),
        (status = 422, description = "There are too many disputes for one file")))]
async fn disputes(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<DisputeFileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let DisputeFileQuery { status, seller, order, from, until } = query;
    let (from, until) = period(from, until)?;
    app.await_views(&[DisputeList::NAME], &headers).await?;
    let query = dispute_list::Query { seller, status, order, from, until, ask: Ask::whole() };
    let found = app.views.dispute_list(&query).await?;
    let columns = [
        "dispute",
        "order",
        "payment",
        "provider",
        "reference",
        "cause",
        "status",
        "amount",
        "held",
        "lost",
        "fee",
        "currency",
        "credit_note",
        "respond_by_utc",
        "opened_at_utc",
        "changed_at_utc",
    ];
    let fields = |it: &dispute_list::Row| {
        [
            it.id.to_string(),
            it.order.to_string(),
            it.payment.to_string(),
            it.provider.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            text(Some(&it.reference)),
            name(&it.cause),
            name(&it.status),
            it.amount.decimal(),
            it.held.decimal(),
            it.lost.map(Money::decimal).unwrap_or_default(),
            it.fee.map(Money::decimal).unwrap_or_default(),
            it.amount.currency.code().to_owned(),
            some(it.credit_note),
            moment(it.respond_by),
            time(it.opened_at),
            time(it.changed_at),
        ]
    };
    lists::file("disputes.csv", &columns, &found.rows()?, found.next.is_none(), fields)
}

/// Which disputes of a seller are wanted in one file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SellerDisputeFileQuery {
    /// The state of the dispute.
    status: Option<dispute::Status>,
    /// Opened on this day (UTC) or time, or later.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Opened before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
}

/// The disputes about orders with a part of a seller as comma-separated values, newest first.
///
/// Each has what is kept back of the balance of this seller, and what a loss took. A file has at most 10,000 rows: choose a period with `from` and `until`.
#[utoipa::path(get, path = "/v1/sellers/{id}/disputes.csv", operation_id = "exportSellerDisputes",
    tag = "sellers", params(("id" = String, Path), SellerDisputeFileQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "The disputes, with a header", content_type = "text/csv", body = String),
        (status = 422, description = "There are too many disputes for one file")))]
async fn seller_disputes(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<SellerDisputeFileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let (from, until) = period(query.from, query.until)?;
    app.await_views(&[DisputeList::NAME], &headers).await?;
    let (seller, status, ask) = (Some(id), query.status, Ask::whole());
    let query = dispute_list::Query { seller, status, from, until, ask, ..dispute_list::Query::default() };
    let found = app.views.dispute_list(&query).await?;
    let columns = [
        "dispute",
        "order",
        "cause",
        "status",
        "amount",
        "lost",
        "currency",
        "respond_by_utc",
        "opened_at_utc",
        "changed_at_utc",
    ];
    let fields = |it: &dispute_list::Row| {
        let share = it.shares.iter().find(|share| share.seller == id);
        [
            it.id.to_string(),
            it.order.to_string(),
            name(&it.cause),
            name(&it.status),
            share.map(|share| share.amount.decimal()).unwrap_or_default(),
            share.and_then(|share| share.lost).map(Money::decimal).unwrap_or_default(),
            it.amount.currency.code().to_owned(),
            moment(it.respond_by),
            time(it.opened_at),
            time(it.changed_at),
        ]
    };
    lists::file("disputes.csv", &columns, &found.rows()?, found.next.is_none(), fields)
}

/// Which orders of a seller are wanted in one file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SellerOrderFileQuery {
    /// The status of the seller's part.
    status: Option<Status>,
    /// How far the part is paid and refunded.
    payment_status: Option<PaymentStatus>,
    /// How far the part is fulfilled.
    fulfilment: Option<Fulfilment>,
    /// Placed on or after this day (UTC) or time.
    #[param(example = "2026-11-01")]
    from: Option<DayOrTime>,
    /// Placed before this day (UTC) or time.
    #[param(example = "2026-12-01T00:00:00Z")]
    until: Option<DayOrTime>,
}

/// The orders with a part of a seller as comma-separated values, newest first.
///
/// Each has the part of this seller alone. A file has at most 10,000 rows: choose a period with `from` and `until`.
#[utoipa::path(get, path = "/v1/sellers/{id}/orders.csv", operation_id = "exportSellerOrders",
    tag = "sellers", params(("id" = String, Path), SellerOrderFileQuery), security(("bearer" = ["member"])),
    responses((status = 200, description = "The orders, with a header", content_type = "text/csv", body = String),
        (status = 422, description = "There are too many orders for one file")))]
async fn seller_orders(
    State(app): State<Shared>,
    Of(id): Of<SellerId>,
    who: Trader,
    Params(query): Params<SellerOrderFileQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    seen_by(&app, &who, id, &headers).await?;
    let SellerOrderFileQuery { status, payment_status, fulfilment, from, until } = query;
    let (from, until) = period(from, until)?;
    app.await_views(&[PartList::NAME], &headers).await?;
    let (number, ask) = (None, Ask::whole());
    let query = part_list::Query { seller: id, number, status, payment_status, fulfilment, from, until, ask };
    let found = app.views.part_list(&query).await?;
    let rows = found.rows()?;
    let parts = rows.iter().filter_map(|it| Some((it, it.parts.of_seller(id)?)));
    let parts: Vec<_> = parts.collect();
    lists::file("orders.csv", &ORDER_COLUMNS, &parts, found.next.is_none(), |(it, part)| order_fields(it, *part))
}

const ORDER_COLUMNS: [&str; 18] = [
    "order",
    "number",
    "part",
    "status",
    "payment_status",
    "fulfilment",
    "quantity",
    "country",
    "subtotal",
    "discount",
    "shipping",
    "tax",
    "total",
    "payable",
    "refunded",
    "currency",
    "placed_at_utc",
    "paid_at_utc",
];

fn order_fields(it: &part_list::Row, (number, part): (u16, &Part)) -> [String; 18] {
    let sums = &part.sums;
    [
        it.id.to_string(),
        it.number.to_string(),
        number.to_string(),
        name(&part.status()),
        name(&part.payment_status()),
        name(&part.fulfilment()),
        part.kept().to_string(),
        it.country.to_string(),
        sums.subtotal.decimal(),
        sums.discount.decimal(),
        sums.shipping.decimal(),
        sums.tax.decimal(),
        sums.total.decimal(),
        part.payable.decimal(),
        part.refunded.decimal(),
        sums.total.currency.code().to_owned(),
        time(it.placed_at),
        moment(it.paid_at),
    ]
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(payouts))
        .routes(routes!(disputes))
        .routes(routes!(seller_payouts))
        .routes(routes!(seller_disputes))
        .routes(routes!(seller_orders))
}
