//! Standing grants: what programs may still do because of an account, when it is banned, demoted or closed.

use std::collections::BTreeSet;

use byteshop_domain::Decider as _;
use byteshop_domain::account::{self, Account, Grant, Role};
use byteshop_domain::api_key::{self, ApiKey, Scope};
use byteshop_domain::ids::{AccountId, ApiKeyId, Id as _, WebhookEndpointId};
use byteshop_domain::session::Reason;
use byteshop_domain::text::{Link, Name, Reason as Text};
use byteshop_domain::webhook_endpoint::{self, Topic, WebhookEndpoint};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{log_out_all, set_role};
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Access of a program that is in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Standing {
    /// A key.
    ApiKey {
        /// Which.
        id: ApiKeyId,
        /// The purpose of the key.
        name: Name,
        /// The scopes of the key.
        scopes: BTreeSet<Scope>,
        /// When it ends by itself.
        expires_at: Option<DateTime<Utc>>,
    },
    /// A webhook endpoint.
    WebhookEndpoint {
        /// Which.
        id: WebhookEndpointId,
        /// Where it is.
        url: Link,
        /// The events that the endpoint receives.
        filter: Vec<Topic>,
        /// When it ends by itself.
        expires_at: Option<DateTime<Utc>>,
    },
}

/// Whether the grants of an account are only named, or revoked in the same append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoke {
    /// They stand.
    Nothing,
    /// They end.
    Grants,
}

impl Revoke {
    /// From a flag of a request or a command.
    pub fn when(wanted: bool) -> Self {
        if wanted { Self::Grants } else { Self::Nothing }
    }
}

/// Notes with its maker's account that a program was given access. A maker without an account, as a token of the command line
/// may name, has nothing to note it with.
pub(crate) async fn record(unit: &Unit, maker: Option<AccountId>, grant: Grant) -> Result<(), Error> {
    let Some(maker) = maker else { return Ok(()) };
    let mut account = unit.load::<Account>(maker).await?;
    if account.state.live().is_err() {
        return Ok(());
    }
    unit.decide(&mut account, &account::Command::RecordGrant { grant })
}

/// Bans an account and ends its sessions; gives its grants, which end with it if that is wanted.
pub async fn ban(
    unit: &Unit,
    account: &mut Loaded<Account>,
    reason: Option<Text>,
    revoke: Revoke,
) -> Result<Vec<Standing>, Error> {
    unit.decide(account, &account::Command::Ban { reason })?;
    log_out_all(unit, account, Reason::Banned, None).await?;
    settle(unit, account.id, &granted(account), revoke).await
}

/// Lifts the ban of an account.
pub fn unban(unit: &Unit, account: &mut Loaded<Account>) -> Result<(), Error> {
    unit.decide(account, &account::Command::Unban {})
}

/// Gives an account another role; gives its grants, which end if that is wanted. Those of an admin are as they should be.
pub async fn change_role(
    unit: &Unit,
    account: &mut Loaded<Account>,
    role: Role,
    revoke: Revoke,
) -> Result<Vec<Standing>, Error> {
    set_role(unit, account, role).await?;
    if role == Role::Admin { Ok(vec![]) } else { settle(unit, account.id, &granted(account), revoke).await }
}

/// The grants that the account itself records.
pub(super) fn granted(account: &Loaded<Account>) -> Vec<Grant> {
    account.state.live().map(|open| open.grants.clone()).unwrap_or_default()
}

/// The grants of an account that are in force; revokes them if that is wanted.
pub(super) async fn settle(
    unit: &Unit,
    account: AccountId,
    known: &[Grant],
    revoke: Revoke,
) -> Result<Vec<Standing>, Error> {
    let (keys, endpoints) = made_by(unit, account, known).await?;
    let mut standing = Vec::new();
    let now = unit.now();
    for mut key in unit.load_all::<ApiKey>(&keys).await? {
        let Ok(found) = key.state.live().cloned() else { continue };
        if !found.is_good(now) {
            continue;
        }
        if revoke == Revoke::Grants {
            unit.decide(&mut key, &api_key::Command::Revoke {})?;
        }
        let api_key::Created { name, scopes, expires_at, .. } = found;
        standing.push(Standing::ApiKey { id: key.id, name, scopes, expires_at });
    }
    standing.extend(settle_endpoints(unit, &endpoints, revoke).await?);
    Ok(standing)
}

