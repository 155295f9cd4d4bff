//! What can be in the way of a change to an order.

use super::{LINES_MAX, NOTES_MAX};
use crate::decider::Kind;
use crate::ids::VariantId;
use crate::money::Money;

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is no such order.
    #[error("there is no such order")]
    Missing,
    /// The id names another order already.
    #[error("the order already exists")]
    Exists,
    /// There is nothing in it.
    #[error("name at least one line")]
    NoLines,
    /// There is too much in it.
    #[error("an order can have at most {LINES_MAX} lines, and the total quantity of a variant must not overflow")]
    TooManyLines,
    /// A line does not cost its price times its quantity.
    #[error("the amount of line {line} is not its price times its quantity, or its discount is wrong")]
    WrongAmount {
        /// The index of the line, from 0.
        line: usize,
    },
    /// The total is not the sum of the lines and the shipping.
    #[error("the total is not the sum of the lines and the shipping in one currency")]
    WrongTotal,
    /// It is paid for, by another payment.
    #[error("the order is already paid")]
    AlreadyPaid,
    /// It is not paid for.
    #[error("the order is not paid")]
    NotPaid,
    /// It is off.
    #[error("the order is cancelled or has expired")]
    Cancelled,
    /// It is not off, so nothing is due back.
    #[error("the order is not cancelled")]
    NotCancelled,
    /// The payment is of another order.
    #[error("the payment belongs to another order")]
    OtherPayment,
    /// The goods are handed over.
    #[error(
        "goods of the order are handed over: cancel only `lines` that are not, and take the others back in a return"
    )]
    AlreadyFulfilled,
    /// Everything is handed over, so there is nothing to put in a parcel.
    #[error("everything in the order is packed, handed over or cancelled; nothing is left to ship")]
    NothingToSend,
    /// There is nothing in the parcel.
    #[error("a parcel needs at least one piece; omit `lines` to pack everything that is left")]
    EmptyParcel,
    /// The goods are not handed over.
    #[error("nothing was handed over yet, so nothing can be returned; cancel the order or some of its lines instead")]
    NotFulfilled,
    /// More comes back than was bought.
    #[error("only {left} of {variant} can still be returned")]
    TooManyReturned {
        /// Of what.
        variant: VariantId,
        /// What can still come back.
        left: i64,
    },
    /// More returns were asked for than anybody means.
    #[error("too many returns were requested; contact the shop")]
    TooManyReturns,
    /// What was lost and replaced is there.
    #[error("a lost parcel arrived after it was replaced; contact the shop")]
    ArrivedAfterAll,
    /// A parcel of it is packed or under way.
    #[error("a parcel of the order is packed or in transit")]
    BeingShipped,
    /// The money is set aside, and not taken yet.
    #[error("the payment is authorized but not captured; capture it first, or cancel the whole order")]
    AwaitingCapture,
    /// What is left would not have got its discount.
    #[error("a discount depends on the whole order; cancel the whole order, or contact the shop")]
    DiscountOfWhole,
    /// More is called off than can be.
    #[error("only {left} of {variant} can still be cancelled")]
    TooManyCancelled {
        /// Of what.
        variant: VariantId,
        /// What can still be called off.
        left: i64,
    },
    /// Everything would be off.
    #[error("nothing would be left of the order; cancel the whole order instead")]
    NothingLeft,
    /// More is packed than is to be.
    #[error("only {left} of {variant} can still be packed")]
    TooManyShipped {
        /// Of what.
        variant: VariantId,
        /// What can still be packed.
        left: i64,
    },
    /// There is no such parcel.
    #[error("the order has no such parcel")]
    NoSuchParcel,
    /// The parcel is on its way already, or back.
    #[error("the parcel was already handed over")]
    ParcelGone,
    /// The parcel is not on its way.
    #[error("the parcel is not in transit")]
    ParcelHere,
    /// Pieces of the parcel came back with a return, or are to.
    #[error("a return for the contents of this parcel is open or was received; reject it first")]
    ParcelReturning,
    /// Pieces of it were lost on their way.
    #[error("pieces of the order were lost in transit; pack them again or cancel them")]
    PiecesLost,
    /// There is no such return.
    #[error("the order has no such return")]
    NoSuchReturn,
    /// The goods have been there for too long.
    #[error("the return window has closed")]
    ReturnWindowPassed,
    /// There are enough notes.
    #[error("an order can have at most {NOTES_MAX} notes")]
    TooManyNotes,
    /// Its money and goods are an older system's.
    #[error("the order belongs to an older system, which handles its shipping and returns")]
    Imported,
    /// Its buyer is no guest.
    #[error("the buyer is not a guest; close their account instead, if they have one")]
    NotOfGuest,
    /// It is paid for or to be paid, and has not arrived.
    #[error(
        "the order is not delivered yet and needs the data of its buyer; wait until it is delivered or cancel it, then erase \
         its buyer"
    )]
    UnderWay,
    /// More is paid back than was paid.
    #[error("the refund exceeds what is left of the payment")]
    TooMuchRefunded,
    /// More is paid back for sending than was paid for it.
    #[error("only {left} of the shipping can still be refunded")]
    TooMuchShipping {
        /// What can still be given back.
        left: Money,
    },
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::NoLines => "no_lines",
            Self::TooManyLines => "too_many_lines",
            Self::WrongAmount { .. } => "wrong_amount",
            Self::WrongTotal => "wrong_total",
            Self::AlreadyPaid => "already_paid",
            Self::NotPaid => "not_paid",
            Self::Cancelled => "cancelled",
            Self::NotCancelled => "not_cancelled",
            Self::OtherPayment => "other_payment",
            Self::AlreadyFulfilled => "already_fulfilled",
            Self::NothingToSend => "nothing_to_send",
            Self::EmptyParcel => "empty_parcel",
            Self::NotFulfilled => "not_fulfilled",
            Self::TooManyReturned { .. } => "too_many_returned",
            Self::BeingShipped => "being_shipped",
            Self::AwaitingCapture => "awaiting_capture",
            Self::DiscountOfWhole => "discount_of_whole",
            Self::TooManyReturns => "too_many_returns",
            Self::ArrivedAfterAll => "arrived_after_all",
            Self::TooManyCancelled { .. } => "too_many_cancelled",
            Self::NothingLeft => "nothing_left",
            Self::TooManyShipped { .. } => "too_many_shipped",
            Self::NoSuchParcel => "no_such_parcel",
            Self::ParcelGone => "parcel_gone",
            Self::ParcelHere => "parcel_here",
            Self::ParcelReturning => "parcel_returning",
            Self::PiecesLost => "pieces_lost",
            Self::NoSuchReturn => "no_such_return",
            Self::ReturnWindowPassed => "return_window_passed",
            Self::TooManyNotes => "too_many_notes",
            Self::Imported => "imported",
            Self::NotOfGuest => "not_of_guest",
            Self::UnderWay => "under_way",
            Self::TooMuchRefunded => "too_much_refunded",
            Self::TooMuchShipping { .. } => "too_much_shipping",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::NoSuchParcel | Self::NoSuchReturn => Kind::Missing,
            Self::Exists
            | Self::AlreadyPaid
            | Self::NotPaid
            | Self::Cancelled
            | Self::NotCancelled
            | Self::OtherPayment
            | Self::AlreadyFulfilled
            | Self::NothingToSend
            | Self::NotFulfilled
            | Self::TooManyReturned { .. }
            | Self::BeingShipped
            | Self::AwaitingCapture
            | Self::DiscountOfWhole
            | Self::TooManyReturns
            | Self::ArrivedAfterAll
            | Self::TooManyCancelled { .. }
            | Self::NothingLeft
            | Self::TooManyShipped { .. }
            | Self::ParcelGone
            | Self::ParcelHere
            | Self::ParcelReturning
            | Self::PiecesLost
            | Self::ReturnWindowPassed
            | Self::TooManyNotes
            | Self::Imported
            | Self::NotOfGuest
            | Self::UnderWay
            | Self::TooMuchRefunded
            | Self::TooMuchShipping { .. } => Kind::Conflict,
            Self::NoLines | Self::EmptyParcel | Self::TooManyLines | Self::WrongAmount { .. } | Self::WrongTotal => {
                Kind::Invalid
            }
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::NoLines
            | Self::EmptyParcel
            | Self::TooManyLines
            | Self::TooManyReturned { .. }
            | Self::DiscountOfWhole
            | Self::TooManyCancelled { .. }
            | Self::TooManyShipped { .. } => Some("/lines".to_owned()),
            Self::WrongAmount { line } => Some(format!("/lines/{line}/amount")),
            Self::WrongTotal => Some("/total".to_owned()),
            Self::TooMuchShipping { .. } => Some("/shipping".to_owned()),
            Self::Missing
            | Self::Exists
            | Self::AlreadyPaid
            | Self::NotPaid
            | Self::Cancelled
            | Self::NotCancelled
            | Self::OtherPayment
            | Self::AlreadyFulfilled
            | Self::NothingToSend
            | Self::NotFulfilled
            | Self::BeingShipped
            | Self::AwaitingCapture
            | Self::NothingLeft
            | Self::NoSuchParcel
            | Self::ParcelGone
            | Self::ParcelHere
            | Self::ParcelReturning
            | Self::PiecesLost
            | Self::NoSuchReturn
            | Self::TooManyReturns
            | Self::ArrivedAfterAll
            | Self::ReturnWindowPassed
            | Self::TooManyNotes
            | Self::Imported
            | Self::NotOfGuest
            | Self::UnderWay
            | Self::TooMuchRefunded => None,
        }
    }
}
