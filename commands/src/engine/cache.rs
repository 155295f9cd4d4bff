//! Cached states of aggregates: they save reads, but are never authoritative.
//!
//! Every append carries the versions that it was decided on, so a stale entry costs a second attempt and nothing else.
//! An entry has two states: the last one that is known to be durable, and the latest one that was submitted. Commands
//! are decided on the latest, so that many of them can change one stream within a single group commit; if an append is
//! refused, those that depend on it are refused as well and decided again, however late they were submitted: a state
//! carries the [`CommitHandle`] of the append that created it. Queries never see the latest state.
//!
//! A durable state can also be proven to have been the newest a moment ago (`recent`): by a look at the log that noticed every
//! change of its stream since it was read.

use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    noticed: Noticed,
}

/// What looks at the log have shown of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Noticed {
    /// Every change after this position was noticed; none if some may have been missed.
    after: Option<i64>,
    /// The newest version that was noticed.
    version: i64,
}

/// The part of the log of which every change was noticed, without a gap; both ends are positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Looked {
    from: i64,
    upto: i64,
}

struct States {
    entries: LruCache<StreamId, Entry>,
    looked: Option<Looked>,
}

/// The cache of one process.
pub struct Cache {
    states: Mutex<States>,
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
        Self { states: Mutex::new(States { entries: LruCache::new(CAPACITY), looked: None }) }
    }
}

impl Entry {
    /// Whether there was nothing newer than the durable state at the last look.
    fn is_recent(&self, looked: Looked) -> bool {
        self.noticed.after.is_some_and(|after| after >= looked.from) && self.durable.version >= self.noticed.version
    }
}

impl Cache {
    fn states(&self) -> MutexGuard<'_, States> {
        // No code that holds the lock can panic half-way through a change.
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest state, for decisions.
    pub fn latest(&self, stream: &StreamId) -> Option<Versioned> {
        self.states().entries.get(stream).filter(|entry| !entry.stale).map(|entry| entry.latest.clone())
    }

    /// The last state that is known to be durable, from which reading continues.
    pub fn durable(&self, stream: &StreamId) -> Option<Versioned> {
        self.states().entries.get(stream).map(|entry| entry.durable.clone())
    }

    /// The durable states of some streams, if all of them were the newest at the last look.
    pub fn recent(&self, streams: &[StreamId]) -> Option<Vec<Versioned>> {
        let mut states = self.states();
        let looked = states.looked?;
        let mut recent = |stream: &StreamId| {
            let entry = states.entries.get(stream)?;
            entry.is_recent(looked).then(|| entry.durable.clone())
        };
        streams.iter().map(&mut recent).collect()
    }

    /// How far the last look went, for who is about to read states.
    pub fn looked(&self) -> Option<i64> {
        self.states().looked.map(|looked| looked.upto)
    }

    /// Begins to look at the log at its end, as everything before was missed.
    pub fn look_from(&self, head: i64) {
        self.states().looked = Some(Looked { from: head, upto: head });
    }

    /// Takes in a look that went on from the last one: the streams that changed, with their newest versions.
    pub fn look_on(&self, changed: &[(StreamId, i64)], upto: i64) {
        let mut states = self.states();
        for (stream, version) in changed {
            if let Some(entry) = states.entries.peek_mut(stream) {
                entry.noticed.version = entry.noticed.version.max(*version);
                entry.stale |= entry.latest.version < *version;
            }
        }
        states.looked = states.looked.map(|looked| Looked { upto, ..looked });
    }

    /// Stores a state that was read from the log, after a look that went as far as that.
    pub fn put_durable(&self, stream: &StreamId, read: &Versioned, looked: Option<i64>) {
        self.put(stream, read, Some(looked));
    }

    /// Stores a durable state. Only reading the log shows that there is nothing newer, so only then is an entry no longer stale.
    fn put(&self, stream: &StreamId, durable: &Versioned, read_after: Option<Option<i64>>) {
        let was_read = read_after.is_some();
        let mut states = self.states();
        // A look in the meantime may have noticed a change of a stream that was not in memory yet.
        let after = read_after.flatten().filter(|after| states.looked.is_some_and(|looked| looked.upto == *after));
        let Some(entry) = states.entries.get_mut(stream) else {
            let (durable, latest) = (durable.clone(), durable.clone());
            let noticed = Noticed { after, version: durable.version };
            states.entries.put(stream.clone(), Entry { durable, latest, stale: false, noticed });
            return;
        };
        entry.noticed.after = after.or(entry.noticed.after);
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
        let mut states = self.states();
        let entries = &mut states.entries;
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
        let mut states = self.states();
        for event in events {
            let stream = StreamId::named(event.category.clone(), event.stream);
            if let Some(entry) = states.entries.peek_mut(&stream) {
                entry.stale |= entry.latest.version < event.version;
            }
        }
    }

    /// The append is durable.
    pub fn confirm(&self, changes: &[Change]) {
        for change in changes {
            if let Some(to) = &change.to {
                self.put(&change.stream, to, None);
            }
        }
    }

    /// The append was refused, or its outcome is unknown: no decision may be based on the states that were submitted for these
    /// streams.
    pub fn revoke(&self, changes: &[Change]) {
        let mut states = self.states();
        for change in changes {
            if let Some(entry) = states.entries.get_mut(&change.stream) {
                entry.latest = entry.durable.clone();
                entry.stale = true;
            }
        }
    }
}

#[cfg(test)]
mod tests;
