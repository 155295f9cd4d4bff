//! What can be in the way of a change to a cart, its limits among it.

use crate::Currency;
use crate::ids::{CartId, OrderId};
use crate::text::Country;

/// Most lines of a cart: it is checked out in one append that reserves each of them.
pub const LINES_MAX: usize = 100;
/// Most codes of a cart: each is looked up whenever it is shown.
pub const CODES_MAX: usize = 5;
/// Most changes of a cart, each an event for good: a hundred lines, each changed twenty times. The same number of events is read
/// when a cart is shown as it was.
pub const CHANGES_MAX: u32 = 2_000;

crate::rejections! {
    /// What can be in the way.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Missing => Missing: "there is no such cart";
        Exists => Conflict: "the cart already exists";
        CheckedOut { order: OrderId } => Conflict: "the cart was checked out as the order {order}";
        Merged { cart: CartId } => Conflict: "the cart was merged into {cart}";
        Expired => Missing: "the cart was discarded or has expired";
        OtherCurrency { currency: Currency } => Invalid:
            "the cart is in {code}, and this is not for sale in it", code = currency.code();
        TooManyLines => Invalid: "a cart can have at most {LINES_MAX} lines";
        TooManyCodes => Invalid: "a cart can have at most {CODES_MAX} coupon codes";
        TooManyChanges => Conflict:
            "a cart can be changed {CHANGES_MAX} times: check it out, or discard it and start another";
        TooExpensive => Invalid: "the total of the cart is too large";
        /// Addresses from before codes were required can have such a country.
        CountryUnknown { country: Country } => Invalid:
            "`{country}` is not a country; set the address again with an ISO 3166 code such as DE";
    }
}
