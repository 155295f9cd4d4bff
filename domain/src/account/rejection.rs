//! What can be in the way of a command to an account.

use super::ADDRESSES_MAX;
use crate::decider::Kind;
use crate::ids::{Id as _, OrderId};
use crate::order::Number;

/// Orders that a refusal names: enough to see what it is about, as the list of orders has all of them.
const TOLD_MAX: usize = 10;

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such account, or not any more.
    #[error("there is no such account")]
    Missing,
    /// The id names another account already.
    #[error("the account already exists")]
    Exists,
    /// The code was never given out, was used, or another took its place.
    #[error("the code is invalid; request a new one")]
    InvalidCode,
    /// The code was good once.
    #[error("the code has expired; request a new one")]
    CodeExpired,
    /// Nobody has shown yet that the address is theirs.
    #[error("the e-mail address is not confirmed yet")]
    NotConfirmed,
    /// It cannot be used.
    #[error("the account is banned")]
    Banned,
    /// The password was changed while somebody used the old one.
    #[error("the password has been changed in the meantime")]
    PasswordChanged,
    /// Another change of the address was asked for a moment ago.
    #[error("an e-mail change was requested less than a minute ago; try again later")]
    EmailChangeTooSoon,
    /// Somebody else has the address by now.
    #[error("the address belongs to another account")]
    EmailTaken,
    /// The address book is full.
    #[error("an address book can have at most {ADDRESSES_MAX} addresses")]
    TooManyAddresses,
    /// There is no such address in the address book.
    #[error("there is no such address in the address book")]
    NoSuchAddress,
    /// One may not do this to oneself: the last admin would be nobody.
    #[error("you cannot do this to your own account")]
    OwnAccount,
    /// A log-in takes a code beside the password.
    #[error(
        "this account has a second factor: send its code as `code`, or one of its recovery codes as `recovery_code`"
    )]
    SecondFactorRequired,
    /// The second factor is not the one that the code was compared with.
    #[error("the second factor has changed in the meantime; try again")]
    SecondFactorChanged,
    /// A code counts once.
    #[error("this code was used already; wait up to 30 seconds for the next one")]
    CodeUsed,
    /// No secret waits for its first code.
    #[error("no second factor is waiting to be confirmed, or the enrolment has expired; enrol again")]
    NoEnrolment,
    /// There is one.
    #[error("the account already has a second factor; remove it before you enrol another")]
    SecondFactorExists,
    /// Goods that were paid for are still to arrive, and only the account says where.
    #[error(
        "these orders are paid and not delivered, and their delivery address would be lost: {}; wait until they are \
         delivered or cancel them, then close the account",
        told(.orders)
    )]
    OrdersUnderWay {
        /// The orders.
        orders: Vec<OrderId>,
    },
}

/// The orders by their numbers and ids, the first ones of them.
fn told(orders: &[OrderId]) -> String {
    let name = |order: &OrderId| format!("{} ({order})", Number::of(order.uuid()));
    let some: Vec<String> = orders.iter().take(TOLD_MAX).map(name).collect();
    let more = if orders.len() > TOLD_MAX { " and more" } else { "" };
    format!("{}{more}", some.join(", "))
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::InvalidCode => "invalid_code",
            Self::CodeExpired => "code_expired",
            Self::NotConfirmed => "not_confirmed",
            Self::Banned => "banned",
            Self::PasswordChanged => "password_changed",
            Self::EmailChangeTooSoon => "email_change_too_soon",
            Self::EmailTaken => "email_taken",
            Self::TooManyAddresses => "too_many_addresses",
            Self::NoSuchAddress => "no_such_address",
            Self::OwnAccount => "own_account",
            Self::SecondFactorRequired => "second_factor_required",
            Self::SecondFactorChanged => "second_factor_changed",
            Self::CodeUsed => "code_used",
            Self::NoEnrolment => "no_enrolment",
            Self::SecondFactorExists => "second_factor_exists",
            Self::OrdersUnderWay { .. } => "orders_under_way",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::NoSuchAddress => Kind::Missing,
            Self::Exists
            | Self::PasswordChanged
            | Self::EmailChangeTooSoon
            | Self::EmailTaken
            | Self::TooManyAddresses
            | Self::OwnAccount
            | Self::SecondFactorChanged
            | Self::NoEnrolment
            | Self::SecondFactorExists
            | Self::OrdersUnderWay { .. } => Kind::Conflict,
            Self::InvalidCode | Self::CodeExpired => Kind::Invalid,
            Self::NotConfirmed | Self::Banned | Self::SecondFactorRequired | Self::CodeUsed => Kind::Forbidden,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::InvalidCode | Self::CodeExpired => Some("/code".to_owned()),
            Self::Missing
            | Self::Exists
            | Self::NotConfirmed
            | Self::Banned
            | Self::PasswordChanged
            | Self::EmailChangeTooSoon
            | Self::EmailTaken
            | Self::TooManyAddresses
            | Self::NoSuchAddress
            | Self::OwnAccount
            | Self::SecondFactorRequired
            | Self::SecondFactorChanged
            | Self::CodeUsed
            | Self::NoEnrolment
            | Self::SecondFactorExists
            | Self::OrdersUnderWay { .. } => None,
        }
    }
}
