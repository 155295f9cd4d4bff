//! A Bloom filter over the keys that have left memory, so that a new key costs no question to the table.
//!
//! Source: B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors" (1970); the second hash from the
//! first after Kirsch and Mitzenmacher (2006).

use std::hash::{BuildHasher, RandomState};

/// Bits of the filter, 8 MiB: at four million keys it errs about once in two hundred.
const BITS: u64 = 1 << 26;
/// Bits per key.
const PROBES: u64 = 4;

/// Keys that may have been seen.
pub(super) struct Seen {
    words: Vec<u64>,
    hasher: RandomState,
}

impl Seen {
    pub fn none() -> Self {
        Self { words: Vec::new(), hasher: RandomState::new() }
    }

    pub fn insert(&mut self, key: &str) {
        if self.words.is_empty() {
            self.words = vec![0; usize::try_from(BITS / 64).expect("2^20 fits")];
        }
        for bit in self.bits(key) {
            self.words[Self::word(bit)] |= 1 << (bit % 64);
        }
    }

    /// False only when the key was certainly never inserted.
    pub fn may_contain(&self, key: &str) -> bool {
        !self.words.is_empty() && self.bits(key).all(|bit| self.words[Self::word(bit)] & (1 << (bit % 64)) != 0)
    }

    fn bits(&self, key: &str) -> impl Iterator<Item = u64> + use<> {
        let hash = self.hasher.hash_one(key);
        let (start, step) = (hash, (hash >> 32) | 1);
        (0..PROBES).map(move |probe| start.wrapping_add(step.wrapping_mul(probe)) % BITS)
    }

    fn word(bit: u64) -> usize {
        usize::try_from(bit / 64).expect("a word of 2^20 fits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_and_little_else() {
        let mut seen = Seen::none();
        assert!(!seen.may_contain("0"));
        for number in 0..100_000 {
            seen.insert(&number.to_string());
        }
        assert!((0..100_000).all(|number: i32| seen.may_contain(&number.to_string())));
        let wrong = (100_000..200_000).filter(|number: &i32| seen.may_contain(&number.to_string())).count();
        assert!(wrong < 100, "{wrong} of 100000 were taken for seen");
    }
}
