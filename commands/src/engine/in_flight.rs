//! The idempotency keys of the commands in progress in this process.
//!
//! Two processes may still execute the same command at once: the receipt, written in the transaction of the append,
//! lets only one of them succeed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::intent::Key;

type Keys = Arc<Mutex<HashSet<(String, String)>>>;

/// The keys in use.
#[derive(Debug, Clone, Default)]
pub struct InFlight {
    keys: Keys,
}

/// A reserved key, released on drop.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_reserved_until_its_command_ends() {
        let key = |who: &str, key: &str| Key { who: who.into(), key: key.into(), fingerprint: vec![], kept_for: None };
        let in_flight = InFlight::default();
        let running = in_flight.enter(&key("anna", "1"));
        assert!(running.is_some() && in_flight.enter(&key("anna", "1")).is_none());
        assert!(in_flight.enter(&key("anna", "2")).is_some() && in_flight.enter(&key("boris", "1")).is_some());
        drop(running);
        assert!(in_flight.enter(&key("anna", "1")).is_some());
    }
}
