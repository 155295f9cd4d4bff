//! Chance that can be repeated: the same seed and the same count give the same roll.

/// What is left to chance; each has rolls of its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chance {
    /// Whether a request fails.
    Error,
    /// Whether a request is refused for coming too soon.
    TooMany,
    /// Whether an executed request stays without a response.
    Silence,
    /// Whether a webhook is lost.
    Loss,
    /// Whether a webhook is sent twice.
    Duplicate,
    /// Whether a webhook is sent late.
    Reorder,
    /// How late.
    Lateness,
    /// Ids.
    Id,
}

/// A roll: a number below `below`, which is not 0.
pub(super) fn roll(seed: u64, chance: Chance, count: u64, below: u64) -> u64 {
    let stream = mixed(seed ^ (chance as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed(stream.wrapping_add(count.wrapping_mul(0xd1b5_4a32_d192_ed03))) % below
}

/// Whether something that happens in so many of a hundred cases happens now.
pub(super) fn happens(seed: u64, chance: Chance, count: u64, percent: u8) -> bool {
    roll(seed, chance, count, 100) < u64::from(percent)
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
fn mixed(mut state: u64) -> u64 {
    state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chance_is_met_about_as_often_as_asked_and_the_same_way_each_time() {
        for percent in [0, 5, 30, 100] {
            let met = |seed| (0..10_000).filter(|count| happens(seed, Chance::Loss, *count, percent)).count();
            let expected = usize::from(percent) * 100;
            assert!(met(7).abs_diff(expected) <= 150, "{percent}: {}", met(7));
            assert_eq!(met(7), met(7));
        }
        let of = |seed| (0..64).map(|count| roll(seed, Chance::Id, count, 1_000)).collect::<Vec<_>>();
        assert_ne!(of(1), of(2));
    }
}
