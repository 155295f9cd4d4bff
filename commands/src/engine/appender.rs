//! Group commit: one task writes all waiting appends in one transaction.
//!
//! While a batch is flushed the next one is collected, so the rate grows with the number of callers, while a single
//! caller waits for one round trip. A caller gets its response only when its append is durable (I3).

use std::sync::Arc;
use std::time::Duration;

use byteshop_eventstore::append::{append, settle};
use byteshop_eventstore::{Append, Connection, Log, Outcome, Recorded, StoreError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::engine::commit_handle::CommitHandle;

/// Appends in a batch at most: enough to amortise the flush, few enough to bound memory and the time under the lock.
const MAX_APPENDS: usize = 2_048;
/// Events in a batch at most, for the same reason.
const MAX_EVENTS: usize = 8_192;
/// How long the outcome of a batch is looked up before its callers get an error that it is unknown.
const SETTLE_DEADLINE: Duration = Duration::from_secs(20);
/// The pause between attempts to reach Postgres.
const RECONNECT_PAUSE: Duration = Duration::from_millis(100);

/// The error of every caller whose append failed with the store; the whole batch shares the cause.
#[derive(Debug, Clone)]
pub struct Unavailable(pub String);

#[derive(Debug)]
struct Waiting {
    append: Append,
    caller: Caller,
}

/// The caller of an append, and the appends whose success the append depends on.
#[derive(Debug)]
struct Caller {
    done: oneshot::Sender<Result<Outcome, Unavailable>>,
    handle: CommitHandle,
    depends: Vec<CommitHandle>,
}

impl Caller {
    /// Whether an append that it depends on was refused.
    fn is_doomed(&self) -> bool {
        self.depends.iter().any(CommitHandle::is_refused)
    }

    fn settle(&self, outcome: &Result<Outcome, Unavailable>) {
        self.handle.settle(matches!(outcome, Ok(Outcome::Accepted { .. })));
    }

    fn answer(self, outcome: Result<Outcome, Unavailable>) {
        self.settle(&outcome);
        // If the caller was dropped, the append is written all the same.
        let _ = self.done.send(outcome);
    }
}

/// The durable events of a batch, for the followers of the log in this process.
#[derive(Debug)]
pub struct Committed(Vec<(i64, Arc<Append>)>);

impl Committed {
    /// The events as they are in the log, in order.
    pub fn events(self) -> Vec<Arc<Recorded>> {
        let events = self.0.into_iter().flat_map(|(first, append)| {
            let events = Arc::try_unwrap(append).map_or_else(|append| append.events.clone(), |append| append.events);
            (first..).zip(events)
        });
        events.map(|(position, event)| Arc::new(event.recorded(position))).collect()
    }
}

/// The queue of all appends of this process.
#[derive(Debug, Clone)]
pub struct Appender {
    queue: mpsc::UnboundedSender<Waiting>,
}

/// The outcome of an append that was submitted.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Result<Outcome, Unavailable>>);

impl Submitted {
    /// Waits until the append is durable or refused.
    pub async fn outcome(self) -> Result<Outcome, Unavailable> {
        self.0.await.unwrap_or_else(|_| Err(Unavailable("the program is stopping".into())))
    }
}

impl Appender {
    /// The appender and its task, for the caller to spawn. The task ends when every handle is gone, or after the batch that
    /// it is writing when the token is cancelled.
    ///
    /// `committed` is called after each batch.
    pub fn new(
        log: Log,
        committed: impl Fn(Committed) + Send + Sync + 'static,
        cancel: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (queue, waiting) = mpsc::unbounded_channel();
        (Self { queue }, run(log, waiting, committed, cancel))
    }

    /// Queues an append; appends are written in the order in which they were submitted.
    pub fn submit(&self, append: Append) -> Submitted {
        self.submit_after(append, CommitHandle::default(), Vec::new())
    }

    /// Queues an append that depends on pending appends: it is refused if one of them is.
    pub fn submit_after(&self, append: Append, handle: CommitHandle, depends: Vec<CommitHandle>) -> Submitted {
        let (done, outcome) = oneshot::channel();
        // If the task has ended, the sender is dropped with the message, and the caller sees that below.
        let _ = self.queue.send(Waiting { append, caller: Caller { done, handle, depends } });
        Submitted(outcome)
    }
}

async fn run(
    log: Log,
    mut waiting: mpsc::UnboundedReceiver<Waiting>,
    committed: impl Fn(Committed) + Send + Sync,
    cancel: CancellationToken,
) {
    let mut writer = Writer { log, connection: None };
    loop {
        let first = tokio::select! {
            biased;
            first = waiting.recv() => first,
            () = cancel.cancelled() => None,
        };
        let Some(first) = first else { break };
        // Callers that the last batch has woken and that submit again at once join this batch instead of waiting for a flush.
        tokio::task::yield_now().await;
        let (appends, callers) = gather(first, &mut waiting);
        if appends.is_empty() {
            continue;
        }
        metrics::histogram!("byteshop_append_batch_commands").record(count(appends.len()));
        let started = Instant::now();
        let outcomes = writer.write(appends.clone(), &callers, false).await;
        metrics::histogram!("byteshop_append_duration_seconds").record(started.elapsed());
        let written = outcomes.iter().map(first_position).zip(appends);
        let written: Vec<_> = written.filter_map(|(first, append)| Some((first?, append))).collect();
        answer(outcomes, callers);
        if !written.is_empty() {
            committed(Committed(written));
        }
    }
}

/// Collects the waiting appends and refuses those that depend on a refused append. The stream may already have the
/// version that they expect, but written by another append.
fn gather(first: Waiting, waiting: &mut mpsc::UnboundedReceiver<Waiting>) -> (Vec<Arc<Append>>, Vec<Caller>) {
    let (mut appends, mut callers, mut events) = (Vec::new(), Vec::new(), 0);
    let mut next = Some(first);
    while let Some(Waiting { append, caller }) = next {
        if caller.is_doomed() {
            caller.answer(Ok(Outcome::Conflict));
        } else {
            events += append.events.len();
            appends.push(Arc::new(append));
            callers.push(caller);
        }
        let full = appends.len() >= MAX_APPENDS || events >= MAX_EVENTS;
        next = if full { None } else { waiting.try_recv().ok() };
    }
    (appends, callers)
}

/// Where an append begins in the log, if it was written and has events.
fn first_position(outcome: &Result<Outcome, Unavailable>) -> Option<i64> {
    match outcome {
        Ok(Outcome::Accepted { positions }) => positions.map(|(first, _)| first),
        Ok(Outcome::Conflict | Outcome::Duplicate) | Err(_) => None,
    }
}

/// Reports the outcomes to all callers.
fn answer(outcomes: Vec<Result<Outcome, Unavailable>>, callers: Vec<Caller>) {
    // Settles all handles before the first response, so that a caller which acts on one finds the others settled.
    for (outcome, caller) in outcomes.iter().zip(&callers) {
        caller.settle(outcome);
    }
    for (outcome, caller) in outcomes.into_iter().zip(callers) {
        caller.answer(outcome);
    }
}

struct Writer {
    log: Log,
    connection: Option<Connection>,
}

impl Writer {
    /// Writes a batch and returns one outcome per append. `in_doubt`: it may have been written already.
    async fn write(
        &mut self,
        mut batch: Vec<Arc<Append>>,
        callers: &[Caller],
        mut in_doubt: bool,
    ) -> Vec<Result<Outcome, Unavailable>> {
        let deadline = Instant::now() + SETTLE_DEADLINE;
        let mut outcomes: Vec<Option<Result<Outcome, Unavailable>>> = vec![None; batch.len()];
        let mut indexes: Vec<usize> = (0..batch.len()).collect();
        loop {
            let error = match self.attempt(&batch, in_doubt).await {
                Ok(written) => {
                    for (index, outcome) in indexes.into_iter().zip(written) {
                        outcomes[index] = Some(Ok(outcome));
                    }
                    return outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(lost()))).collect();
                }
                Err(error) => error,
            };
            if error.outcome_is_unknown() {
                // The watch over Postgres logs the warning.
                tracing::info!(%error, appends = batch.len(), "the connection was lost in an append; checking its outcome");
                self.connection = None;
                // From now on a conflict may be with our own first attempt, if it was committed.
                in_doubt = true;
                if !self.settle(&mut batch, &mut indexes, &mut outcomes, deadline).await {
                    return give_up(outcomes, &error);
                }
            } else if batch.len() > 1 {
                // One append makes the whole batch fail: each gets its own transaction, so that only this one fails.
                for (index, append) in indexes.into_iter().zip(batch) {
                    let caller = &callers[index];
                    let outcome = match (caller.is_doomed(), in_doubt) {
                        (false, _) => {
                            let alone = std::slice::from_ref(caller);
                            Box::pin(self.write(vec![append], alone, in_doubt)).await.swap_remove(0)
                        }
                        (true, false) => Ok(Outcome::Conflict),
                        (true, true) => Err(lost()),
                    };
                    caller.settle(&outcome);
                    outcomes[index] = Some(outcome);
                }
                return outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(lost()))).collect();
            } else {
                if !error.is_outage() {
                    tracing::error!(%error, "an append failed");
                }
                return give_up(outcomes, &error);
            }
        }
    }

    async fn attempt(&mut self, batch: &[Arc<Append>], in_doubt: bool) -> Result<Vec<Outcome>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.log.writer().await?),
        };
        let mut outcomes = append(connection, batch).await?;
        if in_doubt {
            for (outcome, append) in outcomes.iter_mut().zip(batch) {
                if matches!(outcome, Outcome::Conflict | Outcome::Duplicate)
                    && let Some(settled) = settle(connection, append).await?
                {
                    *outcome = settled;
                }
            }
        }
        Ok(outcomes)
    }

    /// Removes the appends from the batch that turn out to be written; false if Postgres does not answer in time.
    async fn settle(
        &mut self,
        batch: &mut Vec<Arc<Append>>,
        indexes: &mut Vec<usize>,
        outcomes: &mut [Option<Result<Outcome, Unavailable>>],
        deadline: Instant,
    ) -> bool {
        while Instant::now() < deadline {
            match self.settle_once(batch, indexes, outcomes).await {
                Ok(()) => return true,
                Err(error) => {
                    tracing::debug!(%error, "Postgres is not available yet");
                    self.connection = None;
                    sleep(RECONNECT_PAUSE).await;
                }
            }
        }
        false
    }

    async fn settle_once(
        &mut self,
        batch: &mut Vec<Arc<Append>>,
        indexes: &mut Vec<usize>,
        outcomes: &mut [Option<Result<Outcome, Unavailable>>],
    ) -> Result<(), StoreError> {
        let mut connection = self.log.writer().await?;
        let mut written = Vec::with_capacity(batch.len());
        for append in batch.iter() {
            written.push(settle(&mut connection, append).await?);
        }
        let mut rest = (Vec::new(), Vec::new());
        for ((append, index), found) in batch.drain(..).zip(indexes.drain(..)).zip(written) {
            if let Some(outcome) = found {
                outcomes[index] = Some(Ok(outcome));
            } else {
                rest.0.push(append);
                rest.1.push(index);
            }
        }
        (*batch, *indexes) = rest;
        self.connection = Some(connection);
        Ok(())
    }
}

fn give_up(
    outcomes: Vec<Option<Result<Outcome, Unavailable>>>,
    error: &StoreError,
) -> Vec<Result<Outcome, Unavailable>> {
    let unavailable = Unavailable(error.to_string());
    outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(unavailable.clone()))).collect()
}

fn lost() -> Unavailable {
    Unavailable("the append has no outcome".into())
}

/// A count as a metric: batches are far below the 2^53 that a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "batches are bounded by MAX_APPENDS")]
fn count(appends: usize) -> f64 {
    appends as f64
}

#[cfg(test)]
mod tests;
