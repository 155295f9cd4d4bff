//! Changing the e-mail address of an account: requested with the password, confirmed with the code that was sent to the
//! new address.
//!
//! The response, the events and the mails are the same whether or not another account has the address; only a person
//! who can read its mail finds out when they send the code.

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::Error;
use byteshop_commands::use_cases::accounts;
use byteshop_commands::use_cases::accounts::code::{self, Code};
use byteshop_domain::Subject;
use byteshop_domain::text::Email;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::edge::actor::Member;
use crate::edge::ask::Ask;
use crate::edge::problem::Problem;
use crate::edge::reply::{Accepted, Reply};
use crate::http::auth::check_mailbox;
use crate::http::identity::{CodeText, own, proven};
use crate::security::password;
use crate::security::secret::random;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ada@example.com", "password": "correct horse battery"}))]
pub(super) struct NewEmail {
    #[schema(default = json!({"x-schema": {"example": "ada@example.com"}}))]
    email: Email,
    /// The current password.
    password: password::Typed,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "wU2nY6h0bqk3"}))]
pub(super) struct Shown {
    /// The code from the mail to the new address.
    code: CodeText,
}

/// Requests a change of the e-mail address.
///
/// A code is sent to the new address and a notice to the current one. Nothing changes until the code is entered.
#[utoipa::path(post, path = "/v1/me/email", operation_id = "requestEmailChange",
    tag = "me", request_body = NewEmail, security(("bearer" = [])),
    responses((status = 202, description = "A mail was sent to the new address", body = Accepted),
        (status = 403, description = "The password is wrong")))]
pub(super) async fn change_email(State(app): State<Shared>, ask: Ask<Member, NewEmail>) -> Result<Response, Problem> {
    let ask = &ask;
    check_mailbox(&app, &ask.body.email)?;
    let seen = proven(&app, &ask.who, &ask.body.password).await?.passwords;
    let sealed = app.commands.vault().seal(Subject::from(ask.who.1), &ask.body.email).await;
    let (email, code) = (&sealed.map_err(Error::from)?, &Code(random()?));
    let app = &app;
    app.run(ask, "account.request_email_change", |unit| async move {
        let mut account = own(&unit, ask).await?;
        app.with_second_factor(&unit, ask, &account).await?;
        accounts::request_email_change(&unit, &mut account, seen, email, code).await?;
        Ok(Reply::accepted())
    })
    .await
}

/// Confirms a new e-mail address with the code from the mail.
///
/// Every other session ends.
#[utoipa::path(post, path = "/v1/me/email/confirm", operation_id = "confirmEmailChange",
    tag = "me", request_body = Shown, security(("bearer" = [])),
    responses((status = 204, description = "The address was changed"),
        (status = 409, description = "Another account uses the address meanwhile")))]
pub(super) async fn confirm_email(State(app): State<Shared>, ask: Ask<Member, Shown>) -> Result<Response, Problem> {
    app.limits.auth(ask.who.0.address())?;
    let ask = &ask;
    // A code of another account is as wrong as any other.
    if code::account(&ask.body.code) != Some(ask.who.1) {
        return Err(accounts::invalid_code().into());
    }
    let code_hash = &code::hash(&ask.body.code);
    app.run(ask, "account.change_email", |unit| async move {
        let mut account = own(&unit, ask).await?;
        accounts::change_email(&unit, &mut account, code_hash, ask.who.0.session()).await?;
        Ok(Reply::gone(account.version))
    })
    .await
}
