//! Accounts: registration, confirmation of the e-mail address, and password resets.
//!
//! The responses never reveal who has an account: they are the same, and take the same work or the same time.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::accounts::code::{self, Code};
use byteshop_commands::use_cases::accounts::{self, EmailName, Found, Newcomer};
use byteshop_commands::{Error, Loaded, Unit};
use byteshop_domain::account::{Account, Profile, Secret};
use byteshop_domain::ids::{AccountId, Id as _};
use byteshop_domain::text::{Email, Name};
use byteshop_domain::{Locale, Subject};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::{CodeText, FLOOR, open, verify};
use crate::app::Shared;
use crate::disposable::is_disposable;
use crate::edge::actor::Caller;
use crate::edge::ask::Ask;
use crate::edge::problem::Problem;
use crate::edge::reply::{Accepted, Reply};
use crate::http::language::accepted;
use crate::security::password::{self, Verdict};
use crate::security::secret::random;

/// How often a registration looks what an address has, while others register with it.
const LOOKS_MAX: u32 = 5;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org", "password": "correct horse battery", "name": "Ada Lovelace", "locale": "en"}))]
struct Registration {
    email: Email,
    /// Must not be a common password or the e-mail address.
    #[schema(default = json!({"x-schema": {"example": "correct horse battery", "minLength": 8}}))]
    password: password::Typed,
    #[schema(default = json!({"x-schema": {"example": "Ada Lovelace"}}))]
    name: Option<Name>,
    /// The language of mails, `en` or `ru`; taken from `Accept-Language` by default.
    locale: Option<Locale>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.org"}))]
struct WhoseEmail {
    email: Email,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "wU2nY6h0bqk3"}))]
struct Confirmation {
    /// The code from the mail.
    code: CodeText,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "wU2nY6h0bqk3", "password": "correct horse battery"}))]
struct Reset {
    /// The code from the mail.
    code: CodeText,
    /// The new password.
    #[schema(default = json!({"x-schema": {"minLength": 8}}))]
    password: password::Typed,
}

/// Registers an account.
///
/// The response is the same if the address already has an account; its owner is then notified by mail.
#[utoipa::path(post, path = "/v1/auth/register", operation_id = "registerAccount",
    tag = "auth", request_body = Registration, security(()),
    responses((status = 202, description = "A mail was sent", body = Accepted)))]
async fn register(
    State(app): State<Shared>,
    headers: HeaderMap,
    ask: Ask<Caller, Registration>,
) -> Result<Response, Problem> {
    app.limits.auth(ask.who.address())?;
    let ask = &ask;
    password::check(&ask.body.password, Some(&ask.body.email), "/password")?;
    check_mailbox(&app, &ask.body.email)?;
    let name = &app.commands.email_name(&ask.body.email).await?;
    let mut looks = 0;
    loop {
        // Whatever the address has, one password is hashed or compared.
        let (found, hash) = look(&app, name, &ask.body.password).await?;
        let newcomer = &newcomer(&app, &headers, &ask.body, name, hash).await?;
        let (found, intent) = (&found, ask.intent("account.register"));
        let done = app.commands.run(&intent, |unit| async move {
            accounts::register(&unit, newcomer, found).await?;
            Ok(Reply::accepted())
        });
        looks += 1;
        match done.await {
            // Another registration was faster.
            Err(Error::Contended) if looks < LOOKS_MAX => {}
            done => return app.respond(done?).await,
        }
    }
}

/// The account of an address, and the hash of the password if it may be needed; otherwise the password was compared.
async fn look(app: &Shared, name: &EmailName, password: &str) -> Result<(Found, String), Problem> {
    let known = match app.commands.account_named(name).await? {
        Some(id) => open(app, id).await?.filter(|open| !open.confirmed).map(|open| (id, open)),
        None => None,
    };
    let Some((account, open)) = known else {
        return Ok((Found::Nobody, app.passwords.hash(password.to_owned()).await?));
    };
    let same = verify(app, Some(&open), password).await? != Verdict::Wrong;
    Ok((Found::Unconfirmed { account, seen: open.passwords, same }, String::new()))
}

/// Refuses disposable e-mail addresses, if the shop is set up to do so.
pub(super) fn check_mailbox(app: &Shared, email: &Email) -> Result<(), Problem> {
    if app.refuse_disposable && is_disposable(&email.canonical()) {
        let detail = "disposable e-mail addresses are not accepted";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "account.disposable_email", detail).at("/email"));
    }
    Ok(())
}

/// The sealed data of a new account, computed even if it is not needed, so that it takes the same work.
async fn newcomer(
    app: &Shared,
    headers: &HeaderMap,
    body: &Registration,
    name: &EmailName,
    hash: String,
) -> Result<Newcomer, Problem> {
    let id = AccountId::from_uuid(app.commands.clock().new_id());
    let (vault, subject) = (app.commands.vault(), Subject::from(id));
    let profile = body.name.clone().map(|name| Profile { name: Some(name), phone: None });
    let profile = match profile {
        Some(profile) => Some(vault.seal(subject, &profile).await.map_err(Error::from)?),
        None => None,
    };
    Ok(Newcomer {
        id,
        name: name.clone(),
        email: vault.seal(subject, &body.email).await.map_err(Error::from)?,
        password: vault.seal(subject, &Secret(hash)).await.map_err(Error::from)?,
        locale: body.locale.or_else(|| accepted(headers)).unwrap_or_default(),
        profile,
        code: Code(random()?),
    })
}

