//! Webhook endpoints: whose they are, and what they may be told because of that.

use byteshop_domain::Kind;
use byteshop_domain::account::{Grant, Secret};
use byteshop_domain::api_key::{self, ApiKey};
use byteshop_domain::ids::{AccountId, ApiKeyId, WebhookEndpointId};
use byteshop_domain::text::{Link, Reason};
use byteshop_domain::webhook_endpoint::{Command, SHOP, Topic, WebhookEndpoint};
use chrono::{DateTime, Utc};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::accounts::grants;

/// Who asks: a person, or a program with its key.
#[derive(Debug, Clone, Copy)]
pub struct Maker {
    /// The account of a person.
    pub account: Option<AccountId>,
    /// The key of a program.
    pub key: Option<ApiKeyId>,
}

/// What a new endpoint is.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Where it is.
    pub url: Link,
    /// The events that it receives.
    pub filter: Vec<Topic>,
    /// What it is for.
    pub description: Option<Reason>,
    /// When deliveries end; never if absent.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What changes of an endpoint; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Revision {
    /// Where it is.
    pub url: Option<Link>,
    /// The events that it receives.
    pub filter: Option<Vec<Topic>>,
    /// What it is for.
    pub description: Option<Reason>,
    /// Whether it receives events.
    pub enabled: Option<bool>,
    /// When deliveries end.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Creates an endpoint, and records it with the account whose it is. Its messages are signed with `secret`.
pub async fn create(
    unit: &Unit,
    new: NewEndpoint,
    secret: &Secret,
    by: Maker,
) -> Result<Loaded<WebhookEndpoint>, Error> {
    let id: WebhookEndpointId = unit.new_id();
    let mut endpoint = unit.start::<WebhookEndpoint>(id);
    let secret = unit.commands().vault().seal(SHOP, secret).await?;
    let key = key_of(unit, by).await?;
    let created_by = key.as_ref().map_or(by.account, |key| key.created_by);
    let NewEndpoint { url, filter, description, expires_at } = new;
    unit.decide(&mut endpoint, &Command::Create { url, filter, description, secret, created_by, expires_at })?;
    may_read(key.as_ref(), &endpoint)?;
    grants::record(unit, created_by, Grant::WebhookEndpoint { id }).await?;
    Ok(endpoint)
}

/// Revises an endpoint, pauses or resumes it.
pub async fn revise(
    unit: &Unit,
    endpoint: &mut Loaded<WebhookEndpoint>,
    revision: Revision,
    by: Maker,
) -> Result<(), Error> {
    let Revision { url, filter, description, enabled, expires_at } = revision;
    unit.decide(endpoint, &Command::Revise { url, filter, description, enabled, expires_at })?;
    may_read(key_of(unit, by).await?.as_ref(), endpoint)
}

/// Removes an endpoint.
pub fn remove(unit: &Unit, endpoint: &mut Loaded<WebhookEndpoint>) -> Result<(), Error> {
    unit.decide(endpoint, &Command::Remove {})
}

/// Signs the messages of an endpoint with another secret from now on. Who knows it can write messages that seem to come from the
/// shop, so a key must be allowed to read what they are about.
pub async fn rotate_secret(
    unit: &Unit,
    endpoint: &mut Loaded<WebhookEndpoint>,
    secret: &Secret,
    by: Maker,
) -> Result<(), Error> {
    may_read(key_of(unit, by).await?.as_ref(), endpoint)?;
    let secret = unit.commands().vault().seal(SHOP, secret).await?;
    unit.decide(endpoint, &Command::Rotate { secret })
}

/// Delivers the events from a position on once more.
pub async fn replay(unit: &Unit, endpoint: &mut Loaded<WebhookEndpoint>, from: i64, by: Maker) -> Result<(), Error> {
    may_read(key_of(unit, by).await?.as_ref(), endpoint)?;
    unit.decide(endpoint, &Command::Replay { from })
}

/// The key that the caller asks with, if it is a program: as it is in the log, and as it stays until the append. A key that was
/// revoked since the request was authenticated is refused.
async fn key_of(unit: &Unit, by: Maker) -> Result<Option<api_key::Created>, Error> {
    let Some(key) = by.key else { return Ok(None) };
    match unit.load::<ApiKey>(key).await?.state.live() {
        Ok(key) if key.is_good(unit.now()) => Ok(Some(key.clone())),
        Ok(_) | Err(_) => Err(Error::Unproven(Rejected {
            code: "auth.invalid".to_owned(),
            kind: Kind::Forbidden,
            detail: "the API key was revoked or has expired".to_owned(),
            pointer: None,
        })),
    }
}

/// Refuses an endpoint that would tell a program what its key may not read.
fn may_read(key: Option<&api_key::Created>, endpoint: &Loaded<WebhookEndpoint>) -> Result<(), Error> {
    let Some(key) = key else { return Ok(()) };
    let lacking: Vec<&str> =
        endpoint.state.live()?.scopes().difference(&key.scopes).map(|scope| scope.as_str()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Error::Rejected(Rejected {
        code: "auth.scope".to_owned(),
        kind: Kind::Forbidden,
        detail: format!("the API key lacks the scope {} of what the filter names", lacking.join(", ")),
        pointer: Some("/filter".to_owned()),
    }))
}
