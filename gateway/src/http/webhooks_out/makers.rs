//! Whose a webhook endpoint is, and when it last took something.

use std::collections::HashMap;

use byteshop_commands::Error;
use byteshop_domain::ids::{Id as _, WebhookEndpointId};
use byteshop_domain::webhook_endpoint::WebhookEndpoint;
use byteshop_domain::{Actor, Decider as _};
use chrono::{DateTime, Utc};

use super::shown::Endpoint;
use crate::app::App;

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
