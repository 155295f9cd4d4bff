//! When a request that failed is sent again: after a pause that doubles, with jitter, and never earlier than PayPal asks.

use std::time::Duration;

/// How often a request is sent: with the pauses between them within the time that a call to a provider may take.
pub(super) const TRIES: u32 = 3;
/// The first pause; each further one is twice as long.
const FIRST: Duration = Duration::from_millis(200);
/// The longest pause within a call. What takes longer is asked again by the process that settles payments.
const LONGEST: Duration = Duration::from_secs(2);

/// The pause before the next try, if there is one. `asked` is what PayPal demands (`Retry-After`), `chance` any random number.
pub(super) fn pause(tries: u32, asked: Option<Duration>, chance: u64) -> Option<Duration> {
    if tries >= TRIES {
        return None;
    }
    let whole = FIRST * 2_u32.pow(tries.saturating_sub(1));
    // Between a half and the whole, so that programs that failed at one moment do not come back at one moment.
    let half = u64::try_from(whole.as_millis() / 2).unwrap_or_default();
    let own = Duration::from_millis(half + chance % (half + 1));
    let pause = asked.map_or(own, |asked| asked.max(own));
    (pause <= LONGEST).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_jitter_and_end() {
        let bounds = |tries| [0, 100_u64, u64::MAX].map(|chance| pause(tries, None, chance).unwrap().as_millis());
        assert!(bounds(1).iter().all(|it| (100..=200).contains(it)), "{:?}", bounds(1));
        assert!(bounds(2).iter().all(|it| (200..=400).contains(it)), "{:?}", bounds(2));
        assert_ne!(pause(1, None, 0), pause(1, None, 50));
        assert_eq!(pause(TRIES, None, 0), None);
    }

    #[test]
    fn a_pause_is_as_long_as_paypal_asks_or_is_left_to_later() {
        assert_eq!(pause(1, Some(Duration::from_secs(1)), 0), Some(Duration::from_secs(1)));
        assert_eq!(pause(1, Some(Duration::ZERO), 0), Some(Duration::from_millis(100)));
        assert_eq!(pause(1, Some(Duration::from_mins(1)), 0), None);
    }
}
