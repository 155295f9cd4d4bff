//! The engine: a view says which rows an event touches and how it changes them; everything else happens here.
//!
//! `worker` follows the log, `table` holds the SQL of a view's table, `checkpoint` says where a view stands,
//! `rows` keeps rows in memory, `together` makes one statement of what all views read and write at the same time, and `lease`
//! lets one process of many do the work.

pub(crate) mod checkpoint;
pub(crate) mod lease;
pub(crate) mod rate;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod together;
pub(crate) mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};

use byteshop_domain::codec::CodecError;
use byteshop_eventstore::Recorded;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use rows::Rows;

/// The key of a row: a TypeID, or a text that the view makes up.
pub type Key = String;
/// The keys of the rows that an event touches, each once.
pub type Keys = Vec<Key>;

/// A view: a pure fold of events into rows. The engine does all the I/O.
///
/// A row must be the same after it was written as JSON and read again.
pub trait View: Send + Sync + 'static {
    /// Its name: module, table in schema `read` and checkpoint.
    const NAME: &'static str;
    /// Raise it when the same events give other rows: the view is rebuilt beside, then swapped.
    const VERSION: i32;
    /// The categories that it reads; events of others are skipped without a look at their data.
    const READS: &'static [&'static str];
    /// What it needs of an event; decoded once however many rows are touched.
    type Fact: Send + Sync;
    /// What it keeps.
    type Row: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Reads an event of one of its categories; `None` when the event does not concern it.
    fn read(event: &Recorded) -> Result<Option<Self::Fact>, CodecError>;
    /// The rows that the event touches.
    fn keys(fact: &Self::Fact, event: &Recorded) -> Keys;
    /// A row after the event; `None` when there is no such row (any more).
    fn fold(row: Option<Self::Row>, key: &Key, fact: &Self::Fact, event: &Recorded) -> Option<Self::Row>;
}

/// An event that concerns a view.
pub(crate) struct Touch<'a, V: View> {
    pub event: &'a Recorded,
    pub fact: V::Fact,
    pub keys: Keys,
}

/// Reads those of some events that concern the view; stops with an error at one that it cannot read.
pub(crate) fn read<'a, V: View>(events: impl IntoIterator<Item = &'a Recorded>) -> Result<Vec<Touch<'a, V>>, Error> {
    let mut touches = Vec::new();
    for event in events {
        if !V::READS.contains(&event.category.as_str()) {
            continue;
        }
        let unfoldable = |reason: String| Error::Unfoldable { view: V::NAME, position: event.position, reason };
        let fact = guarded(|| V::read(event)).and_then(|read| read.map_err(|error| error.to_string()));
        if let Some(fact) = fact.map_err(unfoldable)? {
            let keys = guarded(|| V::keys(&fact, event)).map_err(unfoldable)?;
            if !keys.is_empty() {
                touches.push(Touch { event, fact, keys });
            }
        }
    }
    Ok(touches)
}

/// Folds events into rows, all of which are in memory already.
///
/// After an error the rows in memory are of no use any more.
pub(crate) fn fold<V: View>(rows: &mut Rows<V::Row>, touches: &[Touch<'_, V>]) -> Result<(), Error> {
    for Touch { event, fact, keys } in touches {
        for key in keys {
            let entry = rows.entry(key);
            let row = entry.row.take();
            entry.row = guarded(|| V::fold(row, key, fact, event)).map_err(|reason| Error::Unfoldable {
                view: V::NAME,
                position: event.position,
                reason,
            })?;
            entry.position = event.position;
            entry.changed = true;
        }
    }
    Ok(())
}

/// A panic in a view's own code must stop that view only, and say at which event.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        format!("the view panicked: {}", text.unwrap_or("without a message"))
    })
}
