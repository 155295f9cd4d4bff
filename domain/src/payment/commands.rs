//! The commands of a payment.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::events::{ProviderReference, RefundCause, Registration};
use super::given_back::MadeElsewhere;
use super::method::{CaptureMode, Choice, Method};
use super::outcomes::{ProviderOutcome, RefundOutcome};
use super::reasons::VoidReason;
use crate::Personal;
use crate::ids::{DisputeId, OrderId, ReceiptId, RefundId};
use crate::money::Money;
use crate::payment_book::ManualKind;
use crate::stored_value::{Cover, Means};
use crate::text::{Link, NoteText, Reason, Reference};

/// Money that staff saw on the account, in the till or elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewReceipt {
    /// The id; a new one each time.
    pub receipt: ReceiptId,
    /// How the money reached the shop; by default as the buyer chose.
    pub kind: Option<ManualKind>,
    /// The amount.
    pub amount: Money,
    /// The reference of the money; each counts once.
    pub reference: Reference,
    /// The day on which the money was received.
    pub received_on: NaiveDate,
    /// A note for staff.
    pub note: Option<Personal<NoteText>>,
    /// Whether it may be more than what is due: the surplus is to be returned.
    pub surplus: bool,
}

/// The commands of a payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Open the payment.
    Open {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
    },
    /// Record an attempt before the provider is asked.
    Attempt {
        /// The method.
        method: Method,
        /// The reference of the attempt; a new one each time.
        reference: ProviderReference,
        /// When the payment is to be captured.
        capture: CaptureMode,
        /// Where the buyer returns to from the provider's page.
        return_url: Option<Link>,
    },
    /// Record what the provider calls an attempt.
    RecordRegistration {
        /// The attempt.
        reference: ProviderReference,
        /// What the provider calls it.
        registration: Registration,
    },
    /// Record the outcome of an attempt.
    RecordOutcome {
        /// The reference of the attempt.
        reference: ProviderReference,
        /// The outcome.
        outcome: ProviderOutcome,
    },
    /// Request that the authorized amount is captured; from now on it is neither released nor expires.
    RequestCapture {},
    /// Record that the provider captured the payment.
    Capture {},
    /// Void a payment of which the provider holds nothing yet. An authorized amount is released first:
    /// [`Command::RequestVoid`], then [`Command::RecordReleased`].
    Void {
        /// The reason.
        reason: VoidReason,
    },
    /// Request that the provider releases the authorized amount. A payment that is being captured does not expire any more.
    RequestVoid {
        /// The reason.
        reason: VoidReason,
    },
    /// Record that the provider holds nothing any more: the authorized amount was released, or refunded.
    RecordReleased {
        /// The reason.
        reason: VoidReason,
    },
    /// Reduce the amount to pay, as lines of the order were cancelled.
    Reduce {
        /// The amount that is left to pay.
        amount: Money,
    },
    /// Record that the provider did not answer the last request for a capture or a release.
    RecordNoAnswer {
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// Record that the provider did not answer about an earlier attempt whose outcome is no longer awaited.
    RecordNoAnswerOrphaned {
        /// The attempt.
        reference: ProviderReference,
        /// When to ask the provider again.
        check_at: DateTime<Utc>,
    },
    /// Record that the amount of an earlier attempt was released.
    ReleaseOrphaned {
        /// The attempt.
        reference: ProviderReference,
    },
    /// Request a refund.
    RequestRefund {
        /// The id; a new one each time.
        refund: RefundId,
        /// The amount; all that is left if absent.
        amount: Option<Money>,
        /// The reason.
        cause: RefundCause,
        /// The store credit that all of it goes to; otherwise it goes back to what paid.
        to: Option<Means>,
    },
    /// Retry a failed refund: for the same amount and cause; if the order is cancelled, for all that is left.
    RetryRefund {
        /// The failed refund.
        failed: RefundId,
        /// The id of the new refund.
        refund: RefundId,
    },
    /// Record the outcome of a refund.
    RecordRefundOutcome {
        /// The refund.
        refund: RefundId,
        /// The outcome.
        outcome: RefundOutcome,
    },
    /// Hold what a buyer disputes, as far as it is left.
    Dispute {
        /// The dispute.
        dispute: DisputeId,
        /// The amount that the buyer claims.
        amount: Money,
    },
    /// Hold nothing for a dispute any more: it was won.
    ReleaseDispute {
        /// The dispute.
        dispute: DisputeId,
    },
    /// Record that the buyer got an amount back, as the dispute was lost.
    LoseDispute {
        /// The dispute.
        dispute: DisputeId,
        /// The amount.
        amount: Money,
    },
    /// Record a refund that the provider made without being asked by the shop.
    RecordMadeElsewhere(MadeElsewhere),
    /// Record what a provider keeps of an attempt as its fee.
    RecordFee {
        /// The attempt.
        reference: ProviderReference,
        /// What it keeps in all, after what it gave back.
        total: Money,
    },
    /// Pay an amount with a gift card or store credit, which holds it in the same append.
    Cover {
        /// The amount, in place of what it paid before.
        cover: Cover,
    },
    /// Pay nothing with a gift card or store credit any more.
    Uncover {
        /// Which one.
        means: Means,
    },
    /// Choose a method that staff settles by hand.
    ChooseMethod {
        /// What the buyer is told.
        choice: Box<Choice>,
    },
    /// Record that money was received.
    RecordReceipt(Box<NewReceipt>),
    /// Record that a receipt was a mistake.
    VoidReceipt {
        /// The receipt.
        receipt: ReceiptId,
        /// The reason.
        reason: Reason,
    },
    /// Record that staff made a refund outside the shop, which no provider carries out or which the provider refused.
    SettleRefund {
        /// The refund.
        refund: RefundId,
        /// The reference of the money that went back.
        reference: Reference,
        /// The day on which it went back.
        settled_on: NaiveDate,
    },
    /// Record an imported payment, which was made outside this shop.
    Record {
        /// The order.
        order: OrderId,
        /// The amount.
        amount: Money,
        /// Its reference there.
        reference: ProviderReference,
    },
}
