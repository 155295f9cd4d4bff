//! Accounts and sessions as their owners and staff see them: what is personal stays sealed until the answer leaves.

use byteshop_commands::use_cases::accounts::grants::Standing;
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
    /// Whether a log-in requires a code in addition to the password.
    second_factor: bool,
}

/// A person's profile; fields that were never set are absent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the domain's own type, which knows nothing of HTTP")]
pub struct ProfileShown {
    #[schema(example = "Ada Lovelace", nullable = false)]
    name: Option<String>,
    #[schema(example = "+49 30 1234567", nullable = false)]
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
    /// `email`, `sms` or `push`: the channels for messages about orders.
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
            second_factor: it.second_factor.is_active(),
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
    /// The reason for the ban, if one was given.
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

/// A grant that an account gave to a program.
#[derive(Serialize, ToSchema)]
pub struct GrantShown {
    /// `api_key` or `webhook_endpoint`.
    #[schema(value_type = names::GrantKind, example = "api_key")]
    kind: &'static str,
    #[schema(example = "key_01h455vb4pex5vsknk084sn02q")]
    id: String,
    /// What the key is for, or where the endpoint is.
    #[schema(example = "Warehouse")]
    name: String,
    /// The scopes of the key, or the events that the endpoint receives.
    #[schema(example = json!(["stock:read", "stock:write"]))]
    allows: Vec<String>,
    /// When it expires.
    #[schema(required = true)]
    expires_at: Option<DateTime<Utc>>,
}

impl From<Standing> for GrantShown {
    fn from(it: Standing) -> Self {
        match it {
            Standing::ApiKey { id, name, scopes, expires_at } => Self {
                kind: "api_key",
                id: id.to_string(),
                name: name.to_string(),
                allows: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                expires_at,
            },
            Standing::WebhookEndpoint { id, url, filter, expires_at } => Self {
                kind: "webhook_endpoint",
                id: id.to_string(),
                name: url.to_string(),
                allows: filter.iter().map(ToString::to_string).collect(),
                expires_at,
            },
        }
    }
}

/// The grants that an account gave to programs.
#[derive(Serialize, ToSchema)]
pub struct Grants {
    /// API keys and webhook endpoints that were in force.
    grants: Vec<GrantShown>,
    /// Whether this request revoked them.
    grants_revoked: bool,
}

impl Grants {
    /// The grants, and whether they were revoked.
    pub fn of(grants: Vec<Standing>, revoked: bool) -> Self {
        Self { grants: grants.into_iter().map(GrantShown::from).collect(), grants_revoked: revoked }
    }
}

/// An account as staff sees it, with its grants to programs.
#[derive(Serialize, ToSchema)]
pub struct AccountWithGrants<'a> {
    #[serde(flatten)]
    account: Account<'a>,
    #[serde(flatten)]
    grants: Grants,
}

impl<'a> AccountWithGrants<'a> {
    /// An account, what was found, and whether it was revoked.
    pub fn of(account: Account<'a>, grants: Vec<Standing>, revoked: bool) -> Self {
        Self { account, grants: Grants::of(grants, revoked) }
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
    #[schema(example = "curl/8.5.0", nullable = false)]
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
