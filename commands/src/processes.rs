//! Running the processes: what happened is read from the log in order, and the steps that follow are carried out.
//!
//! One runner of a process leads at a time. It carries out the steps that follow from what it reads, and now and then writes
//! down its position together with the timers; after a crash it carries some steps out again, which changes nothing.

mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::AnyEvent;
use byteshop_domain::process::{Process, Reaction};
use byteshop_eventstore::delivery::Lead;
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::process::{Timer, TimerChange};
use byteshop_eventstore::read::read_ahead;
use byteshop_eventstore::{Recorded, StoreError, Trouble};
use futures_util::StreamExt as _;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Commands;
use crate::engine::error::Error;
pub use steps::CarryOut;
use steps::Cause;

/// Positions that are looked at in one round trip, and at most reacted to before that is written down: what a crash repeats.
const RANGE: i64 = 4_000;
/// Events that are reacted to at most before that can be written down.
const EVENTS: usize = 4_000;
/// Chains of causes whose steps are carried out at the same time: enough to fill a group commit.
const CONCURRENCY: usize = 64;
/// How often the position is written down and due timers are looked for: they are promises of minutes, and one that is set
/// and cleared in between never reaches the table.
const FLUSH: Duration = Duration::from_millis(500);
/// Timers that are carried out at once.
const TIMERS: i64 = 100;
/// The pause after a failure of the store or a provider.
const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How often a parked process looks whether a newer program can read the event.
const PARKED_PAUSE: Duration = Duration::from_secs(5);
/// How often one that does not lead looks whether it may.
const STAND_BY: Duration = Duration::from_secs(1);

/// The least time between two looks at the log: under load one look finds what many appends brought.
fn pace<P: Process>() -> Duration {
    Duration::from_millis(if P::WAITED_FOR { 5 } else { 50 })
}

