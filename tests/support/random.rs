//! Chance that can be repeated: a seed is printed, and the same seed gives the same numbers.

use std::hash::{BuildHasher as _, RandomState};

/// A generator of pseudo-random numbers (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The numbers of a seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed that nobody has chosen.
    pub fn new_seed() -> u64 {
        RandomState::new().hash_one("seed") % 1_000_000_000
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` up to `upto`, both included.
    pub fn between(&mut self, from: u64, upto: u64) -> u64 {
        from + self.number() % (upto - from + 1)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.number().is_multiple_of(times)
    }

    /// One of them.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.between(0, choices.len() as u64 - 1)).unwrap();
        choices[index]
    }

    /// Another generator that goes its own way.
    pub fn fork(&mut self) -> Self {
        Self(self.number())
    }
}
