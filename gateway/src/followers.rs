//! The followers of the log and their state: the relay's stream, the processes and the views.
//!
//! `byteshop check` reads it once; every role reads it periodically, for `/health/ready` and `/metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use byteshop_commands::relay::NatsConfig;
use byteshop_commands::relay::history::{self, History};
use byteshop_eventstore::{Clock, Log, StoreError};
use byteshop_projections::{State, Views};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::health::{Follower, Health, POSTGRES, Part, RoleState, Standing, Totals};

impl Follower {
    /// The same follower while it cannot be looked at.
    pub fn unseen(self, reason: &str) -> Self {
        let (state, reason) = (Standing::Unknown, Some(reason.to_owned()));
        Self { state, position: None, lag: None, lag_s: None, reason, ..self }
    }
}

/// The sources of the state.
#[derive(Debug, Clone)]
pub struct Followers {
    /// The log.
    pub log: Log,
    /// The views beside it.
    pub views: Views,
    /// Where the relay's stream is, if that is known.
    pub nats: Option<NatsConfig>,
}

impl Followers {
    /// How all of them stand just now.
    ///
    /// # Errors
    /// When Postgres does not answer.
    pub async fn look(&self) -> Result<Vec<Follower>, byteshop_projections::Error> {
        let head = self.log.head().await?;
        let mut all = Vec::new();
        if let Some(nats) = &self.nats {
            let (state, position, reason) = match history::compare(&self.log, nats).await {
                History::Same { position } => (Standing::Live, Some(position), None),
                History::Other { reason } => (Standing::OtherHistory, None, Some(reason)),
                History::Unknown { reason } => (Standing::Unknown, None, Some(reason)),
            };
            let lag = position.map(|position| (head - position).max(0));
            all.push(Follower {
                part: Part::Relay,
                name: nats.stream.clone(),
                state,
                position,
                lag,
                lag_s: None,
                reason,
            });
        }
        all.extend(self.log.processes().await?.into_iter().map(|process| {
            let state = match (process.same_history, &process.error) {
                (false, _) => Standing::OtherHistory,
                (true, Some(_)) => Standing::Parked,
                (true, None) => Standing::Live,
            };
            let (position, lag) = (Some(process.position), Some(process.lag));
            Follower {
                part: Part::Process,
                name: process.name,
                state,
                position,
                lag,
                lag_s: None,
                reason: process.error,
            }
        }));
        all.extend(self.views.status().await?.into_iter().map(|view| {
            let state = match view.state {
                State::Live => Standing::Live,
                State::Parked => Standing::Parked,
                State::OtherHistory => Standing::OtherHistory,
            };
            let (position, lag) = (Some(view.position), Some(view.lag));
            Follower { part: Part::View, name: view.view, state, position, lag, lag_s: None, reason: view.error }
        }));
        self.date(&mut all).await?;
        Ok(all)
    }

    /// Adds the age of the first event that each follower has not handled.
    async fn date(&self, all: &mut [Follower]) -> Result<(), StoreError> {
        let next = |follower: &Follower| follower.position.filter(|_| follower.lag > Some(0)).map(|at| at + 1);
        let positions: Vec<i64> = all.iter().filter_map(next).collect();
        let times = if positions.is_empty() { BTreeMap::new() } else { self.log.recorded_at(&positions).await? };
        let now = Clock.now();
        for follower in all {
            let waiting = next(follower).and_then(|at| times.get(&at));
            follower.lag_s = follower.lag.map(|_| waiting.map_or(0, |since| (now - since).num_seconds().max(0)));
        }
        Ok(())
    }

    /// Counts what operators want to know beside.
    async fn totals(&self) -> Result<Totals, byteshop_projections::Error> {
        let failing = self.log.webhooks_failing().await?;
        let failing_s = failing.since.map_or(0, |since| (Clock.now() - since).num_seconds().max(0));
        Ok(Totals {
            events: self.log.head().await?,
            notifications_dead: self.views.notifications_dead().await?,
            webhooks_failing: failing.endpoints,
            webhooks_failing_s: failing_s,
        })
    }
}

/// How often a process reads the state, and how long a follower may make no progress before it is reported.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The time between two looks at Postgres.
    pub pulse: Duration,
    /// How long Postgres may take to answer.
    pub answer: Duration,
    /// How long Postgres may be away before requests are no longer made to wait for it.
    pub hope: Duration,
    /// The time between two looks at what follows the log.
    pub every: Duration,
    /// How long a follower may have events before it and not move.
    pub patience: Duration,
}

impl Default for Pace {
    /// Looking costs a connection to NATS and some cheap questions to Postgres. A view that works is behind by
    /// milliseconds, and one that is rebuilt moves.
    fn default() -> Self {
        Self {
            pulse: Duration::from_secs(1),
            answer: Duration::from_secs(2),
            // What a request waits for a connection: a restart of Postgres that takes no longer is not noticed by anybody.
            hope: Duration::from_secs(5),
            every: Duration::from_secs(5),
            patience: Duration::from_secs(30),
        }
    }
}