/// Confirms an e-mail address with the code from the mail.
#[utoipa::path(post, path = "/v1/auth/confirm", operation_id = "confirmEmail",
    tag = "auth", request_body = Confirmation, security(()),
    responses((status = 204, description = "The address is confirmed")))]
async fn confirm(State(app): State<Shared>, ask: Ask<Caller, Confirmation>) -> Result<Response, Problem> {
    app.limits.auth(ask.who.address())?;
    let ask = &ask;
    let account = code::account(&ask.body.code).ok_or_else(accounts::invalid_code)?;
    let code_hash = &code::hash(&ask.body.code);
    app.run(ask, "account.confirm", |unit| async move {
        accounts::confirm(&unit, account, code_hash.clone()).await?;
        Ok(Reply::done())
    })
    .await
}

/// Sends the confirmation mail again.
#[utoipa::path(post, path = "/v1/auth/confirm/resend", operation_id = "resendConfirmation",
    tag = "auth", request_body = WhoseEmail, security(()),
    responses((status = 202, description = "A mail was sent, if there is anything to confirm", body = Accepted)))]
async fn resend(State(app): State<Shared>, ask: Ask<Caller, WhoseEmail>) -> Result<Response, Problem> {
    let done_at = Instant::now() + FLOOR;
    app.limits.auth(ask.who.address())?;
    let ask = &ask;
    let (name, code) = (&app.commands.email_name(&ask.body.email).await?, &Code(random()?));
    let answer = app
        .run(ask, "account.request_confirmation", |unit| async move {
            if let Some(mut account) = named(&unit, name).await? {
                accounts::request_confirmation(&unit, &mut account, code).await?;
            }
            Ok(Reply::accepted())
        })
        .await;
    tokio::time::sleep_until(done_at).await;
    answer
}

/// Sends a mail with a code to reset the password.
#[utoipa::path(post, path = "/v1/auth/password/forgot", operation_id = "requestPasswordReset",
    tag = "auth", request_body = WhoseEmail, security(()),
    responses((status = 202, description = "A mail was sent, if the address has an account", body = Accepted)))]
async fn forgot(State(app): State<Shared>, ask: Ask<Caller, WhoseEmail>) -> Result<Response, Problem> {
    let done_at = Instant::now() + FLOOR;
    app.limits.auth(ask.who.address())?;
    let ask = &ask;
    let (name, code) = (&app.commands.email_name(&ask.body.email).await?, &Code(random()?));
    let answer = app
        .run(ask, "account.request_reset", |unit| async move {
            if let Some(mut account) = named(&unit, name).await? {
                accounts::request_reset(&unit, &mut account, code).await?;
            }
            Ok(Reply::accepted())
        })
        .await;
    tokio::time::sleep_until(done_at).await;
    answer
}

/// Sets a new password with the code from the mail.
///
/// Every session of the account ends.
#[utoipa::path(post, path = "/v1/auth/password/reset", operation_id = "resetPassword",
    tag = "auth", request_body = Reset, security(()),
    responses((status = 204, description = "The password was changed")))]
async fn reset(State(app): State<Shared>, ask: Ask<Caller, Reset>) -> Result<Response, Problem> {
    app.limits.auth(ask.who.address())?;
    let ask = &ask;
    let account = code::account(&ask.body.code).ok_or_else(accounts::invalid_code)?;
    let code_hash = &code::hash(&ask.body.code);
    let found = app.commands.get::<Account>(account).await?.ok_or_else(accounts::invalid_code)?;
    let open = found.state.live().map_err(|_| accounts::invalid_code())?;
    // Whoever has no code must not make the shop hash passwords, nor learn whether there is an account.
    if open.reset.as_ref().is_none_or(|pending| pending.hash != *code_hash) {
        return Err(accounts::invalid_code().into());
    }
    let email = app.commands.vault().open(&open.email).await.map_err(Error::from)?;
    password::check(&ask.body.password, email.as_ref(), "/password")?;
    let hash = &Secret(app.passwords.hash(ask.body.password.as_str().to_owned()).await?);
    app.run(ask, "account.reset_password", |unit| async move {
        accounts::reset_password(&unit, account, code_hash.clone(), hash).await?;
        Ok(Reply::done())
    })
    .await
}

/// The account that has an address, if one has it.
async fn named(unit: &Unit, name: &EmailName) -> Result<Option<Loaded<Account>>, Error> {
    let Some(account) = name.holder(unit).await? else { return Ok(None) };
    let account = unit.load::<Account>(account).await?;
    Ok(account.state.live().is_ok().then_some(account))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(confirm))
        .routes(routes!(resend))
        .routes(routes!(forgot))
        .routes(routes!(reset))
}
