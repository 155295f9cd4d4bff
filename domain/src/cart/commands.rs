//! What a cart can be asked.

use serde::{Deserialize, Serialize};

use super::events::{Destination, Line};
use crate::Currency;
use crate::ids::{AccountId, CartId, OrderId, VariantId};
use crate::promotion::CouponCode;
use crate::text::{Hash, Slug};

/// What a cart can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin, empty.
    Create {
        /// Whose it is; nobody's for a guest.
        owner: Option<AccountId>,
        /// The hash of the token that opens it.
        token_hash: Option<Hash>,
        /// The currency of all its prices.
        currency: Currency,
        /// How many days it stays with every change.
        days: u16,
    },
    /// Have so much of a variant in it: set, not added.
    SetLine(Line),
    /// Take a variant out.
    RemoveLine {
        /// The variant.
        variant: VariantId,
    },
    /// Take everything out.
    Empty {},
    /// Say where the goods would go.
    SetDestination {
        /// Where.
        destination: Destination,
    },
    /// Have these codes, and no others.
    SetCoupons {
        /// The codes.
        codes: Vec<CouponCode>,
    },
    /// Say how the goods would be sent.
    ChooseShipping {
        /// The service.
        service: Slug,
    },
    /// Take in what another cart has.
    Merge {
        /// The other cart.
        from: CartId,
        /// Its lines.
        lines: Vec<Line>,
        /// Its codes.
        codes: Vec<CouponCode>,
    },
    /// Close it, as it was put into another cart.
    MergeInto {
        /// The other cart.
        cart: CartId,
    },
    /// Give it up. Whoever asks sees to it that what a guest wrote into it is forgotten.
    Discard {},
    /// Close it as the order it became.
    Close {
        /// The order.
        order: OrderId,
    },
}
