//! Why a payment refuses a command, and its limit.

use crate::ids::RefundId;
use crate::money::Money;

/// The maximum number of attempts, including those that the buyer left or the provider failed: more than a buyer needs, and few
/// enough to be read whole each time.
pub const ATTEMPTS_MAX: u8 = 20;

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
        NotAnAmount => Invalid at "/amount": "a refund must be greater than zero and in the currency of the payment";
        TooMuchRefunded { left: Money } => Conflict at "/amount": "only {left} is left to refund";
        PaidElsewhere => Conflict: "the payment was made outside this shop and must be refunded there";
        TooManyAttempts => Conflict: "the limit of {ATTEMPTS_MAX} payment attempts is reached";
    }
}
