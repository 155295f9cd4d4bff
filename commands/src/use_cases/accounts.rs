//! Use cases of an account with its name and its sessions: decided as a whole, appended as a whole.

mod closing;
pub mod code;
pub mod grants;
mod password;
mod profile;
pub mod second_factor;
mod tokens;

use byteshop_domain::account::{self, Account, Client, Profile, Proof, Role, Secret};
use byteshop_domain::ids::{AccountId, NameId, SessionId};
use byteshop_domain::name::{self, NameKind, UniqueName};
use byteshop_domain::session::{self, Reason, Session};
use byteshop_domain::text::{Email, Hash, Label};
use byteshop_domain::{Locale, Personal, Subject};
use byteshop_eventstore::Vault;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
pub use closing::{Forgotten, Unfinished, erase, forget_buyer};
use code::Code;
pub use password::{change_password, confirm, fail_login, rehash, reset_password};
pub use profile::{ProfileChange, add_address, change_address, change_profile, change_settings, remove_address};
pub use tokens::{Refreshed, ShownToken, log_out_with, refresh};

/// The name of an e-mail address: a keyed hash in the place of its text.
#[derive(Debug, Clone)]
pub struct EmailName {
    /// The stream of the name of its canonical form, which alone is claimed.
    pub id: NameId,
    /// The claimed text.
    pub text: Label,
    /// The streams in which an account may have the address, in the order in which they are asked: names from before addresses
    /// were compared by a canonical form stay where they are. For an address of plain ASCII it is the one above.
    pub lookup: Vec<NameId>,
}

impl EmailName {
    /// The account that has the address; every name of it is part of the append.
    pub async fn holder(&self, unit: &Unit) -> Result<Option<AccountId>, Error> {
        let names = unit.load_all::<UniqueName>(&self.lookup).await?;
        Ok(names.iter().find_map(|name| owner(&name.state)))
    }

    /// Releases every name by which an account has the address, except perhaps one.
    async fn release(&self, unit: &Unit, account: AccountId, except: Option<NameId>) -> Result<(), Error> {
        for mut name in unit.load_all::<UniqueName>(&self.lookup).await? {
            if owner(&name.state) == Some(account) && Some(name.id) != except {
                unit.decide(&mut name, &name::Command::Release {})?;
            }
        }
        Ok(())
    }
}

/// A person who registers.
#[derive(Debug)]
pub struct Newcomer {
    /// The id of the account, if the address has none yet.
    pub id: AccountId,
    /// The name of the address.
    pub name: EmailName,
    /// The address.
    pub email: Personal<Email>,
    /// The hash of the password.
    pub password: Personal<Secret>,
    /// The language.
    pub locale: Locale,
    /// The profile, if any.
    pub profile: Option<Personal<Profile>>,
    /// The code for the mail.
    pub code: Code,
}

/// The lookup of an address before a registration with it, because comparing and hashing passwords takes time.
#[derive(Debug)]
pub enum Found {
    /// No account that waits to be confirmed: whatever hash is needed is the newcomer's.
    Nobody,
    /// An account that is not confirmed.
    Unconfirmed {
        /// The account.
        account: AccountId,
        /// Which of its passwords was compared.
        seen: u32,
        /// Whether it is the one that is given now, so that it is the same person again.
        same: bool,
    },
}

/// A log-in whose password was right.
#[derive(Debug)]
pub struct Entry {
    /// The account.
    pub account: AccountId,
    /// Which of its passwords was shown.
    pub seen: u32,
    /// The session that begins.
    pub session: SessionId,
    /// The secret of its refresh tokens.
    pub secret: Personal<Secret>,
    /// From where.
    pub client: Personal<Client>,
    /// The code that was shown beside the password, if one was.
    pub proof: Option<Proof>,
    /// How long sessions of staff live at most.
    pub staff_session: TimeDelta,
}

