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

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(accepted: bool) -> CommitHandle {
        let handle = CommitHandle::default();
        handle.settle(accepted);
        handle
    }

    #[test]
    fn an_append_is_neither_accepted_nor_refused_until_its_outcome_is_known() {
        let handle = CommitHandle::default();
        assert!(!handle.is_accepted() && !handle.is_refused());
        assert!(settled(true).is_accepted() && !settled(true).is_refused());
        assert!(settled(false).is_refused() && !settled(false).is_accepted());
    }

    #[test]
    fn a_refusal_is_final() {
        let handle = settled(false);
        handle.settle(true);
        assert!(handle.is_refused());
        let handle = settled(true);
        handle.settle(false);
        assert!(handle.is_refused());
    }

    #[test]
    fn states_of_one_version_are_the_same_when_one_append_made_them_or_both_are_durable() {
        let (waits, other) = (CommitHandle::default(), CommitHandle::default());
        assert!(CommitHandle::same(Some(&waits), Some(&waits.clone())));
        assert!(!CommitHandle::same(Some(&waits), Some(&other)));
        assert!(!CommitHandle::same(Some(&waits), None));
        assert!(!CommitHandle::same(None, Some(&waits)));
        assert!(CommitHandle::same(None, None));
        let (one, two, refused) = (settled(true), settled(true), settled(false));
        assert!(CommitHandle::same(Some(&one), Some(&two)) && CommitHandle::same(Some(&one), None));
        assert!(!CommitHandle::same(Some(&refused), None) && !CommitHandle::same(Some(&one), Some(&waits)));
    }
}
