//! Accounts and sessions as their owners and staff see them: what is personal stays sealed until the answer leaves.

use std::collections::BTreeSet;

use byteshop_commands::use_cases::accounts::grants::Standing;
use byteshop_domain::account::{Channel, Client, Kept, Open, Profile, Role, Settings};
use byteshop_domain::ids::{AccountId, AddressId, SessionId};
use byteshop_domain::session::Started;
use byteshop_domain::text::{Email, Reason};
use byteshop_domain::{Currency, Locale, Personal, address};
use byteshop_projections::account_list::Status;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// The caller's account.
#[derive(Serialize, ToSchema)]
pub struct Me<'a> {
    id: AccountId,
    email: &'a Personal<Email>,
    /// Whether the e-mail address is confirmed.
    confirmed: bool,
    /// The role.
    role: Role,
    /// The profile; null if empty.
    profile: Option<&'a Personal<Profile>>,
    settings: SettingsShown<'a>,
    /// Whether a log-in requires a code in addition to the password.
    second_factor: bool,
}

/// An account's preferences.
#[derive(Serialize, ToSchema)]
pub struct SettingsShown<'a> {
    locale: Locale,
    /// ISO 4217 currency code.
    currency: Option<Currency>,
    /// `email`, `sms` or `push`: the channels for messages about orders.
    #[schema(example = json!(["email"]))]
    channels: &'a BTreeSet<Channel>,
}

impl<'a> From<&'a Settings> for SettingsShown<'a> {
    fn from(it: &'a Settings) -> Self {
        Self { locale: it.locale, currency: it.currency, channels: &it.channels }
    }
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
            settings: SettingsShown::from(&it.settings),
            second_factor: it.second_factor.is_active(),
        }
    }
}

/// An account, as staff sees it.
#[derive(Serialize, ToSchema)]
pub struct Account<'a> {
    #[serde(flatten)]
    me: Me<'a>,
    status: Status,
    /// The reason for the ban, if one was given.
    ban_reason: Option<&'a Reason>,
    /// The number of active sessions.
    sessions: usize,
}

impl<'a> Account<'a> {
    /// An account as it is.
    pub fn of(id: AccountId, it: &'a Open) -> Self {
        let status = Status::of(it.ban.is_some(), it.confirmed);
        let reason = it.ban.as_ref().and_then(|ban| ban.reason.as_ref());
        Self { me: Me::of(id, it), status, ban_reason: reason, sessions: it.sessions.len() }
    }
}

/// What an account gave access with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GrantKind {
    ApiKey,
    WebhookEndpoint,
}

/// Access that an account gave to a program.
#[derive(Serialize, ToSchema)]
pub struct GrantShown {
    /// `api_key` or `webhook_endpoint`.
    kind: GrantKind,
    #[schema(example = "key_01h455vb4pex5vsknk084sn02q")]
    id: String,
    /// What the key is for, or where the endpoint is.
    #[schema(example = "Warehouse")]
    name: String,
    /// The scopes of the key, or the events that the endpoint receives.
    #[schema(example = json!(["stock:read", "stock:write"]))]
    allows: Vec<String>,
    /// When it expires.
    expires_at: Option<DateTime<Utc>>,
}

impl From<Standing> for GrantShown {
    fn from(it: Standing) -> Self {
        match it {
            Standing::ApiKey { id, name, scopes, expires_at } => Self {
                kind: GrantKind::ApiKey,
                id: id.to_string(),
                name: name.to_string(),
                allows: scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
                expires_at,
            },
            Standing::WebhookEndpoint { id, url, filter, expires_at } => Self {
                kind: GrantKind::WebhookEndpoint,
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
    id: AddressId,
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
    id: SessionId,
    /// Whether it is the session of this request.
    current: bool,
    started_at: DateTime<Utc>,
    /// When it was last refreshed.
    seen_at: DateTime<Utc>,
    /// When it expires unless it is refreshed.
    expires_at: DateTime<Utc>,
    /// The client that used it last.
    client: Personal<Client>,
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
