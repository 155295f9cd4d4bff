//! What follows the log, and how each of them stands to it: the relay's stream, the processes and the views.
//!
//! `byteshop check` looks once; a process that serves looks again and again, for `/health/ready` and `/metrics`.

use std::collections::BTreeMap;
use std::time::Duration;

use byteshop_commands::relay::NatsConfig;
use byteshop_commands::relay::history::{self, History};
use byteshop_eventstore::Log;
use byteshop_projections::{State, Views};
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::http::Health;

/// A part of the shop that follows the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The stream in JetStream that the relay fills.
    Relay,
    /// A process that reacts to events.
    Process,
    /// A view that queries are answered from.
    View,
}

/// The state of a follower of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Up to date.
    Live,
    /// Behind, and not moving for a while.
    Stalled,
    /// Stopped by an error.
    Parked,
    /// It follows another history of the log.
    OtherHistory,
    /// Its position cannot be determined.
    Unknown,
}

impl Part {
    /// Its name, as metrics and tables write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Process => "process",
            Self::View => "view",
        }
    }
}

/// A part of the shop that follows the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Follower {
    /// The category of the product.
    pub part: Part,
    /// Its name.
    pub name: String,
    /// How it stands to the log.
    pub state: Standing,
    /// The last position it has read, if known.
    pub position: Option<i64>,
    /// Events not yet processed.
    pub lag: Option<i64>,
    /// Why it does not go on.
    pub reason: Option<String>,
}

/// What is looked at.
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
            all.push(Follower { part: Part::Relay, name: nats.stream.clone(), state, position, lag, reason });
        }
        all.extend(self.log.processes().await?.into_iter().map(|process| {
            let state = match (process.same_history, &process.error) {
                (false, _) => Standing::OtherHistory,
                (true, Some(_)) => Standing::Parked,
                (true, None) => Standing::Live,
            };
            let (position, lag) = (Some(process.position), Some(process.lag));
            Follower { part: Part::Process, name: process.name, state, position, lag, reason: process.error }
        }));
        all.extend(self.views.status().await?.into_iter().map(|view| {
            let state = match view.state {
                State::Live => Standing::Live,
                State::Parked => Standing::Parked,
                State::OtherHistory => Standing::OtherHistory,
            };
            let (position, lag) = (Some(view.position), Some(view.lag));
            Follower { part: Part::View, name: view.view, state, position, lag, reason: view.error }
        }));
        Ok(all)
    }
}

/// How often a process that serves looks, and how long something may stand still before that is told.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The time between two looks.
    pub every: Duration,
    /// How long a follower may have events before it and not move.
    pub patience: Duration,
}

impl Default for Pace {
    /// Looking costs a connection to NATS and some cheap questions to Postgres. A view that works is behind by
    /// milliseconds, and one that is rebuilt moves.
    fn default() -> Self {
        Self { every: Duration::from_secs(5), patience: Duration::from_secs(30) }
    }
}

/// Looks again and again until it is cancelled, and tells health and metrics what it sees.
pub async fn watch(followers: Followers, pace: Pace, health: Health, cancel: CancellationToken) {
    let mut still = Still::default();
    loop {
        let looked = tokio::select! {
            () = cancel.cancelled() => return,
            looked = followers.look() => looked,
        };
        match looked {
            Ok(mut seen) => {
                still.note(&mut seen, pace.patience);
                measure(&seen);
                health.follow(seen);
            }
            // Readiness asks Postgres itself, and says that it is away.
            Err(error) => tracing::debug!(%error, "what follows the log cannot be looked at"),
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(pace.every) => {}
        }
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

fn measure(seen: &[Follower]) {
    for Follower { part, name, state, lag, .. } in seen {
        let labels = [("part", part.as_str().to_owned()), ("name", name.clone())];
        metrics::gauge!("byteshop_follower_up", &labels).set(u8::from(*state == Standing::Live));
        if let Some(lag) = lag {
            // A gauge is a double, exact up to 2^53; what is further behind than 2^32 is not read off by the event.
            metrics::gauge!("byteshop_follower_lag", &labels).set(u32::try_from(*lag).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(position: i64, lag: i64) -> Vec<Follower> {
        let name = "order_list".to_owned();
        let state = Standing::Live;
        vec![Follower { part: Part::View, name, state, position: Some(position), lag: Some(lag), reason: None }]
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
