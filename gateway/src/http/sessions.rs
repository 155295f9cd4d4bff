//! Sessions: log-in, the refresh tokens that keep a session alive, and log-out.

mod own;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::accounts::{self, Admitted, Entry, Refreshed, ShownToken};
use byteshop_commands::{Done, Error, Intent};
use byteshop_domain::account::{self, Account, Open, Proof, Secret};
use byteshop_domain::ids::{AccountId, Id as _, SessionId};
use byteshop_domain::session::{Reason, Session};
use byteshop_domain::text::Email;
use byteshop_domain::{Actor, BoundedText, Personal, Subject};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::{CodeText, FLOOR, note_failure, open, verify};
use super::second_factor::{self, Shown};
use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::Ask;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::security::password::{self, Verdict};
use crate::security::refresh_token;
use crate::security::secret::random;
use crate::security::token::{Holder, LIFETIME};
pub(super) use own::sessions_of;

/// A refresh token as it is shown: the shop writes some 120 characters.
type RefreshTokenText = BoundedText<200>;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery"}))]
struct LogIn {
    email: Email,
    password: password::Typed,
    /// The six digits of the authenticator app, where the account has a second factor.
    #[schema(default = json!({"x-schema": {"example": "123456"}}))]
    code: Option<CodeText>,
    /// Or one of the recovery codes.
    recovery_code: Option<CodeText>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"refresh_token": "wU2nY6h0bqk3"}))]
struct Refresh {
    refresh_token: RefreshTokenText,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"all": true}))]
struct LogOut {
    /// The refresh token of the session to end, if no access token is sent.
    refresh_token: Option<RefreshTokenText>,
    /// Every session of the account ends.
    #[serde(default)]
    all: bool,
}

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
struct Keys {
    /// Always `Bearer`.
    token_type: &'static str,
    /// Sent as `Authorization: Bearer …`.
    access_token: String,
    /// Validity in seconds.
    #[schema(example = 600)]
    expires_in: u64,
    /// Exchanged for the next access token, once; the latest one is accepted again for 30 seconds.
    refresh_token: String,
    /// When the session expires unless it is refreshed.
    refresh_expires_at: chrono::DateTime<chrono::Utc>,
    session: SessionId,
    account: AccountId,
    /// The role.
    role: account::Role,
}

/// The stored result of a log-in, with a sealed secret.
#[derive(Serialize, Deserialize)]
struct Let {
    admitted: Admitted,
    secret: Personal<Secret>,
}

/// Logs in with e-mail address and password.
///
/// If the account has a second factor, a code is required as well: without one the response is 401 `auth.second_factor_required`,
/// and the same request with a `code` logs in. If the shop requires a second factor of staff, staff without one gets a session that
/// can only set it up.
#[utoipa::path(post, path = "/v1/auth/login", operation_id = "logIn",
    tag = "auth", request_body = LogIn, security(()),
    responses((status = 200, description = "The new session", body = Keys),
        (status = 401, description = "The address or the password is wrong, or a code is missing or wrong"),
        (status = 403, description = "The address is not confirmed yet, the account is banned, or the code was used before")))]
async fn log_in(State(app): State<Shared>, ask: Ask<Caller, LogIn>) -> Result<Response, Problem> {
    app.limits.auth(ask.who.address())?;
    let ask = &ask;
    let name = app.commands.email_name(&ask.body.email).await?;
    let guessed = name.text.as_str();
    let mailbox = || format!("mailbox {}", guessed.get(..16).unwrap_or_default());
    let counted = app.limits.guesses().take(guessed, app.commands.clock().now());
    counted.map_err(|problem| problem.concerning(mailbox()))?;
    let known = match app.commands.account_named(&name).await? {
        Some(id) => open(&app, id).await?.map(|open| (id, open)),
        None => None,
    };
    let verdict = verify(&app, known.as_ref().map(|(_, open)| open), &ask.body.password).await;
    if !matches!(verdict, Ok(Verdict::Wrong)) {
        app.limits.guesses().give_back(guessed);
    }
    let verdict = verdict?;
    // From here on, since comparing may take any time when many log in: only of a known account a failure is noted.
    let fails_at = Instant::now() + FLOOR;
    let Some((id, open)) = known.as_ref().filter(|_| verdict != Verdict::Wrong) else {
        if let Some((id, _)) = known {
            note_failure(&app, ask, &ask.who, id).await?;
        }
        tokio::time::sleep_until(fails_at).await;
        return Err(wrong_credentials().concerning(mailbox()));
    };
    if verdict == Verdict::Outdated {
        rehash(&app, ask, *id, open.passwords).await?;
    }
    let shown = Shown { code: ask.body.code.as_deref(), recovery_code: ask.body.recovery_code.as_deref() };
    let proof = match second_factor::compare(&app, *id, open, shown).await? {
        second_factor::Verdict::Right(proof) => proof,
        second_factor::Verdict::Wrong(problem) => {
            // Asking for the code is no failure.
            if shown.is_there() {
                note_failure(&app, ask, &ask.who, *id).await?;
            }
            return Err(problem);
        }
    };
    let done = begin(&app, ask, *id, open, proof).await?;
    admit(&app, done).await
}

