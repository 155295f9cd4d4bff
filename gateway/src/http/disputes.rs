//! Disputes, for staff: lists, those of payments without a provider, and the answers of the shop.

mod files;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::disputes;
use byteshop_domain::aftersales::{Claim, Verdict};
use byteshop_domain::dispute::{Cause, Dispute, Status};
use byteshop_domain::ids::{DisputeId, OrderId, PaymentId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payment::Payment;
use byteshop_domain::text::{Comment, Reference};
use byteshop_projections::View as _;
use byteshop_projections::dispute_list::{self, DisputeList};
use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show::PageOf;
use super::show::dispute as show;
use crate::app::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::{Ask, Nothing, Of, Params};
use crate::edge::lists;
use crate::edge::parameters::period;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::edge::values::{DayOrTime, Limit};

/// Which disputes are wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The state of the dispute.
    status: Option<Status>,
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
    /// Page size: 20 by default, at most 100.
    limit: Option<Limit>,
    /// The `next` cursor of the previous page.
    cursor: Option<String>,
}

/// A page of disputes.
type DisputePage = PageOf<dispute_list::Row>;

/// Lists the disputes, newest first.
#[utoipa::path(get, path = "/v1/admin/disputes", operation_id = "listDisputes",
    tag = "admin", params(ListQuery), security(("bearer" = ["staff"])),
    responses((status = 200, description = "A page of disputes", body = DisputePage)))]
async fn list(
    State(app): State<Shared>,
    _staff: Staff,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ListQuery { status, seller, order, from, until, limit, cursor } = query;
    let (from, until) = period(from, until)?;
    let ask = lists::ask(limit, cursor);
    app.await_views(&[DisputeList::NAME], &headers).await?;
    let query = dispute_list::Query { seller, status, order, from, until, ask };
    Ok(reply::json(app.views.dispute_list(&query).await?.json()))
}

/// One dispute.
#[utoipa::path(get, path = "/v1/admin/disputes/{id}", operation_id = "getDispute",
    tag = "admin", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The dispute", body = show::Dispute)))]
async fn one(
    State(app): State<Shared>,
    Of(id): Of<DisputeId>,
    _staff: Staff,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Dispute>(id, &Then::default(), &headers).await?;
    reply::one(found.version, &show::Dispute::of(id, found.state.live()?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "payment": "pay_01h455vb4pex5vsknk084sn02q", "amount": {"amount": 1999, "currency": "EUR"}, "reference": "recall 2026-118",
    "cause": "not_received", "respond_by": "2026-12-15T12:00:00Z"
}))]
struct NewDispute {
    /// The payment: one that no provider made.
    payment: PaymentId,
    /// What the buyer claims: at most what was captured in money.
    amount: Money,
    /// What the bank calls it; unique in this payment.
    #[schema(default = json!({"x-schema": {"example": "recall 2026-118"}}))]
    reference: Reference,
    cause: Cause,
    /// Until when the shop can answer.
    respond_by: Option<DateTime<Utc>>,
}

/// Records a dispute about a payment without a provider.
///
/// What is disputed cannot be refunded, and is kept back of the balances of sellers, until the outcome is recorded. What was refunded
/// before is not held. Providers report the disputes of their payments themselves.
#[utoipa::path(post, path = "/v1/admin/disputes", operation_id = "recordDispute",
    tag = "admin", request_body = NewDispute, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The dispute", body = show::Dispute)))]
async fn record(State(app): State<Shared>, ask: Ask<Staff, NewDispute>) -> Result<Response, Problem> {
    let NewDispute { payment, amount, reference, cause, respond_by } = &ask.body;
    let (payment, amount, cause, respond_by) = (*payment, *amount, *cause, *respond_by);
    let claim = &Claim { payment, provider: None, reference: reference.clone(), cause, amount, respond_by };
    app.run(&ask, "dispute.record", |unit| async move {
        let mut payment = unit.load::<Payment>(payment).await?.exists()?;
        let dispute = disputes::record(&unit, &mut payment, claim).await?;
        let shown = show::Dispute::of(dispute.id, dispute.state.live()?);
        Reply::created(format!("/v1/admin/disputes/{}", dispute.id), dispute.version, &shown)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"text": "Delivered on 20 November, signed by the buyer; tracking number 00340434161094042557."}))]
struct NewEvidence {
    /// What speaks for the shop; encrypted and erased with the buyer's personal data.
    #[schema(default = json!({"x-schema": {"example": "Delivered on 20 November, signed by the buyer."}}))]
    text: Comment,
}

/// Submits evidence for a dispute.
#[utoipa::path(post, path = "/v1/admin/disputes/{id}/evidence", operation_id = "addDisputeEvidence",
    tag = "admin", params(("id" = String, Path)), request_body = NewEvidence, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The dispute", body = show::Dispute)))]
async fn submit(
    State(app): State<Shared>,
    Of(id): Of<DisputeId>,
    ask: Ask<Staff, NewEvidence>,
) -> Result<Response, Problem> {
    let text = &ask.body.text;
    app.run(&ask, "dispute.submit_evidence", |unit| async move {
        let mut dispute = unit.load_matching::<Dispute>(id).await?;
        disputes::submit_evidence(&unit, &mut dispute, text).await?;
        let shown = show::Dispute::of(id, dispute.state.live()?);
        Reply::created(format!("/v1/admin/disputes/{id}"), dispute.version, &shown)
    })
    .await
}

