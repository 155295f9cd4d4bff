//! How a process is: its roles, Postgres, and what follows the log.
//!
//! Nothing here asks anybody: the roles say how they are, and [`watch`](crate::followers::watch) looks at the rest again and
//! again. So readiness is answered at once, also while Postgres is away.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use utoipa::ToSchema;

/// The name of Postgres among the roles.
pub const POSTGRES: &str = "postgres";
/// Roles that cannot work without Postgres. `http` continues and responds with errors.
const ON_POSTGRES: [&str; 2] = ["relay", "views"];
/// The reason that they report.
const NO_POSTGRES: &str = "Postgres does not answer";

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
    /// The follower has read another history of the log.
    OtherHistory,
    /// The position is unknown.
    Unknown,
}

impl Part {
    /// The name in metrics and tables.
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
    /// Which kind of part it is.
    pub part: Part,
    /// The name.
    pub name: String,
    /// How it stands to the log.
    #[serde(rename = "status")]
    pub state: Standing,
    /// The last position it has read, if known.
    pub position: Option<i64>,
    /// Events not yet processed.
    pub lag: Option<i64>,
    /// Age of the oldest of them, in seconds.
    #[serde(rename = "lag_seconds")]
    pub lag_s: Option<i64>,
    /// Why it does not go on.
    pub reason: Option<String>,
}

/// The state of a role of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RoleState {
    /// Starting.
    Starting,
    /// Working.
    Up,
    /// Not working.
    Down {
        /// Why.
        reason: String,
    },
}

/// Which roles this process has, what each is doing, and how what follows the log was last seen. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Health {
    roles: Arc<RwLock<BTreeMap<&'static str, RoleState>>>,
    followers: Arc<RwLock<Vec<Follower>>>,
    totals: Arc<RwLock<Option<Totals>>>,
    emulated: Arc<RwLock<Vec<String>>>,
    store_is_gone: Arc<AtomicBool>,
}

/// The counts of the stores, some seconds old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events in the log.
    pub events: i64,
    /// Messages that were given up.
    pub notifications_dead: i64,
    /// Webhook endpoints whose next event was tried in vain.
    pub webhooks_failing: i64,
    /// Seconds since the first of them began to fail.
    pub webhooks_failing_s: i64,
}

/// How a process is, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Everything works.
    Ready,
    /// The process answers, but an operator must act: a follower of the log has stopped.
    Degraded,
    /// The process cannot answer: use another one.
    Unavailable,
}

/// Whether a process can do its work, and what is in the way.
#[derive(Debug, Clone, Serialize)]
pub struct Readiness {
    /// In one word.
    pub status: Condition,
    /// Whether to send requests here: everything works, or enough of it.
    pub ready: bool,
    /// Each role of the process, and Postgres.
    pub roles: BTreeMap<&'static str, RoleState>,
    /// The followers of the log in all processes, some seconds old.
    pub followers: Vec<Follower>,
    /// The emulated providers and carriers, such as `payment provider test`.
    pub emulated: Vec<String>,
}

impl Health {
    /// Sets the state of a role; readiness waits for every role whose state was set once.
    pub fn set(&self, role: &'static str, state: RoleState) {
        self.roles.write().unwrap_or_else(PoisonError::into_inner).insert(role, state);
    }

    /// The state of a role; none if the process does not have it.
    pub fn role(&self, role: &str) -> Option<RoleState> {
        self.roles.read().unwrap_or_else(PoisonError::into_inner).get(role).cloned()
    }

    /// Sets the state of the followers.
    pub fn follow(&self, seen: Vec<Follower>) {
        *self.followers.write().unwrap_or_else(PoisonError::into_inner) = seen;
    }

    /// Records why the state of the followers is unknown, until it is read again.
    pub fn lose_sight(&self, reason: &str) {
        let mut followers = self.followers.write().unwrap_or_else(PoisonError::into_inner);
        *followers = std::mem::take(&mut *followers).into_iter().map(|follower| follower.unseen(reason)).collect();
    }

