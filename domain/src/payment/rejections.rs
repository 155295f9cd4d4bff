//! Why a payment refuses a command, and its limit.

use chrono::NaiveDate;

use crate::ids::{ReceiptId, RefundId};
use crate::money::Money;

/// The maximum number of attempts, including those that the buyer left or the provider failed: more than a buyer needs, and few
/// enough to be read whole each time.
pub const ATTEMPTS_MAX: u8 = 20;
/// The maximum number of choices of a manual method: each sends a mail.
pub const CHOICES_MAX: u8 = 10;
/// The maximum number of receipts, including voided ones: far more instalments than a buyer pays in, and few enough to be read
/// whole each time.
pub const RECEIPTS_MAX: usize = 100;
/// The maximum amount that a payment receives, unless it is larger itself, in the smallest unit: a billion euros. More is a typo, and
/// would not fit into the sums of the ledger.
pub const RECEIVED_MAX: i64 = 100_000_000_000;
/// The maximum number of gift cards that pay one order: more than people collect, and few enough to be read whole each time.
pub const CARDS_MAX: usize = 10;
/// The maximum number of open disputes of one payment: providers open one for a capture.
pub const DISPUTES_MAX: usize = 10;
/// The number of days after which money is not recorded any more as received or returned: earlier days are typos.
pub const DAYS_AGO_MAX: i64 = 366;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such payment";
        Exists => Conflict: "the payment already exists";
        Negative => Invalid: "the amount to pay is negative";
        InProgress => Conflict: "a payment attempt is in progress; wait for its outcome";
        ReferenceUsed => Conflict: "each attempt needs a reference of its own";
        AlreadyAuthorized => Conflict: "the payment is already authorized";
        Closed => Conflict: "the payment is closed";
        OtherAttempt => Conflict: "the last attempt has another reference";
        ConcludedOtherwise => Conflict: "the attempt already has another outcome";
        NotAuthorized => Conflict: "the payment is not authorized";
        VoidRequested => Conflict: "the void of the payment is already requested";
        AuthorizationExpired => Conflict: "the authorization has expired";
        Captured => Conflict: "the payment is captured; it can only be refunded";
        NotCaptured => Conflict: "the payment is not captured";
        NoSuchRefund => Missing: "there is no such refund";
        RefundExists => Conflict: "the refund already exists";
        NotFailed as "refund_not_failed" => Conflict: "the refund did not fail; only refused refunds can be retried";
        RetriedAlready { retry: RefundId } as "refund_retried" => Conflict:
            "the refund is already being retried as {retry}";
        NotAnAmount => Invalid at "/amount": "the amount must be greater than zero and in the currency of the payment";
        TooMuchRefunded { left: Money } => Conflict at "/amount": "only {left} is left to refund";
        PaidElsewhere => Conflict: "the payment was made outside this shop and must be refunded there";
        OnDelivery as "paid_on_delivery" => Conflict:
            "the order is paid on delivery; to pay in another way, cancel the order and order again";
        PartlyReceived => Conflict:
            "money was received for this payment already: pay the rest in the same way, or ask the shop";
        TooManyChoices => Conflict: "the method of payment was changed {CHOICES_MAX} times already; ask the shop";
        NotAReceipt => Invalid at "/amount":
            "a receipt must be of an amount greater than zero, in the currency of the payment";
        MoreThanDue { due: Money } => Conflict at "/amount":
            "only {due} is due: correct the amount, or, if more was really received, send `surplus: true`; the rest is then listed \
             as a refund to settle";
        TooMuchReceived { most: Money } => Invalid at "/amount": "a payment can receive at most {most} in all";
        ReceivedLongAgo { received_on: NaiveDate } => Invalid at "/received_on":
            "{received_on} is more than {DAYS_AGO_MAX} days ago";
        ReceivedInFuture { received_on: NaiveDate } => Invalid at "/received_on": "{received_on} is in the future";
        ReferenceReceived { receipt: ReceiptId } => Conflict at "/reference":
            "the receipt {receipt} has this reference already; money counts once";
        TooManyReceipts => Conflict: "a payment has at most {RECEIPTS_MAX} receipts";
        NoSuchReceipt => Missing: "there is no such receipt";
        ReceiptInUse => Conflict:
            "the receipt cannot be voided any more, as the payment is no longer open; if the money never came, refund it and settle \
             that refund with a reference that says so";
        RefundInProgress => Conflict: "the provider carries out this refund; it can be settled only if the provider refuses it";
        RefundDone => Conflict: "the refund is done already";
        SettledLongAgo { settled_on: NaiveDate } => Invalid at "/settled_on":
            "{settled_on} is more than {DAYS_AGO_MAX} days ago";
        SettledInFuture { settled_on: NaiveDate } => Invalid at "/settled_on": "{settled_on} is in the future";
        NothingToCover => Conflict: "nothing is left to pay of this order";
        MoreThanLeft { left: Money } => Conflict at "/amount": "only {left} is left to pay";
        TooManyCards => Conflict: "an order is paid with at most {CARDS_MAX} gift cards";
        NotCovered => Missing: "this gift card or store credit pays nothing of the order";
        Disputed { held: Money } => Conflict:
            "a dispute holds {held} of this payment: wait until it is decided, or accept it";
        TooMuchDisputed { most: Money } => Invalid at "/amount":
            "a dispute is of an amount greater than zero and at most {most}, what was captured in money";
        TooManyDisputes => Conflict: "a payment has at most {DISPUTES_MAX} open disputes";
        TooManyAttempts => Conflict: "the limit of {ATTEMPTS_MAX} payment attempts is reached";
    }
}
