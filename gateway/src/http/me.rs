//! The caller's data: profile, settings, address book and password; and closing the account.

mod email;
mod export;
mod purchases;

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::accounts::grants::Revoke;
use byteshop_commands::use_cases::accounts::{self, ProfileChange};
use byteshop_commands::{Error, Loaded};
use byteshop_domain::account::{Account, Channel, Secret, Settings};
use byteshop_domain::address::Address;
use byteshop_domain::ids::AddressId;
use byteshop_domain::text::{Name, Phone};
use byteshop_domain::{Bounded, Currency, Locale, Subject};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::{own, proven};
use super::show;
use super::show::account::{KeptAddress, Me, SettingsShown};
use crate::app::Shared;
use crate::edge::actor::Member;
use crate::edge::ask::{Ask, Nothing, Of, present};
use crate::edge::lists;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::{self, Reply};
use crate::security::password;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"profile": {"name": "Ada Lovelace", "phone": null}}))]
struct Changes {
    profile: ProfileChanges,
}

/// Fields left out stay unchanged; null clears a field.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProfileChanges {
    #[serde(default, deserialize_with = "present")]
    #[schema(default = json!({"x-schema": {"example": "Ada Lovelace"}}))]
    name: Option<Option<Name>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(default = json!({"x-schema": {"example": "+49 30 1234567"}}))]
    phone: Option<Option<Phone>>,
}

/// Channels, each once.
type Channels = Bounded<BTreeSet<Channel>, { Channel::ALL.len() }>;

/// Fields left out stay unchanged; null clears the currency.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"locale": "ru", "currency": "EUR", "channels": ["email"]}))]
struct SettingsChanges {
    /// The language.
    locale: Option<Locale>,
    /// ISO 4217 currency code.
    #[serde(default, deserialize_with = "present")]
    currency: Option<Option<Currency>>,
    /// How to reach the account.
    #[schema(default = json!({"x-schema": {"example": ["email"]}}))]
    channels: Option<Channels>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current": "correct horse battery", "new": "another horse battery"}))]
struct NewPassword {
    /// The password that is being replaced.
    current: password::Typed,
    #[schema(default = json!({"x-schema": {"minLength": 8}}))]
    new: password::Typed,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery"}))]
struct Farewell {
    /// The current password.
    password: password::Typed,
}

#[derive(Serialize, ToSchema)]
struct Addresses<'a> {
    items: Vec<KeptAddress<'a>>,
}

/// The caller's account.
#[utoipa::path(get, path = "/v1/me", operation_id = "getMe",
    tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The account", body = Me)))]
async fn one(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let found = app.snapshot::<Account>(member.1, &Then::default(), &headers).await?;
    reply::one(found.version, &Me::of(member.1, found.state.live()?))
}

/// Updates the caller's profile.
#[utoipa::path(patch, path = "/v1/me", operation_id = "updateMe",
    tag = "me", request_body = Changes, security(("bearer" = [])),
    responses((status = 200, description = "The account", body = Me)))]
async fn change(State(app): State<Shared>, ask: Ask<Member, Changes>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.change_profile", |unit| async move {
        let mut account = own(&unit, ask).await?;
        let ProfileChanges { name, phone } = &ask.body.profile;
        let change = ProfileChange { name: name.clone(), phone: phone.clone() };
        accounts::change_profile(&unit, &mut account, change).await?;
        shown(&account)
    })
    .await
}

/// The caller's settings.
#[utoipa::path(get, path = "/v1/me/settings", operation_id = "getMySettings",
    tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The settings", body = SettingsShown)))]
async fn settings(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let found = app.snapshot::<Account>(member.1, &Then::default(), &headers).await?;
    reply::one(found.version, &SettingsShown::from(&found.state.live()?.settings))
}

/// Updates the caller's settings.
#[utoipa::path(patch, path = "/v1/me/settings", operation_id = "updateMySettings",
    tag = "me", request_body = SettingsChanges, security(("bearer" = [])),
    responses((status = 200, description = "The settings", body = SettingsShown)))]
async fn change_settings(State(app): State<Shared>, ask: Ask<Member, SettingsChanges>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.change_settings", |unit| async move {
        let mut account = own(&unit, ask).await?;
        let (before, changes) = (account.state.live()?.settings.clone(), &ask.body);
        let settings = Settings {
            locale: changes.locale.unwrap_or(before.locale),
            currency: changes.currency.unwrap_or(before.currency),
            channels: changes.channels.as_deref().cloned().unwrap_or(before.channels),
        };
        accounts::change_settings(&unit, &mut account, settings.clone())?;
        Reply::ok(account.version, &SettingsShown::from(&settings))
    })
    .await
}

/// Lists the caller's address book, oldest first.
#[utoipa::path(get, path = "/v1/me/addresses", operation_id = "listMyAddresses",
    tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The addresses", body = Addresses)))]
async fn addresses(State(app): State<Shared>, member: Member, headers: HeaderMap) -> Result<Response, Problem> {
    let found = app.snapshot::<Account>(member.1, &Then::default(), &headers).await?;
    let items = found.state.live()?.addresses.iter().map(KeptAddress::of).collect();
    lists::page(&Addresses { items })
}

/// Adds an address to the address book.
#[utoipa::path(post, path = "/v1/me/addresses", operation_id = "addMyAddress",
    tag = "me", request_body = show::Address, security(("bearer" = [])),
    responses((status = 201, description = "The address", body = KeptAddress)))]
