//! When a product is published and unpublished.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::text::{Label, Reason};

/// When a product is published and unpublished automatically.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// When it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
    /// When it is unpublished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

impl Schedule {
    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a scheduled publication was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The code of the rejection.
    pub code: Label,
    /// The rejection in words.
    pub because: Reason,
}
