//! The tree: each command with its events, and below each event the commands that it led to.

use std::collections::{BTreeMap, HashMap};

use byteshop_domain::Actor;
use byteshop_eventstore::{Meta, Recorded};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::cli::audit::record::Record;

/// A command that was carried out.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// The command, such as `order.cancel`.
    pub(super) command: String,
    /// The actor.
    pub(super) actor: Actor,
    /// When its events were recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// When it happened in the world, if that is another time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) occurred_at: Option<DateTime<Utc>>,
    /// The request that carried it.
    pub(super) request_id: Uuid,
    /// The position of the event that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) causation: Option<i64>,
    /// The events that it caused.
    pub(super) events: Vec<Node>,
}

/// An event, and what it led to.
#[derive(Debug, Serialize)]
pub(super) struct Node {
    /// The event.
    #[serde(serialize_with = "whole")]
    pub(super) event: Recorded,
    /// The commands that it led to.
    pub(super) led_to: Vec<Step>,
}

fn whole<S: Serializer>(event: &Recorded, serializer: S) -> Result<S::Ok, S::Error> {
    Record::of(event).map_err(serde::ser::Error::custom)?.serialize(serializer)
}

/// Grows the trees of one chain from its events in order; a cause outside of them leaves a root that names it.
pub(super) fn grow(events: Vec<Recorded>) -> Vec<Step> {
    let mut order: Vec<Uuid> = Vec::new();
    let mut steps: HashMap<Uuid, Step> = HashMap::new();
    for event in events {
        // An event whose meta cannot be read has no place in a tree; `audit log` still shows it.
        let Ok(meta) = event.meta() else { continue };
        let step = steps.entry(meta.request_id).or_insert_with(|| {
            order.push(meta.request_id);
            step(meta, event.recorded_at)
        });
        step.events.push(Node { event, led_to: Vec::new() });
    }
    let places: BTreeMap<i64, Uuid> = steps
        .iter()
        .flat_map(|(request, step)| step.events.iter().map(|node| (node.event.position, *request)))
        .collect();
    // The last first: an effect comes after its cause, so whatever hangs below a step is in place when it moves.
    let mut roots = Vec::new();
    for request in order.into_iter().rev() {
        let Some(step) = steps.remove(&request) else { continue };
        let cause = step.causation.filter(|position| step.events.iter().all(|node| node.event.position > *position));
        let parent = cause.and_then(|position| Some((position, steps.get_mut(places.get(&position)?)?)));
        match parent {
            Some((position, parent)) => {
                if let Some(node) = parent.events.iter_mut().find(|node| node.event.position == position) {
                    node.led_to.insert(0, step);
                }
            }
            None => roots.insert(0, step),
        }
    }
    roots
}

fn step(meta: Meta, recorded_at: DateTime<Utc>) -> Step {
    Step {
        command: meta.command,
        actor: meta.actor,
        recorded_at,
        occurred_at: meta.occurred_at,
        request_id: meta.request_id,
        causation: meta.causation,
        events: Vec::new(),
    }
}
