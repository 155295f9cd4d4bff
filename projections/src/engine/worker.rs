//! The worker of one view: takes events from the feed, folds them, and moves rows and checkpoint together (I5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Backoff, Log, Recorded, Trouble};
use sqlx::postgres::PgPool;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::checkpoint::{self, Checkpoint, Move, State};
use super::declared::Declared;
use super::fold::Folding;
use super::rate::Rate;
use super::table::{Changes, Table};
use super::together::Together;
use crate::error::Error;
use crate::replay;
use crate::replay::build::ROWS_IN_MEMORY;
use crate::replay::task::Setup;

/// Events that are folded in one transaction at most.
const BATCH: usize = 1_000;
/// Rows that stay in memory between batches, twice: what was touched just now is likely to be touched again soon.
const WARM_ROWS: usize = 1_000;
/// The pause before the log is read again for an event that the feed had and the log had not.
const READ_AGAIN: Duration = Duration::from_millis(100);
/// A new view that is this far behind is built by replay, which is many times faster than following.
const FAR: i64 = 20_000;
/// How often a stopped view checks whether it was repaired.
const STOPPED_PERIOD: Duration = Duration::from_secs(1);
/// The first and the longest wait before a failed step is tried again.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// The progress of the process's own worker, for callers that wait for a position.
#[derive(Debug)]
pub(crate) struct Tail {
    /// The position of the view in this process.
    pub position: watch::Sender<i64>,
    /// Whether this process does the view's work.
    pub leads: AtomicBool,
}

impl Tail {
    pub fn new() -> Self {
        Self { position: watch::Sender::new(0), leads: AtomicBool::new(false) }
    }
}

/// The dependencies of a worker.
#[derive(Clone)]
pub(crate) struct Context {
    pub view: Declared,
    pub log: Log,
    pub pool: PgPool,
    pub tail: Arc<Tail>,
    pub together: Arc<Together>,
}

/// Why a worker stopped following.
enum Ended {
    /// The checkpoint is not where it was thought to be: look again.
    Moved,
    /// The feed gave an event that the log does not hold: look again, and read the log itself.
    Distrusted,
    /// The view stands still until its epoch changes.
    Stopped { epoch: i64 },
}

/// Does the view's work whenever this process holds the lease, until cancelled.
pub(crate) async fn run(context: Context, feed: Feed, mut lease: watch::Receiver<bool>, cancel: CancellationToken) {
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            held = lease.wait_for(|held| *held) => if held.is_err() { return },
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = lease.wait_for(|held| !*held) => {}
            () = work(&context, &feed) => {}
        }
        context.tail.leads.store(false, Ordering::Release);
    }
}

/// Works for ever. It may be dropped at any point: the table knows where it stands.
async fn work(context: &Context, feed: &Feed) {
    let view = context.view.name;
    let mut pauses = Backoff::between(RETRY.0, RETRY.1);
    let mut trust = true;
    let mut trouble = Trouble::default();
    loop {
        let started = Instant::now();
        let ended = lead(context, feed, trust).await;
        trust = !matches!(ended, Ok(Ended::Distrusted));
        match ended {
            Ok(Ended::Moved) => {
                trouble.is_over();
                tracing::debug!(view, "the checkpoint has moved");
            }
            Ok(Ended::Distrusted) => {
                tracing::warn!(view, "the feed delivered an event that is not in the log");
            }
            Ok(Ended::Stopped { epoch }) => stand_still(context, epoch).await,
            Err(error) => {
                if trouble.is_news(&error) && !error.is_outage() {
                    tracing::warn!(view, %error, "the view failed, retrying");
                }
                sleep(pauses.pause()).await;
                if started.elapsed() > RETRY.1 * 2 {
                    pauses.reset();
                }
            }
        }
    }
}

async fn stand_still(context: &Context, epoch: i64) {
    let Declared { name, version, .. } = context.view;
    loop {
        sleep(STOPPED_PERIOD).await;
        match checkpoint::load(&context.pool, name, version).await {
            Ok(now) if now.epoch != epoch => return,
            Ok(_) => {}
            Err(error) => tracing::debug!(view = name, %error, "the checkpoint cannot be read"),
        }
    }
}

