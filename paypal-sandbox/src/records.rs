//! What the books consist of: orders, authorizations, captures, refunds, payouts and disputes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::amount::Amount;

/// An account of PayPal, by its address or its id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Payee {
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_address: Option<String>,
    /// The id of the merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merchant_id: Option<String>,
}

/// A part of a payment that the platform keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PlatformFee {
    /// How much.
    pub amount: Amount,
    /// The account that gets it; the platform's own if none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee: Option<Payee>,
}

/// What an order leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Intent {
    /// The money is taken at once.
    Capture,
    /// The money is authorized first.
    Authorize,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum OrderStatus {
    /// The buyer has not approved it.
    Created,
    /// The same, when the order named its means of payment.
    PayerActionRequired,
    /// The buyer has approved it.
    Approved,
    /// It is captured or authorized.
    Completed,
}

/// An order.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Order {
    /// The id, which is also the token of the approval page.
    pub id: String,
    /// What it leads to.
    pub intent: Intent,
    /// How far it is.
    pub status: OrderStatus,
    /// Whether the buyer's means of payment will be declined.
    pub is_declined: bool,
    /// Its parts.
    pub units: Vec<Unit>,
    /// Where the buyer goes after approval.
    pub return_url: Option<String>,
    /// Where the buyer goes after a cancellation.
    pub cancel_url: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

/// A part of an order: one payment to one payee.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Unit {
    /// The name of the part within the order.
    pub reference_id: String,
    /// How much is paid.
    pub amount: Amount,
    /// Who gets it.
    pub payee: Payee,
    /// What the platform keeps.
    pub platform_fees: Vec<PlatformFee>,
    /// The invoice of the caller, once per payee.
    pub invoice_id: Option<String>,
    /// The caller's own reference.
    pub custom_id: Option<String>,
    /// The ids of its authorizations.
    pub authorizations: Vec<String>,
    /// The ids of its captures.
    pub captures: Vec<String>,
    /// The part as it was requested.
    #[serde(skip)]
    pub requested: Value,
}

/// How far an authorization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AuthorizationStatus {
    /// The money is held.
    Created,
    /// A part of it was captured, and the rest is held.
    PartiallyCaptured,
    /// All of it was captured, or the last capture said so.
    Captured,
    /// The money was released.
    Voided,
}

/// Money that is held for a payee.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Authorization {
    /// The id.
    pub id: String,
    /// The order.
    pub order: String,
    /// The index of the part of the order.
    pub unit: usize,
    /// How much is held at first.
    pub amount: Amount,
    /// How much of it was captured, in minor units.
    pub captured: i64,
    /// How far it is.
    pub status: AuthorizationStatus,
    /// The authorization that this one continues.
    pub continues: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// When PayPal releases the money by itself.
    pub expires: DateTime<Utc>,
}

/// Money that was taken from a buyer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Capture {
    /// The id.
    pub id: String,
    /// The order.
    pub order: String,
    /// The index of the part of the order.
    pub unit: usize,
    /// The authorization, if there was one.
    pub authorization: Option<String>,
    /// How much was taken.
    pub amount: Amount,
    /// Who gets it.
    pub payee: Payee,
    /// What PayPal keeps, in minor units.
    pub paypal_fee: i64,
    /// What the platform keeps.
    pub platform_fees: Vec<PlatformFee>,
    /// The ids of its refunds and reversals.
    pub refunds: Vec<String>,
    /// What the buyer got back by refunds, in minor units.
    pub refunded: i64,
    /// What the platform gave back of its fees, in minor units.
    pub platform_fees_refunded: i64,
    /// What open disputes hold, in minor units.
    pub disputed: i64,
    /// What PayPal gave back to the buyer by itself, in minor units.
    pub reversed: i64,
    /// Whether it is the last one of its authorization.
    pub is_final: bool,
    /// The invoice of the caller.
    pub invoice_id: Option<String>,
    /// The caller's own reference.
    pub custom_id: Option<String>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl Capture {
    /// What the buyer has not got back, in minor units.
    pub(super) fn kept(&self) -> i64 {
        self.amount.minor - self.refunded - self.reversed
    }

    /// What a refund may return, in minor units.
    pub(super) fn refundable(&self) -> i64 {
        self.kept() - self.disputed
    }

    /// The status as PayPal names it.
    pub(super) fn status(&self) -> &'static str {
        if self.kept() == self.amount.minor {
            "COMPLETED"
        } else if self.kept() > 0 {
            "PARTIALLY_REFUNDED"
        } else {
            "REFUNDED"
        }
    }
}

