//! Sessions that ended recently in any process, whose access tokens are no longer accepted.
//!
//! A token states the permissions of its bearer, so no request queries the database for them. Instead each process that
//! serves follows the log for sessions that end (a log-out, a ban, a new role, a new password, a refresh token that was
//! used twice) and remembers them for the lifetime of a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use byteshop_domain::Decider as _;
use byteshop_domain::ids::SessionId;
use byteshop_domain::session::{Event, Session};
use byteshop_eventstore::read::read_ahead;
use byteshop_eventstore::{Clock, Log, Recorded, StoreError, Trouble};
use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::security::token::LIFETIME;

/// How often the log is looked at: well within the second in which every process is to know.
const TICK: Duration = Duration::from_millis(200);
/// Positions that are looked at in one round trip.
const RANGE: i64 = 10_000;
/// How much longer than a token lives its session is known: the clocks of two machines differ, and a token may have been
/// given out while its session ended.
const MARGIN: TimeDelta = TimeDelta::minutes(1);
/// The number of ended sessions from which on expired ones are removed.
const SWEEP_FROM: usize = 1_000;

/// The sessions that ended lately. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    sessions: Arc<Mutex<HashMap<SessionId, DateTime<Utc>>>>,
}

/// Reads on in the log.
#[derive(Debug)]
pub struct Follower {
    ended: Ended,
    log: Log,
    position: i64,
}

impl Ended {
    /// Learns what ended before, so that a process knows it before it serves anybody; the follower learns the rest.
    ///
    /// # Errors
    /// [`StoreError`] when the log cannot be read.
    pub async fn of(log: &Log) -> Result<(Self, Follower), StoreError> {
        let position = log.position_at(Clock.now() - known_for()).await?;
        let ended = Self::default();
        let mut follower = Follower { ended: ended.clone(), log: log.clone(), position };
        follower.read_on().await?;
        Ok((ended, follower))
    }

    /// Whether a session ended lately.
    pub fn contains(&self, session: SessionId) -> bool {
        self.sessions().contains_key(&session)
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<SessionId, DateTime<Utc>>> {
        // Every holder of the lock added or removed whole entries.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: &Recorded) -> Result<(), StoreError> {
        let decoded = event.event::<Session>().transpose();
        let decoded = decoded.map_err(|source| StoreError::Unreadable { position: event.position, source })?;
        if let Some(Event::Revoked { .. }) = decoded {
            self.sessions().insert(event.id_of::<Session>(), event.recorded_at);
        }
        Ok(())
    }

    /// Drops those whose last token ended by itself.
    fn sweep(&self, now: DateTime<Utc>) {
        let mut sessions = self.sessions();
        if sessions.len() >= SWEEP_FROM {
            sessions.retain(|_, ended_at| *ended_at + known_for() > now);
        }
    }
}

impl Follower {
    /// Follows the log until cancelled.
    pub async fn follow(mut self, cancel: CancellationToken) {
        let following = async {
            let mut trouble = Trouble::default();
            loop {
                tokio::time::sleep(TICK).await;
                // Without Postgres no request is answered either, so nothing is lost by looking again later.
                match self.read_on().await {
                    Ok(()) => drop(trouble.is_over()),
                    Err(error) if trouble.is_news(&error) && !error.is_outage() => {
                        tracing::warn!(%error, "cannot read ended sessions");
                    }
                    Err(_) => {}
                }
                self.ended.sweep(Clock.now());
            }
        };
        tokio::select! {
            () = following => {}
            () = cancel.cancelled() => {}
        }
    }

    async fn read_on(&mut self) -> Result<(), StoreError> {
        loop {
            let mut connection = self.log.pool().acquire().await?;
            let ahead = read_ahead(&mut connection, self.position, RANGE, &[Session::CATEGORY]).await?;
            drop(connection);
            for event in &ahead.events {
                self.ended.take(event)?;
            }
            let more = ahead.upto >= self.position + RANGE;
            self.position = ahead.upto;
            if !more {
                return Ok(());
            }
        }
    }
}

fn known_for() -> TimeDelta {
    // Ten minutes are a `TimeDelta`.
    TimeDelta::from_std(LIFETIME).unwrap_or(TimeDelta::MAX) + MARGIN
}
