//! The idempotency keys whose commands this process is carrying out.
//!
//! Two processes may still carry out the same command at once: the receipt, written in the append's own transaction,
//! lets one of them win.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::intent::Key;

type Keys = Arc<Mutex<HashSet<(String, String)>>>;

/// The keys in use.
#[derive(Debug, Clone, Default)]
pub struct InFlight {
    keys: Keys,
}

/// A key in use; dropped, it is free.
#[derive(Debug)]
pub struct Running {
    keys: Keys,
    key: (String, String),
}

impl InFlight {
    /// Reserves a key, unless it is in use.
    pub fn enter(&self, key: &Key) -> Option<Running> {
        let key = (key.who.clone(), key.key.clone());
        let entered = self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        entered.then(|| Running { keys: Arc::clone(&self.keys), key })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
