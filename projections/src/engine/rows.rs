//! Rows in memory, bounded: two generations, the older of which leaves when the younger is full.
//!
//! An order is touched a few times within minutes and then never again, so the rows that leave are rarely missed.

use std::collections::HashMap;
use std::mem;

use serde::Serialize;

use super::Key;
use crate::error::Error;

/// A row as it leaves memory, as JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub key: Key,
    /// The row; `None` when there is none under this key any more.
    pub row: Option<String>,
    /// The position of the last event that touched it.
    pub position: i64,
    /// Whether the table has a row under this key.
    pub stored: bool,
}

/// A row in memory.
#[derive(Debug)]
pub(crate) struct Entry<R> {
    /// The row; `None` when there is none under this key.
    pub row: Option<R>,
    /// The position of the last event that touched it.
    pub position: i64,
    /// Whether the table has a row under this key.
    pub stored: bool,
    /// Whether the table has another state of it.
    pub changed: bool,
}

impl<R> Entry<R> {
    /// An entry that no event has changed yet.
    pub fn absent() -> Self {
        Self { row: None, position: 0, stored: false, changed: false }
    }

    /// An entry with the row of the table.
    pub fn stored(row: R, position: i64) -> Self {
        Self { row: Some(row), position, stored: true, changed: false }
    }
}

impl<R: Serialize> Entry<R> {
    /// The row as it leaves memory.
    pub fn left(&self, view: &'static str, key: Key) -> Result<Left, Error> {
        let row = self.row.as_ref().map(serde_json::to_string).transpose();
        let row = row.map_err(|error| unreadable(view, &key, &error))?;
        Ok(Left { key, row, position: self.position, stored: self.stored })
    }
}

pub(crate) fn unreadable(view: &'static str, key: &str, error: &serde_json::Error) -> Error {
    Error::Row { view, key: key.to_owned(), reason: error.to_string() }
}

/// At most `2 × generation` rows, plus those of one batch.
pub(crate) struct Rows<R> {
    young: HashMap<Key, Entry<R>>,
    old: HashMap<Key, Entry<R>>,
    generation: usize,
}

impl<R> Rows<R> {
    pub fn bounded(generation: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), generation }
    }

    pub fn contains(&self, key: &str) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    pub fn insert(&mut self, key: Key, entry: Entry<R>) {
        self.young.insert(key, entry);
    }

    /// The entry of a key, which is young again by this; an absent one when it is not in memory.
    pub fn entry(&mut self, key: &Key) -> &mut Entry<R> {
        // Looked up twice so that the key is cloned only when it is new here.
        if !self.young.contains_key(key) {
            let entry = self.old.remove(key).unwrap_or_else(Entry::absent);
            self.young.insert(key.clone(), entry);
        }
        self.young.get_mut(key).expect("it was there, or has just been put there")
    }

    /// Lets a generation go when the younger is full. To be called between batches.
    pub fn rotate(&mut self) -> Option<HashMap<Key, Entry<R>>> {
        (self.young.len() >= self.generation).then(|| mem::replace(&mut self.old, mem::take(&mut self.young)))
    }

    /// Removes and returns all rows in memory.
    pub fn drain(&mut self) -> impl Iterator<Item = (Key, Entry<R>)> + use<R> {
        mem::take(&mut self.old).into_iter().chain(mem::take(&mut self.young))
    }

    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_in_memory_in_either_generation_and_rows_leave_only_when_the_younger_is_full() {
        let mut rows: Rows<u8> = Rows::bounded(2);
        rows.insert("a".into(), Entry::stored(1, 7));
        assert!(rows.contains("a") && !rows.contains("b"));
        assert!(rows.rotate().is_none());
        rows.insert("b".into(), Entry::absent());
        assert!(rows.rotate().is_some());
        assert!(rows.contains("a") && rows.contains("b"), "the older generation is in memory too");
        let entry = rows.entry(&"a".to_owned());
        assert_eq!((entry.row, entry.position, entry.stored, entry.changed), (Some(1), 7, true, false));
        assert!(rows.contains("a"));
    }

    #[test]
    fn all_rows_of_both_generations_are_drained_or_cleared() {
        let filled = || {
            let mut rows: Rows<u8> = Rows::bounded(1);
            rows.insert("a".into(), Entry::absent());
            rows.rotate();
            rows.insert("b".into(), Entry::absent());
            rows
        };
        let mut rows = filled();
        let mut keys: Vec<_> = rows.drain().map(|(key, _)| key).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["a", "b"]);
        assert!(!rows.contains("a") && !rows.contains("b"));
        let mut rows = filled();
        rows.clear();
        assert!(!rows.contains("a") && !rows.contains("b"));
    }

    #[test]
    fn what_is_not_touched_leaves_and_what_is_touched_stays() {
        let mut rows: Rows<u8> = Rows::bounded(2);
        for key in ["a", "b"] {
            rows.entry(&key.to_owned()).row = Some(1);
        }
        assert!(rows.rotate().is_some_and(|gone| gone.is_empty()));
        rows.entry(&"a".to_owned()).row = Some(2);
        rows.entry(&"c".to_owned());
        let gone = rows.rotate().unwrap();
        assert_eq!(gone.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(rows.entry(&"a".to_owned()).row, Some(2));
        assert!(!rows.contains("b"));
    }
}