/// A session as its response shows it at log-in and refresh, without secrets, so that a receipt can store it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Admitted {
    /// The session.
    pub session: SessionId,
    /// The account.
    pub account: AccountId,
    /// The role of the account.
    pub role: Role,
    /// The number of its newest refresh token.
    pub generation: u32,
    /// When it ends unless it is refreshed.
    pub expires_at: DateTime<Utc>,
    /// Whether its owner has shown a second factor in it.
    #[serde(default)]
    pub second_factor: bool,
}

impl Commands {
    /// The name of an e-mail address.
    pub async fn email_name(&self, email: &Email) -> Result<EmailName, Error> {
        email_name(self.vault(), email).await
    }

    /// The key for the orders of a guest with this e-mail address: the keyed hash of its canonical form.
    pub async fn guest_hash(&self, email: &Email) -> Result<Option<Label>, Error> {
        let text = self.vault().blind("guest", &email.canonical()).await?;
        // A keyed hash is short and printable, so it always is a label.
        Ok(Label::new(&text).ok())
    }

    /// The keyed hash of the mailbox of an e-mail address, if it is not that of the address itself.
    pub async fn mailbox_hash(&self, email: &Email) -> Result<Option<Label>, Error> {
        let mailbox = email.mailbox();
        if mailbox == email.canonical() {
            return Ok(None);
        }
        Ok(Label::new(&self.vault().blind("guest", &mailbox).await?).ok())
    }

    /// All keys for the orders of a guest with this e-mail address, including those of older orders.
    pub async fn guest_hashes(&self, email: &Email) -> Result<Vec<Label>, Error> {
        guest_hashes(self.vault(), email).await
    }

