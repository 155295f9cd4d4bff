//! What led to a step, and what the step states about itself.

use byteshop_domain::Actor;
use byteshop_eventstore::Recorded;
use uuid::Uuid;

use crate::Commands;
use crate::engine::intent::Intent;

/// The event that led to a step.
#[derive(Debug, Clone)]
pub struct Cause {
    /// The process.
    pub process: &'static str,
    /// The event's position.
    pub position: i64,
    /// Its chain of causes.
    pub correlation: Uuid,
    /// Its trace.
    pub trace_id: Option<String>,
}

impl Cause {
    /// An event as the cause of what a process does.
    pub fn of(process: &'static str, event: &Recorded) -> Result<Self, serde_json::Error> {
        let meta = event.meta()?;
        Ok(Self { process, position: event.position, correlation: meta.correlation_id, trace_id: meta.trace_id })
    }
}

/// The intent of a process because of an event.
pub(super) fn intent(commands: &Commands, cause: &Cause, command: &'static str) -> Intent {
    let actor = Actor::Process { name: cause.process.to_owned() };
    Intent {
        correlation_id: cause.correlation,
        causation: Some(cause.position),
        trace_id: cause.trace_id.clone(),
        ..Intent::new(actor, command, commands.clock().new_id())
    }
}
