//! Why an order refuses a command, and its limits.

use crate::ids::VariantId;
use crate::money::Money;

/// The maximum number of lines of an order: wholesale invoices reach some hundreds, and one event must stay small enough to
/// deliver.
pub const LINES_MAX: usize = 2_000;
/// The maximum number of keys that are shown at once: a page that people can read, and a response of some 500 KB with the longest.
pub const KEYS_SHOWN_MAX: i64 = 1_000;
/// The maximum number of gift cards of an order: the append of the payment writes a stream for each.
pub const GIFT_CARDS_MAX: i64 = 200;
/// The maximum number of notes of an order: its state is read whole each time.
pub const NOTES_MAX: usize = 100;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such order";
        Exists => Conflict: "the order already exists";
        NoLines => Invalid at "/lines": "name at least one line";
        TooManyLines => Invalid at "/lines":
            "an order can have at most {LINES_MAX} lines, and the total quantity of a variant must not overflow";
        TooManyGiftCards => Invalid at "/lines": "an order can have at most {GIFT_CARDS_MAX} gift cards";
        WrongAmount { line: usize } => Invalid at "/lines/{line}/amount":
            "the amount of line {line} is not its price times its quantity, or its discount is wrong";
        WrongTotal => Invalid at "/total": "the total is not the sum of the lines and the shipping in one currency";
        AlreadyPaid => Conflict: "the order is already paid";
        NotPaid => Conflict: "the order is not paid";
        Cancelled => Conflict: "the order is cancelled or has expired";
        NotCancelled => Conflict: "the order is not cancelled";
        OtherPayment => Conflict: "the payment belongs to another order";
        AlreadyFulfilled => Conflict:
            "goods of the order are handed over: cancel only `lines` that are not, and take the others back in a \
             return";
        NothingToSend => Conflict:
            "everything in the order is packed, handed over or cancelled; nothing is left to ship";
        EmptyParcel => Invalid at "/lines":
            "a parcel needs at least one piece; omit `lines` to pack everything that is left";
        NotFulfilled => Conflict:
            "nothing was handed over yet, so nothing can be returned; cancel the order or some of its lines instead";
        TooManyReturned { variant: VariantId, left: i64 } => Conflict at "/lines":
            "only {left} of {variant} can still be returned";
        GiftCardsNotReturned => Conflict at "/lines":
            "gift cards are not sent back; the shop refunds what is left of them";
        GiftCardsHold { left: Money } => Conflict at "/amount":
            "the gift cards among `lines` still hold {left}: refund at least that";
        TooMuchBesideGiftCards { left: Money } => Conflict at "/amount":
            "only {left} can be refunded so: name the lines of gift cards to take them back, and what was spent of them stays paid";
        PartNeeded => Conflict at "/part":
            "the order has gift cards and several parts: name the part, or lines of it";
        TooManyReturns => Conflict: "too many returns were requested; contact the shop";
        ArrivedAfterAll => Conflict: "a lost parcel arrived after it was replaced; contact the shop";
        BeingShipped => Conflict: "a parcel of the order is packed or in transit";
        AwaitingCapture => Conflict:
            "the payment is authorized but not captured; capture it first, or cancel the whole order";
        DiscountOfWhole => Conflict at "/lines":
            "a discount depends on the whole order; cancel the whole order, or contact the shop";
        TooManyCancelled { variant: VariantId, left: i64 } => Conflict at "/lines":
            "only {left} of {variant} can still be cancelled";
        SeveralParts => Invalid at "/lines":
            "the lines belong to several parts of the order, which are of different sellers; name the lines of one part";
        NoSuchPart => Invalid at "/part": "the order has no such part";
        TooMuchOfPart { left: Money } => Conflict at "/amount": "only {left} of this part of the order can still be refunded";
        NothingLeft => Conflict: "nothing would be left of the order; cancel the whole order instead";
        TooManyShipped { variant: VariantId, left: i64 } => Conflict at "/lines":
            "only {left} of {variant} can still be packed";
        NoSuchParcel => Missing: "the order has no such parcel";
        ParcelGone => Conflict: "the parcel was already handed over";
        ParcelHere => Conflict: "the parcel is not in transit";
        ParcelReturning => Conflict:
            "a return for the contents of this parcel is open or was received; reject it first";
        PiecesLost => Conflict: "pieces of the order were lost in transit; pack them again or cancel them";
        NoSuchReturn => Missing: "the order has no such return";
        ReturnWindowPassed => Conflict: "the return window has closed";
        TooManyNotes => Conflict: "an order can have at most {NOTES_MAX} notes";
        NoKeys => Conflict: "the order has no such keys: it is not paid, they were given back, or these goods have none";
        KeysOfBuyer => Forbidden: "keys are shown to the buyer of the order alone, and not to staff";
        TooManyKeys { variant: VariantId, left: i64 } => Conflict at "/lines":
            "only {left} keys or downloads of {variant} can still be revoked";
        KeysInTurn { revealed: i64 } => Conflict at "/from":
            "keys are revealed in their order, and {revealed} are revealed so far";
        Imported => Conflict: "the order belongs to an older system, which handles its shipping and returns";
        NotOfGuest => Conflict: "the buyer is not a guest; close their account instead, if they have one";
        UnderWay => Conflict:
            "the order is not delivered yet and needs the data of its buyer; wait until it is delivered or cancel \
             it, then erase its buyer";
        Disputed => Conflict:
            "the payment of the order is disputed, and the answers of the shop would be lost with the data of its buyer; wait \
             until the dispute has ended, then erase its buyer";
        WindowOpen as "payment_window_open" => Conflict: "the order can still be paid";
        TooMuchRefunded => Conflict: "the refund exceeds what is left of the payment";
        TooMuchShipping { left: Money } => Conflict at "/shipping": "only {left} of the shipping can still be refunded";
    }
}
