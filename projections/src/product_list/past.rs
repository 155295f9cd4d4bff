//! Recent changes of products, so that the next pages of a list keep the order of its first page.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, Hasher as _};

use serde::{Deserialize, Serialize};

use super::read::Keys;

/// The number of remembered changes, so that a product which changes while a list is read keeps its place. Each takes
/// at most a kilobyte; a shop that changes more products in that time is importing.
const PAST_MAX: usize = 10_000;

/// A moment in the life of an index: which index, and how often products had been taken into it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Since(u32, u32);

/// The previous sort keys and ranks of the products that changed last.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) now: Since,
    changes: VecDeque<Change>,
}

/// A product before its change.
#[derive(Debug)]
pub(super) struct Change {
    at: u32,
    product: u32,
    pub keys: Keys,
    pub words: Box<[u32]>,
}

impl Default for Past {
    fn default() -> Self {
        // Two indexes have different names, whichever processes they are in.
        let name = RandomState::new().build_hasher().finish() >> 32;
        Self { now: Since(u32::try_from(name).unwrap_or_default(), 0), changes: VecDeque::new() }
    }
}

impl Past {
    /// Products are taken in.
    pub fn begin(&mut self) {
        self.now.1 = self.now.1.wrapping_add(1);
    }

    /// A product has become another one.
    pub fn note(&mut self, product: u32, keys: Keys, words: Box<[u32]>) {
        if self.changes.len() == PAST_MAX {
            self.changes.pop_front();
        }
        self.changes.push_back(Change { at: self.now.1, product, keys, words });
    }

    /// The changes since a moment, with the previous values. Nothing is known about other indexes.
    pub(super) fn since(&self, since: Since) -> HashMap<u32, &Change> {
        let mut then = HashMap::new();
        if since.0 == self.now.0 {
            for change in self.changes.iter().rev().take_while(|change| change.at > since.1) {
                then.insert(change.product, change);
            }
        }
        then
    }
}
