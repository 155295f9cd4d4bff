//! Crash tests: everything that can be killed is killed under load, and what was acknowledged is still there, once.
//!
//! `make faults` runs more rounds. `BYTESHOP_TEST_FAULT_ROUNDS` says how many, `BYTESHOP_TEST_FAULT_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]
#![allow(
    clippy::disallowed_methods,
    reason = "tests wait for what they spawn, and have no configuration but the environment"
)]
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_wrap,
    reason = "what a test does not expect, it panics about"
)]

mod appends;
mod downloads;
mod gift_cards;
mod keys;
mod load;
mod payouts;
mod paypal;
mod shop;

use byteshop_tests::random::Chance;

/// Rounds of a run; `make test` has few.
fn rounds(few: u64) -> u64 {
    number("BYTESHOP_TEST_FAULT_ROUNDS").unwrap_or(few)
}

/// The chance of this run, whose seed is printed.
fn chance(test: &str) -> Chance {
    let seed = number("BYTESHOP_TEST_FAULT_SEED").unwrap_or_else(Chance::new_seed);
    eprintln!("{test}: repeat with BYTESHOP_TEST_FAULT_SEED={seed}");
    Chance::of(seed)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}
