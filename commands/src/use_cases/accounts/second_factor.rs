//! The second factor of an account together with its sessions: what was logged in to without it ends.

use byteshop_domain::Personal;
use byteshop_domain::account::second_factor::Command;
use byteshop_domain::account::{self, Account, Proof, Secret};
use byteshop_domain::ids::SessionId;
use byteshop_domain::session::{self, Reason, Session};
use byteshop_domain::text::Hash;

use super::log_out_all;
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// A pending secret whose first code was shown.
#[derive(Debug)]
pub struct Confirmation {
    /// Which of the account's secrets.
    pub enrolment: u32,
    /// The step of time of the code.
    pub step: u64,
    /// The hashes of the recovery codes.
    pub code_hashes: Vec<Hash>,
}

/// Gives an account a secret, which counts once a code of it was shown.
pub fn enrol(unit: &Unit, account: &mut Loaded<Account>, secret: Personal<Secret>) -> Result<(), Error> {
    unit.decide(account, &account::Command::SecondFactor(Command::Enrol { secret }))
}

/// Asks for the second factor from now on. The session that this is done in has shown it; every other one ends.
pub async fn confirm(
    unit: &Unit,
    account: &mut Loaded<Account>,
    shown: &Confirmation,
    session: Option<SessionId>,
) -> Result<(), Error> {
    let Confirmation { enrolment, step, code_hashes } = shown;
    let confirm = Command::Confirm { enrolment: *enrolment, step: *step, code_hashes: code_hashes.clone() };
    unit.decide(account, &account::Command::SecondFactor(confirm))?;
    if let Some(session) = session {
        let mut session = unit.load::<Session>(session).await?;
        unit.decide(&mut session, &session::Command::Authenticate { second_factor: true })?;
    }
    log_out_all(unit, account, Reason::SecondFactorChanged, session).await
}

/// Asks for none any more, as its owner wishes; every session of the account ends.
pub async fn remove(unit: &Unit, account: &mut Loaded<Account>) -> Result<(), Error> {
    end(unit, account, Command::Remove {}).await
}

/// Asks for none any more, since its owner has lost it; every session of the account ends.
pub async fn reset(unit: &Unit, account: &mut Loaded<Account>) -> Result<(), Error> {
    end(unit, account, Command::Reset {}).await
}

/// Ends the second factor, and every session, since it may have to show one again.
async fn end(unit: &Unit, account: &mut Loaded<Account>, command: Command) -> Result<(), Error> {
    let before = account.version;
    unit.decide(account, &account::Command::SecondFactor(command))?;
    if account.version == before {
        return Ok(());
    }
    log_out_all(unit, account, Reason::SecondFactorChanged, None).await
}

/// Accepts the password that was looked at, and a code beside it where one is asked for, as a recent proof of identity of a
/// session.
pub async fn authenticate(
    unit: &Unit,
    account: &mut Loaded<Account>,
    session: SessionId,
    seen: u32,
    proof: Option<Proof>,
) -> Result<Loaded<Session>, Error> {
    let second_factor = proof.is_some();
    unit.decide(account, &account::Command::Prove { seen, proof })?;
    let mut session = unit.load::<Session>(session).await?;
    unit.decide(&mut session, &session::Command::Authenticate { second_factor })?;
    Ok(session)
}
