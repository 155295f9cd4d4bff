//! An account: the registration of a person, with their credentials, role, settings and address book.
//!
//! ```text
//! (missing) ──registered──▶ unconfirmed ──confirmed──▶ confirmed ──banned──▶ banned
//!                                │                        │  ▲                 │ │
//!                                │                        │  └────unbanned─────┘ │
//!                                └────────────────────────┴──erased──────────────┴─▶ erased (final)
//! ```
//!
//! Everything personal is sealed with the account's own key. The [name](crate::name) of the address, claimed in the same
//! append, keeps two accounts from sharing an address. A command that ends sessions decides that together with its own events:
//! [`Open::sessions`] names all that may still be alive. An account is not closed while goods that were paid for are in
//! transit, nor while it is the only owner of a seller.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::address::Address;
use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, AddressId, OrderId, SellerId, SessionId};
use crate::text::{Email, Reason};
use crate::{Locale, Personal, Subject};

mod codes;
mod commands;
mod events;
mod new_email;
mod person;
mod proofs;
mod rejections;
pub mod second_factor;
mod sellers;

pub use commands::{Command, Membership};
pub use events::{Event, Grant};
pub use person::{Channel, Client, Kept, Pending, PendingEmail, Profile, Role, Secret, Settings};
pub use rejections::{ADDRESSES_MAX, APPLICATION_WINDOW, APPLICATIONS_MAX, Rejection, SELLERS_MAX};
pub use second_factor::{Proof, SecondFactor};

/// How long a code that confirms an address is valid: people read their mail the next day.
pub const CONFIRM_WITHIN: TimeDelta = TimeDelta::hours(48);
/// How long a code that resets a password is valid: not long, as it opens the account.
pub const RESET_WITHIN: TimeDelta = TimeDelta::hours(1);
/// How long a code that confirms a new address is valid: the owner has the mailbox at hand.
pub const EMAIL_CHANGE_WITHIN: TimeDelta = TimeDelta::hours(1);
/// The least time between two mails of one kind to an address, so that strangers cannot fill a mailbox.
pub const MAIL_EVERY: TimeDelta = TimeDelta::minutes(1);
/// The maximum number of sessions of one account, more than a person has devices; a new one ends the oldest.
pub const SESSIONS_MAX: usize = 20;
/// The maximum number of failed log-ins that are recorded within [`FAILURE_WINDOW`]: guessing passwords must not fill the log.
pub const FAILURES_MAX: u32 = 10;
/// The window in which failed log-ins are counted.
pub const FAILURE_WINDOW: TimeDelta = TimeDelta::minutes(15);

/// The state of an account.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Account {
    /// The account does not exist.
    #[default]
    Missing,
    /// The account exists.
    Open(Box<Open>),
    /// The account was closed.
    Erased,
}

