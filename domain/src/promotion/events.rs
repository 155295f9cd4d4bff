//! The events of a promotion.

use serde::{Deserialize, Serialize};

use super::terms::Terms;

/// What happened to a promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The promotion was created; it applies within its period.
    Created {
        /// The benefit, target, conditions, limits and period.
        terms: Terms,
    },
    /// The terms were changed.
    Revised {
        /// All terms.
        terms: Terms,
    },
    /// The promotion was paused.
    Paused {},
    /// The promotion was resumed.
    Resumed {},
    /// The promotion was ended.
    Ended {},
}

impl crate::Event for Event {}
