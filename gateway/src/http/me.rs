//! What is kept of whoever asks: profile, settings, address book, password; and the end of all of it.

mod email;
mod export;

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use byteshop_commands::use_cases::accounts;
use byteshop_commands::use_cases::accounts::grants::Revoke;
use byteshop_commands::{Error, Loaded};
use byteshop_domain::account::{Account, Channel, Command, Profile, Secret, Settings};
use byteshop_domain::address::Address;
use byteshop_domain::ids::AddressId;
use byteshop_domain::session::Reason;
use byteshop_domain::text::{Name, Phone};
use byteshop_domain::{Bounded, Currency, Locale, Subject};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::identity::{known, own, proven, refused};
use super::openapi::max;
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
    #[schema(value_type = Option<String>, example = "Ada Lovelace", min_length = 1, default = max::<Name>)]
    name: Option<Option<Name>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "+49 30 1234567", default = max::<Phone>)]
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
    #[schema(value_type = Option<byteshop_domain::Locale>, example = "ru")]
    locale: Option<Locale>,
    /// ISO 4217 currency code.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "EUR", min_length = 3, max_length = 3)]
    currency: Option<Option<Currency>>,
    /// How to reach the account.
    #[schema(value_type = Option<Vec<byteshop_domain::account::Channel>>, example = json!(["email"]), default = max::<Channels>)]
    channels: Option<Channels>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"current": "correct horse battery", "new": "another horse battery"}))]
struct NewPassword {
    /// The password that is valid until now.
    #[schema(value_type = String, default = max::<password::Typed>)]
    current: password::Typed,
    #[schema(value_type = String, min_length = 8, default = max::<password::Typed>)]
    new: password::Typed,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"password": "correct horse battery"}))]
struct Farewell {
    /// The current password.
    #[schema(value_type = String, default = max::<password::Typed>)]
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
    reply::one(found.version, &Me::of(member.1, known(&found.state)?))
}

/// Updates the caller's profile.
#[utoipa::path(patch, path = "/v1/me", operation_id = "updateMe",
    tag = "me", request_body = Changes, security(("bearer" = [])),
    responses((status = 200, description = "The account", body = Me)))]
async fn change(State(app): State<Shared>, ask: Ask<Member, Changes>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.change_profile", |unit| async move {
        let mut account = own(&unit, ask).await?;
        let (vault, changes) = (unit.commands().vault(), &ask.body.profile);
        let before = match known(&account.state)?.profile.clone() {
            Some(profile) => vault.open(&profile).await?.unwrap_or_default(),
            None => Profile::default(),
        };
        let profile = Profile {
            name: changes.name.clone().unwrap_or_else(|| before.name.clone()),
            phone: changes.phone.clone().unwrap_or_else(|| before.phone.clone()),
        };
        // Sealed twice, equal values look different, so only here it can be seen that nothing changes.
        if profile != before {
            let profile = vault.seal(Subject::from(account.id), &profile).await?;
            unit.decide(&mut account, &Command::ChangeProfile { profile })?;
        }
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
    reply::one(found.version, &SettingsShown::from(&known(&found.state)?.settings))
}

/// Updates the caller's settings.
#[utoipa::path(patch, path = "/v1/me/settings", operation_id = "updateMySettings",
    tag = "me", request_body = SettingsChanges, security(("bearer" = [])),
    responses((status = 200, description = "The settings", body = SettingsShown)))]
async fn change_settings(State(app): State<Shared>, ask: Ask<Member, SettingsChanges>) -> Result<Response, Problem> {
    let ask = &ask;
    app.run(ask, "account.change_settings", |unit| async move {
        let mut account = own(&unit, ask).await?;
        let (before, changes) = (known(&account.state)?.settings.clone(), &ask.body);
        let settings = Settings {
            locale: changes.locale.unwrap_or(before.locale),
            currency: changes.currency.unwrap_or(before.currency),
            channels: changes.channels.as_deref().cloned().unwrap_or(before.channels),
        };
        unit.decide(&mut account, &Command::ChangeSettings { settings: settings.clone() })?;
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
    let items = known(&found.state)?.addresses.iter().map(KeptAddress::of).collect();
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
        let id: AddressId = unit.new_id();
        let address = unit.commands().vault().seal(Subject::from(account.id), &ask.body).await?;
        unit.decide(&mut account, &Command::AddAddress { id, address })?;
        let kept = known(&account.state)?.address(id).map_err(|rejection| refused(&rejection))?;
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
    let kept = known(&found.state)?.address(id).map_err(|rejection| refused(&rejection))?;
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
        let address = unit.commands().vault().seal(Subject::from(account.id), &ask.body).await?;
        unit.decide(&mut account, &Command::ChangeAddress { id, address })?;
        let kept = known(&account.state)?.address(id).map_err(|rejection| refused(&rejection))?;
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
        unit.decide(&mut account, &Command::RemoveAddress { id })?;
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
    let hash = app.passwords.hash(ask.body.new.as_str().to_owned()).await?;
    let password = app.commands.vault().seal(Subject::from(ask.who.1), &Secret(hash)).await.map_err(Error::from)?;
    let command = &Command::ChangePassword { seen: open.passwords, password };
    let app = &app;
    app.run(ask, "account.change_password", |unit| async move {
        let mut account = own(&unit, ask).await?;
        app.with_second_factor(&unit, ask, &account).await?;
        unit.decide(&mut account, command)?;
        accounts::log_out_all(&unit, &mut account, Reason::PasswordChanged, ask.who.0.session()).await?;
        Ok(Reply::gone(account.version))
    })
    .await
}

/// Closes the caller's account and erases their personal data.
///
/// Unpaid orders are cancelled. While an order is paid and not delivered the request is refused (409).
#[utoipa::path(delete, path = "/v1/me", operation_id = "eraseMe",
    tag = "me", request_body = Farewell, security(("bearer" = [])),
    responses((status = 204, description = "The account is closed and its personal data erased"),
        (status = 409, description = "Orders are paid for and not delivered")))]
async fn farewell(State(app): State<Shared>, ask: Ask<Member, Farewell>) -> Result<Response, Problem> {
    let ask = &ask;
    proven(&app, &ask.who, &ask.body.password).await?;
    let app = &app;
    let answer = app
        .run(ask, "account.erase", |unit| async move {
            let mut account = own(&unit, ask).await?;
            app.with_second_factor(&unit, ask, &account).await?;
            // An admin who leaves takes the access along that they gave to programs: nobody is told here what would stand.
            accounts::erase(&unit, &mut account, false, Revoke::Grants).await?;
            Ok(Reply::done())
        })
        .await?;
    app.commands.vault().erase(Subject::from(ask.who.1)).await.map_err(Error::from)?;
    Ok(answer)
}

fn shown(account: &Loaded<Account>) -> Result<Reply, Error> {
    Reply::ok(account.version, &Me::of(account.id, known(&account.state)?))
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
}