/// Runs a process on the events of a feed until the token is cancelled and no message is half sent.
pub async fn run<P: CarryOut>(commands: Commands, feed: Feed, cancel: CancellationToken) {
    let work = async {
        let mut trouble = Trouble::default();
        loop {
            let pause = match lead::<P>(&commands, &feed, &mut trouble).await {
                Ok(()) => STAND_BY,
                Err(Error::Codec(_) | Error::Store(StoreError::Unreadable { .. })) => PARKED_PAUSE,
                Err(error @ Error::OtherHistory { .. }) => {
                    if trouble.is_news(&error) {
                        tracing::error!(process = P::NAME, %error, "the process is parked and issues no commands");
                    }
                    PARKED_PAUSE
                }
                Err(error @ Error::Closed { .. }) => {
                    if trouble.is_news(&error) {
                        tracing::info!(process = P::NAME, %error, "the process waits until the restored backup is confirmed");
                    }
                    PARKED_PAUSE
                }
                Err(error) => {
                    if trouble.is_news(&error) && !error.is_outage() {
                        tracing::warn!(process = P::NAME, %error, "process paused, retrying");
                    }
                    RETRY_PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    let stopped = async {
        cancel.cancelled().await;
        commands.last_messages().await;
    };
    tokio::select! {
        () = work => {}
        () = stopped => {}
    }
}

/// Leads for as long as nothing fails; returns at once when another one leads.
async fn lead<P: CarryOut>(commands: &Commands, feed: &Feed, trouble: &mut Trouble) -> Result<(), Error> {
    let Some(mut lead) = commands.log().lead(P::NAME).await? else { return Ok(()) };
    let mut runner = Runner::<P>::resume(commands).await?;
    let mut flush = tokio::time::interval(FLUSH);
    flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        // Timers and the position have their turn even while there is a long way to catch up.
        let next = tokio::select! {
            biased;
            _ = flush.tick() => {
                lead.confirm().await?;
                runner.flush().await?;
                runner.fire_timers().await?;
                continue;
            }
            next = feed.recent(runner.position, EVENTS) => next,
        };
        let looked = Instant::now();
        let outcome = match next {
            Some(events) => runner.take(events).await,
            None => runner.read_on(&mut lead).await,
        };
        match outcome {
            Err(error @ (Error::Codec(_) | Error::Store(StoreError::Unreadable { .. }))) => {
                commands.log().park_process(P::NAME, &error.to_string()).await?;
                tracing::error!(process = P::NAME, position = runner.position, %error, "the process is parked: it cannot read an event");
                return Err(error);
            }
            outcome => outcome?,
        }
        if trouble.is_over() {
            tracing::debug!(process = P::NAME, "the process continues");
        }
        tokio::time::sleep_until(looked + pace::<P>()).await;
    }
}

struct Runner<'a, P> {
    commands: &'a Commands,
    /// How far it has reacted.
    position: i64,
    /// The leaf hash there, as the feed gave it.
    leaf: Option<Vec<u8>>,
    /// How far that is written down; what lies between is reacted to again after a crash.
    flushed: i64,
    /// Timers that are not written down yet.
    timers: BTreeMap<String, TimerChange>,
    process: std::marker::PhantomData<fn() -> P>,
}

impl<'a, P: CarryOut> Runner<'a, P> {
    /// Goes on where the process was. A restored backup is another history: acting on it would repeat or skip what was done.
    async fn resume(commands: &'a Commands) -> Result<Self, Error> {
        let checkpoint = commands.log().process_checkpoint(P::NAME).await?;
        let position = checkpoint.position;
        if position > 0 && commands.log().leaf_at(position).await? != checkpoint.leaf {
            let error = Error::OtherHistory { process: P::NAME, position };
            commands.log().park_process(P::NAME, &error.to_string()).await?;
            return Err(error);
        }
        Ok(Self {
            commands,
            position,
            leaf: None,
            flushed: position,
            timers: BTreeMap::new(),
            process: std::marker::PhantomData,
        })
    }

    /// Reacts to the next part of the log as the feed gives it.
    async fn take(&mut self, mut events: Vec<Arc<Recorded>>) -> Result<(), Error> {
        let Some(last) = events.last().cloned() else { return Ok(()) };
        // What a step looks at is no older than the event that it follows from.
        self.commands.cache().notice(events.iter().map(AsRef::as_ref));
        events.retain(|event| P::READS.contains(&event.category.as_str()));
        self.react_up_to(last.position, &events).await?;
        self.leaf = Some(last.leaf.clone());
        Ok(())
    }

    /// Reacts to the next part of the log, which is older than what the feed has: only what the process reads is read.
    async fn read_on(&mut self, lead: &mut Lead) -> Result<(), Error> {
        let ahead = read_ahead(lead.connection(), self.position, RANGE, P::READS).await?;
        let events: Vec<_> = ahead.events.into_iter().map(Arc::new).collect();
        self.commands.cache().notice(events.iter().map(AsRef::as_ref));
        self.react_up_to(ahead.upto, &events).await?;
        self.leaf = None;
        Ok(())
    }

    async fn react_up_to(&mut self, position: i64, events: &[Arc<Recorded>]) -> Result<(), Error> {
        let timers = self.react(events).await?;
        self.timers.extend(timers);
        self.position = self.position.max(position);
        Ok(())
    }

    /// Writes down how far it is, together with the timers that were set and cleared on the way.
    async fn flush(&mut self) -> Result<(), Error> {
        if self.position == self.flushed {
            return Ok(());
        }
        let log = self.commands.log();
        let leaf = log.leaf_at(self.position).await?.unwrap_or_default();
        if self.leaf.as_ref().is_some_and(|seen| *seen != leaf) {
            // The feed gave an event that the log does not hold: look anew.
            return Err(Error::Contended);
        }
        let timers: Vec<TimerChange> = self.timers.values().cloned().collect();
        if !log.advance_process(P::NAME, self.flushed, self.position, &leaf, &timers).await? {
            return Err(Error::Contended);
        }
        self.timers.clear();
        self.flushed = self.position;
        Ok(())
    }

    /// Carries out the steps of some events; gives the timers that they leave.
    async fn react(&self, events: &[Arc<Recorded>]) -> Result<BTreeMap<String, TimerChange>, Error> {
        let mut timers: BTreeMap<String, TimerChange> = BTreeMap::new();
        // Steps of one chain of causes follow each other; chains do not wait for each other.
        let mut chains: BTreeMap<Uuid, Vec<(Cause, P::Step)>> = BTreeMap::new();
        for recorded in events {
            let event = decode(recorded)?;
            let cause = Cause::of(P::NAME, recorded)?;
            for reaction in P::react(&event, recorded.recorded_at) {
                match reaction {
                    Reaction::Now(step) => {
                        chains.entry(cause.correlation).or_default().push((cause.clone(), step));
                    }
                    Reaction::SetTimer { at, key, step } => {
                        let timer = Timer {
                            key: key.clone(),
                            due_at: at,
                            step: serde_json::to_string(&step)?,
                            position: recorded.position,
                        };
                        timers.insert(key, TimerChange::Set(timer));
                    }
                    Reaction::ClearTimer { key } => {
                        timers.insert(key.clone(), TimerChange::Clear(key));
                    }
                }
            }
        }
        let mut running = futures_util::stream::iter(chains.into_values().map(|chain| self.carry_out(chain)))
            .buffer_unordered(CONCURRENCY);
        while let Some(outcome) = running.next().await {
            outcome?;
        }
        Ok(timers)
    }

    async fn carry_out(&self, chain: Vec<(Cause, P::Step)>) -> Result<(), Error> {
        for (cause, step) in chain {
            steps::carry_out::<P>(self.commands, &cause, step).await?;
        }
        Ok(())
    }

    /// Carries out what is due.
    async fn fire_timers(&self) -> Result<(), Error> {
        let log = self.commands.log();
        let due = log.due_timers(P::NAME, self.commands.clock().now(), TIMERS).await?;
        let mut running =
            futures_util::stream::iter(due.into_iter().map(|timer| self.fire(timer))).buffer_unordered(CONCURRENCY);
        while let Some(outcome) = running.next().await {
            outcome?;
        }
        Ok(())
    }

    async fn fire(&self, timer: Timer) -> Result<(), Error> {
        let log = self.commands.log();
        let step: P::Step = serde_json::from_str(&timer.step)?;
        if let Some(event) = log.event_at(timer.position).await? {
            steps::carry_out::<P>(self.commands, &Cause::of(P::NAME, &event)?, step).await?;
        }
        Ok(log.drop_timer(P::NAME, &timer).await?)
    }
}

fn decode(recorded: &Recorded) -> Result<AnyEvent, Error> {
    AnyEvent::decode(&recorded.category, recorded.stream, &recorded.event_type, recorded.schema, &recorded.data)
        .map_err(|source| Error::Store(StoreError::Unreadable { position: recorded.position, source }))
}
