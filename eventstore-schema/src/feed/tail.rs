//! The task behind a feed: moves the window to the head of the log.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::jetstream::{self, Delivered, TailConfig};
use super::window::{Shared, Window};
use crate::read::PAGE;
use crate::{Backoff, Log, StoreError};

/// How often Postgres is read while JetStream is silent and no hint comes.
const TICK: Duration = Duration::from_millis(100);
/// Two reads because of hints are at least so far apart: what arrives meanwhile shares the second one.
const SPACING: Duration = Duration::from_millis(5);
/// How often Postgres is asked for its head while JetStream delivers.
const CHECK: Duration = Duration::from_secs(1);
/// How long JetStream may take to deliver an event that is known to exist, before Postgres is read instead.
const PATIENCE: Duration = Duration::from_millis(100);
/// The time limit of one response of Postgres.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The pause before JetStream is tried again, and the longest one.
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// A log that is so much longer than where the feed starts is not followed from there: views read that much from
/// Postgres, and the window is for those who are near the head.
const MAX_START: i64 = 2 * PAGE;

/// Batches that wait for the window: it takes them at once, so few are enough.
const QUEUE: usize = 8;

struct Tail {
    log: Log,
    nats: Option<TailConfig>,
    shared: Arc<Shared>,
    /// JetStream does not deliver: Postgres is read.
    silent: bool,
    /// Whether the outage of JetStream was logged, so that its end is logged too.
    told: bool,
    /// When Postgres was last read, and when it was last asked for its head.
    looked: Instant,
    checked: Instant,
    /// Something hinted at an event; if the window has not moved to it by then, JetStream is behind.
    doubt: Option<(Instant, i64)>,
    session: Option<Session>,
    /// When to try JetStream again, and the pauses after that.
    retry_at: Instant,
    pauses: Backoff,
}

/// A connection to JetStream.
struct Session {
    events: mpsc::Receiver<Delivered>,
    task: JoinSet<()>,
}

/// Follows the log until it is cancelled.
pub(super) async fn run(log: Log, nats: Option<TailConfig>, shared: Arc<Shared>, cancel: CancellationToken) {
    let mut tail = Tail::new(log, nats, shared);
    tail.start_near_the_head().await;
    while !cancel.is_cancelled() {
        tail.connect();
        let (next, shared) = (tail.next_look(), Arc::clone(&tail.shared));
        tokio::select! {
            () = cancel.cancelled() => {}
            events = deliver(&mut tail.session) => match events {
                Some(events) => tail.delivered(events).await,
                None => tail.disconnect(Some("JetStream stopped delivering")),
            },
            () = shared.missing.notified() => tail.hinted().await,
            () = sleep_until(next) => tail.look().await,
        }
    }
}

/// The next events of a session; never, when there is none.
async fn deliver(session: &mut Option<Session>) -> Option<Delivered> {
    match session {
        Some(session) => session.events.recv().await,
        None => std::future::pending().await,
    }
}

