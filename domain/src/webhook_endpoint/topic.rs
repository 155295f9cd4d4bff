//! The events that an endpoint subscribes to, and the scopes that a program needs to subscribe to them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api_key::Scope;

/// The categories whose events are delivered.
pub const TOLD: &[&str] = &[
    "category",
    "product",
    "stock",
    "key_pool",
    "order",
    "payment",
    "dispute",
    "shipment",
    "return",
    "credit_note",
    "reconciliation",
];

/// A filter of events: `*`, `order.*` or `order.paid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topic(pub(crate) String);

/// The text names no events that are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a filter must be *, a category such as order.*, or an event type such as order.paid that is delivered")]
pub struct NoTopic;

#[cfg(feature = "openapi")]
crate::openapi::value!(Topic, crate::openapi::example("order.*"));

impl Topic {
    /// The scopes that a program needs to subscribe to it.
    pub fn scopes(&self) -> BTreeSet<Scope> {
        match self.0.split_once('.') {
            None => TOLD.iter().filter_map(|category| scope(category)).collect(),
            Some((category, _)) => scope(category).into_iter().collect(),
        }
    }

    /// Whether the event matches it.
    pub fn names(&self, category: &str, event_type: &str) -> bool {
        match self.0.split_once('.') {
            None => TOLD.contains(&category),
            Some((wanted, "*")) => wanted == category,
            Some((wanted, wanted_type)) => wanted == category && wanted_type == event_type,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The scope that allows reading a category of events.
fn scope(category: &str) -> Option<Scope> {
    match category {
        "category" | "product" => Some(Scope::CatalogRead),
        "stock" | "key_pool" => Some(Scope::StockRead),
        "order" | "payment" | "dispute" | "shipment" | "return" | "credit_note" | "reconciliation" => {
            Some(Scope::OrdersRead)
        }
        _ => None,
    }
}
