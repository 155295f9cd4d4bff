//! What happens to an account.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::person::{Client, Profile, Role, Secret, Settings};
use crate::address::Address;
use crate::ids::{AddressId, ApiKeyId, SessionId, WebhookEndpointId};
use crate::text::{Email, Hash, Reason};
use crate::{Locale, Personal};

/// A standing grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grant {
    /// A key with which a program asks.
    ApiKey {
        /// The key.
        id: ApiKeyId,
    },
    /// An address that is told what happens.
    WebhookEndpoint {
        /// The endpoint.
        id: WebhookEndpointId,
    },
}

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
