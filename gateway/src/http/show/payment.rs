//! How payments and refunds look from outside.

use byteshop_commands::Commands;
use byteshop_commands::ports::payment_test::action_path;
use byteshop_domain::Personal;
use byteshop_domain::ids::{OrderId, PaymentId, ReceiptId, RefundId, StoredValueId};
use byteshop_domain::money::Money;
use byteshop_domain::payment::{self, Opened};
use byteshop_domain::payment_book::ManualKind;
use byteshop_domain::stored_value::Means;
use byteshop_domain::text::{Instructions, NoteText, Reason, Reference, Slug, Title};
use byteshop_projections::stored_value_list::Kind;
use chrono::{DateTime, NaiveDate, Utc};
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
    /// The method of the latest attempt, or of the receipts; null before that.
    method: Option<payment::Method>,
    /// Why the latest attempt failed, if it did; while the payment is `open` another attempt can be made.
    decline_reason: Option<payment::DeclineReason>,
    /// When the authorization expires unless its capture is requested; null unless it is `authorized` and waits for that.
    expires_at: Option<DateTime<Utc>>,
    /// The page where the buyer continues; null unless the payment is pending and waits for them. A path if the shop does
    /// not know its public address.
    action_url: Option<String>,
    /// What the buyer who chose a manual method was told; null without a choice.
    manual: Option<Instructed<'a>>,
    /// Recorded by staff as received, without voided receipts.
    received: Money,
    /// Paid, or to be paid, with gift cards and store credit, in the order in which they were applied.
    covers: Vec<Cover>,
    /// Still to be paid.
    due: Money,
    /// The receipts that staff recorded, oldest first.
    receipts: Vec<Receipt<'a>>,
    captured: Money,
    refunded: Money,
    /// Held by open disputes: it cannot be refunded until they are decided.
    disputed: Money,
    /// Still refundable: captured − refunded − refunds in progress − disputed.
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
    /// Whether no provider makes it: staff makes and settles it.
    manual: bool,
    /// How it was made outside the shop; null unless staff settled it.
    settled: Option<Settled<'a>>,
    /// The gift card or store credit that it goes to; null if money is returned.
    to: Option<Cover>,
    /// The refund that it is a part of; null unless one request goes to several means.
    part_of: Option<RefundId>,
}

/// What a gift card or store credit pays, or gets back.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentCover)]
pub struct Cover {
    /// The gift card or store credit.
    id: StoredValueId,
    /// What it is.
    kind: Kind,
    amount: Money,
}

impl Cover {
    fn of(means: Means, amount: Money) -> Self {
        let kind = if means.is_card() { Kind::GiftCard } else { Kind::StoreCredit };
        Self { id: means.value(amount.currency), kind, amount }
    }
}

/// How a refund was made outside the shop.
#[derive(Serialize, ToSchema)]
#[schema(as = SettledRefund)]
pub struct Settled<'a> {
    /// The reference of the money that went back.
    reference: &'a Reference,
    settled_on: NaiveDate,
}

/// What a buyer who chose a manual method was told.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentInstructions)]
pub struct Instructed<'a> {
    method: &'a Slug,
    /// How the money reaches the shop.
    kind: ManualKind,
    title: &'a Title,
    /// What the buyer has to do.
    instructions: &'a Instructions,
    /// The amount to pay.
    amount: Money,
    /// The reference to quote: the order number.
    #[schema(default = json!({"x-schema": {"example": "7K3Q-X9MW-2FBA"}}))]
    reference: &'a Reference,
    /// Until when the order can be paid; null if it does not expire.
    pay_by: Option<DateTime<Utc>>,
}

/// Money that staff recorded as received.
#[derive(Serialize, ToSchema)]
#[schema(as = PaymentReceipt)]
pub struct Receipt<'a> {
    id: ReceiptId,
    /// How the money reached the shop.
    kind: ManualKind,
    amount: Money,
    /// The reference of the money.
    reference: &'a Reference,
    received_on: NaiveDate,
    /// Why it does not count; null unless it was voided.
    voided: Option<&'a Reason>,
    /// The note of staff, for staff alone; null if there is none, or the buyer's data was erased.
    note: Option<&'a Personal<NoteText>>,
    #[serde(skip)]
    written: Option<&'a Personal<NoteText>>,
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
    OnDelivery,
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
            payment::Stage::OnDelivery => Self::OnDelivery,
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
        | payment::Stage::OnDelivery
        | payment::Stage::Attempted
        | payment::Stage::Authorized(_)
        | payment::Stage::Captured
        | payment::Stage::Refunded
        | payment::Stage::Cancelled => (None, None),
    }
}

/// The page where the buyer continues, while the attempt waits for them: one of the provider, or of the emulated one.
fn action_url(commands: &Commands, id: PaymentId, it: &Opened) -> Option<String> {
    if let Some(page) = it.page() {
        return Some(page.to_string());
    }
    let is_pending = matches!(it.stage, payment::Stage::Pending { .. });
    let attempt = it.attempt.as_ref().filter(|_| is_pending)?;
    Some(commands.url_of(&action_path(&attempt.reference, id)?))
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
            action_url: action_url(commands, id, it),
            manual: it.choice.as_deref().map(Instructed::from),
            received: it.received(),
            covers: it.covers.iter().map(|cover| Cover::of(cover.means, cover.amount)).collect(),
            due: it.due(),
            receipts: it.receipts.iter().map(|(id, receipt)| Receipt::of(*id, receipt)).collect(),
            captured: it.captured(),
            refunded: it.refunded,
            disputed: it.disputed(),
            refundable: it.refundable(),
            refunds: it.refunds.iter().map(|(id, refund)| Refund::of(*id, refund)).collect(),
        }
    }
}

impl Payment<'_> {
    /// With the notes of staff.
    pub fn with_notes(mut self) -> Self {
        for receipt in &mut self.receipts {
            receipt.note = receipt.written;
        }
        self
    }
}

impl<'a> Refund<'a> {
    fn of(id: RefundId, it: &'a payment::Refund) -> Self {
        let settled = it.settled.as_ref();
        let settled = settled.map(|it| Settled { reference: &it.reference, settled_on: it.settled_on });
        let (amount, status, cause) = (it.amount, it.stage, &it.cause);
        let (to, part_of) = (it.to.map(|means| Cover::of(means, amount)), it.of);
        Self { id, amount, status, cause, retried_as: it.retried_as, manual: it.manual, settled, to, part_of }
    }
}

impl<'a> From<&'a payment::Choice> for Instructed<'a> {
    fn from(it: &'a payment::Choice) -> Self {
        let payment::Choice { method, kind, title, instructions, amount, reference, pay_by } = it;
        let (kind, amount, pay_by) = (*kind, *amount, *pay_by);
        Self { method, kind, title, instructions, amount, reference, pay_by }
    }
}

impl<'a> Receipt<'a> {
    fn of(id: ReceiptId, it: &'a payment::Receipt) -> Self {
        let payment::Receipt { kind, amount, reference, received_on, note, voided } = it;
        let (kind, amount, received_on, voided) = (*kind, *amount, *received_on, voided.as_ref());
        Self { id, kind, amount, reference, received_on, voided, note: None, written: note.as_ref() }
    }
}