/// Why money went back to a buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    /// The merchant refunded it.
    Refund,
    /// PayPal reversed the payment.
    Reversal,
    /// The merchant accepted a claim.
    ClaimAccepted,
    /// A dispute was decided for the buyer.
    DisputeLost,
}

/// Money that went back to a buyer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Refund {
    /// The id.
    pub id: String,
    /// The capture.
    pub capture: String,
    /// How much went back.
    pub amount: Amount,
    /// Why.
    pub cause: Cause,
    /// What the platform gave back of its fees.
    pub platform_fees: Vec<PlatformFee>,
    /// What went back of the capture in all, in minor units.
    pub total_refunded: i64,
    /// The invoice of the caller.
    pub invoice_id: Option<String>,
    /// The caller's own reference.
    pub custom_id: Option<String>,
    /// A note to the buyer.
    pub note_to_payer: Option<String>,
    /// When.
    pub created: DateTime<Utc>,
}

/// How far a batch of payouts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum BatchStatus {
    /// It waits.
    Pending,
    /// Its items were carried out.
    Success,
    /// No item was carried out.
    Denied,
}

/// A batch of payouts.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Batch {
    /// The id.
    pub id: String,
    /// The caller's own id, once in 30 days.
    pub sender_batch_id: Option<String>,
    /// The header as it was requested.
    #[serde(skip)]
    pub header: Value,
    /// The ids of its items.
    pub items: Vec<String>,
    /// How far it is.
    pub status: BatchStatus,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it was carried out.
    pub completed: Option<DateTime<Utc>>,
}

/// How far a payout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ItemStatus {
    /// It waits for its batch.
    Pending,
    /// The receiver has the money.
    Success,
    /// The receiver has no account yet; the money is held for 30 days.
    Unclaimed,
    /// The money came back.
    Returned,
    /// It was not carried out.
    Failed,
    /// PayPal refused it.
    Blocked,
    /// PayPal looks at it; the money is held.
    Onhold,
    /// The receiver sent the money back.
    Refunded,
}

/// One payout.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Item {
    /// The id.
    pub id: String,
    /// The batch.
    pub batch: String,
    /// How much.
    pub amount: Amount,
    /// What PayPal takes for it, in minor units.
    pub fee: i64,
    /// Who gets it.
    pub receiver: String,
    /// The caller's own id.
    pub sender_item_id: Option<String>,
    /// The payout as it was requested.
    #[serde(skip)]
    pub requested: Value,
    /// How far it is.
    pub status: ItemStatus,
    /// The id of the movement of money, if there was one.
    pub transaction_id: Option<String>,
    /// When it last changed.
    pub processed: Option<DateTime<Utc>>,
}

/// How far a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DisputeStatus {
    /// The merchant is to answer.
    WaitingForSellerResponse,
    /// PayPal decides.
    UnderReview,
    /// It is decided.
    Resolved,
}

/// How a dispute ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DisputeOutcome {
    /// The buyer got the money back.
    ResolvedBuyerFavour,
    /// The merchant keeps the money.
    ResolvedSellerFavour,
    /// The merchant accepted the claim.
    Accepted,
    /// The buyer withdrew the claim.
    CanceledByBuyer,
}

/// A dispute.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Dispute {
    /// The id.
    pub id: String,
    /// The capture.
    pub capture: String,
    /// How much the buyer wants back.
    pub amount: Amount,
    /// Why, as PayPal names it.
    pub reason: String,
    /// How far it is.
    pub status: DisputeStatus,
    /// How it ended.
    pub outcome: Option<DisputeOutcome>,
    /// What the buyer got back.
    pub refunded: Option<Amount>,
    /// What the merchant provided.
    pub evidence: Vec<Value>,
    /// The files that came with it.
    pub files: Vec<SentFile>,
    /// When it was opened.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// Until when the merchant can answer.
    pub respond_by: DateTime<Utc>,
}

/// A file that came with evidence; its content is not kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SentFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The number of its bytes.
    pub bytes: usize,
}
