//! When a process last looked at the log, and the connection with which it looks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use byteshop_eventstore::Connection;
use tokio::sync::MutexGuard;
use tokio::time::Instant;

/// The maximum age of a look: that of the index behind the lists of products.
const RECENT: Duration = Duration::from_millis(50);

/// The looks of one process.
#[derive(Default)]
pub struct Looks {
    /// When the last one began.
    last: Mutex<Option<Instant>>,
    /// The connection that is kept for them.
    connection: tokio::sync::Mutex<Option<Connection>>,
}

impl Looks {
    /// Whether the last look is recent.
    pub fn is_recent(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < RECENT)
    }

    /// The connection, if one is kept: who has it looks, and all others wait.
    pub async fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().await
    }

    /// A look has succeeded.
    pub fn set(&self, began: Instant) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
    }
}
