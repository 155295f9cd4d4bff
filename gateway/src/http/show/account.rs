//! Accounts and sessions as their owners and staff see them: what is personal stays sealed until the answer leaves.

use byteshop_domain::account::{Client, Kept, Open, Profile, Role, Settings};
use byteshop_domain::ids::{AccountId, AddressId, SessionId};
use byteshop_domain::session::Started;
use byteshop_domain::text::Email;
use byteshop_domain::{Personal, address};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::names;

/// The caller's account.
#[derive(Serialize, ToSchema)]
pub struct Me<'a> {
    #[schema(value_type = String, example = "acc_01h455vb4pex5vsknk084sn02q")]
    id: AccountId,
    #[schema(value_type = String)]
    email: &'a Personal<Email>,
    /// Whether the e-mail address is confirmed.
    confirmed: bool,
    /// The role.
    #[schema(value_type = names::Role)]
    role: Role,
    /// The profile; null if empty.
    #[schema(value_type = Option<ProfileShown>, required = true)]
    profile: Option<&'a Personal<Profile>>,
    #[schema(value_type = SettingsShown)]
    settings: &'a Settings,
}

/// A person's profile.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ProfileShown {
    #[schema(example = "Ada Lovelace")]
    name: Option<String>,
    #[schema(example = "+49 30 1234567")]
    phone: Option<String>,
}

/// An account's preferences.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct SettingsShown {
    #[schema(example = "en")]
    locale: names::Locale,
    /// ISO 4217 currency code.
    #[schema(example = "EUR", required = true)]
    currency: Option<String>,
    /// `email`, `sms`, `push`: how they hear of what happens to their orders.
    #[schema(example = json!(["email"]))]
    channels: Vec<names::Channel>,
}

impl<'a> Me<'a> {
    /// An account as it is.
    pub fn of(id: AccountId, it: &'a Open) -> Self {
        Self {
            id,
            email: &it.email,
            confirmed: it.confirmed,
            role: it.role,
            profile: it.profile.as_ref(),
            settings: &it.settings,
        }
    }
}

/// An account, as staff sees it.
#[derive(Serialize, ToSchema)]
pub struct Account<'a> {
    #[serde(flatten)]
    me: Me<'a>,
    #[schema(value_type = names::AccountStatus, example = "active")]
    status: &'static str,
    /// The reason of the ban, if one was given.
    #[schema(value_type = Option<String>, required = true)]
    ban_reason: Option<&'a str>,
    /// The number of active sessions.
    sessions: usize,
}

impl<'a> Account<'a> {
    /// An account as it is.
    pub fn of(id: AccountId, it: &'a Open) -> Self {
        let status = match (&it.ban, it.confirmed) {
            (Some(_), _) => "banned",
            (None, true) => "active",
            (None, false) => "unconfirmed",
        };
        let reason = it.ban.as_ref().and_then(|ban| ban.reason.as_ref());
        Self { me: Me::of(id, it), status, ban_reason: reason.map(AsRef::as_ref), sessions: it.sessions.len() }
    }
}

/// An address of an address book.
#[derive(Serialize, ToSchema)]
pub struct KeptAddress<'a> {
    #[schema(value_type = String, example = "addr_01h455vb4pex5vsknk084sn02q")]
    id: AddressId,
    #[schema(value_type = super::Address)]
    address: &'a Personal<address::Address>,
}

impl<'a> KeptAddress<'a> {
    /// An address as it is kept.
    pub fn of(it: &'a Kept) -> Self {
        Self { id: it.id, address: &it.address }
    }
}

/// An active session.
#[derive(Serialize, ToSchema)]
pub struct SessionRow {
    #[schema(value_type = String, example = "ses_01h455vb4pex5vsknk084sn02q")]
    id: SessionId,
    /// Whether it is the session of this request.
    current: bool,
    started_at: DateTime<Utc>,
    /// When it was last refreshed.
    seen_at: DateTime<Utc>,
    /// When it expires unless it is refreshed.
    expires_at: DateTime<Utc>,
    /// The client that used it last.
    #[schema(value_type = ClientShown)]
    client: Personal<Client>,
}

/// The client of a request.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ClientShown {
    #[schema(example = "192.0.2.7")]
    address: String,
    #[schema(example = "curl/8.5.0")]
    agent: Option<String>,
}

impl SessionRow {
    /// A session as it is.
    pub fn of(id: SessionId, it: &Started, current: bool) -> Self {
        Self {
            id,
            current,
            started_at: it.started_at,
            seen_at: it.seen_at,
            expires_at: it.expires_at,
            client: it.client.clone(),
        }
    }
}
