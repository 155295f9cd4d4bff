//! What became of an append, for those that were decided on it before anybody knew.
//!
//! A version alone does not say which state it is of: while an append waits, another process may have written the same
//! version otherwise. So whatever is decided on an append that may still be refused is tied to that append's fate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Until the fate is known it is 0.
const ACCEPTED: u8 = 1;
const REFUSED: u8 = 2;

/// The fate of one append, or of several that stand and fall together: refused once, it stays so. Clones are handles to the
/// same.
#[derive(Debug, Clone, Default)]
pub struct Fate(Arc<AtomicU8>);

impl Fate {
    /// It is known now: durable, or not surely so.
    pub(crate) fn settle(&self, accepted: bool) {
        if accepted {
            // A refusal that is known already stands.
            let _ = self.0.compare_exchange(0, ACCEPTED, Ordering::AcqRel, Ordering::Acquire);
        } else {
            self.0.store(REFUSED, Ordering::Release);
        }
    }

    /// It is durable.
    pub fn is_accepted(&self) -> bool {
        self.0.load(Ordering::Acquire) == ACCEPTED
    }

    /// It was refused, or nobody knows what became of it.
    pub fn is_refused(&self) -> bool {
        self.0.load(Ordering::Acquire) == REFUSED
    }

    /// Whether two states of one version are the same: made by the same append, or both durable.
    pub(crate) fn same(one: Option<&Self>, other: Option<&Self>) -> bool {
        let durable = |fate: Option<&Self>| fate.is_none_or(Self::is_accepted);
        match (one, other) {
            (Some(one), Some(other)) if Arc::ptr_eq(&one.0, &other.0) => true,
            _ => durable(one) && durable(other),
        }
    }
}
