//! The outcome of an append, for commands that were decided on it before it was known.
//!
//! A version alone does not identify a state: while an append waits, another process may have written the same version
//! with other content. So a command that was decided on an append which may still be refused depends on the outcome of
//! that append.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// 0 stands for an append without an outcome.
const ACCEPTED: u8 = 1;
const REFUSED: u8 = 2;

/// The outcome of one append, or of several that depend on each other: once refused, it stays refused. Clones share the
/// outcome.
#[derive(Debug, Clone, Default)]
pub struct CommitHandle(Arc<AtomicU8>);

impl CommitHandle {
    /// Records the outcome: durable, or not known to be durable.
    pub(crate) fn settle(&self, accepted: bool) {
        if accepted {
            // A recorded refusal is final.
            let _ = self.0.compare_exchange(0, ACCEPTED, Ordering::AcqRel, Ordering::Acquire);
        } else {
            self.0.store(REFUSED, Ordering::Release);
        }
    }

    /// Whether the append is durable.
    pub fn is_accepted(&self) -> bool {
        self.0.load(Ordering::Acquire) == ACCEPTED
    }

    /// Whether the append was refused, or its outcome is unknown.
    pub fn is_refused(&self) -> bool {
        self.0.load(Ordering::Acquire) == REFUSED
    }

    /// Whether two states of one version are the same: created by the same append, or both durable.
    pub(crate) fn same(one: Option<&Self>, other: Option<&Self>) -> bool {
        let durable = |handle: Option<&Self>| handle.is_none_or(Self::is_accepted);
        match (one, other) {
            (Some(one), Some(other)) if Arc::ptr_eq(&one.0, &other.0) => true,
            _ => durable(one) && durable(other),
        }
    }
}
