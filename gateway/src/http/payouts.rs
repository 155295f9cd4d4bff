//! Payouts to sellers, for staff: lists, files for the bank, and what became of the transfers.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use byteshop_commands::use_cases::payouts::{self, ForFile, Settlement};
use byteshop_domain::Bounded;
use byteshop_domain::ids::{PayoutFileId, PayoutId, SellerId};
use byteshop_domain::payout::{Failure, Outcome, Payout, Status};
use byteshop_domain::payout_account::Means;
use byteshop_domain::payout_file::{PAYOUTS_MAX, PayoutFile};
use byteshop_domain::text::{Reason, Reference};
use byteshop_projections::View as _;
use byteshop_projections::payout_file_list::{self, PayoutFileList};
use byteshop_projections::payout_list::{self, PayoutList};
use byteshop_projections::seller_list::SellerList;
use chrono::NaiveDate;
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::PageOf;
use super::show::payout as show;
use crate::app::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::{Ask, Of, Params};
use crate::edge::lists;
use crate::edge::parameters::period;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::{DayOrTime, Limit};

/// Which payouts are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only payouts of this seller.
    seller: Option<SellerId>,
    /// The state of the payout: `requested` with `means=sepa` lists those due for a file of the bank.
    status: Option<Status>,
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
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of payouts.
type PayoutPage = PageOf<payout_list::Row>;

/// Lists the payouts of all sellers, newest first.
#[utoipa::path(get, path = "/v1/admin/payouts", operation_id = "listPayouts",
    tag = "admin", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of payouts", body = PayoutPage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ListQuery { seller, status, means, file, from, until, limit, cursor } = query;
    let (from, until) = period(from, until)?;
    let ask = lists::ask(limit, cursor);
    app.await_views(&[PayoutList::NAME], &headers).await?;
    let query = payout_list::Query { seller, status, means, file, from, until, ask };
    Ok(reply::json(app.views.payout_list(&query).await?.json()))
}

/// One payout.
#[utoipa::path(get, path = "/v1/admin/payouts/{id}", operation_id = "getPayout",
    tag = "admin", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The payout", body = show::Payout)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<PayoutId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Payout>(id, &Then::default(), &headers).await?;
    reply::one(found.version, &show::Payout::of(id, found.state.live()?, true))
}

/// What became of a payout.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PayoutOutcome {
    /// The seller has the money.
    Paid,
    /// The bank refused the transfer, or the money came back before the payout was recorded as paid.
    Failed,
    /// The money of a paid payout came back.
    Returned,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "paid", "reference": "statement 118, line 4"}))]
struct PayoutSettlement {
    outcome: PayoutOutcome,
    /// What the bank calls the transfer, or the one that brought it back; required if it is paid.
    #[schema(default = json!({"x-schema": {"example": "statement 118, line 4"}}))]
    reference: Option<Reference>,
    /// Why it failed or came back; the owners of the seller read it.
    reason: Option<Reason>,
}

impl PayoutSettlement {
    fn said(&self) -> Result<Settlement, Problem> {
        let outcome = match self.outcome {
            PayoutOutcome::Paid if self.reference.is_none() => {
                return Err(Problem::invalid("/reference", "is required for a payout that is paid"));
            }
            PayoutOutcome::Paid => Outcome::Paid,
            PayoutOutcome::Failed => Outcome::Failed(Failure::Refused),
            PayoutOutcome::Returned => Outcome::Returned(Failure::SentBack),
        };
        Ok(Settlement { outcome, reference: self.reference.clone(), because: self.reason.clone() })
    }
}

/// Records what became of a payout.
///
/// For SEPA credit transfers, and for payouts of which PayPal does not say what became of them. What failed or came back is in the
/// balance of the seller again. Large amounts require a recent proof of identity.
#[utoipa::path(post, path = "/v1/admin/payouts/{id}/settle", operation_id = "settlePayout",
    tag = "admin", params(("id" = String, Path)), request_body = PayoutSettlement, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The payout", body = show::Payout)))]
async fn settle(
    State(app): State<Shared>,
    Of(id): Of<PayoutId>,
    ask: Ask<Staff, PayoutSettlement>,
) -> Result<Response, Problem> {
    let settlement = &ask.body.said()?;
    let (app, ask) = (&app, &ask);
    app.run(ask, "payout.settle", |unit| async move {
        let mut payout = unit.load_matching::<Payout>(id).await?;
        let amount = payout.state.live()?.amount;
        payouts::settle(&unit, &mut payout, settlement).await?;
        app.require_fresh_for_amount(&unit, &ask.who.0, amount).await?;
        Reply::ok(payout.version, &show::Payout::of(id, payout.state.live()?, true))
    })
    .await
}

