//! Sessions that this process has looked up. An access token names its session, and anyone with the signing key could
//! name one that never existed, which no ban or log-out would end.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use byteshop_domain::account::Role;
use byteshop_domain::ids::{AccountId, SessionId};
use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;

use crate::security::token::LIFETIME;

/// Sessions that are remembered: as many as tokens.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("a positive number");

/// The owner of a session, and their role.
pub(crate) type Holder = (AccountId, Role);

type Sessions = LruCache<SessionId, (Holder, DateTime<Utc>)>;

/// The sessions. Clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// Each with when it was looked up.
    sessions: Arc<Mutex<Sessions>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { sessions: Arc::new(Mutex::new(LruCache::new(REMEMBERED))) }
    }
}

impl Known {
    /// Whether a session was found to be theirs, for as long as a token of theirs lives: what ends meanwhile is heard of.
    pub(crate) fn holds(&self, session: SessionId, holder: Holder, now: DateTime<Utc>) -> bool {
        let lifetime = TimeDelta::from_std(LIFETIME).unwrap_or(TimeDelta::MAX);
        self.sessions().get(&session).is_some_and(|(known, at)| *known == holder && now < *at + lifetime)
    }

    /// Remembers that it is theirs.
    pub(crate) fn learn(&self, session: SessionId, holder: Holder, now: DateTime<Utc>) {
        self.sessions().put(session, (holder, now));
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use byteshop_domain::ids::Id as _;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_session_is_known_as_its_holders_for_as_long_as_a_token_lives() {
        let (known, now) = (Known::default(), DateTime::UNIX_EPOCH);
        let session = SessionId::from_uuid(Uuid::from_u128(1));
        let [ada, bob] = [2, 3].map(|number| AccountId::from_uuid(Uuid::from_u128(number)));
        assert!(!known.holds(session, (ada, Role::Customer), now));
        known.learn(session, (ada, Role::Customer), now);
        assert!(known.holds(session, (ada, Role::Customer), now + TimeDelta::minutes(9)));
        assert!(!known.holds(session, (ada, Role::Customer), now + TimeDelta::minutes(10)));
        assert!(!known.holds(session, (bob, Role::Customer), now));
        assert!(!known.holds(session, (ada, Role::Admin), now));
    }
}
