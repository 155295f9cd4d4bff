//! What an account can be asked.

use super::events::Grant;
use super::person::{Client, Profile, Role, Secret, Settings};
use super::second_factor::{self, Proof};
use crate::address::Address;
use crate::ids::{AddressId, OrderId, SessionId};
use crate::text::{Email, Hash, Reason};
use crate::{Locale, Personal};

/// What an account can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin.
    Register {
        /// Where its mails go.
        email: Personal<Email>,
        /// The hash of the password.
        password: Personal<Secret>,
        /// The language of its owner.
        locale: Locale,
    },
    /// Tell its owner that somebody registered with their address.
    NoteRegistration {},
    /// Make a code that proves that the address is theirs; nothing when there is no need, or the last one is new.
    RequestConfirmation {
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// The code was shown.
    Confirm {
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Count the address as confirmed, by the word of whoever runs the shop.
    ConfirmByHand {},
    /// Take note that somebody else wants the address too, which nobody has confirmed; its owner gets a code that sets a
    /// password.
    Contest {
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Make a code that lets its bearer set a new password; nothing when the last one is new.
    RequestReset {
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Set a new password with the code.
    ResetPassword {
        /// The code's hash.
        code_hash: Hash,
        /// The hash of the new password.
        password: Personal<Secret>,
    },
    /// Set a new password, knowing the old one.
    ChangePassword {
        /// Which password was shown: [`Open::passwords`](super::Open::passwords) as it was looked at.
        seen: u32,
        /// The hash of the new password.
        password: Personal<Secret>,
    },
    /// Make a code that proves that another address is its owner's.
    RequestEmailChange {
        /// Which password was shown.
        seen: u32,
        /// The new address.
        email: Personal<Email>,
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Take the other address: its code was shown.
    ChangeEmail {
        /// The code's hash.
        code_hash: Hash,
    },
    /// Keep the same password under another hash.
    Rehash {
        /// Which password was hashed.
        seen: u32,
        /// The hash of the password.
        password: Personal<Secret>,
    },
    /// Begin a session: the password was right.
    LogIn {
        /// Which password was shown.
        seen: u32,
        /// The session.
        session: SessionId,
        /// The code that was shown beside the password, if one was.
        proof: Option<Proof>,
    },
    /// Accept the password, and a code beside it where one is asked for, from somebody who is logged in already.
    Prove {
        /// Which password was shown.
        seen: u32,
        /// The code, if one was shown.
        proof: Option<Proof>,
    },
    /// Set up, remove or reset the second factor.
    SecondFactor(second_factor::Command),
    /// Note that a program was given access.
    RecordGrant {
        /// What.
        grant: Grant,
    },
    /// Note that a session has ended.
    LogOut {
        /// The session.
        session: SessionId,
    },
    /// Note that the password was wrong.
    FailLogin {
        /// From where.
        client: Personal<Client>,
    },
    /// Let its owner do other things.
    SetRole {
        /// What.
        role: Role,
    },
    /// Say other things of oneself.
    ChangeProfile {
        /// What.
        profile: Personal<Profile>,
    },
    /// Be served otherwise.
    ChangeSettings {
        /// How.
        settings: Settings,
    },
    /// Add an address to the address book.
    AddAddress {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// Put another address in the place of one.
    ChangeAddress {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// Take an address out of the address book.
    RemoveAddress {
        /// The id of the address.
        id: AddressId,
    },
    /// Keep it from being used.
    Ban {
        /// The reason.
        reason: Option<Reason>,
    },
    /// Let it be used again.
    Unban {},
    /// Close it for good.
    Erase {
        /// Its orders that are paid and not delivered: once its owner is forgotten, nobody knows where they go.
        waiting: Vec<OrderId>,
    },
}
