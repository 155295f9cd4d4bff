//! The keys that an order got for a variant, and the parts of them that are shown or revoked.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{StoredValueId, VariantId};
use crate::key_pool::KeyRange;
use crate::money::Money;

/// The keys of a variant that an order has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// The keys.
    pub keys: Vec<KeyRange>,
    /// How many of them the buyer has been shown, from the first one on.
    pub revealed: i64,
    /// When the buyer was last shown new ones.
    pub revealed_at: Option<DateTime<Utc>>,
    /// The gift cards of which they are the codes, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gift_cards: Vec<StoredValueId>,
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
    /// The gift cards of which they are the codes, in their order; empty if they are no gift cards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gift_cards: Vec<StoredValueId>,
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
    /// What was taken back of the gift cards of which they are the codes; absent if they are no gift cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Money>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none_of_them(count: &i64) -> bool {
    *count == 0
}