/// Finds out where the view stands, and follows the log from there.
async fn lead(context: &Context, feed: &Feed, trust: bool) -> Result<Ended, Error> {
    let Declared { name, version, .. } = context.view;
    let at = checkpoint::load(&context.pool, name, version).await?;
    if at.version > version {
        return Err(Error::Newer { view: name, found: at.version, known: version });
    }
    replay::sweep(&context.log, name).await?;
    let is_far = at.position == 0 && at.state == State::Live && context.log.head().await? > FAR;
    if at.version < version || is_far {
        return rebuild(context, &at).await;
    }
    if at.state == State::Live && !at.same_history {
        stop_for_other_history(context, &at).await?;
        return Ok(Ended::Stopped { epoch: at.epoch });
    }
    context.tail.position.send_replace(at.position);
    context.tail.leads.store(true, Ordering::Release);
    if at.state != State::Live {
        return Ok(Ended::Stopped { epoch: at.epoch });
    }
    Follower::at(context, feed, at).follow(trust).await
}

async fn rebuild(context: &Context, at: &Checkpoint) -> Result<Ended, Error> {
    let Declared { name, version, .. } = context.view;
    tracing::info!(view = name, from = at.version, to = version, "the view is being rebuilt");
    let setup = Setup { log: &context.log, rows_in_memory: ROWS_IN_MEMORY, progress: &|_| {} };
    match replay::rebuild(context.view, setup).await {
        Ok(built) => {
            tracing::info!(view = name, rows = built.rows, position = built.position, "the view has been rebuilt");
            Ok(Ended::Moved)
        }
        Err(error) if error.is_of_data() => {
            park(context, at.epoch, &error, at.position).await?;
            Ok(Ended::Stopped { epoch: at.epoch })
        }
        Err(error) => Err(error),
    }
}

async fn stop_for_other_history(context: &Context, at: &Checkpoint) -> Result<(), Error> {
    let name = context.view.name;
    let text = format!(
        "the log has another event at position {}: it was restored or replaced; run `byteshop replay {name}`",
        at.position
    );
    tracing::error!(view = name, position = at.position, "{text}");
    checkpoint::stop(&context.pool, name, at.epoch, State::OtherHistory, &text, at.position).await
}

async fn park(context: &Context, epoch: i64, error: &Error, position: i64) -> Result<(), Error> {
    let position = if let Error::Unfoldable { position, .. } = error { *position } else { position };
    tracing::error!(view = context.view.name, position, %error, "the view is parked");
    checkpoint::stop(&context.pool, context.view.name, epoch, State::Parked, &error.to_string(), position).await
}

/// Follows the log from a checkpoint.
struct Follower<'a> {
    context: &'a Context,
    feed: &'a Feed,
    table: Table,
    rows: Box<dyn Folding>,
    epoch: i64,
    /// Where the table stands.
    stored: i64,
    /// Where the view stands; ahead of `stored` by events that touch no row.
    position: i64,
    leaf: Vec<u8>,
    /// When the position is written down, if it is ahead.
    save_at: Option<Instant>,
    /// The last turn that it took.
    turn: u64,
    rate: Rate,
}

impl<'a> Follower<'a> {
    fn at(context: &'a Context, feed: &'a Feed, at: Checkpoint) -> Self {
        Self {
            context,
            feed,
            table: Table::named(context.view.name, context.view.name),
            rows: context.view.rows(WARM_ROWS),
            epoch: at.epoch,
            stored: at.position,
            position: at.position,
            leaf: at.leaf.unwrap_or_default(),
            save_at: None,
            turn: 0,
            rate: Rate::start(),
        }
    }

    async fn follow(mut self, trust: bool) -> Result<Ended, Error> {
        if !trust {
            let events = self.read_on().await?;
            if events.is_empty() {
                sleep(READ_AGAIN).await;
            }
            if let Some(ended) = self.take(&events).await? {
                return Ok(ended);
            }
        }
        loop {
            let next = self.feed.next(self.position, BATCH);
            let mut events = match self.save_at {
                None => next.await?,
                Some(save_at) => match timeout_at(save_at, next).await {
                    Ok(events) => events?,
                    Err(_) if self.save().await? => continue,
                    Err(_) => return self.why_refused().await,
                },
            };
            if events.iter().any(|event| self.context.view.concerns(event)) {
                self.context.together.next_turn(&mut self.turn).await;
                if events.len() < BATCH {
                    // More have come meanwhile.
                    events = self.feed.next(self.position, BATCH).await?;
                }
            }
            // The feed promises it, but the log must never be read with a hole.
            let is_next = events.iter().zip(self.position + 1..).all(|(event, position)| event.position == position);
            let events = if is_next { events } else { self.read_on().await? };
            if let Some(ended) = self.take(&events).await? {
                return Ok(ended);
            }
        }
    }

