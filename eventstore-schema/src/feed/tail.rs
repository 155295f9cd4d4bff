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
                None => tail.lost(),
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

    /// JetStream has ended the session.
    fn lost(&mut self) {
        if !self.silent {
            tracing::warn!("JetStream stopped delivering; the feed reads Postgres");
            self.told = true;
        }
        self.disconnected();
    }

    /// Ends the session; Postgres is read until the next session delivers.
    fn disconnected(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        session.task.abort_all();
        metrics::gauge!("byteshop_feed_on_jetstream").set(0);
        self.silent = true;
        self.doubt = None;
        self.retry_at = Instant::now() + self.pauses.pause();
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
                self.silent |= self.last() > before;
            }
        }
        if self.checked + CHECK <= now {
            self.check().await;
        }
    }

    /// Asks Postgres for its head, to notice that JetStream is behind or that the log has become shorter.
    async fn check(&mut self) {
        self.checked = Instant::now();
        match self.head().await {
            Ok(head) if head < self.last() => {
                tracing::warn!(head, seen = self.last(), "the log has become shorter");
                self.restart(head);
                self.disconnected();
            }
            Ok(head) if head > self.last() && self.doubt.is_none() => {
                self.doubt = Some((Instant::now() + PATIENCE, head));
            }
            Ok(_) => {}
            // JetStream has to be compared with the log again.
            Err(_) => self.disconnected(),
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
                Ok(_) | Err(_) => return self.disconnected(),
            }
        }
        // While it still delivers what is long known, Postgres stays the source.
        if upto + PAGE >= self.last() {
            if self.silent {
                if std::mem::take(&mut self.told) {
                    tracing::info!(position = upto, "JetStream delivers again; the feed reads it");
                }
                metrics::gauge!("byteshop_feed_on_jetstream").set(1);
            }
            self.silent = false;
            self.pauses.reset();
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
mod tests {
    use std::sync::Mutex;

    use tokio::sync::{Notify, watch};

    use super::*;
    use crate::Recorded;
    use crate::testing::recorded;

    /// A tail at position 5 over a Postgres that is away.
    async fn tail(nats: Option<TailConfig>) -> Tail {
        let log = Log::open("postgres://127.0.0.1:1/none").unwrap();
        log.pool().close().await;
        let window = Mutex::new(Window::after(5));
        let shared = Arc::new(Shared { window, head: watch::Sender::new(5), missing: Notify::new() });
        Tail::new(log, nats, shared)
    }

    fn nats() -> TailConfig {
        TailConfig { url: "nats://127.0.0.1:1".into(), stream: "NONE".into(), prefix: "none".into() }
    }

    fn ago(pause: Duration) -> Instant {
        Instant::now().checked_sub(pause).unwrap()
    }

    fn delivered(events: Vec<Arc<Recorded>>) -> Delivered {
        Delivered { upto: events.last().map_or(0, |event| event.position), events }
    }

    #[tokio::test]
    async fn a_session_begins_when_there_is_none_and_its_time_has_come() {
        let mut without = tail(None).await;
        without.connect();
        assert!(without.session.is_none());
        let mut later = tail(Some(nats())).await;
        later.retry_at = Instant::now() + MAX_PAUSE;
        later.connect();
        assert!(later.session.is_none());
        let mut now = tail(Some(nats())).await;
        now.connect();
        let first = now.session.as_ref().map(|session| session.task.len());
        now.connect();
        assert_eq!((first, now.session.is_some()), (Some(1), true));
    }

    #[tokio::test]
    async fn a_lost_session_leaves_postgres_to_be_read_and_is_renewed_after_a_pause() {
        let mut tail = tail(Some(nats())).await;
        tail.connect();
        (tail.silent, tail.doubt) = (false, Some((Instant::now(), 6)));
        tail.lost();
        assert!(tail.silent && tail.told && tail.session.is_none() && tail.doubt.is_none());
        assert!(tail.retry_at > Instant::now());
        // Another attempt that fails is told nobody.
        tail.told = false;
        tail.lost();
        assert!(!tail.told);
    }

    #[tokio::test]
    async fn postgres_is_read_at_each_tick_while_jetstream_is_silent_and_asked_for_its_head_in_any_case() {
        let mut tail = tail(None).await;
        let (looked, checked) = (tail.looked, tail.checked);
        assert_eq!(tail.next_look(), looked + TICK);
        tail.silent = false;
        assert_eq!(tail.next_look(), checked + CHECK);
        let at = checked + PATIENCE;
        tail.doubt = Some((at, 6));
        assert_eq!(tail.next_look(), at);
        tail.doubt = Some((checked + CHECK + PATIENCE, 6));
        assert_eq!(tail.next_look(), checked + CHECK);
    }

    #[tokio::test]
    async fn a_look_reads_postgres_only_when_it_is_due() {
        let mut tail = tail(None).await;
        tail.looked = Instant::now() + CHECK;
        let looked = tail.looked;
        tail.look().await;
        assert_eq!(tail.looked, looked, "it was read just now");
        let due = ago(TICK);
        tail.looked = due;
        tail.look().await;
        assert!(tail.looked > due);
        // While JetStream delivers it is not read at all.
        (tail.silent, tail.looked) = (false, ago(TICK * 2));
        let looked = tail.looked;
        tail.look().await;
        assert_eq!(tail.looked, looked);
    }

    #[tokio::test]
    async fn a_hint_is_doubted_until_the_window_has_moved_or_postgres_was_read() {
        let mut tail = tail(None).await;
        tail.silent = false;
        let before = Instant::now();
        tail.hinted().await;
        let (at, position) = tail.doubt.unwrap();
        assert!(at >= before + PATIENCE && position == 6);
        // A second hint does not put the first one off.
        tail.hinted().await;
        assert_eq!(tail.doubt, Some((at, position)));
        tail.doubt = Some((Instant::now() + CHECK, 6));
        tail.look().await;
        assert!(tail.doubt.is_some(), "JetStream still has time");
        // JetStream was in time: Postgres is not read.
        let looked = tail.looked;
        tail.shared.push([recorded(6, 1)].into_iter());
        tail.doubt = Some((ago(PATIENCE), 6));
        tail.look().await;
        assert!(tail.doubt.is_none() && tail.looked == looked);
        // It was not: Postgres is read, and has nothing, so that JetStream is not behind.
        tail.doubt = Some((ago(PATIENCE), 7));
        tail.look().await;
        assert!(tail.doubt.is_none() && tail.looked > looked && !tail.silent);
    }

    #[tokio::test]
    async fn a_hint_makes_postgres_be_read_while_jetstream_is_silent() {
        let mut tail = tail(None).await;
        let looked = tail.looked;
        tail.hinted().await;
        assert!(tail.looked >= looked + SPACING && tail.doubt.is_none());
    }

    #[tokio::test]
    async fn a_postgres_without_an_answer_ends_the_session() {
        let mut tail = tail(Some(nats())).await;
        tail.connect();
        (tail.silent, tail.checked) = (false, ago(CHECK));
        let before = Instant::now();
        tail.look().await;
        assert!(tail.silent && tail.session.is_none() && tail.checked >= before);
    }

    #[tokio::test]
    async fn what_jetstream_delivers_moves_the_window_and_shows_that_it_delivers() {
        let mut tail = tail(None).await;
        tail.told = true;
        tail.delivered(delivered(vec![recorded(6, 1), recorded(7, 1)])).await;
        assert_eq!((tail.last(), tail.silent, tail.told), (7, false, false));
        assert_eq!(tail.looked, tail.checked, "nothing was missing");
    }

    #[tokio::test]
    async fn a_jetstream_that_delivers_what_is_long_known_is_still_silent() {
        let mut tail = tail(None).await;
        tail.shared.push((6..=PAGE + 100).map(|position| recorded(position, 1)));
        tail.delivered(Delivered { upto: 99, events: Vec::new() }).await;
        assert!(tail.silent);
        tail.delivered(Delivered { upto: 100, events: Vec::new() }).await;
        assert!(!tail.silent);
    }

    #[tokio::test]
    async fn what_jetstream_has_and_postgres_does_not_give_ends_the_session() {
        let mut tail = tail(Some(nats())).await;
        tail.connect();
        tail.silent = false;
        tail.delivered(delivered(vec![recorded(8, 1)])).await;
        assert!(tail.silent && tail.session.is_none());
        assert_eq!(tail.last(), 5);
    }

    #[tokio::test]
    async fn a_window_that_begins_anew_tells_its_readers() {
        let tail = tail(None).await;
        let mut head = tail.shared.head.subscribe();
        tail.restart(3);
        assert_eq!((tail.last(), *head.borrow_and_update()), (3, 3));
    }
}
