//! Following the log: the one loop of what reads it in order here, the processes and the webhooks.
//!
//! One program leads a follower, the others stand by. The leader takes the next events from memory or reads ahead in Postgres, looks no
//! more often than its pace allows, and writes down its position at intervals. A failure ends the lead; after a pause the
//! follower resumes from its checkpoint.

use std::sync::Arc;
use std::time::Duration;

use byteshop_domain::Reads;
use byteshop_eventstore::delivery::{Lead, STAND_BY};
use byteshop_eventstore::read::read_ahead;
use byteshop_eventstore::{Recorded, StoreError, Trouble};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};

use crate::Commands;
use crate::engine::error::Error;

/// Positions that are looked at in one round trip, and at most handled before that is written down: what a crash repeats.
pub(crate) const RANGE: i64 = 4_000;
/// The pause after a failure of the store or a provider.
pub(crate) const RETRY_PAUSE: Duration = Duration::from_millis(250);
/// How often a parked follower looks whether a newer program can read the event.
const PARKED_PAUSE: Duration = Duration::from_secs(5);

/// The next part of the log.
pub(crate) struct Part {
    /// The events that the follower reads.
    pub events: Vec<Arc<Recorded>>,
    /// The position that the part reaches.
    pub upto: i64,
    /// The leaf hash there, if the part comes from the feed, which the log has not confirmed yet.
    pub leaf: Option<Vec<u8>>,
}

/// Reads the log in order, and acts on it. One program leads it at a time.
pub(crate) trait Follower: Sized + Send {
    /// The name under which a program leads.
    const NAME: &'static str;
    /// The kind of follower, for log lines.
    const KIND: &'static str;
    /// The events that it reads.
    const READS: &'static [Reads];
    /// The least time between two looks at the log: under load one look finds the events of many appends.
    const PACE: Duration;
    /// How often the lead is confirmed and the position is written down; `None` for a follower that keeps no position.
    const FLUSH: Option<Duration>;
    /// Where the events come from, and whatever else the follower needs.
    type Source: Sync;

    /// Continues from the checkpoint, if the log is still the one that was read up to there.
    fn resume(commands: &Commands, source: &Self::Source) -> impl Future<Output = Result<Self, Error>> + Send;

    /// The position up to which it has handled the log.
    fn position(&self) -> i64;

    /// Waits until the log may have grown: gives the next events if they are in memory, or `None` when the log is to be read.
    ///
    /// Cancel-safe for a follower with a `FLUSH`.
    fn next(&mut self) -> impl Future<Output = Option<Vec<Arc<Recorded>>>> + Send;

    /// Handles the next part of the log.
    fn take(&mut self, part: Part) -> impl Future<Output = Result<(), Error>> + Send;

    /// Writes down the position and does what is due, in statements that fail when the lead is gone.
    fn flush(&mut self, lead: &mut Lead) -> impl Future<Output = Result<(), Error>> + Send {
        async { Ok(lead.confirm().await?) }
    }

    /// Writes down that it stopped at an event that it cannot read.
    fn park(&self, _reason: &str) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// Whether it has to be resumed although nothing failed.
    fn must_resume(&mut self) -> bool {
        false
    }
}

/// Follows the log: leads when it may, else stands by. Never ends; it may be dropped at any point.
pub(crate) async fn follow<F: Follower>(commands: &Commands, source: &F::Source) {
    let mut trouble = Trouble::default();
    loop {
        let outcome = lead::<F>(commands, source, &mut trouble).await;
        sleep(pause_after::<F>(outcome, &mut trouble)).await;
    }
}

/// How long to pause after a lead. A failure is logged once, until another one comes or the follower continues.
fn pause_after<F: Follower>(outcome: Result<(), Error>, trouble: &mut Trouble) -> Duration {
    match outcome {
        Ok(()) => {
            trouble.is_over();
            STAND_BY
        }
        // It was logged when it was parked.
        Err(error) if is_unreadable(&error) => PARKED_PAUSE,
        Err(error @ Error::OtherHistory { .. }) => {
            if trouble.is_news(&error) {
                tracing::error!(process = F::NAME, %error, "the process is parked and issues no commands");
            }
            PARKED_PAUSE
        }
        Err(error @ Error::Closed { .. }) => {
            if trouble.is_news(&error) {
                tracing::info!(process = F::NAME, %error, "the process waits until the restored backup is confirmed");
            }
            PARKED_PAUSE
        }
        Err(error) => {
            if trouble.is_news(&error) && !error.is_outage() {
                tracing::warn!(process = F::NAME, %error, "{} paused, retrying", F::KIND);
            }
            RETRY_PAUSE
        }
    }
}

/// Whether an event cannot be read by this program; a newer one may read it.
fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::Codec(_) | Error::Store(StoreError::Unreadable { .. }))
}

