//! Running the processes: what happened is read from the log in order, and the steps that follow are carried out.
//!
//! One runner of a process leads at a time. It carries out the steps of a page of events, then moves its position past
//! them together with the timers they set; after a crash it carries some steps out again, which changes nothing.

mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::AnyEvent;
use byteshop_domain::process::{Process, Step};
use byteshop_eventstore::process::{Timer, TimerChange};
use byteshop_eventstore::{Recorded, StoreError};
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Commands;
use crate::error::Error;
use steps::Cause;

/// Positions that are looked at before the process moves on; bounds what a crash repeats.
const RANGE: i64 = 1_000;
/// Chains of causes whose steps are carried out at the same time: enough to fill a group commit.
const CONCURRENCY: usize = 64;
/// The longest a new event waits when no hint comes: another process may have written it.
const TICK: Duration = Duration::from_millis(200);
/// How often due timers are looked for: they are promises of minutes.
const TIMER_TICK: Duration = Duration::from_millis(500);
/// Timers that are carried out at once.
const TIMERS: i64 = 100;
/// The pause after a failure of the store or a provider.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How often one that does not lead looks whether it may.
const STAND_BY: Duration = Duration::from_secs(1);

/// Runs a process until the token is cancelled. `hint` says that the log may have grown.
pub async fn run<P: Process>(commands: Commands, hint: Arc<Notify>, cancel: CancellationToken) {
    let work = async {
        loop {
            let pause = match lead::<P>(&commands, &hint).await {
                Ok(()) => STAND_BY,
                Err(error) => {
                    tracing::warn!(process = P::NAME, %error, "the process pauses");
                    RETRY_PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = cancel.cancelled() => {}
    }
}

/// Leads for as long as nothing fails; returns at once when another one leads.
async fn lead<P: Process>(commands: &Commands, hint: &Notify) -> Result<(), Error> {
    let Some(mut lead) = commands.log().lead(P::NAME).await? else { return Ok(()) };
    let checkpoint = commands.log().process_checkpoint(P::NAME).await?;
    let mut runner = Runner::<P> {
        commands,
        position: checkpoint.position,
        leaf: checkpoint.leaf,
        process: std::marker::PhantomData,
    };
    runner.verify_history().await?;
    let mut timers = tokio::time::interval(TIMER_TICK);
    loop {
        match runner.catch_up().await {
            Ok(()) => {}
            Err(error @ (Error::Codec(_) | Error::Store(StoreError::Unreadable { .. }))) => {
                commands.log().park_process(P::NAME, &error.to_string()).await?;
                tracing::error!(process = P::NAME, position = runner.position, %error, "the process is parked: it cannot read an event");
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        tokio::select! {
            () = hint.notified() => {}
            () = tokio::time::sleep(TICK) => {}
            _ = timers.tick() => {
                lead.confirm().await?;
                runner.fire_timers().await?;
            }
        }
    }
}

struct Runner<'a, P> {
    commands: &'a Commands,
    position: i64,
    leaf: Option<Vec<u8>>,
    process: std::marker::PhantomData<P>,
}

impl<P: Process> Runner<'_, P> {
    /// A restored backup is another history: acting on it would repeat or skip what was done.
    async fn verify_history(&self) -> Result<(), Error> {
        if self.position > 0 && self.commands.log().leaf_at(self.position).await? != self.leaf {
            let reason = format!("the log at position {} is not the one that {} has read", self.position, P::NAME);
            self.commands.log().park_process(P::NAME, &reason).await?;
            return Err(Error::Store(StoreError::Unavailable(reason)));
        }
        Ok(())
    }

    /// Reacts to everything up to the end of the log.
    async fn catch_up(&mut self) -> Result<(), Error> {
        loop {
            let log = self.commands.log();
            let head = log.head().await?;
            if head <= self.position {
                return Ok(());
            }
            let upto = head.min(self.position + RANGE);
            let events = log.read_range(self.position, upto, P::READS).await?;
            let timers = self.react(&events).await?;
            let leaf = match events.last() {
                Some(last) if last.position == upto => last.leaf.clone(),
                Some(_) | None => log.leaf_at(upto).await?.unwrap_or_default(),
            };
            if !log.advance_process(P::NAME, self.position, upto, &leaf, &timers).await? {
                return Err(Error::Contended);
            }
            (self.position, self.leaf) = (upto, Some(leaf));
            metrics::gauge!("byteshop_process_position", "process" => P::NAME).set(steps::metric(upto));
        }
    }

    /// Carries out the steps of some events; gives the timers that they leave.
    async fn react(&self, events: &[Recorded]) -> Result<Vec<TimerChange>, Error> {
        let mut timers: BTreeMap<String, TimerChange> = BTreeMap::new();
        // Steps of one chain of causes follow each other; chains do not wait for each other.
        let mut chains: BTreeMap<Uuid, Vec<(Cause, Step)>> = BTreeMap::new();
        for recorded in events {
            let event = decode(recorded)?;
            let meta = recorded.meta()?;
            let cause = Cause {
                process: P::NAME,
                position: recorded.position,
                correlation: meta.correlation_id,
                trace_id: meta.trace_id,
            };
            for step in P::react(&event, recorded.recorded_at) {
                match step {
                    Step::Wake { at, key, step } => {
                        let timer = Timer {
                            key: key.clone(),
                            due_at: at,
                            step: serde_json::to_string(&step)?,
                            position: recorded.position,
                        };
                        timers.insert(key, TimerChange::Set(timer));
                    }
                    Step::Forget { key } => {
                        timers.insert(key.clone(), TimerChange::Clear(key));
                    }
                    step @ (Step::MarkPaid { .. }
                    | Step::MarkRefunded { .. }
                    | Step::CancelOrder { .. }
                    | Step::CommitStock { .. }
                    | Step::ReleaseStock { .. }
                    | Step::ReturnStock { .. }
                    | Step::CapturePayment { .. }
                    | Step::VoidPayment { .. }
                    | Step::SettlePayment { .. }) => {
                        chains.entry(cause.correlation).or_default().push((cause.clone(), step));
                    }
                }
            }
        }
        let mut running = futures_util::stream::iter(chains.into_values().map(|chain| self.carry_out(chain)))
            .buffer_unordered(CONCURRENCY);
        while let Some(outcome) = running.next().await {
            outcome?;
        }
        Ok(timers.into_values().collect())
    }

    async fn carry_out(&self, chain: Vec<(Cause, Step)>) -> Result<(), Error> {
        for (cause, step) in chain {
            steps::carry_out(self.commands, &cause, &step).await?;
        }
        Ok(())
    }

    /// Carries out what is due.
    async fn fire_timers(&self) -> Result<(), Error> {
        let log = self.commands.log();
        for timer in log.due_timers(P::NAME, self.commands.clock().now(), TIMERS).await? {
            let step: Step = serde_json::from_str(&timer.step)?;
            if let Some(event) = log.event_at(timer.position).await? {
                let meta = event.meta()?;
                let cause = Cause {
                    process: P::NAME,
                    position: timer.position,
                    correlation: meta.correlation_id,
                    trace_id: meta.trace_id,
                };
                steps::carry_out(self.commands, &cause, &step).await?;
            }
            log.drop_timer(P::NAME, &timer).await?;
        }
        Ok(())
    }
}

fn decode(recorded: &Recorded) -> Result<AnyEvent, Error> {
    AnyEvent::decode(&recorded.category, recorded.stream, &recorded.event_type, recorded.schema, &recorded.data)
        .map_err(|source| Error::Store(StoreError::Unreadable { position: recorded.position, source }))
}
