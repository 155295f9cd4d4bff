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