impl Tail {
    fn new(log: Log, nats: Option<TailConfig>, shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            log,
            nats,
            shared,
            silent: true,
            told: false,
            looked: now,
            checked: now,
            doubt: None,
            session: None,
            retry_at: now,
            pauses: Backoff::between(MIN_PAUSE, MAX_PAUSE),
        }
    }

    fn last(&self) -> i64 {
        self.shared.window().last()
    }

    async fn start_near_the_head(&mut self) {
        if let Ok(head) = self.head().await
            && head - self.last() > MAX_START
        {
            self.restart(head - PAGE);
        }
    }

    /// Starts a session when there is none and it is time to.
    fn connect(&mut self) {
        let Some(nats) = &self.nats else { return };
        if self.session.is_some() || Instant::now() < self.retry_at {
            return;
        }
        let (sender, events) = mpsc::channel(QUEUE);
        let (log, nats, shared) = (self.log.clone(), nats.clone(), Arc::clone(&self.shared));
        let mut task = JoinSet::new();
        task.spawn(async move {
            let reason = jetstream::follow(&log, &nats, &shared, &sender).await;
            tracing::debug!(stream = nats.stream, reason, "JetStream does not deliver; the feed reads Postgres");
        });
        self.session = Some(Session { events, task });
    }

    /// Ends the session; Postgres is read until the next session delivers. There is no reason to log if Postgres fails, which
    /// is logged elsewhere.
    fn disconnect(&mut self, reason: Option<&str>) {
        let Some(mut session) = self.session.take() else { return };
        session.task.abort_all();
        self.read_postgres(reason);
        self.doubt = None;
        self.retry_at = Instant::now() + self.pauses.pause();
    }

    /// Reads Postgres from now on. Only the change is logged.
    fn read_postgres(&mut self, reason: Option<&str>) {
        metrics::gauge!("byteshop_feed_on_jetstream").set(0);
        if let Some(reason) = reason
            && !self.silent
        {
            tracing::warn!(reason, "the feed reads Postgres until JetStream delivers");
            self.told = true;
        }
        self.silent = true;
    }

    /// Follows JetStream from now on. Only the change is logged.
    fn read_jetstream(&mut self, position: i64) {
        metrics::gauge!("byteshop_feed_on_jetstream").set(1);
        self.pauses.reset();
        self.silent = false;
        if std::mem::take(&mut self.told) {
            tracing::info!(position, "JetStream delivers again; the feed reads it");
        }
    }

    /// When there is something to do without being woken.
    fn next_look(&self) -> Instant {
        let check = self.checked + CHECK;
        if self.silent {
            return check.min(self.looked + TICK);
        }
        self.doubt.map_or(check, |(at, _)| at.min(check))
    }

    async fn hinted(&mut self) {
        if self.silent {
            sleep_until(self.looked + SPACING).await;
            self.read().await;
        } else if self.doubt.is_none() {
            self.doubt = Some((Instant::now() + PATIENCE, self.last() + 1));
        }
    }

    async fn look(&mut self) {
        let now = Instant::now();
        if self.silent && self.looked + TICK <= now {
            self.read().await;
        }
        if let Some((at, position)) = self.doubt
            && at <= now
        {
            self.doubt = None;
            let before = self.last();
            if before < position {
                // Either JetStream is behind, or the hint was for nothing.
                self.read().await;
                if self.last() > before {
                    self.read_postgres(Some("JetStream has not delivered a recorded event"));
                }
            }
        }
        if self.checked + CHECK <= now {
            self.check().await;
        }
    }

    /// Asks Postgres for its head, to notice that JetStream is behind or that the log has become shorter.
    async fn check(&mut self) {
        self.checked = Instant::now();
        // What is offered while Postgres answers may be newer than the answer.
        let seen = self.last();
        match self.head().await {
            Ok(head) if head < seen => {
                tracing::warn!(head, seen, "the log has become shorter");
                self.restart(head);
                self.disconnect(None);
            }
            Ok(head) if head > self.last() && self.doubt.is_none() => {
                self.doubt = Some((Instant::now() + PATIENCE, head));
            }
            Ok(_) => {}
            // JetStream has to be compared with the log again.
            Err(_) => self.disconnect(None),
        }
    }

    async fn head(&self) -> Result<i64, StoreError> {
        timeout(ANSWER_TIMEOUT, self.log.head()).await.unwrap_or_else(|_| Err(late()))
    }

    /// Reads Postgres up to its head.
    async fn read(&mut self) {
        loop {
            match self.read_page().await {
                Ok(PAGE) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::debug!(%error, "the feed cannot read Postgres");
                    break;
                }
            }
        }
        self.looked = Instant::now();
    }

    /// Reads one page into the window, and says how many events it had.
    async fn read_page(&mut self) -> Result<i64, StoreError> {
        let reading = self.log.read_log(self.last(), PAGE);
        let page = timeout(ANSWER_TIMEOUT, reading).await.unwrap_or_else(|_| Err(late()))?;
        let events = i64::try_from(page.len()).unwrap_or(PAGE);
        self.shared.push(page.into_iter().map(Arc::new));
        Ok(events)
    }

    /// Adds events that JetStream delivers; missing ones are read from Postgres.
    async fn delivered(&mut self, Delivered { upto, events }: Delivered) {
        self.shared.push(events.into_iter());
        while self.last() < upto {
            match self.read_page().await {
                Ok(1..) => {}
                // JetStream has what Postgres has not, or Postgres does not answer: check both again.
                Ok(_) | Err(_) => return self.disconnect(None),
            }
        }
        // While it still delivers what is long known, Postgres stays the source.
        if upto + PAGE >= self.last() {
            self.read_jetstream(upto);
        }
    }

    fn restart(&self, after: i64) {
        *self.shared.window() = Window::after(after);
        self.shared.head.send_replace(after);
    }
}

fn late() -> StoreError {
    StoreError::Postgres(sqlx::Error::PoolTimedOut)
}

#[cfg(test)]
mod tests;