    /// The account that an e-mail address belongs to.
    pub async fn account_named(&self, name: &EmailName) -> Result<Option<AccountId>, Error> {
        for id in &name.lookup {
            if let Some(found) = self.get::<UniqueName>(*id).await?
                && let Some(account) = owner(&found.state)
            {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }
}

/// The name of an e-mail address, whose text is a keyed hash.
pub async fn email_name(vault: &Vault, email: &Email) -> Result<EmailName, Error> {
    let text = vault.blind("email", &email.canonical()).await?;
    let id = name::id(NameKind::Email, &text);
    let mut lookup = Vec::with_capacity(1);
    for form in email.forms() {
        lookup.push(name::id(NameKind::Email, &vault.blind("email", &form).await?));
    }
    // A keyed hash is short and printable, so it always is a label.
    let text = Label::new(&text).map_err(|_| Error::Rejected(Rejected::missing("account")))?;
    Ok(EmailName { id, text, lookup })
}

/// All keys for the orders of a guest with an e-mail address, including those of older orders.
pub async fn guest_hashes(vault: &Vault, email: &Email) -> Result<Vec<Label>, Error> {
    let mut hashes = Vec::with_capacity(1);
    for form in email.forms() {
        hashes.extend(Label::new(&vault.blind("guest", &form).await?));
    }
    Ok(hashes)
}

/// The owner of a unique address.
pub fn owner(name: &UniqueName) -> Option<AccountId> {
    match name {
        UniqueName::Held { owner, .. } => owner.parse().ok(),
        UniqueName::Free => None,
    }
}

/// Makes an account, or tells the owner of the one that has the address.
///
/// # Errors
/// [`Error::Contended`] when the address is not any more as it was found: then it is to be looked at again.
pub async fn register(unit: &Unit, newcomer: &Newcomer, found: &Found) -> Result<(), Error> {
    let Some(owner) = newcomer.name.holder(unit).await? else {
        let Found::Nobody = found else { return Err(Error::Contended) };
        let mut account = begin(unit, newcomer).await?;
        return request_confirmation(unit, &mut account, &newcomer.code).await;
    };
    let mut account = unit.load::<Account>(owner).await?;
    let (confirmed, passwords) = account.state.live().map_or((false, 0), |open| (open.confirmed, open.passwords));
    match found {
        _ if confirmed => unit.decide(&mut account, &account::Command::NoteRegistration {}),
        Found::Unconfirmed { account: id, seen, same } if (*id, *seen) == (owner, passwords) => {
            // Who knows the password only wants the mail again. Anybody else may be the owner of the address as much as the first.
            if *same {
                return request_confirmation(unit, &mut account, &newcomer.code).await;
            }
            let (code, code_hash) = sealed(unit, owner, &newcomer.code).await?;
            unit.decide(&mut account, &account::Command::Contest { code, code_hash })
        }
        Found::Nobody | Found::Unconfirmed { .. } => Err(Error::Contended),
    }
}

/// Makes an account whose address counts as confirmed; refused when the address has one.
pub async fn register_confirmed(unit: &Unit, newcomer: &Newcomer) -> Result<(), Error> {
    if newcomer.name.holder(unit).await?.is_some() {
        return Err(account::Rejection::EmailTaken.into());
    }
    let mut account = begin(unit, newcomer).await?;
    unit.decide(&mut account, &account::Command::ConfirmByHand {})
}

async fn begin(unit: &Unit, newcomer: &Newcomer) -> Result<Loaded<Account>, Error> {
    let mut name = unit.load::<UniqueName>(newcomer.name.id).await?;
    if owner(&name.state).is_some() {
        // Another registration was faster: this one is decided again, and does not say so.
        return Err(Error::Contended);
    }
    let text = newcomer.name.text.clone();
    let claim = name::Command::Claim { kind: NameKind::Email, text, owner: newcomer.id.to_string() };
    unit.decide(&mut name, &claim)?;
    let mut account = unit.start::<Account>(newcomer.id);
    let (email, password) = (newcomer.email.clone(), newcomer.password.clone());
    unit.decide(&mut account, &account::Command::Register { email, password, locale: newcomer.locale })?;
    if let Some(profile) = &newcomer.profile {
        unit.decide(&mut account, &account::Command::ChangeProfile { profile: profile.clone() })?;
    }
    Ok(account)
}

/// Sends the code that confirms the address of an account.
pub async fn request_confirmation(unit: &Unit, account: &mut Loaded<Account>, code: &Code) -> Result<(), Error> {
    let (code, code_hash) = sealed(unit, account.id, code).await?;
    unit.decide(account, &account::Command::RequestConfirmation { code, code_hash })
}

/// Sends the code that resets the password of an account.
pub async fn request_reset(unit: &Unit, account: &mut Loaded<Account>, code: &Code) -> Result<(), Error> {
    let (code, code_hash) = sealed(unit, account.id, code).await?;
    unit.decide(account, &account::Command::RequestReset { code, code_hash })
}

async fn sealed(unit: &Unit, account: AccountId, code: &Code) -> Result<(Personal<Secret>, Hash), Error> {
    let text = code.of(account);
    let hash = code::hash(&text);
    Ok((unit.commands().vault().seal(Subject::from(account), &Secret(text)).await?, hash))
}

/// Begins a session; when there are too many, the oldest ones end.
pub async fn log_in(unit: &Unit, entry: &Entry) -> Result<Admitted, Error> {
    let mut account = unit.load::<Account>(entry.account).await?.exists()?;
    let (surplus, role) = match account.state.live() {
        Ok(open) => (open.surplus().to_vec(), open.role),
        Err(rejection) => return Err(rejection.into()),
    };
    end(unit, &mut account, &surplus, Reason::Surplus).await?;
    let log_in = account::Command::LogIn { seen: entry.seen, session: entry.session, proof: entry.proof.clone() };
    unit.decide(&mut account, &log_in)?;
    let mut session = unit.start::<Session>(entry.session);
    let start = session::Command::Start {
        account: entry.account,
        role,
        secret: entry.secret.clone(),
        client: entry.client.clone(),
        second_factor: entry.proof.is_some(),
        longest: session::longest(role, entry.staff_session),
    };
    unit.decide(&mut session, &start)?;
    admitted(&session)
}

fn admitted(session: &Loaded<Session>) -> Result<Admitted, Error> {
    let started = session.state.live()?;
    Ok(Admitted {
        session: session.id,
        account: started.account,
        role: started.role,
        generation: started.generation,
        expires_at: started.expires_at,
        second_factor: started.second_factor,
    })
}

/// Ends one session of an account; nothing when it is none of its own, or has ended.
pub async fn log_out(
    unit: &Unit,
    account: &mut Loaded<Account>,
    session: SessionId,
    reason: Reason,
) -> Result<(), Error> {
    let own = account.state.live().is_ok_and(|open| open.sessions.contains(&session));
    if own { end(unit, account, &[session], reason).await } else { Ok(()) }
}

/// Ends every session of an account, save perhaps one.
pub async fn log_out_all(
    unit: &Unit,
    account: &mut Loaded<Account>,
    reason: Reason,
    save: Option<SessionId>,
) -> Result<(), Error> {
    let sessions = account.state.live().map(|open| open.sessions.clone()).unwrap_or_default();
    let sessions: Vec<SessionId> = sessions.into_iter().filter(|session| Some(*session) != save).collect();
    end(unit, account, &sessions, reason).await
}

async fn end(unit: &Unit, account: &mut Loaded<Account>, sessions: &[SessionId], reason: Reason) -> Result<(), Error> {
    for mut session in unit.load_all::<Session>(sessions).await? {
        unit.decide(&mut session, &session::Command::Revoke { reason })?;
        unit.decide(account, &account::Command::LogOut { session: session.id })?;
    }
    Ok(())
}

/// Lets the owner of an account do other things; what they are logged in with ends, as it says what they could do before.
pub async fn set_role(unit: &Unit, account: &mut Loaded<Account>, role: Role) -> Result<(), Error> {
    let before = account.version;
    unit.decide(account, &account::Command::SetRole { role })?;
    if account.version == before { Ok(()) } else { log_out_all(unit, account, Reason::RoleChanged, None).await }
}

/// Sends a code to another address, which proves that it is the owner's; and tells the present one.
pub async fn request_email_change(
    unit: &Unit,
    account: &mut Loaded<Account>,
    seen: u32,
    email: &Personal<Email>,
    code: &Code,
) -> Result<(), Error> {
    let text = code.of(account.id);
    let code_hash = code::hash(&text);
    let code = unit.commands().vault().seal(Subject::from(account.id), &Secret(text)).await?;
    unit.decide(account, &account::Command::RequestEmailChange { seen, email: email.clone(), code, code_hash })
}

/// Replaces the address of an account: one name is released and the other claimed in one append, so that of two
/// accounts which want an address only one gets it. Every session ends but the one that requested this.
pub async fn change_email(
    unit: &Unit,
    account: &mut Loaded<Account>,
    code_hash: &Hash,
    session: Option<SessionId>,
) -> Result<(), Error> {
    let before = email_of(unit, account).await?;
    unit.decide(account, &account::Command::ChangeEmail { code_hash: code_hash.clone() })?;
    let after = email_of(unit, account).await?.ok_or_else(invalid_code)?;
    if after.holder(unit).await?.is_some_and(|holder| holder != account.id) {
        return Err(account::Rejection::EmailTaken.into());
    }
    let mut name = unit.load::<UniqueName>(after.id).await?;
    let claim = name::Command::Claim { kind: NameKind::Email, text: after.text, owner: account.id.to_string() };
    unit.decide(&mut name, &claim)?;
    // The same address may only be written in another way.
    if let Some(before) = before {
        before.release(unit, account.id, Some(after.id)).await?;
    }
    log_out_all(unit, account, Reason::EmailChanged, session).await
}

/// The name of the address that an account has; nothing when its owner was forgotten.
async fn email_of(unit: &Unit, account: &Loaded<Account>) -> Result<Option<EmailName>, Error> {
    let Ok(open) = account.state.live() else { return Ok(None) };
    let commands = unit.commands();
    match commands.vault().open(&open.email).await? {
        Some(email) => commands.email_name(&email).await.map(Some),
        None => Ok(None),
    }
}

/// Refuses a code that names no account, in the words of one that is wrong.
pub fn invalid_code() -> Error {
    account::Rejection::InvalidCode.into()
}
