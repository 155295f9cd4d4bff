//! What can be in the way of a change to a payment.

use super::ATTEMPTS_MAX;
use crate::decider::Kind;
use crate::ids::RefundId;
use crate::money::Money;

/// What can be in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such payment.
    #[error("there is no such payment")]
    Missing,
    /// The id names another payment already.
    #[error("the payment already exists")]
    Exists,
    /// One cannot pay less than nothing.
    #[error("the amount to pay is negative")]
    Negative,
    /// An attempt is under way.
    #[error("a payment attempt is in progress; wait for its outcome")]
    InProgress,
    /// The key was used for an earlier attempt.
    #[error("each attempt needs a reference of its own")]
    ReferenceUsed,
    /// The money is set aside or taken already.
    #[error("the payment is already authorized")]
    AlreadyAuthorized,
    /// It failed, was cancelled or is void.
    #[error("the payment is closed")]
    Closed,
    /// The news is of an attempt that is not the last one.
    #[error("the last attempt has another reference")]
    OtherAttempt,
    /// The news contradicts what is known of the attempt.
    #[error("the attempt was concluded otherwise")]
    ConcludedOtherwise,
    /// There is nothing to take.
    #[error("the payment is not authorized")]
    NotAuthorized,
    /// It is to be void, not taken.
    #[error("the payment is to be voided")]
    VoidRequested,
    /// The money is free again, or about to be.
    #[error("the authorization has expired")]
    AuthorizationExpired,
    /// The money is ours already: it can only be refunded.
    #[error("the payment is captured; it can only be refunded")]
    Captured,
    /// There is nothing to give back.
    #[error("the payment is not captured")]
    NotCaptured,
    /// There is no such refund.
    #[error("there is no such refund")]
    NoSuchRefund,
    /// The id names another refund already.
    #[error("the refund already exists")]
    RefundExists,
    /// Only what failed is tried again.
    #[error("the refund did not fail; only refused refunds can be retried")]
    NotFailed,
    /// It is tried again already.
    #[error("the refund is already being retried as {retry}")]
    RetriedAlready {
        /// As which.
        retry: RefundId,
    },
    /// One cannot give back nothing or less.
    #[error("a refund must be greater than zero and in the currency of the payment")]
    NotAnAmount,
    /// More would be given back than is left.
    #[error("only {left} is left to refund")]
    TooMuchRefunded {
        /// What can still be given back.
        left: Money,
    },
    /// The money never came through a provider of ours.
    #[error("the payment was made outside this shop and must be refunded there")]
    PaidElsewhere,
    /// There were enough attempts.
    #[error("the limit of {ATTEMPTS_MAX} payment attempts is reached")]
    TooManyAttempts,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::Negative => "negative",
            Self::InProgress => "in_progress",
            Self::ReferenceUsed => "reference_used",
            Self::AlreadyAuthorized => "already_authorized",
            Self::Closed => "closed",
            Self::OtherAttempt => "other_attempt",
            Self::ConcludedOtherwise => "concluded_otherwise",
            Self::NotAuthorized => "not_authorized",
            Self::VoidRequested => "void_requested",
            Self::AuthorizationExpired => "authorization_expired",
            Self::Captured => "captured",
            Self::NotCaptured => "not_captured",
            Self::NoSuchRefund => "no_such_refund",
            Self::RefundExists => "refund_exists",
            Self::NotFailed => "refund_not_failed",
            Self::RetriedAlready { .. } => "refund_retried",
            Self::NotAnAmount => "not_an_amount",
            Self::TooMuchRefunded { .. } => "too_much_refunded",
            Self::PaidElsewhere => "paid_elsewhere",
            Self::TooManyAttempts => "too_many_attempts",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::NoSuchRefund => Kind::Missing,
            Self::Negative | Self::NotAnAmount => Kind::Invalid,
            Self::Exists
            | Self::InProgress
            | Self::ReferenceUsed
            | Self::AlreadyAuthorized
            | Self::Closed
            | Self::OtherAttempt
            | Self::ConcludedOtherwise
            | Self::NotAuthorized
            | Self::VoidRequested
            | Self::AuthorizationExpired
            | Self::Captured
            | Self::NotCaptured
            | Self::RefundExists
            | Self::NotFailed
            | Self::RetriedAlready { .. }
            | Self::TooMuchRefunded { .. }
            | Self::PaidElsewhere
            | Self::TooManyAttempts => Kind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NotAnAmount | Self::TooMuchRefunded { .. } => Some("/amount".to_owned()),
            Self::Missing
            | Self::Exists
            | Self::Negative
            | Self::InProgress
            | Self::ReferenceUsed
            | Self::AlreadyAuthorized
            | Self::Closed
            | Self::OtherAttempt
            | Self::ConcludedOtherwise
            | Self::NotAuthorized
            | Self::VoidRequested
            | Self::AuthorizationExpired
            | Self::Captured
            | Self::NotCaptured
            | Self::NoSuchRefund
            | Self::RefundExists
            | Self::NotFailed
            | Self::RetriedAlready { .. }
            | Self::PaidElsewhere
            | Self::TooManyAttempts => None,
        }
    }
}
