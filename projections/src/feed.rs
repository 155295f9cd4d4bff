//! The tail of the log, shared by all views of a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use byteshop_eventstore::{Log, Recorded, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How long to wait for a hint before the log is read anyway.
const TICK: Duration = Duration::from_millis(200);

/// Where JetStream is and what the stream is called.
#[derive(Debug, Clone)]
pub struct TailConfig {
    /// Such as `nats://127.0.0.1:4222`.
    pub url: String,
    /// The name of the stream.
    pub stream: String,
    /// What every subject starts with.
    pub prefix: String,
}

/// The tail of the log.
#[derive(Debug, Clone)]
pub struct Feed {
    log: Log,
    hint: Arc<Notify>,
    head: Arc<AtomicI64>,
}

impl Feed {
    /// Starts to follow the log after a position: whenever there is a hint, and now and then without.
    pub fn start(
        log: Log,
        _nats: Option<TailConfig>,
        from: i64,
        hint: Arc<Notify>,
        _cancel: CancellationToken,
    ) -> Self {
        Self { log, hint, head: Arc::new(AtomicI64::new(from)) }
    }

    /// The events after a position, at most `limit`; waits until there are some.
    pub async fn next(&self, after: i64, limit: usize) -> Result<Vec<Arc<Recorded>>, StoreError> {
        loop {
            let hinted = self.hint.notified();
            let events = self.log.read_log(after, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
            if let Some(last) = events.last() {
                self.head.fetch_max(last.position, Ordering::Relaxed);
                return Ok(events.into_iter().map(Arc::new).collect());
            }
            let _ = tokio::time::timeout(TICK, hinted).await;
        }
    }

    /// The last position that is known here.
    pub fn head(&self) -> i64 {
        self.head.load(Ordering::Relaxed)
    }
}
