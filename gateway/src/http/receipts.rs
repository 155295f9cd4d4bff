//! Receipts: what staff records of money that no provider moves, and the refunds that staff makes outside the shop.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::manual_payments::{self, Received};
use byteshop_domain::ids::{PaymentId, ReceiptId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::payment::Payment;
use byteshop_domain::payment_book::ManualKind;
use byteshop_domain::text::{NoteText, Reason, Reference};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::show;
use crate::app::Shared;
use crate::edge::actor::Staff;
use crate::edge::ask::{Ask, Of, OfTwo};
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount": 1999, "currency": "EUR"}, "reference": "statement 118, line 4", "received_on": "2026-11-20"}))]
struct NewReceipt {
    /// The amount received.
    amount: Money,
    /// The reference of the money, such as that of the bank statement; unique in this payment.
    #[schema(default = json!({"x-schema": {"example": "statement 118, line 4"}}))]
    reference: Reference,
    /// The day on which it was received; not in the future.
    received_on: NaiveDate,
    /// How the money reached the shop; by default as the buyer chose, or `elsewhere`.
    kind: Option<ManualKind>,
    /// An internal note, encrypted and erased with the buyer's personal data.
    note: Option<NoteText>,
    /// Whether more than the amount due was really received. The rest is then listed as a refund to settle.
    #[serde(default)]
    surplus: bool,
}

/// Records money received for a payment.
///
/// The receipts add up; when they reach the amount due, the payment is captured and its order becomes paid. Large amounts
/// require a recent proof of identity, as large refunds do.
#[utoipa::path(post, path = "/v1/payments/{id}/receipts", operation_id = "recordReceipt",
    tag = "payments", params(("id" = String, Path)),
    request_body = NewReceipt, security(("bearer" = ["staff"])),
    responses((status = 201, description = "The payment", body = show::Payment)))]
async fn record(
    State(app): State<Shared>,
    Of(id): Of<PaymentId>,
    ask: Ask<Staff, NewReceipt>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let app = &app;
    app.run(ask, "payment.record_receipt", |unit| async move {
        let mut payment = unit.load_matching::<Payment>(id).await?;
        let NewReceipt { amount, reference, received_on, kind, note, surplus } = &ask.body;
        let (kind, amount, received_on, surplus) = (*kind, *amount, *received_on, *surplus);
        let received = Received { kind, amount, reference, received_on, note: note.as_ref(), surplus };
        let at_stake = manual_payments::record_receipt(&unit, &mut payment, received).await?;
        app.require_fresh_for_amount(&unit, &ask.who.0, at_stake).await?;
        let body = show::Payment::of(unit.commands(), id, payment.state.live()?).with_notes();
        Reply::created(format!("/v1/payments/{id}"), payment.version, &body)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "it was for another order"}))]
struct ReceiptMistake {
    /// Why the receipt does not count.
    #[schema(default = json!({"x-schema": {"example": "it was for another order"}}))]
    reason: Reason,
}

/// Voids a receipt that was recorded by mistake.
///
/// This is possible while the payment is open.
#[utoipa::path(post, path = "/v1/payments/{id}/receipts/{receipt}/void", operation_id = "voidReceipt",
    tag = "payments", params(("id" = String, Path), ("receipt" = String, Path)),
    request_body = ReceiptMistake, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The payment", body = show::Payment)))]
async fn void(
    State(app): State<Shared>,
    OfTwo(id, receipt): OfTwo<PaymentId, ReceiptId>,
    ask: Ask<Staff, ReceiptMistake>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "payment.void_receipt", |unit| async move {
        let mut payment = unit.load_matching::<Payment>(id).await?;
        manual_payments::void_receipt(&unit, &mut payment, receipt, &ask.body.reason)?;
        let body = show::Payment::of(unit.commands(), id, payment.state.live()?).with_notes();
        Reply::ok(payment.version, &body)
    })
    .await
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reference": "transfer 77", "settled_on": "2026-11-24"}))]
struct RefundSettlement {
    /// The reference of the money that went back.
    #[schema(default = json!({"x-schema": {"example": "transfer 77"}}))]
    reference: Reference,
    /// The day on which it went back; not in the future.
    settled_on: NaiveDate,
}

/// Records that a refund was made outside the shop.
///
/// For refunds that no provider carries out, and for those that the provider refused. Large amounts require a recent proof of
/// identity, as large refunds do.
#[utoipa::path(post, path = "/v1/payments/{id}/refunds/{refund}/settle", operation_id = "settleRefund",
    tag = "payments", params(("id" = String, Path), ("refund" = String, Path)),
    request_body = RefundSettlement, security(("bearer" = ["staff"])),
    responses((status = 200, description = "The payment", body = show::Payment)))]
async fn settle(
    State(app): State<Shared>,
    OfTwo(id, refund): OfTwo<PaymentId, RefundId>,
    ask: Ask<Staff, RefundSettlement>,
) -> Result<Response, Problem> {
    let ask = &ask;
    let app = &app;
    app.run(ask, "payment.settle_refund", |unit| async move {
        let mut payment = unit.load_matching::<Payment>(id).await?;
        let RefundSettlement { reference, settled_on } = &ask.body;
        let amount = manual_payments::settle_refund(&unit, &mut payment, refund, reference, *settled_on)?;
        app.require_fresh_for_amount(&unit, &ask.who.0, amount).await?;
        let body = show::Payment::of(unit.commands(), id, payment.state.live()?).with_notes();
        Reply::ok(payment.version, &body)
    })
    .await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(record)).routes(routes!(void)).routes(routes!(settle))
}
