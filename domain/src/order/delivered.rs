//! The keys that an order got for a variant, and the parts of them that are shown or revoked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::VariantId;
use crate::key_pool::KeyRange;

/// The keys of a variant that an order has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// The keys.
    pub keys: Vec<KeyRange>,
    /// How many of them the buyer has been shown, from the first one on.
    pub revealed: i64,
    /// When the buyer was last shown new ones.
    pub revealed_at: Option<DateTime<Utc>>,
}

/// The keys of a variant that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The variant.
    pub variant: VariantId,
    /// The number of the first one, from 1.
    pub from: i64,
    /// The keys.
    pub keys: Vec<KeyRange>,
    /// How many more there are after these.
    pub more: i64,
}

/// The keys of a pool that an order got for the pieces of a variant: the first key is of the first piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineKeys {
    /// The variant.
    pub variant: VariantId,
    /// The keys.
    pub keys: Vec<KeyRange>,
}

/// Keys of a variant that an order gives up: the last ones that it had left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedKeys {
    /// The variant.
    pub variant: VariantId,
    /// The keys.
    pub keys: Vec<KeyRange>,
    /// How many of them the buyer had been shown, from the first one on: they may be used.
    #[serde(default, skip_serializing_if = "is_none_of_them")]
    pub revealed: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none_of_them(count: &i64) -> bool {
    *count == 0
}
