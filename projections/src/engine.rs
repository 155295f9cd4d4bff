//! The engine: a view says which rows an event touches and how it changes them; everything else happens here.
//!
//! `worker` follows the log, `declared` is a view without its types, `fold` reads events and changes rows, `table` holds the SQL of a view's table, `checkpoint` says where a view stands,
//! `rows` keeps rows in memory, `together` makes one statement of what all views read and write at the same time, and `lease`
//! lets one process of many do the work.

pub(crate) mod checkpoint;
pub(crate) mod declared;
pub(crate) mod fold;
pub(crate) mod lease;
pub(crate) mod rate;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod together;
pub(crate) mod worker;

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_eventstore::Recorded;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The key of a row: a TypeID, or a text that the view makes up.
pub type Key = String;
/// The keys of the rows that an event touches, each once.
pub type Keys = Vec<Key>;

/// A view: a pure fold of events into rows. The engine does all the I/O.
///
/// A row must be the same after it was written as JSON and read again.
pub trait View: Send + Sync + 'static {
    /// The name: module, table in schema `read` and checkpoint.
    const NAME: &'static str;
    /// Raise it when the same events give other rows: the view is rebuilt beside, then swapped.
    const VERSION: i32;
    /// The events that it reads; the others are skipped without a look at their data.
    const READS: &'static [Reads];
    /// The decoded content of an event, the same for all rows that the event changes.
    type Fact: Send + Sync;
    /// The row.
    type Row: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Reads an event that it declares; `None` when the event does not concern it.
    fn read(event: &Recorded) -> Result<Option<Self::Fact>, CodecError>;
    /// The rows that the event touches.
    fn keys(fact: &Self::Fact, event: &Recorded) -> Keys;
    /// A row after the event; `None` when there is no such row (any more).
    fn fold(row: Option<Self::Row>, key: &Key, fact: &Self::Fact, event: &Recorded) -> Option<Self::Row>;
}
