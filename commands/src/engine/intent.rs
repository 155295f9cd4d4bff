//! The actor and the cause of a command, set once where the request arrives.

use byteshop_domain::Actor;
use byteshop_eventstore::Meta;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// The actor and the cause of one command; every event of the command carries them.
#[derive(Debug, Clone)]
pub struct Intent {
    /// The actor.
    pub actor: Actor,
    /// The command, such as `order.cancel`.
    pub command: &'static str,
    /// This request.
    pub request_id: Uuid,
    /// The first request of the chain.
    pub correlation_id: Uuid,
    /// The position of the event that led to it.
    pub causation: Option<i64>,
    /// The time of occurrence, if not now.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The W3C trace id.
    pub trace_id: Option<String>,
    /// The client's own id of the request.
    pub client_request_id: Option<Uuid>,
    /// The idempotency key, if the request has one.
    pub key: Option<Key>,
    /// The versions of which the caller has seen one (`If-Match`); they guard the aggregate loaded with `load_matching`.
    pub if_match: Option<Vec<i64>>,
}

/// An idempotency key: repeating the command returns the first response.
#[derive(Debug, Clone)]
pub struct Key {
    /// The owner of the key.
    pub who: String,
    /// The key.
    pub key: String,
    /// A hash of the request, so that a key is not used for another request.
    pub fingerprint: Vec<u8>,
    /// How long the first response is kept; forever if absent.
    pub kept_for: Option<TimeDelta>,
}

impl Intent {
    /// A command that starts a chain of its own.
    pub fn new(actor: Actor, command: &'static str, request_id: Uuid) -> Self {
        Self {
            actor,
            command,
            request_id,
            correlation_id: request_id,
            causation: None,
            occurred_at: None,
            trace_id: None,
            client_request_id: None,
            key: None,
            if_match: None,
        }
    }

    pub(crate) fn meta(&self) -> Meta {
        Meta {
            actor: self.actor.clone(),
            command: self.command.to_owned(),
            request_id: self.request_id,
            correlation_id: self.correlation_id,
            causation: self.causation,
            occurred_at: self.occurred_at,
            trace_id: self.trace_id.clone(),
            client_request_id: self.client_request_id,
        }
    }
}
