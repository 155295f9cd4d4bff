//! The second factor of an account: set up, asked for, removed, and reset by an admin.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::accounts::second_factor::{self, Confirmation};
use byteshop_commands::{Error, Intent};
use byteshop_domain::account::{self, Account, Open, Proof, Secret};
use byteshop_domain::ids::AccountId;
use byteshop_domain::session::FRESH;
use byteshop_domain::{Personal, Subject};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::{CodeText, note_failure, own, proven};
use crate::app::Shared;
use crate::edge::actor::{Admin, Member, Who};
use crate::edge::ask::{Ask, Nothing, Of};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::qr;
use crate::security::{password, totp};

/// A code that was sent beside a password.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) recovery_code: Option<&'a str>,
}

impl Shown<'_> {
    /// Whether there is one.
    pub(super) fn is_there(&self) -> bool {
        self.code.is_some() || self.recovery_code.is_some()
    }
}

/// How a code compares with the second factor of an account.
pub(super) enum Verdict {
    /// No code is required, or the code is right; whether it can still be used is decided with the command.
    Right(Option<Proof>),
    /// The code is wrong or missing.
    Wrong(Problem),
}

/// Compares a code with the second factor of an account whose password was right. A wrong one is counted like a wrong password.
pub(super) async fn compare(app: &Shared, id: AccountId, open: &Open, shown: Shown<'_>) -> Result<Verdict, Problem> {
    let Some(active) = &open.second_factor.active else { return Ok(Verdict::Right(None)) };
    if !shown.is_there() {
        return Ok(Verdict::Wrong(required()));
    }
    let (guessed, now) = (format!("{id} second factor"), app.commands.clock().now());
    app.limits.guesses().take(&guessed, now)?;
    let proof = match shown {
        Shown { code: Some(code), .. } => {
            let Secret(secret) =
                app.commands.vault().open(&active.secret).await.map_err(Error::from)?.ok_or_else(wrong)?;
            let step = totp::find(&secret, code, now, active.last_step);
            step.map(|step| Proof::Totp { enrolment: active.enrolment, step })
        }
        Shown { recovery_code, .. } => {
            let hash = recovery_code.map(|code| totp::recovery_hash(id, code));
            hash.filter(|hash| active.recovery.contains(hash)).map(|code_hash| Proof::Recovery { code_hash })
        }
    };
    if proof.is_some() {
        app.limits.guesses().give_back(&guessed);
    }
    Ok(proof.map_or_else(|| Verdict::Wrong(wrong()), |proof| Verdict::Right(Some(proof))))
}

fn required() -> Problem {
    let rejection = account::Rejection::SecondFactorRequired;
    Problem::new(StatusCode::UNAUTHORIZED, "auth.second_factor_required", rejection.to_string())
}

fn wrong() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "auth.wrong_code", "the code is wrong").at("/code")
}

/// The second factor of an account.
#[derive(Serialize, ToSchema)]
struct SecondFactorShown {
    /// Whether a log-in requires a code.
    active: bool,
    /// Whether the role requires one; without it the session can do nothing else.
    required: bool,
    /// Whether a secret is waiting for its first code.
    pending: bool,
    /// Since when it is active.
    since: Option<DateTime<Utc>>,
    /// Recovery codes that are left.
    recovery_codes_left: usize,
}

/// A secret for an authenticator app, shown once.
#[derive(Serialize, ToSchema)]
struct Enrolment {
    /// Base32, for typing.
    #[schema(default = json!({"x-schema": {"example": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}}))]
    secret: Personal<Secret>,
    /// For an app on the same device.
    #[schema(default = json!({"x-schema": {"example": "otpauth://totp/ByteShop:ada%40example%2Eorg?secret=JBSWY3DP&issuer=ByteShop&algorithm=SHA1&digits=6&period=30"}}))]
    otpauth_uri: Personal<String>,
    /// The same as a QR code, in SVG.
    qr_svg: Personal<String>,
}

/// Codes that replace a lost device, shown once.
#[derive(Serialize, ToSchema)]
struct RecoveryCodes {
    /// Each can be used once.
    #[schema(default = json!({"x-schema": {"example": ["abcd-efgh-ijkl-mnop"]}}))]
    recovery_codes: Personal<Vec<String>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "123456"}))]