/// Accepts a dispute: the buyer gets back what they claim.
///
/// Without a provider the dispute is lost with it; a provider reports the outcome. Large amounts require a recent proof of identity.
#[utoipa::path(post, path = "/v1/admin/disputes/{id}/accept", operation_id = "acceptDispute",
    tag = "admin", params(("id" = String, Path)), security(("bearer" = ["staff"])),
    responses((status = 200, description = "The dispute", body = show::Dispute)))]
async fn accept(
    State(app): State<Shared>,
    Of(id): Of<DisputeId>,
    ask: Ask<Staff, Nothing>,
) -> Result<Response, Problem> {
    let (app, ask) = (&app, &ask);
    app.run(ask, "dispute.accept", |unit| async move {
        let mut dispute = unit.load_matching::<Dispute>(id).await?;
        let amount = dispute.state.live()?.opening.amount;
        disputes::accept(&unit, &mut dispute).await?;
        app.require_fresh_for_amount(&unit, &ask.who.0, amount).await?;
        Reply::ok(dispute.version, &show::Dispute::of(id, dispute.state.live()?))
    })
    .await
}

/// How a dispute ended.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum DisputeOutcome {
    /// The shop keeps the money.
    Won,
    /// The buyer got it back.
    Lost,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"outcome": "lost", "fee": {"amount": 1500, "currency": "EUR"}}))]
struct DisputeVerdict {
    outcome: DisputeOutcome,
    /// What the buyer got back; by default all that they claim. Only of one that is lost.
    amount: Option<Money>,
    /// What the bank charges for it. Only of one that is lost.
    fee: Option<Money>,
}

impl DisputeVerdict {
    fn said(&self) -> Result<Verdict, Problem> {
        let Self { outcome, amount, fee } = *self;
        match (outcome, amount, fee) {
            (DisputeOutcome::Lost, amount, fee) => Ok(Verdict::Lost { amount, fee }),
            (DisputeOutcome::Won, None, None) => Ok(Verdict::Won),
            (DisputeOutcome::Won, Some(_), _) => Err(Problem::invalid("/amount", "is only of a dispute that is lost")),
            (DisputeOutcome::Won, None, Some(_)) => Err(Problem::invalid("/fee", "is only of a dispute that is lost")),
        }
    }
}

/// Records the outcome of a dispute that no provider decides.
///
/// What is won can be refunded again, and is in the balances of sellers again. What is lost counts as refunded: a credit note is issued,
/// what sellers had of it is taken back at the rates of the order, and the keys are revoked if nothing of the payment is left. Large
/// amounts require a recent proof of identity.
#[utoipa::path(post, path = "/v1/admin/disputes/{id}/outcome", operation_id = "recordDisputeOutcome",
    tag = "admin", params(("id" = String, Path)), request_body = DisputeVerdict, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The dispute", body = show::Dispute)))]
async fn conclude(
    State(app): State<Shared>,
    Of(id): Of<DisputeId>,
    ask: Ask<Staff, DisputeVerdict>,
) -> Result<Response, Problem> {
    let verdict = ask.body.said()?;
    let (app, ask) = (&app, &ask);
    app.run(ask, "dispute.record_outcome", |unit| async move {
        let mut dispute = unit.load_matching::<Dispute>(id).await?;
        let amount = dispute.state.live()?.opening.amount;
        disputes::record_outcome(&unit, &mut dispute, verdict).await?;
        if let Verdict::Lost { fee, .. } = verdict {
            let most = fee.map_or(amount.amount, |fee| fee.amount.max(amount.amount));
            app.require_fresh_for_amount(&unit, &ask.who.0, Money { amount: most, ..amount }).await?;
        }
        Reply::ok(dispute.version, &show::Dispute::of(id, dispute.state.live()?))
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"fee": {"amount": 1200, "currency": "EUR"}}))]
struct DisputeFee {
    /// What the bank charges for it, in the currency of the payment; an amount of zero if nothing.
    fee: Money,
}

/// Corrects the fee of a dispute that is lost.
///
/// The ledger gets an entry of the difference. Large amounts require a recent proof of identity.
#[utoipa::path(put, path = "/v1/admin/disputes/{id}/fee", operation_id = "setDisputeFee",
    tag = "admin", params(("id" = String, Path)), request_body = DisputeFee, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The dispute", body = show::Dispute)))]
async fn correct_fee(
    State(app): State<Shared>,
    Of(id): Of<DisputeId>,
    ask: Ask<Staff, DisputeFee>,
) -> Result<Response, Problem> {
    let fee = ask.body.fee;
    let (app, ask) = (&app, &ask);
    app.run(ask, "dispute.correct_fee", |unit| async move {
        let mut dispute = unit.load_matching::<Dispute>(id).await?;
        let before = dispute.state.live()?.fee.map_or(0, |fee| fee.amount);
        disputes::correct_fee(&unit, &mut dispute, fee)?;
        // What is taken back of a large fee is as much as a large fee.
        let most = Money { amount: fee.amount.max(before), ..fee };
        app.require_fresh_for_amount(&unit, &ask.who.0, most).await?;
        Reply::ok(dispute.version, &show::Dispute::of(id, dispute.state.live()?))
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list, record))
        .routes(routes!(one))
        .routes(routes!(submit))
        .routes(routes!(accept))
        .routes(routes!(conclude))
        .routes(routes!(correct_fee))
        .merge(files::routes())
}
