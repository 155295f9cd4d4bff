//! Webhook endpoints: whose they are, and what they may be told because of that.

use byteshop_domain::Kind;
use byteshop_domain::account::{Grant, Secret};
use byteshop_domain::api_key::{self, ApiKey};
use byteshop_domain::ids::{AccountId, ApiKeyId, WebhookEndpointId};
use byteshop_domain::text::{Link, Reason};
use byteshop_domain::webhook_endpoint::{Command, Known, SHOP, Topic, WebhookEndpoint};
use chrono::{DateTime, Utc};

use crate::Commands;
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
    may_subscribe(key.as_ref(), &endpoint)?;
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
    let key = key_of(unit, by).await?;
    may_act(key.as_ref(), endpoint)?;
    let Revision { url, filter, description, enabled, expires_at } = revision;
    unit.decide(endpoint, &Command::Revise { url, filter, description, enabled, expires_at })?;
    may_subscribe(key.as_ref(), endpoint)
}

/// Removes an endpoint.
pub async fn remove(unit: &Unit, endpoint: &mut Loaded<WebhookEndpoint>, by: Maker) -> Result<(), Error> {
    may_act(key_of(unit, by).await?.as_ref(), endpoint)?;
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
    may_act(key_of(unit, by).await?.as_ref(), endpoint)?;
    let secret = unit.commands().vault().seal(SHOP, secret).await?;
    unit.decide(endpoint, &Command::Rotate { secret })
}

/// Delivers the events from a position on once more.
pub async fn replay(unit: &Unit, endpoint: &mut Loaded<WebhookEndpoint>, from: i64, by: Maker) -> Result<(), Error> {
    may_act(key_of(unit, by).await?.as_ref(), endpoint)?;
    unit.decide(endpoint, &Command::Replay { from })
}

impl Commands {
    /// Refuses a program whose key may not read everything that an endpoint is told: what was delivered there is not its concern.
    pub async fn may_see_deliveries(&self, by: Maker, endpoint: &Known) -> Result<(), Error> {
        let Some(key) = by.key else { return Ok(()) };
        let found = self.get::<ApiKey>(key).await?;
        match found.as_ref().map(|found| found.state.live()) {
            Some(Ok(key)) if key.is_good(self.clock().now()) => reads(key, endpoint, None),
            Some(Ok(_) | Err(_)) | None => Err(no_key()),
        }
    }
}

/// The key that the caller asks with, if it is a program: as it is in the log, and as it stays until the append. A key that was
/// revoked since the request was authenticated is refused.
async fn key_of(unit: &Unit, by: Maker) -> Result<Option<api_key::Created>, Error> {
    let Some(key) = by.key else { return Ok(None) };
    match unit.load::<ApiKey>(key).await?.state.live() {
        Ok(key) if key.is_good(unit.now()) => Ok(Some(key.clone())),
        Ok(_) | Err(_) => Err(no_key()),
    }
}

fn no_key() -> Error {
    Error::Unproven(Rejected {
        code: "auth.invalid".to_owned(),
        kind: Kind::Forbidden,
        detail: "the API key was revoked or has expired".to_owned(),
        pointer: None,
    })
}

/// Refuses an endpoint that would tell a program what its key may not read.
fn may_subscribe(key: Option<&api_key::Created>, endpoint: &Loaded<WebhookEndpoint>) -> Result<(), Error> {
    key.map_or(Ok(()), |key| reads(key, endpoint.state.live()?, Some("/filter")))
}

/// Refuses to act on an endpoint that is told what the key of a program may not read. One that does not exist is told nothing.
fn may_act(key: Option<&api_key::Created>, endpoint: &Loaded<WebhookEndpoint>) -> Result<(), Error> {
    match (key, endpoint.state.live()) {
        (Some(key), Ok(known)) => reads(key, known, None),
        (Some(_), Err(_)) | (None, _) => Ok(()),
    }
}

/// Refuses a key that lacks a scope of what an endpoint is told.
fn reads(key: &api_key::Created, endpoint: &Known, pointer: Option<&str>) -> Result<(), Error> {
    let lacking: Vec<&str> = endpoint.scopes().difference(&key.scopes).map(|scope| scope.as_str()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Error::Rejected(Rejected {
        code: "auth.scope".to_owned(),
        kind: Kind::Forbidden,
        detail: format!("the API key lacks the scope {} of what the filter names", lacking.join(", ")),
        pointer: pointer.map(str::to_owned),
    }))
}
