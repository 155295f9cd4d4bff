//! Access that somebody gave to a program: it stands when their own sessions have ended, so their account knows of it.

use serde::{Deserialize, Serialize};

use super::{Decision, Event, Open, Rejection};
use crate::decider::Asked;
use crate::ids::{ApiKeyId, WebhookEndpointId};

/// A standing grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Grant {
    /// A key with which a program asks.
    ApiKey {
        /// The key.
        id: ApiKeyId,
    },
    /// An address that is told what happens.
    WebhookEndpoint {
        /// The endpoint.
        id: WebhookEndpointId,
    },
}

impl Open {
    /// The grant is made in the same append, so a ban comes before it and refuses it, or after it and finds it here.
    pub(super) fn record_grant(&self, grant: Grant, asked: &Asked) -> Decision {
        // A key that its maker's ban did not revoke goes on, and so does what is made with it.
        let by_owner = asked.by.account().is_some();
        if by_owner && self.ban.is_some() {
            return Err(Rejection::Banned);
        }
        let known = self.grants.contains(&grant);
        Ok(if known { vec![] } else { vec![Event::AccessGranted { grant }] })
    }
}
