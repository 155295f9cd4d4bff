//! Switches: how often the sandbox fails, and in which ways.

use serde::{Deserialize, Serialize};

use super::operation::Operation;

/// Longest latency: beyond a minute every client has given up.
const LATENCY_MS_MAX: u64 = 60_000;
/// Longest `Retry-After`.
const RETRY_AFTER_MAX: u32 = 3_600;

/// The switches. A request replaces all of them; those that it leaves out are off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Switches {
    /// Where chance starts.
    pub seed: u64,
    /// The operations, by the `operationId` of PayPal's documents, to which latency, errors and silence apply; all if it is empty.
    pub operations: Vec<Operation>,
    /// Milliseconds before a request is looked at.
    pub latency_ms: u64,
    /// Percent of requests that are not executed and get 500 or 503.
    pub error_percent: u8,
    /// Percent of requests that are not executed and get 429.
    pub too_many_percent: u8,
    /// The `Retry-After` of a 429 or a 503, in seconds.
    pub retry_after_seconds: u32,
    /// Percent of executed requests that get no response: the connection stays open.
    pub silent_percent: u8,
    /// Percent of webhooks that are sent twice.
    pub duplicate_percent: u8,
    /// Percent of webhooks that are never sent; the list of events has them.
    pub loss_percent: u8,
    /// Percent of webhooks that are sent up to two seconds late, after those that follow.
    pub reorder_percent: u8,
    /// Seconds until a batch of payouts is carried out.
    pub payout_seconds: u32,
}

impl Switches {
    /// What is wrong with them.
    pub(super) fn fault(&self) -> Option<String> {
        let percents = [
            self.error_percent,
            self.too_many_percent,
            self.silent_percent,
            self.duplicate_percent,
            self.loss_percent,
            self.reorder_percent,
        ];
        if percents.iter().any(|percent| *percent > 100) {
            return Some("a percentage is at most 100".to_owned());
        }
        if self.latency_ms > LATENCY_MS_MAX || self.retry_after_seconds > RETRY_AFTER_MAX {
            return Some(format!("latency_ms is at most {LATENCY_MS_MAX}, retry_after_seconds {RETRY_AFTER_MAX}"));
        }
        None
    }

    /// Whether they apply to an operation.
    pub(super) fn cover(&self, operation: Operation) -> bool {
        self.operations.is_empty() || self.operations.contains(&operation)
    }
}
