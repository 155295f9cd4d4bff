//! How payments and refunds look from outside.

use byteshop_commands::Commands;
use byteshop_commands::ports::payment_test::action_path;
use byteshop_domain::ids::{OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money as Amount;
use byteshop_domain::payment::{self, Opened};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Money;
use super::names;

/// A payment of an order.
#[derive(Serialize, ToSchema)]
pub struct Payment<'a> {
    #[schema(value_type = String, example = "pay_01h455vb4pex5vsknk084sn02q")]
    id: PaymentId,
    #[schema(value_type = String)]
    order: OrderId,
    #[schema(value_type = Money)]
    amount: Amount,
    /// The status of the payment.
    #[schema(value_type = names::PaymentStatus, example = "open")]
    status: &'static str,
    /// When the provider is asked again; null unless it is `pending` or `unresolved`.
    #[schema(required = true)]
    check_at: Option<DateTime<Utc>>,
    /// Why it is `failed` or `voided`; null otherwise.
    #[schema(value_type = Option<names::PaymentEndReason>, required = true)]
    reason: Option<EndReason>,
    attempts: u8,
    /// The method of the latest attempt; null before the first.
    #[schema(value_type = Option<names::PaymentMethod>, required = true)]
    method: Option<payment::Method>,
    /// Why the latest attempt failed, if it did; while the payment is `open` another attempt can be made.
    #[schema(value_type = Option<names::DeclineReason>, required = true)]
    decline_reason: Option<payment::DeclineReason>,
    /// When the authorization expires unless its capture is requested; null unless it is `authorized` and waits for that.
    #[schema(required = true)]
    expires_at: Option<DateTime<Utc>>,
    /// The page where the buyer continues; null unless the payment is pending and waits for them. A path if the shop does
    /// not know its public address.
    #[schema(required = true)]
    action_url: Option<String>,
    #[schema(value_type = Money)]
    captured: Amount,
    #[schema(value_type = Money)]
    refunded: Amount,
    /// Still refundable: captured − refunded − refunds in progress.
    #[schema(value_type = Money)]
    refundable: Amount,
    /// The refunds, requested and done.
    refunds: Vec<Refund<'a>>,
}

/// A refund of part of a payment.
#[derive(Serialize, ToSchema)]
pub struct Refund<'a> {
    #[schema(value_type = String, example = "rfd_01h455vb4pex5vsknk084sn02q")]
    id: RefundId,
    #[schema(value_type = Money)]
    amount: Amount,
    /// The state of the refund.
    #[schema(value_type = names::RefundStatus)]
    status: payment::RefundStage,
    /// What the refund is for.
    #[schema(value_type = RefundCause)]
    cause: &'a payment::RefundCause,
    /// The id of the refund that retries this one, after the provider refused it.
    #[schema(value_type = Option<String>, required = true)]
    retried_as: Option<RefundId>,
}

/// What a refund is for.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct RefundCause {
    kind: names::RefundCauseKind,
    /// The return, of the kind `return`.
    #[schema(nullable = false)]
    id: Option<String>,
    /// The reason that staff gave, of the kind `staff`.
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// Why a payment ended without its money.
#[derive(Serialize)]
#[serde(untagged)]
enum EndReason {
    Failed(payment::FailureReason),
    Voided(payment::VoidReason),
}

/// How far a payment is, in the words of the document.
fn status(stage: payment::Stage) -> &'static str {
    match stage {
        payment::Stage::Open => "open",
        payment::Stage::Attempted => "attempted",
        payment::Stage::Pending { .. } => "pending",
        payment::Stage::Unresolved { .. } => "unresolved",
        payment::Stage::Authorized(_) => "authorized",
        payment::Stage::Captured => "captured",
        payment::Stage::Refunded => "refunded",
        payment::Stage::Failed { .. } => "failed",
        payment::Stage::Cancelled => "cancelled",
        payment::Stage::Voided { .. } => "voided",
    }
}

/// When the provider is asked again, and why there will be no money.
fn outlook(stage: payment::Stage) -> (Option<DateTime<Utc>>, Option<EndReason>) {
    match stage {
        payment::Stage::Pending { check_at } | payment::Stage::Unresolved { check_at } => (Some(check_at), None),
        payment::Stage::Failed { reason } => (None, Some(EndReason::Failed(reason))),
        payment::Stage::Voided { reason } => (None, Some(EndReason::Voided(reason))),
        payment::Stage::Open
        | payment::Stage::Attempted
        | payment::Stage::Authorized(_)
        | payment::Stage::Captured
        | payment::Stage::Refunded
        | payment::Stage::Cancelled => (None, None),
    }
}

impl<'a> Payment<'a> {
    /// A payment as it is.
    pub fn of(commands: &Commands, id: PaymentId, it: &'a Opened) -> Self {
        let (check_at, reason) = outlook(it.stage);
        Self {
            id,
            order: it.order,
            amount: it.amount,
            status: status(it.stage),
            check_at,
            reason,
            attempts: it.attempts,
            method: it.attempt.as_ref().map(|attempt| attempt.method),
            decline_reason: it.declined,
            expires_at: it.expires_at(),
            action_url: match it.stage {
                payment::Stage::Pending { .. } => {
                    let path = it.attempt.as_ref().and_then(|attempt| action_path(&attempt.reference, id));
                    path.map(|path| commands.url_of(&path))
                }
                payment::Stage::Open
                | payment::Stage::Attempted
                | payment::Stage::Unresolved { .. }
                | payment::Stage::Authorized(_)
                | payment::Stage::Captured
                | payment::Stage::Refunded
                | payment::Stage::Failed { .. }
                | payment::Stage::Cancelled
                | payment::Stage::Voided { .. } => None,
            },
            captured: it.captured(),
            refunded: it.refunded,
            refundable: it.refundable(),
            refunds: it.refunds.iter().map(|(id, refund)| Refund::of(*id, refund)).collect(),
        }
    }
}

impl<'a> Refund<'a> {
    fn of(id: RefundId, it: &'a payment::Refund) -> Self {
        Self { id, amount: it.amount, status: it.stage, cause: &it.cause, retried_as: it.retried_as }
    }
}