async fn add_address(State(app): State<Shared>, ask: Ask<Member, Address>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.add_address", |unit| async move {
        let mut account = own(&unit, ask).await?;
        let id = accounts::add_address(&unit, &mut account, &ask.body).await?;
        let kept = account.state.live()?.address(id)?;
        Reply::created(format!("/v1/me/addresses/{id}"), account.version, &KeptAddress::of(kept))
    })
    .await
}

/// One address of the address book.
#[utoipa::path(get, path = "/v1/me/addresses/{id}", operation_id = "getMyAddress",
    tag = "me", params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 200, description = "The address", body = KeptAddress)))]
async fn address(
    State(app): State<Shared>,
    Of(id): Of<AddressId>,
    member: Member,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = app.snapshot::<Account>(member.1, &Then::default(), &headers).await?;
    let kept = found.state.live()?.address(id)?;
    reply::one(found.version, &KeptAddress::of(kept))
}

/// Replaces an address of the address book.
#[utoipa::path(put, path = "/v1/me/addresses/{id}", operation_id = "replaceMyAddress",
    tag = "me", params(("id" = String, Path)), request_body = show::Address,
    security(("bearer" = [])), responses((status = 200, description = "The address", body = KeptAddress)))]
async fn change_address(
    State(app): State<Shared>,
    Of(id): Of<AddressId>,
    ask: Ask<Member, Address>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.change_address", |unit| async move {
        let mut account = own(&unit, ask).await?;
        accounts::change_address(&unit, &mut account, id, &ask.body).await?;
        let kept = account.state.live()?.address(id)?;
        Reply::ok(account.version, &KeptAddress::of(kept))
    })
    .await
}

/// Removes an address from the address book.
#[utoipa::path(delete, path = "/v1/me/addresses/{id}", operation_id = "removeMyAddress",
    tag = "me", params(("id" = String, Path)), security(("bearer" = [])),
    responses((status = 204, description = "Removed")))]
async fn remove_address(
    State(app): State<Shared>,
    Of(id): Of<AddressId>,
    ask: Ask<Member, Nothing>,
) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.remove_address", |unit| async move {
        let mut account = own(&unit, ask).await?;
        accounts::remove_address(&unit, &mut account, id)?;
        Ok(Reply::gone(account.version))
    })
    .await
}

/// Changes the caller's password.
///
/// Every other session ends.
#[utoipa::path(post, path = "/v1/me/password", operation_id = "changeMyPassword",
    tag = "me", request_body = NewPassword, security(("bearer" = [])),
    responses((status = 204, description = "The password was changed"), (status = 403, description = "The current password is wrong")))]
async fn change_password(State(app): State<Shared>, ask: Ask<Member, NewPassword>) -> Result<Response, Problem> {
    let ask = &ask;
    let open = proven(&app, &ask.who, &ask.body.current).await?;
    let email = app.commands.vault().open(&open.email).await.map_err(Error::from)?;
    password::check(&ask.body.new, email.as_ref(), "/new")?;
    let hash = &Secret(app.passwords.hash(ask.body.new.as_str().to_owned()).await?);
    let (app, seen) = (&app, open.passwords);
    app.run(ask, "account.change_password", |unit| async move {
        let mut account = own(&unit, ask).await?;
        app.with_second_factor(&unit, ask, &account).await?;
        accounts::change_password(&unit, &mut account, seen, hash, ask.who.0.session()).await?;
        Ok(Reply::gone(account.version))
    })
    .await
}

/// Closes the caller's account and erases their personal data.
///
/// Unpaid orders are cancelled. The request is refused (409) while an order is paid and not delivered, or a payment is disputed.
#[utoipa::path(delete, path = "/v1/me", operation_id = "eraseMe",
    tag = "me", request_body = Farewell, security(("bearer" = [])),
    responses((status = 204, description = "The account is closed and its personal data erased"),
        (status = 409, description = "Orders are paid for and not delivered, or payments are disputed")))]
async fn farewell(State(app): State<Shared>, ask: Ask<Member, Farewell>) -> Result<Response, Problem> {
    let ask = &ask;
    proven(&app, &ask.who, &ask.body.password).await?;
    let app = &app;
    let answer = app
        .run(ask, "account.erase", |unit| async move {
            let mut account = own(&unit, ask).await?;
            app.with_second_factor(&unit, ask, &account).await?;
            // An admin who leaves revokes their grants to programs, because no response could list those that stay.
            accounts::erase(&unit, &mut account, false, Revoke::Grants).await?;
            Ok(Reply::done())
        })
        .await?;
    app.commands.vault().erase(Subject::from(ask.who.1)).await.map_err(Error::from)?;
    Ok(answer)
}

fn shown(account: &Loaded<Account>) -> Result<Reply, Error> {
    Reply::ok(account.version, &Me::of(account.id, account.state.live()?))
}

/// The routes.
pub fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(one, change, farewell))
        .routes(routes!(settings, change_settings))
        .routes(routes!(addresses, add_address))
        .routes(routes!(address, change_address, remove_address))
        .routes(routes!(change_password))
        .routes(routes!(email::change_email))
        .routes(routes!(email::confirm_email))
        .routes(routes!(export::export))
        .routes(routes!(purchases::purchases))
}