/// An account that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Open {
    /// The e-mail address, for mails and log-ins.
    pub email: Personal<Email>,
    /// The hash of the password.
    pub password: Personal<Secret>,
    /// The number of passwords it has had; tells whether the password that was checked is still the current one.
    pub passwords: u32,
    /// Whether the address is confirmed.
    pub confirmed: bool,
    /// The role.
    pub role: Role,
    /// The settings.
    pub settings: Settings,
    /// The profile.
    pub profile: Option<Personal<Profile>>,
    /// The address book, in the order in which it was filled.
    pub addresses: Vec<Kept>,
    /// The sessions that were not ended, the oldest first; some may have expired.
    pub sessions: Vec<SessionId>,
    /// The code that confirms the address; kept after its use, so that using it again is no error.
    pub confirmation: Option<Pending>,
    /// Whether several registrations used the address before it was confirmed, so that the password may be a stranger's.
    pub contested: bool,
    /// The code that resets the password.
    pub reset: Option<Pending>,
    /// The new address that the owner requested.
    pub new_email: Option<PendingEmail>,
    /// The ban, if the account is banned.
    pub ban: Option<Ban>,
    /// The second factor.
    pub second_factor: SecondFactor,
    /// The standing grants, the oldest first; some may have been revoked since.
    pub grants: Vec<Grant>,
    /// The sellers that the account is a member of.
    pub sellers: BTreeSet<SellerId>,
    /// When the owner last applied to sell, the oldest first.
    applications: VecDeque<DateTime<Utc>>,
    /// The failed log-ins since the start of the current window.
    failures: Option<(DateTime<Utc>, u32)>,
    /// When the owner was last told about another registration with the address.
    repeated_at: Option<DateTime<Utc>>,
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ban {
    /// The reason, if one was given.
    pub reason: Option<Reason>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Account {
    const CATEGORY: &'static str = "account";
    type Id = AccountId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        if let Command::Register { email, password, locale } = command {
            return self.register(email, password, *locale);
        }
        let open = match (self, command) {
            (Self::Erased, Command::Erase { .. }) => return Ok(vec![]),
            _ => self.live()?,
        };
        match command {
            Command::Register { .. } => Err(Rejection::Exists),
            Command::NoteRegistration {} => Ok(open.note_registration(asked.at)),
            Command::RequestConfirmation { code, code_hash } => {
                Ok(open.request_confirmation(code, code_hash, asked.at))
            }
            Command::Contest { code, code_hash } => Ok(open.contest(code, code_hash, asked.at)),
            Command::Confirm { code_hash } => open.confirm(code_hash, asked.at),
            Command::ConfirmByHand {} => Ok(if open.confirmed { vec![] } else { vec![Event::Confirmed {}] }),
            Command::RequestReset { code, code_hash } => Ok(open.request_reset(code, code_hash, asked.at)),
            Command::ResetPassword { code_hash, password } => open.reset_password(code_hash, password, asked.at),
            Command::ChangePassword { seen, password } => open.change_password(*seen, password),
            Command::RequestEmailChange { seen, email, code, code_hash } => {
                open.request_email_change(*seen, email, code, code_hash, asked.at)
            }
            Command::ChangeEmail { code_hash } => open.change_email(code_hash, asked.at),
            Command::Rehash { seen, password } => {
                let stale = open.passwords != *seen;
                Ok(if stale { vec![] } else { vec![Event::PasswordRehashed { password: password.clone() }] })
            }
            Command::LogIn { seen, session, proof } => {
                let used = open.prove(*seen, proof.as_ref())?;
                Ok(used.into_iter().chain([Event::LoggedIn { session: *session }]).collect())
            }
            Command::Prove { seen, proof } => Ok(open.prove(*seen, proof.as_ref())?.into_iter().collect()),
            Command::SecondFactor(command) => open.change_second_factor(command, asked),
            Command::RecordGrant { grant } => open.record_grant(*grant, asked),
            Command::LogOut { session } => {
                let alive = open.sessions.contains(session);
                Ok(if alive { vec![Event::LoggedOut { session: *session }] } else { vec![] })
            }
            Command::FailLogin { client } => Ok(open.fail_login(client, asked.at)),
            Command::SetRole { role } if open.role == *role => Ok(vec![]),
            Command::SetRole { role } => {
                open.not_own(asked)?;
                Ok(vec![Event::RoleSet { role: *role }])
            }
            Command::ChangeProfile { profile } => Ok(vec![Event::ProfileChanged { profile: profile.clone() }]),
            Command::ChangeSettings { settings } if open.settings == *settings => Ok(vec![]),
            Command::ChangeSettings { settings } => Ok(vec![Event::SettingsChanged { settings: settings.clone() }]),
            Command::AddAddress { id, address } => open.add_address(*id, address),
            Command::ChangeAddress { id, address } => {
                open.address(*id)?;
                Ok(vec![Event::AddressChanged { id: *id, address: address.clone() }])
            }
            Command::RemoveAddress { id } => {
                open.address(*id)?;
                Ok(vec![Event::AddressRemoved { id: *id }])
            }
            Command::Ban { .. } if open.ban.is_some() => Ok(vec![]),
            Command::Ban { reason } => {
                open.not_own(asked)?;
                Ok(vec![Event::Banned { reason: reason.clone() }])
            }
            Command::Unban {} if open.ban.is_none() => Ok(vec![]),
            Command::Unban {} => Ok(vec![Event::Unbanned {}]),
            Command::Membership(change) => open.change_membership(*change, asked.at),
            Command::Erase { waiting, owned, disputed } => erase(waiting, owned, disputed),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Registered { email, password, locale } => Self::registered(email, password, *locale),
            Event::RegistrationRepeated { at } => self.with(|it| it.repeated_at = Some(*at)),
            Event::RegistrationContested {} => self.with(|it| it.contested = true),
            Event::ConfirmationRequested { code: _, code_hash, expires_at } => {
                self.with(|it| it.confirmation = Some(Pending { hash: code_hash.clone(), expires_at: *expires_at }))
            }
            Event::Confirmed {} => self.with(|it| it.confirmed = true),
            Event::PasswordResetRequested { code: _, code_hash, expires_at } => {
                self.with(|it| it.reset = Some(Pending { hash: code_hash.clone(), expires_at: *expires_at }))
            }
            Event::PasswordChanged { password } => self.with(|it| {
                it.password = password.clone();
                it.passwords = it.passwords.saturating_add(1);
                it.contested = false;
                it.failures = None;
                // These were requested with the former password.
                (it.reset, it.new_email) = (None, None);
            }),
            Event::EmailChangeRequested { email, code: _, code_hash, expires_at } => self.with(|it| {
                let code = Pending { hash: code_hash.clone(), expires_at: *expires_at };
                it.new_email = Some(PendingEmail { email: email.clone(), code });
            }),
            Event::EmailChanged { email } => self.with(|it| {
                it.email = email.clone();
                // Codes in the mailbox of the former address are no longer valid.
                (it.new_email, it.confirmation, it.reset) = (None, None, None);
            }),
            Event::PasswordRehashed { password } => self.with(|it| it.password = password.clone()),
            Event::RoleSet { role } => self.with(|it| it.role = *role),
            Event::LoggedIn { session } => self.with(|it| {
                it.sessions.push(*session);
                it.failures = None;
            }),
            Event::LoggedOut { session } => self.with(|it| it.sessions.retain(|known| known != session)),
            Event::LoginFailed { client: _, at } => self.with(|it| it.failures = Some(it.failed(*at))),
            Event::ProfileChanged { profile } => self.with(|it| it.profile = Some(profile.clone())),
            Event::SettingsChanged { settings } => self.with(|it| it.settings = settings.clone()),
            Event::AddressAdded { id, address } => {
                self.with(|it| it.addresses.push(Kept { id: *id, address: address.clone() }))
            }
            Event::AddressChanged { id, address } => self.with(|it| {
                let kept = it.addresses.iter_mut().find(|kept| kept.id == *id);
                if let Some(kept) = kept {
                    kept.address = address.clone();
                }
            }),
            Event::AddressRemoved { id } => self.with(|it| it.addresses.retain(|kept| kept.id != *id)),
            Event::Banned { reason } => self.with(|it| it.ban = Some(Ban { reason: reason.clone() })),
            Event::Unbanned {} => self.with(|it| it.ban = None),
            Event::TotpEnrolled { secret, at } => self.with(|it| it.second_factor.enrolled(secret, *at)),
            Event::TotpConfirmed { step, code_hashes, at } => {
                self.with(|it| it.second_factor.confirmed(*step, code_hashes, *at))
            }
            Event::TotpUsed { step } => self.with(|it| it.second_factor.used(*step)),
            Event::RecoveryCodeUsed { code_hash } => self.with(|it| it.second_factor.recovered(code_hash)),
            Event::TotpRemoved {} => self.with(|it| it.second_factor.removed()),
            Event::AccessGranted { grant } => self.with(|it| it.grants.push(*grant)),
            Event::SellerApplied { seller, at } => self.with(|it| it.applied_to_sell(*seller, *at)),
            Event::SellerJoined { seller } => self.with(|it| _ = it.sellers.insert(*seller)),
            Event::SellerLeft { seller } => self.with(|it| _ = it.sellers.remove(seller)),
            Event::Erased {} => Self::Erased,
        }
    }
}

