//! What can be in the way of a change to a cart.

use super::{CHANGES_MAX, CODES_MAX, LINES_MAX};
use crate::Currency;
use crate::decider::Kind;
use crate::ids::{CartId, OrderId};
use crate::text::Country;

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is no such cart.
    #[error("there is no such cart")]
    Missing,
    /// The id names another cart already.
    #[error("the cart already exists")]
    Exists,
    /// It became an order.
    #[error("the cart was checked out as the order {order}")]
    CheckedOut {
        /// The order.
        order: OrderId,
    },
    /// It was put into another cart.
    #[error("the cart was merged into {cart}")]
    Merged {
        /// The other cart.
        cart: CartId,
    },
    /// Nobody changed it for so long that it was given up, or somebody discarded it.
    #[error("the cart was discarded or has expired")]
    Expired,
    /// A line is priced otherwise.
    #[error("the cart is in {}, and this is not for sale in it", currency.code())]
    OtherCurrency {
        /// The cart's currency.
        currency: Currency,
    },
    /// There are too many lines.
    #[error("a cart can have at most {LINES_MAX} lines")]
    TooManyLines,
    /// There are too many codes.
    #[error("a cart can have at most {CODES_MAX} coupon codes")]
    TooManyCodes,
    /// It was changed too often.
    #[error("a cart can be changed {CHANGES_MAX} times: check it out, or discard it and start another")]
    TooManyChanges,
    /// The sum does not fit.
    #[error("the total of the cart is too large")]
    TooExpensive,
    /// The country is not named by its code, as in addresses from before codes were asked for.
    #[error("`{country}` is not a country; set the address again with an ISO 3166 code such as DE")]
    CountryUnknown {
        /// What stands there.
        country: Country,
    },
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::CheckedOut { .. } => "checked_out",
            Self::Merged { .. } => "merged",
            Self::Expired => "expired",
            Self::OtherCurrency { .. } => "other_currency",
            Self::TooManyLines => "too_many_lines",
            Self::TooManyCodes => "too_many_codes",
            Self::TooManyChanges => "too_many_changes",
            Self::TooExpensive => "too_expensive",
            Self::CountryUnknown { .. } => "country_unknown",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::Expired => Kind::Missing,
            Self::Exists | Self::CheckedOut { .. } | Self::Merged { .. } | Self::TooManyChanges => Kind::Conflict,
            Self::OtherCurrency { .. }
            | Self::TooManyLines
            | Self::TooManyCodes
            | Self::TooExpensive
            | Self::CountryUnknown { .. } => Kind::Invalid,
        }
    }
}
