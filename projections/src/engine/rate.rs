//! How fast a view moves.

use std::time::Duration;

use tokio::time::Instant;

/// Events per second over windows of a second.
pub(crate) struct Rate {
    since: Instant,
    events: u64,
    /// In the last full window.
    pub per_second: i64,
}

impl Rate {
    pub fn start() -> Self {
        Self { since: Instant::now(), events: 0, per_second: 0 }
    }

    pub fn count(&mut self, events: usize) {
        self.events += u64::try_from(events).unwrap_or(0);
        let elapsed = self.since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
            self.per_second = i64::try_from(self.events * 1_000 / millis).unwrap_or(i64::MAX);
            self.since = Instant::now();
            self.events = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_full_window() {
        let mut rate = Rate::start();
        rate.count(500);
        assert_eq!(rate.per_second, 0, "the window is not full yet");
        rate.since = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        rate.count(500);
        assert!((90..=100).contains(&rate.per_second), "{}", rate.per_second);
        // The next window starts anew.
        rate.count(7);
        rate.since = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        rate.count(0);
        assert!((5..=7).contains(&rate.per_second), "{}", rate.per_second);
    }
}