pub(super) fn wrong_credentials() -> Problem {
    let detail = "the e-mail address or the password is wrong";
    Problem::new(StatusCode::UNAUTHORIZED, "auth.wrong_credentials", detail)
}

async fn begin(
    app: &Shared,
    ask: &Ask<Caller, LogIn>,
    id: AccountId,
    open: &Open,
    proof: Option<Proof>,
) -> Result<Done<Let>, Problem> {
    let (vault, subject) = (app.commands.vault(), Subject::from(id));
    let secret = Secret(byteshop_eventstore::envelope::to_hex(&random()?));
    let entry = &Entry {
        account: id,
        seen: open.passwords,
        session: SessionId::from_uuid(app.commands.clock().new_id()),
        secret: vault.seal(subject, &secret).await.map_err(Error::from)?,
        client: vault.seal(subject, &ask.who.client()).await.map_err(Error::from)?,
        proof,
        staff_session: app.staff.session,
    };
    let intent = Intent { actor: open.role.actor(id), ..ask.intent("session.log_in") };
    let done = app.commands.run(&intent, |unit| async move {
        let admitted = accounts::log_in(&unit, entry).await?;
        Ok(Let { admitted, secret: entry.secret.clone() })
    });
    Ok(done.await?)
}

async fn rehash(app: &Shared, ask: &Ask<Caller, LogIn>, id: AccountId, seen: u32) -> Result<(), Problem> {
    let hash = &Secret(app.passwords.hash(ask.body.password.as_str().to_owned()).await?);
    let intent = Intent { key: None, ..ask.intent("account.rehash") };
    let done = app.commands.run(&intent, |unit| async move {
        let mut account = unit.load::<Account>(id).await?;
        accounts::rehash(&unit, &mut account, seen, hash).await
    });
    done.await?;
    Ok(())
}

/// Returns the credentials of a session. The tokens are derived from the stored result, so no receipt contains them.
async fn admit(app: &Shared, done: Done<Let>) -> Result<Response, Problem> {
    let Let { admitted, secret } = done.answer;
    let Admitted { session, account, role, generation, expires_at, second_factor } = admitted;
    if done.replayed {
        // The first answer may be older than a log-out, a ban or another role: what has ended since opens nothing more.
        let found = app.commands.get::<Session>(session).await?.ok_or_else(ended)?;
        if !found.state.live().is_ok_and(|started| started.is_alive(app.commands.clock().now())) {
            return Err(ended());
        }
    }
    let secret = app.commands.vault().open(&secret).await.map_err(Error::from)?;
    let Secret(secret) = secret.ok_or_else(ended)?;
    // No access token outlives its session.
    let left = (expires_at - app.commands.clock().now()).to_std().map_err(|_| ended())?;
    let lifetime = LIFETIME.min(left);
    let holder = Holder { account, role, session: Some(session), second_factor };
    let access_token = app.tokens.issue_to(holder, lifetime).map_err(|_| Problem::internal())?;
    let keys = Keys {
        token_type: "Bearer",
        access_token,
        expires_in: lifetime.as_secs(),
        refresh_token: refresh_token::write(session, generation, &secret),
        refresh_expires_at: expires_at,
        session,
        account,
        role,
    };
    app.respond(Done { answer: Reply::told(&keys)?, position: done.position, replayed: done.replayed }).await
}

/// A refresh token that this shop made. Whether it is still worth anything is decided with the command: see
/// [`byteshop_domain::session::Started::judge`].
struct Genuine {
    shown: ShownToken,
    account: AccountId,
    role: account::Role,
    secret: Personal<Secret>,
}