/// Looks again and again until it is cancelled, and tells health and metrics what it sees.
pub async fn watch(followers: Followers, pace: Pace, health: Health, cancel: CancellationToken) {
    tokio::select! {
        () = cancel.cancelled() => {}
        // NATS may take its time to say nothing; Postgres is looked at meanwhile.
        () = take_the_pulse(&followers.log, pace, &health) => {}
        () = look_at_all(&followers, pace, &health) => {}
    }
}

/// Notes whether Postgres answers, and logs when that changes. Everything else that cannot reach it is silent about that.
async fn take_the_pulse(log: &Log, pace: Pace, health: &Health) {
    let mut away_since: Option<Instant> = None;
    loop {
        let reason = match tokio::time::timeout(pace.answer, log.head()).await {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("no answer within {} seconds", pace.answer.as_secs())),
        };
        match (reason, away_since) {
            (None, since) => {
                if let Some(since) = since {
                    tracing::info!(away_s = since.elapsed().as_secs(), "Postgres answers again");
                }
                away_since = None;
                health.set(POSTGRES, RoleState::Up);
                health.give_up_on_postgres(false);
            }
            (Some(reason), since) => {
                if since.is_none() {
                    tracing::warn!(reason, "Postgres does not answer; retrying until it does");
                }
                let since = since.unwrap_or_else(Instant::now);
                away_since = Some(since);
                health.set(POSTGRES, RoleState::Down { reason });
                health.give_up_on_postgres(since.elapsed() >= pace.hope);
            }
        }
        tokio::time::sleep(pace.pulse).await;
    }
}

async fn look_at_all(followers: &Followers, pace: Pace, health: &Health) {
    let mut still = Still::default();
    loop {
        match followers.look().await {
            Ok(mut seen) => {
                still.note(&mut seen, pace.patience);
                close_when_ahead(&followers.log, &seen).await;
                health.follow(seen);
            }
            // The pulse says that Postgres is away.
            Err(error) => {
                tracing::debug!(%error, "cannot read the state of the followers");
                health.lose_sight(&error.to_string());
            }
        }
        match followers.totals().await {
            Ok(totals) => health.count(totals),
            Err(error) => tracing::debug!(%error, "cannot read the metrics of the stores"),
        }
        tokio::time::sleep(pace.every).await;
    }
}

/// Stops payments if JetStream has events that the log does not have, as after a restored backup.
async fn close_when_ahead(log: &Log, seen: &[Follower]) {
    let other = |follower: &&Follower| follower.part == Part::Relay && follower.state == Standing::OtherHistory;
    let Some(relay) = seen.iter().find(other) else { return };
    let reason = relay.reason.as_deref().unwrap_or("JetStream has another history than the log");
    if let Err(error) = log.close(reason).await {
        tracing::error!(%error, "cannot stop payments");
    }
}

/// Where each follower was last seen to move, and when.
#[derive(Default)]
struct Still(BTreeMap<(Part, String), (i64, Instant)>);

impl Still {
    fn note(&mut self, seen: &mut [Follower], patience: Duration) {
        let now = Instant::now();
        for follower in seen {
            let (Some(position), Some(lag)) = (follower.position, follower.lag) else { continue };
            let last = self.0.entry((follower.part, follower.name.clone())).or_insert((position, now));
            if lag == 0 || last.0 != position {
                *last = (position, now);
            }
            if follower.state == Standing::Live && now.duration_since(last.1) >= patience {
                follower.state = Standing::Stalled;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(position: i64, lag: i64) -> Vec<Follower> {
        let name = "order_list".to_owned();
        let state = Standing::Live;
        vec![Follower {
            part: Part::View,
            name,
            state,
            position: Some(position),
            lag: Some(lag),
            lag_s: None,
            reason: None,
        }]
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_events_before_it_and_does_not_move_is_stalled() {
        let patience = Pace::default().patience;
        let mut still = Still::default();
        let mut note = |mut seen: Vec<Follower>| {
            still.note(&mut seen, patience);
            seen[0].state
        };
        assert_eq!(note(view(5, 1)), Standing::Live);
        tokio::time::advance(patience).await;
        assert_eq!(note(view(5, 2)), Standing::Stalled);
        assert_eq!(note(view(6, 1)), Standing::Live, "it moves");
        tokio::time::advance(patience).await;
        assert_eq!(note(view(6, 0)), Standing::Live, "there is nothing to do");
        assert_eq!(note(view(6, 1)), Standing::Live, "since just now");
        tokio::time::advance(patience).await;
        let mut other = view(6, 1);
        other[0].state = Standing::Parked;
        assert_eq!(note(other), Standing::Parked, "why it does not move is known");
    }
}
