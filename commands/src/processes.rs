//! Running the processes: what happened is read from the log in order, and the steps that follow are carried out.
//!
//! One runner of a process leads at a time. It carries out the steps that follow from what it reads, and now and then writes
//! down its position together with the timers; after a crash it carries some steps out again, which changes nothing.

mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::process::Reaction;
use byteshop_domain::{AnyEvent, Reads};
use byteshop_eventstore::delivery::Lead;
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::process::{Timer, TimerChange};
use byteshop_eventstore::{Recorded, StoreError};
use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Commands;
use crate::engine::error::Error;
use crate::follow::{Follower, Part, follow};
pub use steps::CarryOut;
use steps::Cause;

/// Events that are reacted to at most before that can be written down.
const EVENTS: usize = 4_000;
/// Chains of causes whose steps are carried out at the same time: enough to fill a group commit.
const CONCURRENCY: usize = 64;
/// How often the position is written down and due timers are looked for: they are promises of minutes, and one that is set
/// and cleared in between never reaches the table.
const FLUSH: Duration = Duration::from_millis(500);
/// Timers that are carried out at once.
const TIMERS: i64 = 100;

/// Runs a process on the events of a feed until the token is cancelled and no message is half sent.
pub async fn run<P: CarryOut>(commands: Commands, feed: Feed, cancel: CancellationToken) {
    let stopped = async {
        cancel.cancelled().await;
        commands.last_messages().await;
    };
    tokio::select! {
        () = follow::<Runner<P>>(&commands, &feed) => {}
        () = stopped => {}
    }
}

struct Runner<P> {
    commands: Commands,
    feed: Feed,
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

impl<P: CarryOut> Follower for Runner<P> {
    const NAME: &'static str = P::NAME;
    const KIND: &'static str = "process";
    const READS: &'static [Reads] = P::READS;
    const PACE: Duration = Duration::from_millis(if P::WAITED_FOR { 5 } else { 50 });
    const FLUSH: Option<Duration> = Some(FLUSH);
    type Source = Feed;

    /// A restored backup is another history: acting on it would repeat or skip what was done.
    async fn resume(commands: &Commands, feed: &Feed) -> Result<Self, Error> {
        let checkpoint = commands.log().process_checkpoint(P::NAME).await?;
        let position = checkpoint.position;
        if position > 0 && commands.log().leaf_at(position).await? != checkpoint.leaf {
            let error = Error::OtherHistory { process: P::NAME, position };
            commands.log().park_process(P::NAME, &error.to_string()).await?;
            return Err(error);
        }
        Ok(Self {
            commands: commands.clone(),
            feed: feed.clone(),
            position,
            leaf: None,
            flushed: position,
            timers: BTreeMap::new(),
            process: std::marker::PhantomData,
        })
    }

    fn position(&self) -> i64 {
        self.position
    }

    async fn next(&mut self) -> Option<Vec<Arc<Recorded>>> {
        self.feed.recent(self.position, EVENTS).await
    }

    async fn take(&mut self, part: Part) -> Result<(), Error> {
        let timers = self.react(&part.events).await?;
        self.timers.extend(timers);
        self.position = self.position.max(part.upto);
        self.leaf = part.leaf;
        Ok(())
    }

    async fn flush(&mut self, lead: &mut Lead) -> Result<(), Error> {
        self.save(lead).await?;
        self.fire_timers(lead).await
    }

    async fn park(&self, reason: &str) -> Result<(), Error> {
        Ok(self.commands.log().park_process(P::NAME, reason).await?)
    }
}

impl<P: CarryOut> Runner<P> {
    /// Writes down how far it is, together with the timers that were set and cleared on the way.
    async fn save(&mut self, lead: &mut Lead) -> Result<(), Error> {
        if self.position == self.flushed {
            return Ok(());
        }
        let timers: Vec<TimerChange> = self.timers.values().cloned().collect();
        if !lead.advance(self.flushed, self.position, self.leaf.as_deref(), &timers).await? {
            // Another one moved it, or the feed gave an event that the log does not hold: look again.
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
            steps::carry_out::<P>(&self.commands, &cause, step).await?;
        }
        Ok(())
    }

    /// Carries out what is due.
    async fn fire_timers(&self, lead: &mut Lead) -> Result<(), Error> {
        let due = lead.due_timers(self.commands.clock().now(), TIMERS).await?;
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
            steps::carry_out::<P>(&self.commands, &Cause::of(P::NAME, &event)?, step).await?;
        }
        Ok(log.drop_timer(P::NAME, &timer).await?)
    }
}

fn decode(recorded: &Recorded) -> Result<AnyEvent, Error> {
    AnyEvent::decode(&recorded.category, recorded.stream, &recorded.event_type, recorded.schema, &recorded.data)
        .map_err(|source| Error::Store(StoreError::Unreadable { position: recorded.position, source }))
}