impl Genuine {
    async fn of(app: &Shared, text: &str) -> Result<Self, Problem> {
        let invalid = || Problem::new(StatusCode::UNAUTHORIZED, "auth.invalid", "the refresh token is invalid");
        let shown = refresh_token::parse(text).ok_or_else(invalid)?;
        let found = app.commands.get::<Session>(shown.session).await?.ok_or_else(invalid)?;
        let started = found.state.live().map_err(|_| invalid())?;
        let secret = app.commands.vault().open(&started.secret).await.map_err(Error::from)?;
        match secret {
            Some(Secret(secret)) if shown.is_genuine(&secret) => Ok(Self {
                shown: ShownToken { session: shown.session, generation: shown.generation },
                account: started.account,
                role: started.role,
                secret: started.secret.clone(),
            }),
            Some(_) | None => Err(invalid()),
        }
    }

    /// The actor: the owner of the session, not a guest.
    fn actor(&self) -> Actor {
        self.role.actor(self.account)
    }
}

fn ended() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "session.ended", "the session has ended; log in again")
}

/// Exchanges a refresh token for new tokens.
#[utoipa::path(post, path = "/v1/auth/refresh", operation_id = "refreshSession",
    tag = "auth", request_body = Refresh, security(()),
    responses((status = 200, description = "The continued session", body = Keys),
        (status = 401, description = "The token is not valid, or was used before: then the session has ended")))]
async fn refresh(State(app): State<Shared>, ask: Ask<Caller, Refresh>) -> Result<Response, Problem> {
    let ask = &ask;
    let token = Genuine::of(&app, &ask.body.refresh_token).await?;
    let client = app.commands.vault().seal(Subject::from(token.account), &ask.who.client()).await;
    let (shown, client, longest) = (token.shown, &client.map_err(Error::from)?, app.staff.session);
    let intent = Intent { actor: token.actor(), ..ask.intent("session.refresh") };
    let done = app.commands.run(&intent, |unit| async move { accounts::refresh(&unit, shown, client, longest).await });
    let done = in_force(done.await)?;
    match done.answer {
        Refreshed::Next(admitted) => {
            let answer = Let { admitted, secret: token.secret };
            admit(&app, Done { answer, position: done.position, replayed: done.replayed }).await
        }
        Refreshed::Reused => Err(reused()),
    }
}

/// The session was alive when its token was shown; if not, there is nothing more to say about it.
fn in_force<T>(done: Result<Done<T>, Error>) -> Result<Done<T>, Problem> {
    match done {
        Err(Error::Rejected(_)) => Err(ended()),
        Err(Error::Replayed(first)) if matches!(*first, Error::Rejected(_)) => Err(ended()),
        done => Ok(done?),
    }
}

fn reused() -> Problem {
    let detail = "the refresh token was used before and may have been stolen; the session has ended, log in again";
    Problem::new(StatusCode::UNAUTHORIZED, "session.reused", detail)
}

/// Logs out.
///
/// Ends the session of the access token or of the refresh token, or every session of the account.
#[utoipa::path(post, path = "/v1/auth/logout", operation_id = "logOut",
    tag = "auth", request_body = LogOut, security((), ("bearer" = [])),
    responses((status = 204, description = "The session has ended"),
        (status = 401, description = "The refresh token is invalid, was used before, or its session has ended already")))]
async fn log_out(State(app): State<Shared>, ask: Ask<Caller, LogOut>) -> Result<Response, Problem> {
    let (ask, all) = (&ask, ask.body.all);
    if let Some(token) = &ask.body.refresh_token {
        return log_out_with(&app, ask, token).await;
    }
    let Some(account) = ask.who.account() else {
        let detail = "send an access token, or the `refresh_token` of the session to end";
        return Err(Problem::invalid("/refresh_token", detail));
    };
    app.run(ask, "session.log_out", |unit| async move {
        let mut account = unit.load::<Account>(account).await?;
        match ask.who.session() {
            _ if all => accounts::log_out_all(&unit, &mut account, Reason::LogoutAll, None).await?,
            Some(session) => accounts::log_out(&unit, &mut account, session, Reason::Logout).await?,
            None => {}
        }
        Ok(Reply::done())
    })
    .await
}

/// A log-out by a refresh token, which has to be as good as for a refresh.
async fn log_out_with(app: &Shared, ask: &Ask<Caller, LogOut>, token: &str) -> Result<Response, Problem> {
    let (token, all) = (Genuine::of(app, token).await?, ask.body.all);
    let intent = Intent { actor: token.actor(), ..ask.intent("session.log_out") };
    let done = app.commands.run(&intent, |unit| async move {
        let accepted = accounts::log_out_with(&unit, token.shown, all).await?;
        Ok(accepted.then(Reply::done))
    });
    let Done { answer, position, replayed } = in_force(done.await)?;
    app.respond(Done { answer: answer.ok_or_else(reused)?, position, replayed }).await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(log_in)).routes(routes!(refresh)).routes(routes!(log_out)).merge(own::routes())
}
