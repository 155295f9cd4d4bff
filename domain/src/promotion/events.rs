//! What happens to a promotion.

use serde::{Deserialize, Serialize};

use super::terms::Terms;

/// What happened to a promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It exists, and runs in its period.
    Created {
        /// What it gives, of what, for whom and when.
        terms: Terms,
    },
    /// Its terms are others.
    Revised {
        /// All of them.
        terms: Terms,
    },
    /// It gives nothing for now.
    Paused {},
    /// It gives again.
    Resumed {},
    /// It gives nothing any more.
    Ended {},
}

impl crate::Event for Event {}