/// The payouts of a file.
type ListedPayouts = Bounded<Vec<PayoutId>, PAYOUTS_MAX>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"execute_on": "2026-12-01"}))]
struct NewPayoutFile {
    /// The day on which the bank is to carry the transfers out; today (UTC) by default.
    execute_on: Option<NaiveDate>,
    /// The payouts; by default the oldest ones that are due, at most 200, without those of suspended sellers.
    #[schema(default = json!({"x-schema": {"minItems": 1}}))]
    payouts: Option<ListedPayouts>,
}

/// Creates a file of payouts for the bank.
///
/// Each payout is in one file. It requires a recent proof of identity, because anyone with the file can have it paid.
#[utoipa::path(post, path = "/v1/admin/payout-files", operation_id = "createPayoutFile",
    tag = "admin", request_body = NewPayoutFile, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The file", body = show::PayoutFile)))]
async fn create_file(State(app): State<Shared>, ask: Ask<Staff, NewPayoutFile>) -> Result<Response, Problem> {
    let named = ask.body.payouts.is_some();
    let wanted: Vec<PayoutId> = if let Some(payouts) = &ask.body.payouts {
        if payouts.is_empty() {
            return Err(Problem::invalid("/payouts", "must name at least one payout"));
        }
        payouts.iter().copied().collect()
    } else {
        app.await_views_now(&[PayoutList::NAME, SellerList::NAME]).await?;
        let limit = i64::try_from(PAYOUTS_MAX).unwrap_or(i64::MAX);
        app.views.payouts_due(limit).await?
    };
    let (app, ask, wanted) = (&app, &ask, &wanted);
    app.run(ask, "payout_file.create", |unit| async move {
        app.require_fresh(&unit, &ask.who.0).await?;
        let execute_on = ask.body.execute_on.unwrap_or_else(|| unit.now().date_naive());
        let wanted = if named { ForFile::Named(wanted) } else { ForFile::Due(wanted) };
        let file = payouts::create_file(&unit, wanted, execute_on).await?;
        let shown = show::PayoutFile::of(file.id, file.state.live()?);
        Reply::created(format!("/v1/admin/payout-files/{}", file.id), file.version, &shown)
    })
    .await
}

/// Which page of the files is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FilesQuery {
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of files of payouts.
type PayoutFilePage = PageOf<payout_file_list::Row>;

/// Lists the files of payouts for the bank, newest first.
#[utoipa::path(get, path = "/v1/admin/payout-files", operation_id = "listPayoutFiles",
    tag = "admin", params(FilesQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of files", body = PayoutFilePage)))]
async fn files(
    State(app): State<Shared>,
    _staff: Staff,
    Params(FilesQuery { limit, cursor }): Params<FilesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ask = lists::ask(limit, cursor);
    app.await_views(&[PayoutFileList::NAME], &headers).await?;
    Ok(reply::json(app.views.payout_file_list(&ask).await?.json()))
}

/// One file of payouts for the bank.
#[utoipa::path(get, path = "/v1/admin/payout-files/{id}", operation_id = "getPayoutFile",
    tag = "admin", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The file", body = show::PayoutFile)))]
async fn file(
    State(app): State<Shared>,
    Of(id): Of<PayoutFileId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<PayoutFile>(id, &Then::default(), &headers).await?;
    reply::one(found.version, &show::PayoutFile::of(id, found.state.live()?))
}

/// The transfers of a payout file as the bank reads them (ISO 20022, pain.001.001.09).
///
/// Payouts that have ended meanwhile, or whose destination was erased, are left out.
#[utoipa::path(get, path = "/v1/admin/payout-files/{id}/transfers", operation_id = "exportPayoutFile",
    tag = "admin", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The transfers", content_type = "application/xml", body = String),
        (status = 409, description = "Nothing in the file is left to transfer")))]
async fn transfers(State(app): State<Shared>, Of(id): Of<PayoutFileId>, _staff: Staff) -> Result<Response, Problem> {
    let found = app.commands.transfers_of(id).await?.ok_or_else(|| Problem::missing("payout_file"))?;
    let xml = found.xml().map_err(|_| Problem::internal())?;
    let mut response = Body::from(xml).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{id}.xml\""));
    headers.insert(header::CONTENT_DISPOSITION, name.map_err(|_| Problem::internal())?);
    response.extensions_mut().insert(reply::Personal);
    Ok(response)
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(settle))
        .routes(routes!(files, create_file))
        .routes(routes!(file))
        .routes(routes!(transfers))
}