    async fn read_on(&self) -> Result<Vec<Arc<Recorded>>, Error> {
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        Ok(self.context.log.read_log(self.position, limit).await?.into_iter().map(Arc::new).collect())
    }

    /// Folds events; if one of them cannot be folded, the events before it are kept, and the view is parked.
    async fn take(&mut self, events: &[Arc<Recorded>]) -> Result<Option<Ended>, Error> {
        let mut rest = events;
        let mut width = events.len();
        while let Some(first) = rest.first() {
            let batch = &rest[..width.clamp(1, rest.len())];
            match self.step(batch).await {
                Ok(true) => rest = &rest[batch.len()..],
                Ok(false) => return self.why_refused().await.map(Some),
                Err(error) if error.is_of_data() => {
                    self.rows.clear();
                    width = if let Error::Unfoldable { position, .. } = &error {
                        usize::try_from(position - first.position).unwrap_or(0)
                    } else {
                        // Postgres refused a row: halving finds the event that it comes from.
                        batch.len() / 2
                    };
                    if width == 0 {
                        // The position in memory is where the next try starts.
                        if self.save_at.is_some() && !self.save().await? {
                            return self.why_refused().await.map(Some);
                        }
                        park(self.context, self.epoch, &error, first.position).await?;
                        return Ok(Some(Ended::Stopped { epoch: self.epoch }));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Folds a batch; false when the checkpoint refuses to move.
    async fn step(&mut self, events: &[Arc<Recorded>]) -> Result<bool, Error> {
        let Some(last) = events.last() else { return Ok(true) };
        let events: Vec<&Recorded> = events.iter().map(AsRef::as_ref).collect();
        self.rows.read(&events)?;
        if !self.rows.touches_rows() {
            self.arrive(last, events.len());
            self.save_at.get_or_insert_with(|| self.context.together.next_save());
            return Ok(true);
        }
        drop(self.rows.rotate());
        self.load().await?;
        self.rows.fold(&events)?;
        let changes = self.rows.changes()?;
        self.rate.count(events.len());
        let step = self.step_to(last.position, last.leaf.clone());
        if !self.context.together.write(&self.table, step, changes).await? {
            return Ok(false);
        }
        self.stored = last.position;
        self.arrive(last, 0);
        Ok(true)
    }

    fn arrive(&mut self, last: &Recorded, events: usize) {
        self.rate.count(events);
        self.position = last.position;
        self.leaf.clone_from(&last.leaf);
        self.save_at = self.save_at.filter(|_| self.stored < self.position);
        self.context.tail.position.send_replace(self.position);
    }

    async fn load(&mut self) -> Result<(), Error> {
        let missing = self.rows.missing();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.context.together.load(&self.table, missing.clone()).await?;
        self.rows.insert(missing, found)
    }

    /// A move from where the table stands.
    fn step_to(&self, to: i64, leaf: Vec<u8>) -> Move {
        let (epoch, from, rate) = (self.epoch, self.stored, self.rate.per_second);
        let Declared { name: view, version, .. } = self.context.view;
        Move { view, version, epoch, from, to, leaf, rate }
    }

    /// Writes down the position in memory.
    async fn save(&mut self) -> Result<bool, Error> {
        let step = self.step_to(self.position, self.leaf.clone());
        let saved = self.context.together.write(&self.table, step, Changes::default()).await?;
        if saved {
            self.stored = self.position;
            self.save_at = None;
        }
        Ok(saved)
    }

    /// Why the checkpoint did not move: another writer moved it, or the feed differs from the log.
    async fn why_refused(&self) -> Result<Ended, Error> {
        let Declared { name, version, .. } = self.context.view;
        let now = checkpoint::load(&self.context.pool, name, version).await?;
        let is_mine = now.epoch == self.epoch && now.position == self.stored && now.state == State::Live;
        Ok(if is_mine && now.same_history { Ended::Distrusted } else { Ended::Moved })
    }
}
