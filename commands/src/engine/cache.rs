//! Cached states of aggregates: they save reads, but are never authoritative.
//!
//! Every append carries the versions that it was decided on, so a stale entry costs a second attempt and nothing else.
//! An entry has two states: the last one that is known to be durable, and the latest one that was submitted. Commands
//! are decided on the latest, so that many of them can change one stream within a single group commit; if an append is
//! refused, those that depend on it are refused as well and decided again, however late they were submitted: a state
//! carries the [`CommitHandle`] of the append that created it. Queries never see the latest state.

use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use byteshop_eventstore::{Recorded, StreamId};
use lru::LruCache;

use crate::engine::commit_handle::CommitHandle;

/// A state of any aggregate.
pub type AnyState = Arc<dyn Any + Send + Sync>;

/// Entries at most. An order with its lines takes about two kilobytes, so a full cache stays below a few hundred megabytes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(100_000).expect("a positive number");

/// A state and its version.
#[derive(Clone)]
pub struct Versioned {
    /// The version of the stream; 0 for one that does not exist.
    pub version: i64,
    /// The state.
    pub state: AnyState,
    /// The append that created it, if that is not known to be durable yet.
    pub made_by: Option<CommitHandle>,
}

struct Entry {
    durable: Versioned,
    latest: Versioned,
    /// Another process wrote to the stream, so the next reader must read it.
    stale: bool,
}

/// The cache of one process.
pub struct Cache {
    entries: Mutex<LruCache<StreamId, Entry>>,
}

/// A change of one stream within an append.
pub struct Change {
    /// The stream.
    pub stream: StreamId,
    /// The version that the decision was made on.
    pub from: i64,
    /// The append that created that version, if that was not known to be durable yet.
    pub made_by: Option<CommitHandle>,
    /// The state after it; none when the stream was only read.
    pub to: Option<Versioned>,
}

impl Default for Cache {
    fn default() -> Self {
        Self { entries: Mutex::new(LruCache::new(CAPACITY)) }
    }
}

impl Cache {
    fn entries(&self) -> std::sync::MutexGuard<'_, LruCache<StreamId, Entry>> {
        // No code that holds the lock can panic half-way through a change.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest state, for decisions.
    pub fn latest(&self, stream: &StreamId) -> Option<Versioned> {
        self.entries().get(stream).filter(|entry| !entry.stale).map(|entry| entry.latest.clone())
    }

    /// The last state that is known to be durable, from which reading continues.
    pub fn durable(&self, stream: &StreamId) -> Option<Versioned> {
        self.entries().get(stream).map(|entry| entry.durable.clone())
    }

    /// Stores a state that was read from the log.
    pub fn put_durable(&self, stream: &StreamId, read: &Versioned) {
        self.put(stream, read, true);
    }

    /// Stores a durable state. Only reading the log shows that there is nothing newer, so only then is an entry no longer stale.
    fn put(&self, stream: &StreamId, durable: &Versioned, was_read: bool) {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(stream) else {
            entries.put(stream.clone(), Entry { durable: durable.clone(), latest: durable.clone(), stale: false });
            return;
        };
        if durable.version > entry.durable.version {
            entry.durable = durable.clone();
        }
        if (was_read && entry.stale) || entry.latest.version < entry.durable.version {
            entry.latest = entry.durable.clone();
        }
        entry.stale &= !was_read;
    }

    /// Submits a decision if it was made on the latest states; `submit` runs under the lock, so that the order in which appends
    /// enter the queue is the order in which they build on each other. It gets the handle of the append, and those that the append
    /// depends on.
    pub fn submit<T>(
        &self,
        changes: &[Change],
        submit: impl FnOnce(CommitHandle, Vec<CommitHandle>) -> T,
    ) -> Option<T> {
        let mut entries = self.entries();
        let is_latest = |entry: &Entry, change: &Change| {
            entry.latest.version == change.from
                && CommitHandle::same(entry.latest.made_by.as_ref(), change.made_by.as_ref())
        };
        if changes.iter().any(|change| entries.peek(&change.stream).is_some_and(|entry| !is_latest(entry, change))) {
            return None;
        }
        let handle = CommitHandle::default();
        let depends = changes.iter().filter_map(|change| change.made_by.clone()).filter(|handle| !handle.is_accepted());
        let depends = depends.collect();
        for change in changes {
            let Some(to) = &change.to else { continue };
            if let Some(entry) = entries.get_mut(&change.stream) {
                entry.latest = Versioned { made_by: Some(handle.clone()), ..to.clone() };
            }
        }
        Some(submit(handle, depends))
    }

