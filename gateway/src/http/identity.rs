//! The caller's account, and the proof of their identity.

use std::time::Duration;

use byteshop_commands::use_cases::accounts;
use byteshop_commands::{Error, Intent, Loaded, Unit};
use byteshop_domain::account::{Account, Open, Secret};
use byteshop_domain::ids::AccountId;
use byteshop_domain::{BoundedText, Subject};
use http::StatusCode;

use crate::app::{App, Shared};
use crate::edge::actor::{Caller, Member, Who};
use crate::edge::ask::Ask;
use crate::edge::problem::Problem;
use crate::security::password::Verdict;

/// How long an answer takes at least that must not show whether there was anything to do: longer than an append.
pub(super) const FLOOR: Duration = Duration::from_millis(100);

/// A code as it is shown: the shop writes fewer than 100 characters.
pub(super) type CodeText = BoundedText<200>;

/// The account as it is, if it can still be used at all.
pub(super) async fn open(app: &Shared, id: AccountId) -> Result<Option<Open>, Problem> {
    let found = app.commands.get::<Account>(id).await?;
    Ok(found.and_then(|account| account.state.live().ok().cloned()))
}

/// Compares a password with the account's, or with a dummy, which takes as long.
pub(super) async fn verify(app: &Shared, open: Option<&Open>, password: &str) -> Result<Verdict, Problem> {
    let hash = match open {
        Some(open) => app.commands.vault().open(&open.password).await.map_err(Error::from)?,
        None => None,
    };
    app.passwords.verify(password.to_owned(), hash.map(|Secret(hash)| hash)).await
}

/// Notes that a wrong password or code was shown.
pub(super) async fn note_failure<W: Who, T>(
    app: &Shared,
    ask: &Ask<W, T>,
    who: &Caller,
    id: AccountId,
) -> Result<(), Problem> {
    let client = app.commands.vault().seal(Subject::from(id), &who.client()).await;
    // A person who was just erased has no failures either.
    let Ok(client) = client else { return Ok(()) };
    let client = &client;
    // A wrong password is not a command that was carried out, so it leaves no receipt.
    let intent = Intent { key: None, ..ask.intent("account.fail_login") };
    let noted = app.commands.run(&intent, |unit| async move {
        let mut account = unit.load::<Account>(id).await?;
        accounts::fail_login(&unit, &mut account, client.clone())
    });
    match noted.await {
        Ok(_) | Err(Error::Rejected(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The caller's account, if the password is right.
pub(super) async fn proven(app: &Shared, Member(caller, id): &Member, password: &str) -> Result<Open, Problem> {
    app.limits.auth(caller.address())?;
    let guessed = id.to_string();
    app.limits.guesses().take(&guessed, app.commands.clock().now())?;
    let open = open(app, *id).await?.ok_or_else(|| Problem::missing("account"))?;
    let verdict = verify(app, Some(&open), password).await;
    if !matches!(verdict, Ok(Verdict::Wrong)) {
        app.limits.guesses().give_back(&guessed);
    }
    match verdict? {
        Verdict::Wrong => Err(Problem::new(StatusCode::FORBIDDEN, "auth.wrong_password", "the password is wrong")),
        Verdict::Right | Verdict::Outdated => Ok(open),
    }
}

impl App {
    /// Requests that require the password also require the second factor, if there is one: a recent re-authentication
    /// includes it.
    pub(super) async fn with_second_factor<T: Send + Sync>(
        &self,
        unit: &Unit,
        ask: &Ask<Member, T>,
        account: &Loaded<Account>,
    ) -> Result<(), Error> {
        let active = account.state.live()?.second_factor.is_active();
        if active { self.require_fresh(unit, &ask.who.0).await } else { Ok(()) }
    }
}

/// The caller's account, at the expected version.
pub(super) async fn own<T: Send + Sync>(unit: &Unit, ask: &Ask<Member, T>) -> Result<Loaded<Account>, Error> {
    let account = unit.load_matching::<Account>(ask.who.1).await?;
    account.state.live()?;
    Ok(account)
}
