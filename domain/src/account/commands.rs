//! The commands of an account.

use super::events::Grant;
use super::person::{Client, Profile, Role, Secret, Settings};
use super::second_factor::{self, Proof};
use crate::address::Address;
use crate::ids::{AddressId, OrderId, SellerId, SessionId};
use crate::text::{Email, Hash, Reason};
use crate::{Locale, Personal};

/// The commands of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Register the account.
    Register {
        /// The e-mail address.
        email: Personal<Email>,
        /// The hash of the password.
        password: Personal<Secret>,
        /// The language of the owner.
        locale: Locale,
    },
    /// Tell the owner that a registration with this address was attempted.
    NoteRegistration {},
    /// Request a code that confirms the address; nothing if it is confirmed, or the last code is recent.
    RequestConfirmation {
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Confirm the address with the code.
    Confirm {
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Confirm the address, by decision of an operator.
    ConfirmByHand {},
    /// Record that another registration used the address, which is not confirmed yet; its owner gets a code that sets a
    /// password.
    Contest {
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Request a code that allows setting a new password; nothing if the last one is recent.
    RequestReset {
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Set a new password with the code.
    ResetPassword {
        /// The hash of the code.
        code_hash: Hash,
        /// The hash of the new password.
        password: Personal<Secret>,
    },
    /// Change the password, knowing the current one.
    ChangePassword {
        /// Which password was presented: [`Open::passwords`](super::Open::passwords) when it was checked.
        seen: u32,
        /// The hash of the new password.
        password: Personal<Secret>,
    },
    /// Request a code that confirms another address.
    RequestEmailChange {
        /// Which password was presented.
        seen: u32,
        /// The new address.
        email: Personal<Email>,
        /// The code.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Change the address, with the code that was sent to it.
    ChangeEmail {
        /// The hash of the code.
        code_hash: Hash,
    },
    /// Store the same password under another hash.
    Rehash {
        /// Which password was hashed.
        seen: u32,
        /// The hash of the password.
        password: Personal<Secret>,
    },
    /// Log in: the password was right.
    LogIn {
        /// Which password was presented.
        seen: u32,
        /// The session.
        session: SessionId,
        /// The code that was presented beside the password, if any.
        proof: Option<Proof>,
    },
    /// Accept the password, and a second factor where one is required, of an account that is logged in already.
    Prove {
        /// Which password was presented.
        seen: u32,
        /// The code, if one was presented.
        proof: Option<Proof>,
    },
    /// Set up, remove or reset the second factor.
    SecondFactor(second_factor::Command),
    /// Record a standing grant.
    RecordGrant {
        /// The grant.
        grant: Grant,
    },
    /// Record that a session has ended.
    LogOut {
        /// The session.
        session: SessionId,
    },
    /// Record that the password was wrong.
    FailLogin {
        /// The client of the request.
        client: Personal<Client>,
    },
    /// Set the role.
    SetRole {
        /// The role.
        role: Role,
    },
    /// Change the profile.
    ChangeProfile {
        /// The whole profile.
        profile: Personal<Profile>,
    },
    /// Change the settings.
    ChangeSettings {
        /// The whole settings.
        settings: Settings,
    },
    /// Add an address to the address book.
    AddAddress {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// Replace an address of the address book.
    ChangeAddress {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// Remove an address from the address book.
    RemoveAddress {
        /// The id of the address.
        id: AddressId,
    },
    /// Ban the account.
    Ban {
        /// The reason.
        reason: Option<Reason>,
    },
    /// Lift the ban.
    Unban {},
    /// Record a change of its memberships of sellers.
    Membership(Membership),
    /// Close the account for good.
    Erase {
        /// Its orders that are paid and not delivered: their destination is lost when the owner is erased.
        waiting: Vec<OrderId>,
        /// The sellers of which it is the only owner.
        owned: Vec<SellerId>,
        /// Its orders with a payment that is disputed: evidence is sealed with the key of the owner.
        disputed: Vec<OrderId>,
    },
}

/// The changes of an account's memberships of sellers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// The owner applies to sell.
    Apply {
        /// The seller.
        seller: SellerId,
    },
    /// The owner becomes a member of a seller.
    Join {
        /// The seller.
        seller: SellerId,
    },
    /// The account is no longer a member of a seller.
    Leave {
        /// The seller.
        seller: SellerId,
    },
}
