//! A recent proof of identity: what is sensitive takes one, beside the right to do it.
//!
//! Looked at inside the command, with the session as it is in the log: the append expects it to stay so, so that what is done in
//! the name of a session that ends at this moment is refused.

use byteshop_commands::{Error, Loaded, Rejected, Unit};
use byteshop_domain::Kind;
use byteshop_domain::money::Money;
use byteshop_domain::session::{FRESH, Session};

use crate::app::App;
use crate::edge::actor::Caller;
use crate::edge::problem::REAUTHENTICATE;

impl App {
    /// Refuses callers who have not re-authenticated recently. API keys cannot re-authenticate. A token of the command
    /// line, which only development accepts, counts as a proof.
    pub(crate) async fn require_fresh(&self, unit: &Unit, caller: &Caller) -> Result<(), Error> {
        let Some(session) = caller.session() else {
            return if caller.key().is_some() { Err(no_key()) } else { Ok(()) };
        };
        let session = unit.load::<Session>(session).await?;
        if is_fresh(unit, &session)? { Ok(()) } else { Err(reauthenticate()) }
    }

    /// The same for people, of what programs do by the rules of their keys.
    pub(crate) async fn require_fresh_of_people(&self, unit: &Unit, caller: &Caller) -> Result<(), Error> {
        if caller.key().is_some() { Ok(()) } else { self.require_fresh(unit, caller).await }
    }

    /// The same for staff that records money as received or returned, if it is much: a mistaken or invented receipt sends goods
    /// to a buyer who never paid.
    pub(crate) async fn require_fresh_for_amount(
        &self,
        unit: &Unit,
        caller: &Caller,
        amount: Money,
    ) -> Result<(), Error> {
        if self.staff.is_large(&[amount]) { self.require_fresh(unit, caller).await } else { Ok(()) }
    }

    /// The same for staff that lets much of one payment go back, at once or little by little; decided when the unit has decided
    /// everything else.
    pub(crate) async fn require_fresh_for_refund(&self, unit: &Unit, caller: &Caller) -> Result<(), Error> {
        let large = caller.is_staff() && self.staff.is_large(&unit.money_back().await?);
        if large { self.require_fresh(unit, caller).await } else { Ok(()) }
    }
}

fn is_fresh(unit: &Unit, session: &Loaded<Session>) -> Result<bool, Error> {
    let started = session.state.live().map_err(|_| ended())?;
    if started.is_alive(unit.now()) { Ok(started.is_fresh(unit.now())) } else { Err(ended()) }
}

/// The session ended while its token was still believed.
pub(crate) fn ended() -> Error {
    Error::Unproven(Rejected {
        code: "session.ended".to_owned(),
        kind: Kind::Forbidden,
        detail: "the session has ended; log in again".to_owned(),
        pointer: None,
    })
}

fn reauthenticate() -> Error {
    Error::Unproven(Rejected {
        code: REAUTHENTICATE.to_owned(),
        kind: Kind::Forbidden,
        detail: format!(
            "proof of identity from the last {} minutes is required: send the password, and a code if the account has a second \
             factor, to POST /v1/auth/reauthenticate, and then this request again",
            FRESH.num_minutes()
        ),
        pointer: None,
    })
}

fn no_key() -> Error {
    Error::Rejected(Rejected {
        code: "auth.forbidden".to_owned(),
        kind: Kind::Forbidden,
        detail: "API keys cannot do this; a person who has recently re-authenticated can".to_owned(),
        pointer: None,
    })
}