struct FirstCode {
    /// The six digits that the app shows.
    #[schema(default = json!({"x-schema": {"example": "123456"}}))]
    code: CodeText,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery", "code": "123456"}))]
struct Reauthentication {
    password: password::Typed,
    /// The six digits of the authenticator app, where the account has a second factor.
    code: Option<CodeText>,
    /// Or one of the recovery codes.
    recovery_code: Option<CodeText>,
}

/// A recent proof of identity.
#[derive(Serialize, ToSchema)]
struct Reauthenticated {
    /// When it was given.
    authenticated_at: DateTime<Utc>,
    /// Until when it is accepted.
    fresh_until: DateTime<Utc>,
}

/// Shows whether the caller's account has a second factor.
#[utoipa::path(get, path = "/v1/me/second-factor", operation_id = "getMySecondFactor", tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The second factor", body = SecondFactorShown)))]
async fn show(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let found = app.snapshot::<Account>(member.1, &Then::default(), &headers).await?;
    let open = found.state.live()?;
    let active = open.second_factor.active.as_ref();
    lists::page(&SecondFactorShown {
        active: active.is_some(),
        required: app.staff.second_factor && open.role.is_staff(),
        pending: open.second_factor.pending.is_some(),
        since: active.map(|active| active.since),
        recovery_codes_left: active.map_or(0, |active| active.recovery.len()),
    })
}

/// Creates a secret for one-time passwords (RFC 6238).
///
/// The second factor is active once its first code was sent to `/v1/me/second-factor/confirm`. Requires re-authentication within
/// the last ten minutes.
#[utoipa::path(post, path = "/v1/me/second-factor", operation_id = "enrolMySecondFactor", tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The secret, shown once", body = Enrolment),
        (status = 409, description = "The account already has a second factor")))]
async fn enrol(State(app): State<Shared>, ask: Ask<Member, Nothing>) -> Result<Response, Problem> {
    let (ask, app) = (&ask, &app);
    let (vault, subject) = (app.commands.vault(), Subject::from(ask.who.1));
    let open = super::identity::open(app, ask.who.1).await?.ok_or_else(|| Problem::missing("account"))?;
    let email = vault.open(&open.email).await.map_err(Error::from)?.ok_or_else(|| Problem::missing("account"))?;
    let secret =
        totp::new_secret().map_err(|_| Problem::unavailable("the system provides no random numbers for a secret"))?;
    let uri = totp::uri(&app.trade.issuer.name, email.as_ref(), &secret.0);
    let image = qr::svg(&uri)?;
    // The first answer is kept so that it can be given again, so all of it is sealed.
    let enrolment = &Enrolment {
        secret: vault.seal(subject, &secret).await.map_err(Error::from)?,
        otpauth_uri: vault.seal(subject, &uri).await.map_err(Error::from)?,
        qr_svg: vault.seal(subject, &image).await.map_err(Error::from)?,
    };
    app.run(ask, "account.enrol_second_factor", |unit| async move {
        app.require_fresh(&unit, &ask.who.0).await?;
        let mut account = own(&unit, ask).await?;
        second_factor::enrol(&unit, &mut account, enrolment.secret.clone())?;
        Reply::ok(account.version, enrolment)
    })
    .await
}

/// Confirms the secret with its first code.
///
/// From then on a login requires a code. Every other session ends; refresh this one to get an access token of a session with a
/// second factor.
#[utoipa::path(post, path = "/v1/me/second-factor/confirm", operation_id = "confirmMySecondFactor", tag = "me", request_body = FirstCode, security(("bearer" = [])),
    responses((status = 200, description = "The recovery codes, shown once", body = RecoveryCodes),
        (status = 409, description = "No secret is waiting for its first code")))]
async fn confirm(State(app): State<Shared>, ask: Ask<Member, FirstCode>) -> Result<Response, Problem> {
    app.limits.auth(ask.who.0.address())?;
    let (ask, app, id) = (&ask, &app, ask.who.1);
    let (vault, now) = (app.commands.vault(), app.commands.clock().now());
    let open = super::identity::open(app, id).await?.ok_or_else(|| Problem::missing("account"))?;
    let pending = open.second_factor.pending.as_ref();
    let pending = pending.ok_or(account::Rejection::NoEnrolment)?;
    let Secret(secret) = vault.open(&pending.secret).await.map_err(Error::from)?.ok_or_else(wrong)?;
    // The person who enrols knows the secret, so there is nothing to guess.
    let step = totp::find(&secret, &ask.body.code, now, 0);
    let step = step.ok_or_else(|| Problem::invalid("/code", "the code is wrong; check the clock of your device"))?;
    let codes = totp::recovery_codes()
        .map_err(|_| Problem::unavailable("the system provides no random numbers for recovery codes"))?;
    let code_hashes = codes.iter().map(|code| totp::recovery_hash(id, code)).collect();
    let shown = &Confirmation { enrolment: open.second_factor.enrolments, step, code_hashes };
    let codes = &RecoveryCodes { recovery_codes: vault.seal(Subject::from(id), &codes).await.map_err(Error::from)? };
    app.run(ask, "account.confirm_second_factor", |unit| async move {
        app.require_fresh(&unit, &ask.who.0).await?;
        let mut account = own(&unit, ask).await?;
        second_factor::confirm(&unit, &mut account, shown, ask.who.0.session()).await?;
        Reply::ok(account.version, codes)
    })
    .await
}

