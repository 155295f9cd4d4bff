//! Why an account refuses a command, and its limits.

use chrono::TimeDelta;

use crate::ids::{Id as _, OrderId, SellerId};
use crate::order::Number;

/// The maximum number of addresses of one address book.
pub const ADDRESSES_MAX: usize = 50;
/// The maximum number of sellers that an account is a member of: the list of its own sellers is read whole.
pub const SELLERS_MAX: usize = 50;
/// The maximum number of applications of an account within [`APPLICATION_WINDOW`]: each claims a handle and waits for an admin.
pub const APPLICATIONS_MAX: usize = 5;
/// The window in which applications are counted.
pub const APPLICATION_WINDOW: TimeDelta = TimeDelta::days(30);
/// The maximum number of orders that a refusal names; the list of orders has all of them.
const TOLD_MAX: usize = 10;

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Rejection {
        Missing => Missing: "there is no such account";
        Exists => Conflict: "the account already exists";
        /// The code is not one that was issued, was used, or was replaced by another one.
        InvalidCode => Invalid at "/code": "the code is invalid; request a new one";
        CodeExpired => Invalid at "/code": "the code has expired; request a new one";
        NotConfirmed => Forbidden: "the e-mail address is not confirmed yet";
        Banned => Forbidden: "the account is banned";
        PasswordChanged => Conflict: "the password has been changed in the meantime";
        EmailChangeTooSoon => Conflict: "an e-mail change was requested less than a minute ago; try again later";
        EmailTaken => Conflict: "the address belongs to another account";
        TooManyAddresses => Conflict: "an address book can have at most {ADDRESSES_MAX} addresses";
        NoSuchAddress => Missing: "there is no such address in the address book";
        /// Keeps the last admin from ending their own role.
        OwnAccount => Conflict: "you cannot do this to your own account";
        SecondFactorRequired => Forbidden:
            "this account has a second factor: send its code as `code`, or one of its recovery codes as \
             `recovery_code`";
        /// The secret is not the one that the code was checked with.
        SecondFactorChanged => Conflict: "the second factor has changed in the meantime; try again";
        CodeUsed => Forbidden: "this code was used already; wait up to 30 seconds for the next one";
        NoEnrolment => Conflict:
            "no second factor is waiting to be confirmed, or the enrolment has expired; enrol again";
        SecondFactorExists => Conflict: "the account already has a second factor; remove it before you enrol another";
        OrdersUnderWay { orders: Vec<OrderId> } => Conflict:
            "these orders are paid and not delivered, and their delivery address would be lost: {orders}; wait until \
             they are delivered or cancel them, then close the account",
            orders = told(orders);
        OrdersDisputed { orders: Vec<OrderId> } => Conflict:
            "payments of these orders are disputed, and the answers of the shop would be lost: {orders}; wait until the \
             disputes have ended, then close the account",
            orders = told(orders);
        TooManyApplications => Conflict: "an account can apply to sell at most {APPLICATIONS_MAX} times in 30 days";
        TooManySellers => Conflict: "an account can be a member of at most {SELLERS_MAX} sellers; leave one first";
        SellersOwned { sellers: Vec<SellerId> } => Conflict:
            "the account is the only owner of {sellers}: close these sellers or make another member an owner, then close \
             the account",
            sellers = sellers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    }
}

/// The first orders, by their numbers and ids.
fn told(orders: &[OrderId]) -> String {
    let name = |order: &OrderId| format!("{} ({order})", Number::of(order.uuid()));
    let some: Vec<String> = orders.iter().take(TOLD_MAX).map(name).collect();
    let more = if orders.len() > TOLD_MAX { " and more" } else { "" };
    format!("{}{more}", some.join(", "))
}
