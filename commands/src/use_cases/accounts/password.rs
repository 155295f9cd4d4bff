//! The e-mail address of an account confirmed, and its password: set with a code or with the old one, and hashed anew.

use byteshop_domain::account::{Account, Client, Command, Rejection, Secret};
use byteshop_domain::ids::{AccountId, SessionId};
use byteshop_domain::session::Reason;
use byteshop_domain::text::Hash;
use byteshop_domain::{Personal, Subject};

use super::{invalid_code, log_out_all};
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Confirms the e-mail address of an account with the code from the mail.
pub async fn confirm(unit: &Unit, account: AccountId, code_hash: Hash) -> Result<(), Error> {
    let mut account = of_code(unit, account).await?;
    unit.decide(&mut account, &Command::Confirm { code_hash })
}

/// Sets a new password with the code from the mail; every session ends. `hash` is the hash of the password.
pub async fn reset_password(unit: &Unit, account: AccountId, code_hash: Hash, hash: &Secret) -> Result<(), Error> {
    let mut account = of_code(unit, account).await?;
    let password = sealed(unit, &account, hash).await?;
    unit.decide(&mut account, &Command::ResetPassword { code_hash, password })?;
    log_out_all(unit, &mut account, Reason::PasswordChanged, None).await
}

/// Sets a new password, whose hash is `hash`; every session ends but the one that this is done in. `seen` is the password that was
/// shown.
pub async fn change_password(
    unit: &Unit,
    account: &mut Loaded<Account>,
    seen: u32,
    hash: &Secret,
    session: Option<SessionId>,
) -> Result<(), Error> {
    let password = sealed(unit, account, hash).await?;
    unit.decide(account, &Command::ChangePassword { seen, password })?;
    log_out_all(unit, account, Reason::PasswordChanged, session).await
}

/// Keeps the same password under a newer kind of hash.
pub async fn rehash(unit: &Unit, account: &mut Loaded<Account>, seen: u32, hash: &Secret) -> Result<(), Error> {
    let password = sealed(unit, account, hash).await?;
    unit.decide(account, &Command::Rehash { seen, password })
}

/// Records that a wrong password or code was shown.
pub fn fail_login(unit: &Unit, account: &mut Loaded<Account>, client: Personal<Client>) -> Result<(), Error> {
    unit.decide(account, &Command::FailLogin { client })
}

async fn sealed(unit: &Unit, account: &Loaded<Account>, hash: &Secret) -> Result<Personal<Secret>, Error> {
    Ok(unit.commands().vault().seal(Subject::from(account.id), hash).await?)
}

/// The account that a code names; a code that names none is as wrong as any other.
async fn of_code(unit: &Unit, account: AccountId) -> Result<Loaded<Account>, Error> {
    let account = unit.load::<Account>(account).await?;
    match account.state.live() {
        Ok(_) => Ok(account),
        Err(Rejection::Missing) => Err(invalid_code()),
        Err(rejection) => Err(rejection.into()),
    }
}
