//! The owner of a webhook endpoint, the events that it may receive because of that, and its last delivery.

use std::collections::HashMap;

use byteshop_commands::{Error, Rejected, Unit};
use byteshop_domain::api_key::{self, ApiKey};
use byteshop_domain::ids::{AccountId, Id as _, WebhookEndpointId};
use byteshop_domain::webhook_endpoint::{Known, WebhookEndpoint};
use byteshop_domain::{Actor, Decider as _, Kind};
use chrono::{DateTime, Utc};

use super::shown::Endpoint;
use crate::app::App;
use crate::edge::actor::Caller;

/// Facts about endpoints from the log and the deliveries.
pub(super) struct History {
    makers: HashMap<WebhookEndpointId, Actor>,
    delivered: HashMap<WebhookEndpointId, DateTime<Utc>>,
}

impl History {
    pub(super) async fn of(app: &App, endpoints: &[WebhookEndpointId]) -> Result<Self, Error> {
        let (log, ids): (_, Vec<_>) = (app.commands.log(), endpoints.iter().map(|id| id.uuid()).collect());
        let (makers, delivered) =
            tokio::try_join!(log.makers(WebhookEndpoint::CATEGORY, &ids), log.last_deliveries(&ids))?;
        Ok(Self {
            makers: makers.into_iter().map(|(id, maker)| (WebhookEndpointId::from_uuid(id), maker)).collect(),
            delivered: delivered.into_iter().map(|(id, at)| (WebhookEndpointId::from_uuid(id), at)).collect(),
        })
    }

    pub(super) fn tell<'a>(&self, endpoint: Endpoint<'a>) -> Endpoint<'a> {
        let id = endpoint.id;
        endpoint.with_history(self.makers.get(&id), self.delivered.get(&id).copied())
    }
}

/// The key that the caller asks with, if it is a program: as it is in the log, and as it stays until the append. A key that was
/// revoked since the request was authenticated is refused.
async fn key_of(unit: &Unit, who: &Caller) -> Result<Option<api_key::Created>, Error> {
    let Some(key) = who.key() else { return Ok(None) };
    match unit.load::<ApiKey>(key).await?.state.existing() {
        Ok(key) if key.is_good(unit.now()) => Ok(Some(key.clone())),
        Ok(_) | Err(_) => Err(Error::Unproven(Rejected {
            code: "auth.invalid".to_owned(),
            kind: Kind::Forbidden,
            detail: "the API key was revoked or has expired".to_owned(),
            pointer: None,
        })),
    }
}

/// The owner of an endpoint: the caller, or the account that created the API key.
pub(super) async fn owner(unit: &Unit, who: &Caller) -> Result<Option<AccountId>, Error> {
    match key_of(unit, who).await? {
        Some(key) => Ok(key.created_by),
        None => Ok(who.account()),
    }
}

/// Refuses an endpoint that would tell a program what its key may not read.
pub(super) async fn may_read(unit: &Unit, who: &Caller, endpoint: &Known) -> Result<(), Error> {
    let Some(key) = key_of(unit, who).await? else { return Ok(()) };
    let lacking: Vec<&str> = endpoint.scopes().difference(&key.scopes).map(|scope| scope.as_str()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    Err(Error::Rejected(Rejected {
        code: "auth.scope".to_owned(),
        kind: Kind::Forbidden,
        detail: format!("the API key lacks the scope {}, which the events in the filter require", lacking.join(", ")),
        pointer: Some("/filter".to_owned()),
    }))
}