/// Leads for as long as nothing fails; returns at once when another one leads.
async fn lead<F: Follower>(commands: &Commands, source: &F::Source, trouble: &mut Trouble) -> Result<(), Error> {
    let Some(mut lead) = commands.log().lead(F::NAME).await? else { return Ok(()) };
    let mut follower = F::resume(commands, source).await?;
    let mut flush = F::FLUSH.map(delayed_interval);
    loop {
        // The flush has its turn even while there is a long way to catch up.
        let recent = tokio::select! {
            biased;
            () = tick(&mut flush) => {
                follower.flush(&mut lead).await?;
                continue;
            }
            recent = follower.next() => recent,
        };
        let looked = Instant::now();
        let outcome = handle(commands, &mut lead, &mut follower, recent).await;
        if let Err(error) = outcome {
            if is_unreadable(&error) {
                follower.park(&error.to_string()).await?;
                let position = follower.position();
                tracing::error!(process = F::NAME, position, %error, "the process is parked: it cannot read an event");
            }
            return Err(error);
        }
        if trouble.is_over() {
            tracing::debug!(process = F::NAME, "the process continues");
        }
        if follower.must_resume() {
            return Ok(());
        }
        sleep_until(looked + F::PACE).await;
    }
}

fn delayed_interval(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// The next tick; never, when there is no interval.
async fn tick(ticks: &mut Option<Interval>) {
    match ticks {
        Some(ticks) => {
            ticks.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Takes a follower one part of the log further.
async fn handle<F: Follower>(
    commands: &Commands,
    lead: &mut Lead,
    follower: &mut F,
    recent: Option<Vec<Arc<Recorded>>>,
) -> Result<(), Error> {
    let mut part = match recent {
        Some(events) => from_memory(events, follower.position()),
        None => from_log::<F>(lead, follower.position()).await?,
    };
    // What a follower looks at is no older than the event that made it look.
    commands.cache().notice(part.events.iter().map(AsRef::as_ref));
    part.events.retain(|event| Reads::cover(F::READS, &event.category, &event.event_type));
    follower.take(part).await
}

fn from_memory(events: Vec<Arc<Recorded>>, after: i64) -> Part {
    let last = events.last().cloned();
    Part { upto: last.as_ref().map_or(after, |last| last.position), leaf: last.map(|last| last.leaf.clone()), events }
}

/// The next part of the log, which is not in memory: only what the follower reads is read.
async fn from_log<F: Follower>(lead: &mut Lead, after: i64) -> Result<Part, StoreError> {
    let ahead = read_ahead(lead.connection(), after, RANGE, &Reads::categories(F::READS)).await?;
    Ok(Part { events: ahead.events.into_iter().map(Arc::new).collect(), upto: ahead.upto, leaf: None })
}

#[cfg(test)]
mod tests {
    use byteshop_domain::codec::CodecError;

    use super::*;
    use crate::testing::recorded;

    struct Idle;

    impl Follower for Idle {
        const NAME: &'static str = "idle";
        const KIND: &'static str = "process";
        const READS: &'static [Reads] = &[];
        const PACE: Duration = Duration::ZERO;
        const FLUSH: Option<Duration> = None;
        type Source = ();

        fn resume(_commands: &Commands, _source: &()) -> impl Future<Output = Result<Self, Error>> + Send {
            std::future::ready(Ok(Self))
        }

        fn position(&self) -> i64 {
            0
        }

        fn next(&mut self) -> impl Future<Output = Option<Vec<Arc<Recorded>>>> + Send {
            std::future::pending()
        }

        fn take(&mut self, _part: Part) -> impl Future<Output = Result<(), Error>> + Send {
            std::future::ready(Ok(()))
        }
    }

    #[test]
    fn what_only_an_operator_or_a_newer_program_ends_is_looked_at_less_often() {
        let newer = || CodecError::Newer { event_type: "paid".into(), schema: 2, known: 1 };
        for (error, pause) in [
            (Error::Contended, RETRY_PAUSE),
            (Error::Store(StoreError::Unavailable("away".into())), RETRY_PAUSE),
            (Error::Codec(newer()), PARKED_PAUSE),
            (Error::Store(StoreError::Unreadable { position: 7, source: newer() }), PARKED_PAUSE),
            (Error::OtherHistory { process: Idle::NAME, position: 7 }, PARKED_PAUSE),
            (Error::Closed { reason: "restored".into() }, PARKED_PAUSE),
        ] {
            assert_eq!(pause_after::<Idle>(Err(error), &mut Trouble::default()), pause);
        }
    }

    #[test]
    fn a_part_from_memory_reaches_its_last_event() {
        let event = |position: i64| Arc::new(Recorded { leaf: position.to_be_bytes().to_vec(), ..recorded(position) });
        let part = from_memory(vec![event(8), event(9)], 7);
        assert_eq!((part.events.len(), part.upto, part.leaf), (2, 9, Some(9_i64.to_be_bytes().to_vec())));
        let nothing = from_memory(Vec::new(), 7);
        assert_eq!((nothing.events.len(), nothing.upto, nothing.leaf), (0, 7, None));
    }

    #[test]
    fn a_follower_that_asks_for_nothing_is_not_resumed() {
        assert!(!Idle.must_resume());
    }

    #[test]
    fn standing_by_ends_a_trouble() {
        let mut trouble = Trouble::default();
        pause_after::<Idle>(Err(Error::Contended), &mut trouble);
        assert_eq!(pause_after::<Idle>(Ok(()), &mut trouble), STAND_BY);
        assert!(!trouble.is_over());
    }
}