/// Removes the second factor of the caller's account and ends every session.
///
/// Requires re-authentication within the last ten minutes.
#[utoipa::path(delete, path = "/v1/me/second-factor", operation_id = "removeMySecondFactor", tag = "me", security(("bearer" = [])),
    responses((status = 204, description = "The second factor was removed")))]
async fn remove(State(app): State<Shared>, ask: Ask<Member, Nothing>) -> Result<Response, Problem> {
    let (ask, app) = (&ask, &app);
    app.run(ask, "account.remove_second_factor", |unit| async move {
        app.require_fresh(&unit, &ask.who.0).await?;
        let mut account = own(&unit, ask).await?;
        second_factor::remove(&unit, &mut account).await?;
        Ok(Reply::gone(account.version))
    })
    .await
}

/// Resets the second factor of an account.
///
/// Every session of the account ends. An admin cannot do this to their own account.
/// Requires re-authentication within the last ten minutes.
#[utoipa::path(delete, path = "/v1/admin/accounts/{id}/second-factor", operation_id = "resetSecondFactor", tag = "admin", params(("id" = String, Path)),
    security(("bearer" = ["admin"])), responses((status = 204, description = "The account has no second factor")))]
async fn reset(
    State(app): State<Shared>,
    Of(id): Of<AccountId>,
    ask: Ask<Admin, Nothing>,
) -> Result<Response, Problem> {
    let (app, who) = (&app, &ask.who.0);
    app.run(&ask, "account.reset_second_factor", |unit| async move {
        app.require_fresh(&unit, who).await?;
        let mut account = unit.load_matching::<Account>(id).await?;
        second_factor::reset(&unit, &mut account).await?;
        Ok(Reply::gone(account.version))
    })
    .await
}

/// Re-authenticates the caller.
///
/// Takes the password and, if the account has a second factor, a code. Sensitive requests require a re-authentication or a login
/// within the last ten minutes.
#[utoipa::path(post, path = "/v1/auth/reauthenticate", operation_id = "reauthenticateSession", tag = "auth", request_body = Reauthentication, security(("bearer" = [])),
    responses((status = 200, description = "The session is re-authenticated", body = Reauthenticated),
        (status = 401, description = "The account has a second factor and no code was sent, or a wrong one"),
        (status = 403, description = "The password is wrong, or the code was used before")))]
async fn reauthenticate(State(app): State<Shared>, ask: Ask<Member, Reauthentication>) -> Result<Response, Problem> {
    let ask = &ask;
    let Some(session) = ask.who.0.session() else {
        let detail = "a token from the command line belongs to no session, so it cannot be re-authenticated";
        return Err(Problem::new(StatusCode::CONFLICT, "auth.no_session", detail));
    };
    let open = proven(&app, &ask.who, &ask.body.password).await?;
    let shown = Shown { code: ask.body.code.as_deref(), recovery_code: ask.body.recovery_code.as_deref() };
    let proof = match compare(&app, ask.who.1, &open, shown).await? {
        Verdict::Right(proof) => proof,
        Verdict::Wrong(problem) => {
            if shown.is_there() {
                note_failure(&app, ask, ask.who.caller(), ask.who.1).await?;
            }
            return Err(problem);
        }
    };
    // A proof of a moment is not given again later.
    let proof = &proof;
    let intent = Intent { key: None, ..ask.intent("session.authenticate") };
    let done = app.commands.run(&intent, |unit| async move {
        let mut account = own(&unit, ask).await?;
        let proven = second_factor::authenticate(&unit, &mut account, session, open.passwords, proof.clone()).await?;
        let started = proven.state.live().map_err(|_| crate::edge::fresh::ended())?;
        let authenticated_at = started.authenticated_at;
        Reply::told(&Reauthenticated { authenticated_at, fresh_until: authenticated_at + FRESH })
    });
    app.respond(done.await?).await
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(show, enrol, remove))
        .routes(routes!(confirm))
        .routes(routes!(reset))
        .routes(routes!(reauthenticate))
}
