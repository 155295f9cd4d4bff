//! What can be in the way of a change to a shipment.

use crate::decider::Kind;

/// What can be in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such shipment.
    #[error("there is no such shipment")]
    Missing,
    /// The id names another shipment already.
    #[error("the shipment already exists")]
    Exists,
    /// There is nothing in it.
    #[error("a shipment needs at least one line")]
    NoLines,
    /// It went nowhere.
    #[error("the shipment is cancelled")]
    Cancelled,
    /// The carrier has it.
    #[error("the shipment was already handed over")]
    HandedOver,
    /// The carrier does not have it.
    #[error("the shipment was not handed over yet")]
    NotHandedOver,
    /// It is there.
    #[error("the shipment was already delivered")]
    Delivered,
    /// It is not on its way back.
    #[error("the shipment is not on its way back")]
    NotReturning,
    /// Another carrier's number is known.
    #[error("the shipment has another tracking number")]
    OtherTracking,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::NoLines => "no_lines",
            Self::Cancelled => "cancelled",
            Self::HandedOver => "handed_over",
            Self::NotHandedOver => "not_handed_over",
            Self::Delivered => "delivered",
            Self::NotReturning => "not_returning",
            Self::OtherTracking => "other_tracking",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::NoLines => Kind::Invalid,
            Self::Exists
            | Self::Cancelled
            | Self::HandedOver
            | Self::NotHandedOver
            | Self::Delivered
            | Self::NotReturning
            | Self::OtherTracking => Kind::Conflict,
        }
    }
}
