//! The feed: the newest events of the log for every view and process of a program: what the program itself has appended, and
//! what others have, from JetStream while it is well, else from Postgres.
//!
//! One task per program follows the head of the log and keeps a window of the last events in memory; readers take pages
//! from it. What is older than the window is read from Postgres page by page. Positions in the window have no gap: an
//! event that JetStream does not deliver is read from Postgres, and what JetStream delivers is believed only when its
//! stream ends in the log's own history (`jetstream`) and its position is the next one.

mod jetstream;
mod tail;
mod window;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Log, Recorded, StoreError};
pub use jetstream::TailConfig;
use window::{Shared, Taken};

/// The events of the log as they come. Clones share one window; the task ends with the last of them.
#[derive(Clone)]
pub struct Feed {
    log: Log,
    shared: Arc<Shared>,
    /// Ends the task when the last clone is dropped.
    _tail: Arc<JoinSet<()>>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("head", &self.head()).finish_non_exhaustive()
    }
}

impl Feed {
    /// Starts to follow the log after a position.
    pub fn start(log: Log, nats: Option<TailConfig>, from: i64, cancel: CancellationToken) -> Self {
        let shared = Arc::new(Shared::after(from));
        let mut tail = JoinSet::new();
        tail.spawn(tail::run(log.clone(), nats, Arc::clone(&shared), cancel));
        Self { log, shared, _tail: Arc::new(tail) }
    }

    /// Adds events that this program has just appended and that are durable. If events of other programs are missing
    /// before them, the task reads Postgres.
    pub fn offer(&self, events: Vec<Arc<Recorded>>) {
        let upto = events.last().map_or(0, |event| event.position);
        if self.shared.push(events.into_iter()) < upto {
            self.shared.missing.notify_one();
        }
    }

    /// The next events after a position, without a gap, at most `limit` and at least one: waits for it.
    ///
    /// Cancel-safe. When the feed was cancelled, it waits for ever for what is new.
    ///
    /// # Errors
    /// [`StoreError::Postgres`] when the events are older than the window and Postgres cannot be read.
    pub async fn next(&self, after: i64, limit: usize) -> Result<Vec<Arc<Recorded>>, StoreError> {
        let mut head = self.shared.head.subscribe();
        loop {
            if let Some(events) = self.recent(after, limit).await {
                return Ok(events);
            }
            head.borrow_and_update();
            let page = self.log.read_log(after, i64::try_from(limit).unwrap_or(i64::MAX)).await?;
            if !page.is_empty() {
                return Ok(page.into_iter().map(Arc::new).collect());
            }
            // The log has become shorter; the task will notice.
            if head.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The same, but for what is older than the window: then there is nothing.
    pub async fn recent(&self, after: i64, limit: usize) -> Option<Vec<Arc<Recorded>>> {
        let mut head = self.shared.head.subscribe();
        loop {
            head.borrow_and_update();
            // In a statement of its own, so that the lock is not held any longer.
            let taken = self.shared.window().take(after, limit);
            match taken {
                Taken::Events(events) => return Some(events),
                Taken::Older => return None,
                Taken::Newer => {}
            }
            if head.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// The last position that this feed has seen.
    pub fn head(&self) -> i64 {
        *self.shared.head.borrow()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::testing::recorded;

    /// A feed without a task that follows the log, and without a Postgres.
    fn feed() -> Feed {
        let log = Log::open("postgres://127.0.0.1:1/none").unwrap();
        Feed { log, shared: Arc::new(Shared::after(5)), _tail: Arc::default() }
    }

    fn positions(events: &[Arc<Recorded>]) -> Vec<i64> {
        events.iter().map(|event| event.position).collect()
    }

    #[tokio::test]
    async fn what_the_program_has_appended_is_read_without_postgres() {
        let feed = feed();
        feed.offer(vec![recorded(6, 1), recorded(7, 1), recorded(8, 1)]);
        assert_eq!(feed.head(), 8);
        assert_eq!(feed.recent(5, 2).await.as_deref().map(positions), Some(vec![6, 7]));
        assert_eq!(positions(&feed.next(7, 2).await.unwrap()), [8]);
        // What is older than the window is not recent, and what is newer is waited for.
        assert!(feed.recent(4, 2).await.is_none());
        assert!(feed.recent(8, 2).now_or_never().is_none());
    }

    #[tokio::test]
    async fn postgres_is_read_when_events_of_others_are_missing_before_those_of_the_program() {
        let feed = feed();
        let is_missing = || feed.shared.missing.notified().now_or_never().is_some();
        feed.offer(vec![recorded(6, 1)]);
        feed.offer(Vec::new());
        assert!(!is_missing());
        feed.offer(vec![recorded(8, 1)]);
        assert!(is_missing() && feed.head() == 6);
    }
}
