//! Why the stock refuses a command, and its limit.

use crate::quantity::Quantity;

/// The maximum number of pieces on hand: a thousand of the largest movements, far from overflow.
pub const ON_HAND_MAX: i64 = 1_000_000_000;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "the variant has no stock";
        Exists => Conflict: "the stock is already open";
        NotEnough { available: i64 } => Conflict: "only {available} are available";
        Reserved { reserved: i64 } => Conflict: "{reserved} are reserved by orders; release those first";
        ReservedOtherwise { quantity: Quantity } => Conflict: "the order has already reserved {quantity}";
        NotReserved => Conflict: "the order has reserved nothing";
        KeysPooled => Conflict: "the pieces of this variant are the keys of its pool; import or withdraw keys instead";
        NoKeyPool => Conflict: "the variant has no pool of keys";
        NotEmpty => Conflict: "pieces are on hand that are no keys; count the stock to 0 before keys are imported";
        Unlimited => Conflict: "the variant is sold without a stock; count its pieces first, to keep one";
        Downloadable => Conflict: "the variant is delivered as a download, so it cannot become a physical item";
        OutOfRange => Invalid: "the quantity on hand must be between 0 and {ON_HAND_MAX}";
    }
}