/// Returns those of some webhook endpoints that are in force; removes them on request.
async fn settle_endpoints(
    unit: &Unit,
    endpoints: &[WebhookEndpointId],
    revoke: Revoke,
) -> Result<Vec<Standing>, Error> {
    let mut standing = Vec::new();
    let now = unit.now();
    for mut endpoint in unit.load_all::<WebhookEndpoint>(endpoints).await? {
        let Ok(found) = endpoint.state.live().cloned() else { continue };
        if found.has_expired(now) {
            continue;
        }
        if revoke == Revoke::Grants {
            unit.decide(&mut endpoint, &webhook_endpoint::Command::Remove {})?;
        }
        let webhook_endpoint::Known { url, filter, expires_at, .. } = found;
        standing.push(Standing::WebhookEndpoint { id: endpoint.id, url, filter, expires_at });
    }
    Ok(standing)
}

/// Revokes a key; gives the webhook endpoints that a program made with it, which would go on being told, and end with it if that is
/// wanted. An endpoint that is created at this moment changes the account of the key's maker, so that this append or the other one
/// is decided again.
pub async fn revoke_key(unit: &Unit, key: &mut Loaded<ApiKey>, revoke: Revoke) -> Result<Vec<Standing>, Error> {
    unit.decide(key, &api_key::Command::Revoke {})?;
    let maker = key.id.to_string();
    let made =
        unit.commands().log().made_by(&[WebhookEndpoint::CATEGORY], &maker, std::slice::from_ref(&maker)).await?;
    let mut endpoints: BTreeSet<_> = made.iter().map(|stream| WebhookEndpointId::from_uuid(stream.id)).collect();
    if let Some(maker) = key.state.live().ok().and_then(|key| key.created_by) {
        // An endpoint that is created at this moment is among the grants, though perhaps not in the log yet: the append expects it
        // to be as it is loaded here, and is decided again otherwise.
        let account = unit.load::<Account>(maker).await?;
        let granted: Vec<WebhookEndpointId> = granted(&account)
            .into_iter()
            .filter_map(|grant| match grant {
                Grant::WebhookEndpoint { id } => Some(id),
                Grant::ApiKey { .. } => None,
            })
            .collect();
        let id = Some(key.id);
        let with_key = |it: &&Loaded<WebhookEndpoint>| it.state.live().is_ok_and(|known| known.created_with == id);
        endpoints.extend(unit.load_all(&granted).await?.iter().filter(with_key).map(|it| it.id));
    }
    let endpoints: Vec<_> = endpoints.into_iter().collect();
    settle_endpoints(unit, &endpoints, revoke).await
}

/// The keys and endpoints of an account. What was made before accounts knew of their grants is found in the log, by its first
/// event; what is made at this moment changes the account, so that this append or the other one is decided again.
async fn made_by(
    unit: &Unit,
    account: AccountId,
    known: &[Grant],
) -> Result<(Vec<ApiKeyId>, Vec<WebhookEndpointId>), Error> {
    let log = unit.commands().log();
    let (mut keys, mut endpoints) = (BTreeSet::new(), BTreeSet::new());
    for grant in known {
        match grant {
            Grant::ApiKey { id } => drop(keys.insert(*id)),
            Grant::WebhookEndpoint { id } => drop(endpoints.insert(*id)),
        }
    }
    let made = log.made_by(&[ApiKey::CATEGORY], &account.to_string(), &[]).await?;
    keys.extend(made.iter().map(|stream| ApiKeyId::from_uuid(stream.id)));
    let by_key: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let made = log.made_by(&[WebhookEndpoint::CATEGORY], &account.to_string(), &by_key).await?;
    endpoints.extend(made.iter().map(|stream| WebhookEndpointId::from_uuid(stream.id)));
    Ok((keys.into_iter().collect(), endpoints.into_iter().collect()))
}