    /// How what follows the log was last seen; nothing before the first look.
    pub fn followers(&self) -> Vec<Follower> {
        self.followers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the emulated providers and carriers.
    pub fn emulate(&self, emulated: Vec<String>) {
        *self.emulated.write().unwrap_or_else(PoisonError::into_inner) = emulated;
    }

    /// Sets the counts of the stores.
    pub fn count(&self, totals: Totals) {
        *self.totals.write().unwrap_or_else(PoisonError::into_inner) = Some(totals);
    }

    /// The latest counts of the stores.
    pub fn totals(&self) -> Option<Totals> {
        *self.totals.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets whether Postgres has been away for so long that requests should not wait for it.
    pub fn give_up_on_postgres(&self, is_gone: bool) {
        self.store_is_gone.store(is_gone, Ordering::Relaxed);
    }

    /// Whether Postgres has been away for so long that waiting for it is in vain.
    pub fn has_given_up_on_postgres(&self) -> bool {
        self.store_is_gone.load(Ordering::Relaxed)
    }

    /// How the process is now.
    pub fn readiness(&self) -> Readiness {
        let mut roles = self.roles.read().unwrap_or_else(PoisonError::into_inner).clone();
        // The state is unknown before it is first read.
        roles.entry(POSTGRES).or_insert(RoleState::Starting);
        let mut followers = self.followers();
        if let Some(RoleState::Down { .. }) = roles.get(POSTGRES) {
            for role in ON_POSTGRES {
                roles.entry(role).and_modify(|state| *state = RoleState::Down { reason: NO_POSTGRES.to_owned() });
            }
            followers = followers.into_iter().map(|follower| follower.unseen(NO_POSTGRES)).collect();
        }
        let emulated = self.emulated.read().unwrap_or_else(PoisonError::into_inner).clone();
        Readiness { emulated, ..Readiness::of(roles, followers) }
    }
}

impl Readiness {
    /// A process without Postgres, or on its way, can do nothing. Whatever else stands still, commands are taken and what
    /// follows from them is done later: turning visitors away would only make it worse.
    fn of(roles: BTreeMap<&'static str, RoleState>, followers: Vec<Follower>) -> Self {
        let mut stands = roles.iter().map(|(role, state)| match state {
            RoleState::Up => Condition::Ready,
            RoleState::Down { .. } if *role != POSTGRES => Condition::Degraded,
            RoleState::Starting | RoleState::Down { .. } => Condition::Unavailable,
        });
        let status = if stands.clone().any(|it| it == Condition::Unavailable) {
            Condition::Unavailable
        } else if stands.all(|it| it == Condition::Ready)
            && followers.iter().all(|follower| follower.state == Standing::Live)
        {
            Condition::Ready
        } else {
            Condition::Degraded
        };
        Self { status, ready: status != Condition::Unavailable, roles, followers, emulated: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_postgres_and_a_role_on_its_way_turn_requests_away() {
        let health = Health::default();
        assert!(!health.readiness().ready, "before the first look");
        health.set(POSTGRES, RoleState::Up);
        assert_eq!(health.readiness().status, Condition::Ready);
        health.set("views", RoleState::Starting);
        assert_eq!(health.readiness().status, Condition::Unavailable);
        health.set("views", RoleState::Down { reason: "x".into() });
        assert_eq!(health.readiness().status, Condition::Degraded);
        health.set("views", RoleState::Up);
        health.set(POSTGRES, RoleState::Down { reason: "it does not answer".into() });
        assert_eq!(health.readiness().status, Condition::Unavailable);
        health.set(POSTGRES, RoleState::Up);
        let stopped = Follower {
            part: Part::Relay,
            name: "BYTESHOP".into(),
            state: Standing::Unknown,
            position: None,
            lag: None,
            lag_s: None,
            reason: Some("NATS cannot be reached".into()),
        };
        health.follow(vec![stopped]);
        let readiness = serde_json::to_value(health.readiness()).unwrap();
        assert_eq!((&readiness["status"], &readiness["ready"]), (&"degraded".into(), &true.into()));
        assert_eq!(readiness["followers"][0]["reason"], "NATS cannot be reached");
    }

    #[test]
    fn while_postgres_is_away_nobody_knows_how_far_anything_is() {
        let live = Follower {
            part: Part::Relay,
            name: "BYTESHOP".into(),
            state: Standing::Live,
            position: Some(7),
            lag: Some(0),
            lag_s: Some(0),
            reason: None,
        };
        let unknown = live.clone().unseen(NO_POSTGRES);
        assert_eq!(
            (unknown.state, unknown.position, unknown.lag, unknown.lag_s),
            (Standing::Unknown, None, None, None)
        );
        let health = Health::default();
        for role in [POSTGRES, "http", "relay", "views"] {
            health.set(role, RoleState::Up);
        }
        health.follow(vec![live.clone()]);
        health.set(POSTGRES, RoleState::Down { reason: "it was killed".into() });
        let away = health.readiness();
        assert_eq!(away.followers, [unknown]);
        let down = |reason: &str| RoleState::Down { reason: reason.into() };
        assert_eq!([&away.roles["relay"], &away.roles["views"]], [&down(NO_POSTGRES), &down(NO_POSTGRES)]);
        assert_eq!([&away.roles["http"], &away.roles[POSTGRES]], [&RoleState::Up, &down("it was killed")]);
        // Postgres is there again: the roles are what they said last, and the followers what the last look saw.
        health.lose_sight("the pool is used up");
        health.set(POSTGRES, RoleState::Up);
        let back = health.readiness();
        assert_eq!((back.roles["relay"].clone(), back.followers[0].state), (RoleState::Up, Standing::Unknown));
        assert_eq!(back.followers[0].reason.as_deref(), Some("the pool is used up"));
        health.follow(vec![live]);
        assert_eq!(health.readiness().status, Condition::Ready);
    }
}
