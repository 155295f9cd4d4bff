//! Refresh tokens: exchanged for the next one, or shown to log out, while their session lives.

use byteshop_domain::Personal;
use byteshop_domain::account::{self, Account, Client};
use byteshop_domain::ids::SessionId;
use byteshop_domain::session::{self, Reason, Session};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Admitted, admitted, log_out, log_out_all};
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// A genuine refresh token: its hash is the session's.
#[derive(Debug, Clone, Copy)]
pub struct ShownToken {
    /// The session that it names.
    pub session: SessionId,
    /// The generation number.
    pub generation: u32,
}

/// The result of using a refresh token.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refreshed {
    /// There is a next one.
    Next(Admitted),
    /// The token had been used before, so the session has ended.
    Reused,
}

/// Exchanges a refresh token of a session for the next one.
pub async fn refresh(
    unit: &Unit,
    shown: ShownToken,
    client: &Personal<Client>,
    staff_session: TimeDelta,
) -> Result<Refreshed, Error> {
    let mut session = unit.load::<Session>(shown.session).await?.exists()?;
    let longest = session::longest(admitted(&session)?.role, staff_session);
    let (generation, client) = (shown.generation, client.clone());
    unit.decide(&mut session, &session::Command::Refresh { generation, client, longest })?;
    let admitted = admitted(&session)?;
    Ok(if forget_revoked(unit, &session).await? { Refreshed::Reused } else { Refreshed::Next(admitted) })
}

/// Ends the session of a refresh token, or every session of its account. False if the token was used before: then only
/// its own session ends, because the token may have been copied.
///
/// # Errors
/// [`session::Rejection::Ended`] when the session has ended already: its tokens end nothing more.
pub async fn log_out_with(unit: &Unit, shown: ShownToken, all: bool) -> Result<bool, Error> {
    let mut session = unit.load::<Session>(shown.session).await?.exists()?;
    unit.decide(&mut session, &session::Command::Show { generation: shown.generation })?;
    let owner = admitted(&session)?.account;
    if forget_revoked(unit, &session).await? {
        return Ok(false);
    }
    let mut account = unit.load::<Account>(owner).await?;
    if all {
        log_out_all(unit, &mut account, Reason::LogoutAll, None).await?;
    } else {
        log_out(unit, &mut account, shown.session, Reason::Logout).await?;
    }
    Ok(true)
}

/// Removes a session that this unit has revoked from the list of its account; false if it is not revoked.
async fn forget_revoked(unit: &Unit, session: &Loaded<Session>) -> Result<bool, Error> {
    let Ok(started) = session.state.live() else { return Ok(false) };
    if started.revoked.is_none() {
        return Ok(false);
    }
    let mut account = unit.load::<Account>(started.account).await?;
    if account.state.live().is_ok() {
        unit.decide(&mut account, &account::Command::LogOut { session: session.id })?;
    }
    Ok(true)
}
