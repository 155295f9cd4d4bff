//! The events of an account.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::person::{Client, Profile, Role, Secret, Settings};
use crate::address::Address;
use crate::ids::{AddressId, ApiKeyId, SellerId, SessionId, WebhookEndpointId};
use crate::text::{Email, Hash, Reason};
use crate::{Locale, Personal};

/// A standing grant: access that outlives the sessions of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grant {
    /// An API key.
    ApiKey {
        /// The key.
        id: ApiKeyId,
    },
    /// A webhook endpoint.
    WebhookEndpoint {
        /// The endpoint.
        id: WebhookEndpointId,
    },
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The account was registered; the e-mail address is not confirmed yet.
    Registered {
        /// The e-mail address, for mails and log-ins.
        email: Personal<Email>,
        /// The hash of the password.
        password: Personal<Secret>,
        /// The language of mails to the owner.
        locale: Locale,
    },
    /// A registration with this address was attempted again; only the owner is told.
    RegistrationRepeated {
        /// The time.
        at: DateTime<Utc>,
    },
    /// Before the address was confirmed, another registration used it: only one of the two passwords can be the owner's. Only a
    /// new password, set with a code from the mail, opens the account now.
    RegistrationContested {},
    /// A code that confirms the e-mail address was requested.
    ConfirmationRequested {
        /// The code, for the mail.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// The e-mail address was confirmed.
    Confirmed {},
    /// A code that allows setting a new password was requested.
    PasswordResetRequested {
        /// The code, for the mail.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// The password was changed.
    PasswordChanged {
        /// The hash of the password.
        password: Personal<Secret>,
    },
    /// The same password was hashed with newer parameters.
    PasswordRehashed {
        /// The hash of the password.
        password: Personal<Secret>,
    },
    /// The owner requested a change of the e-mail address: a code was sent to the new address, and the current one was told.
    EmailChangeRequested {
        /// The new address.
        email: Personal<Email>,
        /// The code, for the mail to it.
        code: Personal<Secret>,
        /// The hash of the code.
        code_hash: Hash,
        /// When the code expires.
        expires_at: DateTime<Utc>,
    },
    /// The e-mail address was changed; it was confirmed to be the owner's.
    EmailChanged {
        /// The address.
        email: Personal<Email>,
    },
    /// The role was set.
    RoleSet {
        /// The role.
        role: Role,
    },
    /// A session was started.
    LoggedIn {
        /// The session.
        session: SessionId,
    },
    /// A session was ended before it expired.
    LoggedOut {
        /// The session.
        session: SessionId,
    },
    /// A log-in failed because of a wrong password. In a series, only some are recorded.
    LoginFailed {
        /// The client of the request.
        client: Personal<Client>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The profile was changed.
    ProfileChanged {
        /// The whole profile.
        profile: Personal<Profile>,
    },
    /// The settings were changed.
    SettingsChanged {
        /// The whole settings.
        settings: Settings,
    },
    /// An address was added to the address book.
    AddressAdded {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// An address of the address book was changed.
    AddressChanged {
        /// The id of the address.
        id: AddressId,
        /// The address.
        address: Personal<Address>,
    },
    /// An address was removed from the address book.
    AddressRemoved {
        /// The id of the address.
        id: AddressId,
    },
    /// The account was banned.
    Banned {
        /// The reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
    },
    /// The ban was lifted.
    Unbanned {},
    /// A secret for one-time passwords was issued; it takes effect when its first code is confirmed.
    TotpEnrolled {
        /// The secret that the codes are computed from.
        secret: Personal<Secret>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The first code was confirmed: from now on a log-in needs a code beside the password.
    TotpConfirmed {
        /// The time step of that code: seconds since 1970, divided by 30.
        step: u64,
        /// The hashes of the recovery codes.
        code_hashes: Vec<Hash>,
        /// The time.
        at: DateTime<Utc>,
    },
    /// A one-time password was accepted; no code of this or an earlier time step is accepted again.
    TotpUsed {
        /// The time step.
        step: u64,
    },
    /// A recovery code was used; it cannot be used again.
    RecoveryCodeUsed {
        /// The hash of the code.
        code_hash: Hash,
    },
    /// The second factor was removed, by the owner, another admin or an operator.
    TotpRemoved {},
    /// A program got access that outlives the sessions of the owner: an API key or a webhook endpoint was created.
    AccessGranted {
        /// The standing grant.
        grant: Grant,
    },
    /// The owner applied to sell; the account is a member of that seller.
    SellerApplied {
        /// The seller.
        seller: SellerId,
        /// The time.
        at: DateTime<Utc>,
    },
    /// The owner accepted the invitation of a seller.
    SellerJoined {
        /// The seller.
        seller: SellerId,
    },
    /// The account is no longer a member of a seller.
    SellerLeft {
        /// The seller.
        seller: SellerId,
    },
    /// The account was closed for good, and its owner is erased.
    Erased {},
}

impl crate::Event for Event {}