    /// Marks states that are older than these events as stale. A follower of the log may get an append before its command has
    /// confirmed it here, or an append of another process.
    pub fn notice<'a>(&self, events: impl IntoIterator<Item = &'a Recorded>) {
        let mut entries = self.entries();
        for event in events {
            let stream = StreamId::named(event.category.clone(), event.stream);
            if let Some(entry) = entries.peek_mut(&stream) {
                entry.stale |= entry.latest.version < event.version;
            }
        }
    }

    /// The append is durable.
    pub fn confirm(&self, changes: &[Change]) {
        for change in changes {
            if let Some(to) = &change.to {
                self.put(&change.stream, to, false);
            }
        }
    }

    /// The append was refused, or its outcome is unknown: no decision may be based on the states that were submitted for these
    /// streams.
    pub fn revoke(&self, changes: &[Change]) {
        let mut entries = self.entries();
        for change in changes {
            if let Some(entry) = entries.get_mut(&change.stream) {
                entry.latest = entry.durable.clone();
                entry.stale = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use byteshop_eventstore::StreamId;
    use uuid::Uuid;

    use super::*;
    use crate::testing::recorded;

    fn versioned(version: i64, made_by: Option<CommitHandle>) -> Versioned {
        Versioned { version, state: Arc::new(version), made_by }
    }

    fn change(stream: &StreamId, from: i64, made_by: Option<CommitHandle>) -> Change {
        Change { stream: stream.clone(), from, made_by, to: Some(versioned(from + 1, None)) }
    }

    #[test]
    fn a_decision_on_a_refused_append_is_not_submitted_although_another_process_wrote_the_same_version() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        let first = [change(&stream, 1, None)];
        let handle = cache.submit(&first, |handle, _| handle).unwrap();
        let made_by = cache.latest(&stream).unwrap().made_by;
        // Another process was faster: its version 2 is the one in the log.
        handle.settle(false);
        cache.revoke(&first);
        cache.put_durable(&stream, &versioned(2, None));
        assert!(cache.submit(&[change(&stream, 2, made_by)], |_, _| ()).is_none());
        assert!(cache.submit(&[change(&stream, 2, None)], |_, _| ()).is_some());
    }

    #[test]
    fn a_state_that_is_older_than_an_event_of_the_log_is_read_anew() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        cache.notice(&[event(1)]);
        assert!(cache.latest(&stream).is_some());
        cache.notice(&[event(2)]);
        assert!(cache.latest(&stream).is_none());
        cache.put_durable(&stream, &versioned(2, None));
        assert_eq!(cache.latest(&stream).map(|latest| latest.version), Some(2));
    }

    fn event(version: i64) -> Recorded {
        Recorded { category: "cart".into(), version, ..recorded(version) }
    }

    fn version_of(found: Option<Versioned>) -> Option<i64> {
        found.map(|found| found.version)
    }

    #[test]
    fn a_submitted_state_is_for_decisions_only_until_it_is_durable() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        let (first, second) = ([change(&stream, 1, None)], |made_by| [change(&stream, 2, made_by)]);
        cache.submit(&first, |_, _| ()).unwrap();
        assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(1), Some(2)));
        let second = second(cache.latest(&stream).unwrap().made_by);
        cache.submit(&second, |_, _| ()).unwrap();
        // The first is written while the second waits.
        cache.confirm(&first);
        assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(2), Some(3)));
        cache.confirm(&second);
        assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(3), Some(3)));
    }

    #[test]
    fn a_decision_on_an_older_version_is_not_submitted() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(2, None));
        assert!(cache.submit(&[change(&stream, 1, None)], |_, _| ()).is_none());
        let other = StreamId::named("cart", Uuid::from_u128(1));
        let changes = [change(&other, 0, None), change(&stream, 1, None)];
        assert!(cache.submit(&changes, |_, _| ()).is_none());
        assert_eq!(version_of(cache.latest(&stream)), Some(2));
    }

    #[test]
    fn a_stream_that_is_only_read_keeps_its_state() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        let only_read = [Change { to: None, ..change(&stream, 1, None) }];
        cache.submit(&only_read, |_, _| ()).unwrap();
        cache.confirm(&only_read);
        assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(1), Some(1)));
    }

    #[test]
    fn a_state_that_is_read_late_replaces_nothing_newer() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        let newest = Versioned { state: Arc::new("first"), ..versioned(3, None) };
        cache.put_durable(&stream, &newest);
        cache.put_durable(&stream, &versioned(2, None));
        cache.put_durable(&stream, &versioned(3, None));
        let found = cache.durable(&stream).unwrap();
        assert_eq!((found.version, found.state.downcast_ref()), (3, Some(&"first")));
        assert_eq!(version_of(cache.latest(&stream)), Some(3));
    }

    #[test]
    fn a_durable_state_that_overtakes_a_submitted_one_is_the_latest() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        cache.submit(&[change(&stream, 1, None)], |_, _| ()).unwrap();
        cache.put_durable(&stream, &versioned(1, None));
        assert_eq!(version_of(cache.latest(&stream)), Some(2));
        cache.put_durable(&stream, &versioned(3, None));
        assert_eq!(version_of(cache.latest(&stream)), Some(3));
    }

    #[test]
    fn after_a_refusal_the_stream_is_read_anew_whatever_is_confirmed_meanwhile() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        let first = [change(&stream, 1, None)];
        cache.submit(&first, |_, _| ()).unwrap();
        cache.revoke(&first);
        assert!(cache.latest(&stream).is_none());
        assert_eq!(version_of(cache.durable(&stream)), Some(1));
        // A late confirmation says nothing about what other processes have written.
        cache.confirm(&first);
        assert!(cache.latest(&stream).is_none());
        cache.put_durable(&stream, &versioned(2, None));
        assert_eq!(version_of(cache.latest(&stream)), Some(2));
    }

    #[test]
    fn a_decision_on_an_append_that_waits_depends_on_it_and_one_on_a_durable_append_on_nothing() {
        let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
        cache.put_durable(&stream, &versioned(1, None));
        let handle = cache.submit(&[change(&stream, 1, None)], |handle, depends| depends.is_empty().then_some(handle));
        let handle = handle.flatten().unwrap();
        let made_by = cache.latest(&stream).unwrap().made_by;
        assert_eq!(cache.submit(&[change(&stream, 2, made_by.clone())], |_, depends| depends.len()), Some(1));
        let made_by = cache.latest(&stream).unwrap().made_by;
        handle.settle(true);
        assert_eq!(cache.submit(&[change(&stream, 3, made_by)], |_, depends| depends.len()), Some(1));
        cache.put_durable(&stream, &versioned(9, None));
        assert_eq!(cache.submit(&[change(&stream, 9, Some(handle))], |_, depends| depends.len()), Some(0));
    }
}
