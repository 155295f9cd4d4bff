//! When keys of programs were last used: gathered in memory, and written down now and then rather than at each request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use byteshop_domain::ids::{ApiKeyId, Id as _};
use byteshop_eventstore::{Log, StoreError, Trouble};
use chrono::{DateTime, Utc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often they are written down, and so how exact they are after a crash.
const EVERY: Duration = Duration::from_mins(1);

/// The last uses that were seen since they were last written down. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Uses {
    seen: Arc<Mutex<HashMap<Uuid, DateTime<Utc>>>>,
}

impl Uses {
    /// A key was used.
    pub fn note(&self, key: ApiKeyId, at: DateTime<Utc>) {
        self.seen().insert(key.uuid(), at);
    }

    /// When keys were last used, in whichever process; those of another one as far as it has written them down.
    pub async fn last(&self, log: &Log, keys: &[Uuid]) -> Result<HashMap<Uuid, DateTime<Utc>>, StoreError> {
        let mut last: HashMap<Uuid, DateTime<Utc>> = log.uses(keys).await?.into_iter().collect();
        let seen = self.seen();
        for key in keys {
            let newer = seen.get(key).copied().max(last.get(key).copied());
            last.extend(newer.map(|at| (*key, at)));
        }
        Ok(last)
    }

    /// Writes down what was seen.
    pub async fn write(&self, log: &Log) -> Result<(), StoreError> {
        let uses: Vec<(Uuid, DateTime<Utc>)> = self.seen().iter().map(|(key, at)| (*key, *at)).collect();
        if uses.is_empty() {
            return Ok(());
        }
        log.note_uses(&uses).await?;
        // What was used again meanwhile is written down the next time.
        self.seen().retain(|key, at| !uses.contains(&(*key, *at)));
        Ok(())
    }

    /// Writes down what is seen, again and again, until the program ends, and then the last of it.
    pub async fn keep(self, log: Log, cancel: CancellationToken) {
        let mut trouble = Trouble::default();
        loop {
            let stopping = cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none();
            match self.write(&log).await {
                Ok(()) => {
                    trouble.is_over();
                }
                // The last of it is lost with the process, so that is said whatever the reason.
                Err(error) if stopping || (trouble.is_news(&error) && !error.is_outage()) => {
                    tracing::warn!(%error, "cannot store when API keys were last used");
                }
                Err(_) => {}
            }
            if stopping {
                return;
            }
        }
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<Uuid, DateTime<Utc>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
