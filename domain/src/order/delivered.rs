//! The keys that an order got for a variant, and the part of them that is shown.

use chrono::{DateTime, Utc};
use serde::Serialize;

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

/// A part of some ranges: so many keys after the first `skip`.
pub(super) fn part_of(keys: &[KeyRange], skip: i64, count: i64) -> Vec<KeyRange> {
    let (mut skip, mut count) = (u32::try_from(skip).unwrap_or(u32::MAX), u32::try_from(count).unwrap_or(0));
    let mut part = Vec::new();
    for range in keys {
        let skipped = skip.min(range.count);
        skip -= skipped;
        let taken = (range.count - skipped).min(count);
        count -= taken;
        if taken > 0 {
            part.push(KeyRange { batch: range.batch, first: range.first + skipped, count: taken });
        }
    }
    part
}
