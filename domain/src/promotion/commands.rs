//! The commands of a promotion.

use serde::{Deserialize, Serialize};

use super::terms::Terms;

/// The commands of a promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the promotion.
    Create {
        /// The benefit, target, conditions, limits and period.
        terms: Box<Terms>,
    },
    /// Change the terms; the code cannot be changed.
    Revise {
        /// All terms.
        terms: Box<Terms>,
    },
    /// Pause the promotion.
    Pause {},
    /// Resume the promotion.
    Resume {},
    /// End the promotion.
    End {},
}