impl Account {
    /// The account, if it exists and is not closed.
    pub fn live(&self) -> Result<&Open, Rejection> {
        match self {
            Self::Open(open) => Ok(open),
            Self::Missing | Self::Erased => Err(Rejection::Missing),
        }
    }

    fn register(&self, email: &Personal<Email>, password: &Personal<Secret>, locale: Locale) -> Decision {
        match self {
            Self::Missing => Ok(vec![Event::Registered { email: email.clone(), password: password.clone(), locale }]),
            Self::Open(_) | Self::Erased => Err(Rejection::Exists),
        }
    }

    fn registered(email: &Personal<Email>, password: &Personal<Secret>, locale: Locale) -> Self {
        Self::Open(Box::new(Open {
            email: email.clone(),
            password: password.clone(),
            passwords: 1,
            confirmed: false,
            role: Role::default(),
            settings: Settings::new(locale),
            profile: None,
            addresses: vec![],
            sessions: vec![],
            confirmation: None,
            contested: false,
            reset: None,
            new_email: None,
            ban: None,
            second_factor: SecondFactor::default(),
            grants: vec![],
            sellers: BTreeSet::new(),
            applications: VecDeque::new(),
            failures: None,
            repeated_at: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Open)) -> Self {
        if let Self::Open(open) = &mut self {
            change(open);
        }
        self
    }
}

fn erase(waiting: &[OrderId], owned: &[SellerId], disputed: &[OrderId]) -> Decision {
    if !waiting.is_empty() {
        return Err(Rejection::OrdersUnderWay { orders: waiting.to_vec() });
    }
    if !disputed.is_empty() {
        return Err(Rejection::OrdersDisputed { orders: disputed.to_vec() });
    }
    if !owned.is_empty() {
        return Err(Rejection::SellersOwned { sellers: owned.to_vec() });
    }
    Ok(vec![Event::Erased {}])
}

impl Open {
    /// Whether the owner can log in with the password that was checked.
    fn usable(&self, seen: u32) -> Result<(), Rejection> {
        if self.passwords != seen {
            return Err(Rejection::PasswordChanged);
        }
        if self.ban.is_some() {
            return Err(Rejection::Banned);
        }
        if self.confirmed { Ok(()) } else { Err(Rejection::NotConfirmed) }
    }

    /// Keeps admins from locking themselves out.
    fn not_own(&self, asked: &Asked) -> Result<(), Rejection> {
        let own = asked.by.account().is_some_and(|by| Subject::from(by) == self.email.subject());
        if own { Err(Rejection::OwnAccount) } else { Ok(()) }
    }

    /// An address of the address book.
    pub fn address(&self, id: AddressId) -> Result<&Kept, Rejection> {
        self.addresses.iter().find(|kept| kept.id == id).ok_or(Rejection::NoSuchAddress)
    }

    /// The oldest sessions that must end when another one starts.
    pub fn surplus(&self) -> &[SessionId] {
        &self.sessions[..(self.sessions.len() + 1).saturating_sub(SESSIONS_MAX)]
    }

    fn fail_login(&self, client: &Personal<Client>, at: DateTime<Utc>) -> Vec<Event> {
        let (_, count) = self.failed(at);
        if count > FAILURES_MAX { vec![] } else { vec![Event::LoginFailed { client: client.clone(), at }] }
    }

    /// The window and the count after another failure.
    fn failed(&self, at: DateTime<Utc>) -> (DateTime<Utc>, u32) {
        match self.failures {
            Some((since, count)) if at < since + FAILURE_WINDOW => (since, count.saturating_add(1)),
            Some(_) | None => (at, 1),
        }
    }

    fn add_address(&self, id: AddressId, address: &Personal<Address>) -> Decision {
        if self.addresses.len() >= ADDRESSES_MAX {
            return Err(Rejection::TooManyAddresses);
        }
        Ok(vec![Event::AddressAdded { id, address: address.clone() }])
    }
}

impl Open {
    /// The grant is created in the same append, so a ban comes before it and refuses it, or after it and finds it here.
    fn record_grant(&self, grant: Grant, asked: &Asked) -> Decision {
        // A key that the ban of its creator did not revoke stays valid, and so does what is created with it.
        let by_owner = asked.by.account().is_some();
        if by_owner && self.ban.is_some() {
            return Err(Rejection::Banned);
        }
        let known = self.grants.contains(&grant);
        Ok(if known { vec![] } else { vec![Event::AccessGranted { grant }] })
    }
}

#[cfg(test)]
mod tests;
