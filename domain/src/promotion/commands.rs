//! What a promotion can be asked.

use serde::{Deserialize, Serialize};

use super::terms::Terms;

/// What a promotion can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Create the promotion.
    Create {
        /// What it gives, of what, for whom and when.
        terms: Box<Terms>,
    },
    /// Have other terms; the code stays.
    Revise {
        /// All of them.
        terms: Box<Terms>,
    },
    /// Give nothing for now.
    Pause {},
    /// Give again.
    Resume {},
    /// Give nothing any more.
    End {},
}
