//! The commands of a cart.

use serde::{Deserialize, Serialize};

use super::events::{Destination, Line};
use crate::Currency;
use crate::ids::{AccountId, CartId, OrderId, SellerId, VariantId};
use crate::promotion::CouponCode;
use crate::text::{Hash, Slug};

/// A command to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create an empty cart.
    Create {
        /// The account of its owner; absent for a guest.
        owner: Option<AccountId>,
        /// The hash of the cart token.
        token_hash: Option<Hash>,
        /// The currency of all its prices.
        currency: Currency,
        /// For how many days a change extends it.
        days: u16,
    },
    /// Set the line of a variant; its quantity is not added to the previous one.
    SetLine(Line),
    /// Remove a variant.
    RemoveLine {
        /// The variant.
        variant: VariantId,
    },
    /// Remove all lines.
    Empty {},
    /// Set the destination of the goods.
    SetDestination {
        /// The destination.
        destination: Destination,
    },
    /// Set the coupon codes; they replace the previous ones.
    SetCoupons {
        /// The codes.
        codes: Vec<CouponCode>,
    },
    /// Choose the shipping service.
    ChooseShipping {
        /// The service.
        service: Slug,
        /// The seller whose own service it is; none if it is the house's.
        seller: Option<SellerId>,
    },
    /// Merge the contents of another cart into it.
    Merge {
        /// The other cart.
        from: CartId,
        /// Its lines.
        lines: Vec<Line>,
        /// Its coupon codes.
        codes: Vec<CouponCode>,
    },
    /// Close it, as it is merged into another cart.
    MergeInto {
        /// The other cart.
        cart: CartId,
    },
    /// Discard it. The caller has to erase the data that a guest entered in it.
    Discard {},
    /// Close it, as it becomes an order.
    Close {
        /// The order.
        order: OrderId,
    },
}
