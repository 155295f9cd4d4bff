//! What can happen to an account, and what it can be asked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Grant;
use super::person::{Client, Profile, Role, Secret, Settings};
use super::second_factor::{self, Proof};
use crate::address::Address;
use crate::ids::{AddressId, OrderId, SessionId};
use crate::text::{Email, Hash, Reason};
use crate::{Locale, Personal};

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody made it; whether the address is theirs is not known yet.
    Registered {
        /// Where its mails go, and what it logs in with.
        email: Personal<Email>,
        /// The hash of its password.
        password: Personal<Secret>,
        /// The language that its owner is written to in.
        locale: Locale,
    },
    /// Somebody tried to register with the address once more; its owner is told, and nobody else.
    RegistrationRepeated {
        /// When.
        at: DateTime<Utc>,
    },
    /// Before anybody had confirmed the address, somebody else registered with it: only one of the two passwords can be its
    /// owner's, and nobody knows which. Only a new one, set with a code from the mail, opens it now.
    RegistrationContested {},
    /// A code was made that proves, when it is shown, that the address is theirs.
    ConfirmationRequested {
        /// The code, for the mail.
        code: Personal<Secret>,
        /// Its hash.
        code_hash: Hash,
        /// Until when it holds.
        expires_at: DateTime<Utc>,
    },
    /// The address is theirs.
    Confirmed {},
    /// A code was made that lets its bearer set a new password.
    PasswordResetRequested {
        /// The code, for the mail.
        code: Personal<Secret>,
        /// Its hash.
        code_hash: Hash,
        /// Until when it holds.
        expires_at: DateTime<Utc>,
    },
    /// It has another password.
    PasswordChanged {
        /// The hash of it.
        password: Personal<Secret>,
    },
    /// The same password is hashed with today's parameters.
    PasswordRehashed {
        /// The hash of it.
        password: Personal<Secret>,
    },
    /// Its owner wants to be reached elsewhere: a code was made for the new address, and the present one is told.
    EmailChangeRequested {
        /// The new address.
        email: Personal<Email>,
        /// The code, for the mail to it.
        code: Personal<Secret>,
        /// Its hash.
        code_hash: Hash,
        /// Until when it holds.
        expires_at: DateTime<Utc>,
    },
    /// Its mails go to another address, which is its owner's, and it logs in with that one.
    EmailChanged {
        /// The address.
        email: Personal<Email>,
    },
    /// Its owner may do other things now.
    RoleSet {
        /// What.
        role: Role,
    },
    /// A session began.
    LoggedIn {
        /// The session.
        session: SessionId,
    },
    /// A session ended before its time.
    LoggedOut {
        /// The session.
        session: SessionId,
    },
    /// Somebody showed a wrong password. Not every one in a series is noted.
    LoginFailed {
        /// From where.
        client: Personal<Client>,
        /// When.
        at: DateTime<Utc>,
    },
    /// Its owner says other things of themselves.
    ProfileChanged {
        /// What they say now.
        profile: Personal<Profile>,
    },
    /// Its owner wants to be served otherwise.
    SettingsChanged {
        /// How.
        settings: Settings,
    },
    /// There is another address in its address book.
    AddressAdded {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// An address in its address book is another.
    AddressChanged {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// An address is not in its address book any more.
    AddressRemoved {
        /// The id of the address.
        id: AddressId,
    },
    /// It cannot be used until further notice.
    Banned {
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// It can be used again.
    Unbanned {},
    /// A secret for one-time passwords was given out; it counts when its first code was shown.
    TotpEnrolled {
        /// What the codes are computed from.
        secret: Personal<Secret>,
        /// When.
        at: DateTime<Utc>,
    },
    /// The first code was shown: from now on a log-in takes a code beside the password.
    TotpConfirmed {
        /// The step of time of that code: seconds since 1970, divided by 30.
        step: u64,
        /// The hashes of the recovery codes.
        code_hashes: Vec<Hash>,
        /// When.
        at: DateTime<Utc>,
    },
    /// A one-time password was accepted; no other of its step of time or an earlier one is.
    TotpUsed {
        /// The step of time.
        step: u64,
    },
    /// A recovery code was accepted, and is used up.
    RecoveryCodeUsed {
        /// Its hash.
        code_hash: Hash,
    },
    /// A log-in takes no second factor any more: its owner, another admin or an operator wanted it so.
    TotpRemoved {},
    /// Its owner, or a program with a key of theirs, gave a program access that outlives their sessions.
    AccessGranted {
        /// What.
        grant: Grant,
    },
    /// It is closed for good, and its owner is to be forgotten.
    Erased {},
}

impl crate::Event for Event {}

/// What an account can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Begin.
    Register {
        /// Where its mails go.
        email: Personal<Email>,
        /// The hash of its password.
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
        /// Its hash.
        code_hash: Hash,
    },
    /// The code was shown.
    Confirm {
        /// Its hash.
        code_hash: Hash,
    },
    /// Count the address as confirmed, by the word of whoever runs the shop.
    ConfirmByHand {},
    /// Take note that somebody else wants the address too, which nobody has confirmed; its owner gets a code that sets a
    /// password.
    Contest {
        /// The code.
        code: Personal<Secret>,
        /// Its hash.
        code_hash: Hash,
    },
    /// Make a code that lets its bearer set a new password; nothing when the last one is new.
    RequestReset {
        /// The code.
        code: Personal<Secret>,
        /// Its hash.
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
        /// Its hash.
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
        /// The hash of it.
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
        /// Why.
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
