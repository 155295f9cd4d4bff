//! How payments and refunds look from outside.

use byteshop_commands::Commands;
use byteshop_commands::ports::payment_test::action_path;
use byteshop_domain::ids::{OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::payment::{self, Opened};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// A payment of an order.
#[derive(Serialize, ToSchema)]
pub struct Payment<'a> {
    id: PaymentId,
    order: OrderId,
    amount: Money,
    /// The status of the payment.
    status: PaymentStatus,
    /// When the provider is asked again; null unless it is `pending` or `unresolved`.
    check_at: Option<DateTime<Utc>>,
    /// Why it is `failed` or `voided`; null otherwise.
    reason: Option<EndReason>,
    attempts: u8,
    /// The method of the latest attempt; null before the first.
    method: Option<payment::Method>,
    /// Why the latest attempt failed, if it did; while the payment is `open` another attempt can be made.
    decline_reason: Option<payment::DeclineReason>,
    /// When the authorization expires unless its capture is requested; null unless it is `authorized` and waits for that.
    expires_at: Option<DateTime<Utc>>,
    /// The page where the buyer continues; null unless the payment is pending and waits for them. A path if the shop does
    /// not know its public address.
    action_url: Option<String>,
    captured: Money,
    refunded: Money,
    /// Still refundable: captured − refunded − refunds in progress.
    refundable: Money,
    /// The refunds, requested and done.
    refunds: Vec<Refund<'a>>,
}

/// A refund of part of a payment.
#[derive(Serialize, ToSchema)]
pub struct Refund<'a> {
    id: RefundId,
    amount: Money,
    /// The state of the refund.
    status: payment::RefundStage,
    /// What the refund is for.
    cause: &'a payment::RefundCause,
    /// The id of the refund that retries this one, after the provider refused it.
    retried_as: Option<RefundId>,
}

/// Why a payment ended without its money.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = PaymentEndReason)]
enum EndReason {
    Failed(payment::FailureReason),
    Voided(payment::VoidReason),
}

/// The stage of a payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PaymentStatus {
    Open,
    Attempted,
    Pending,
    Unresolved,
    Authorized,
    Captured,
    Refunded,
    Failed,
    Cancelled,
    Voided,
}

impl From<payment::Stage> for PaymentStatus {
    fn from(stage: payment::Stage) -> Self {
        match stage {
            payment::Stage::Open => Self::Open,
            payment::Stage::Attempted => Self::Attempted,
            payment::Stage::Pending { .. } => Self::Pending,
            payment::Stage::Unresolved { .. } => Self::Unresolved,
            payment::Stage::Authorized(_) => Self::Authorized,
            payment::Stage::Captured => Self::Captured,
            payment::Stage::Refunded => Self::Refunded,
            payment::Stage::Failed { .. } => Self::Failed,
            payment::Stage::Cancelled => Self::Cancelled,
            payment::Stage::Voided { .. } => Self::Voided,
        }
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
            status: it.stage.into(),
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
