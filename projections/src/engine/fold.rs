//! Reads the events that concern a view and folds them into its rows; a panic in a view stops that view alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use byteshop_domain::Reads;
use byteshop_eventstore::Recorded;

use super::rows::{Entry, Left, Rows, unreadable};
use super::table::{Changes, Found};
use super::{Key, Keys, View};
use crate::error::Error;

/// Rows that leave memory, each of which has changed.
pub(crate) type Leaving = Box<dyn Iterator<Item = Result<Left, Error>> + Send>;

/// The rows of a view in memory, and the events that it has read.
///
/// Events are read, then the rows that they touch are brought into memory, then the same events are folded. After an error the rows in
/// memory are of no use any more.
pub(crate) trait Folding: Send + Sync {
    /// Reads those of some events that concern the view; stops with an error at one that it cannot read.
    fn read(&mut self, events: &[&Recorded]) -> Result<(), Error>;
    /// Whether the events that were read touch any row.
    fn touches_rows(&self) -> bool;
    /// The keys of touched rows that are not in memory, each once.
    fn missing(&self) -> Vec<Key>;
    /// Brings what was found under some keys into memory; a key without a row is absent there.
    fn insert(&mut self, keys: Vec<Key>, found: Found) -> Result<(), Error>;
    /// Folds the events that were read into rows, all of which are in memory already.
    fn fold(&mut self, events: &[&Recorded]) -> Result<(), Error>;
    /// The changes of the rows that were folded last, which count as stored from here on.
    fn changes(&mut self) -> Result<Changes, Error>;
    /// Lets the older generation go when the younger is full.
    fn rotate(&mut self) -> Option<Leaving>;
    /// Lets all rows go.
    fn drain(&mut self) -> Leaving;
    /// Forgets all rows.
    fn clear(&mut self);
}

/// An event that concerns a view, by its place among those that were read.
struct Touch<F> {
    at: usize,
    fact: F,
    keys: Keys,
}

/// The rows of one view in memory.
pub(super) struct Fold<V: View> {
    rows: Rows<V::Row>,
    touches: Vec<Touch<V::Fact>>,
}

impl<V: View> Fold<V> {
    pub fn bounded(generation: usize) -> Self {
        Self { rows: Rows::bounded(generation), touches: Vec::new() }
    }
}

impl<V: View> Folding for Fold<V> {
    fn read(&mut self, events: &[&Recorded]) -> Result<(), Error> {
        self.touches.clear();
        for (at, event) in events.iter().enumerate() {
            if !Reads::cover(V::READS, &event.category, &event.event_type) {
                continue;
            }
            let unfoldable = |reason: String| Error::Unfoldable { view: V::NAME, position: event.position, reason };
            let fact = guarded(|| V::read(event)).and_then(|read| read.map_err(|error| error.to_string()));
            if let Some(fact) = fact.map_err(unfoldable)? {
                let keys = guarded(|| V::keys(&fact, event)).map_err(unfoldable)?;
                if !keys.is_empty() {
                    self.touches.push(Touch { at, fact, keys });
                }
            }
        }
        Ok(())
    }

    fn touches_rows(&self) -> bool {
        !self.touches.is_empty()
    }

    fn missing(&self) -> Vec<Key> {
        let touched = self.touches.iter().flat_map(|touch| &touch.keys);
        let mut missing: Vec<Key> = touched.filter(|key| !self.rows.contains(key)).cloned().collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    fn insert(&mut self, keys: Vec<Key>, found: Found) -> Result<(), Error> {
        for key in keys {
            self.rows.insert(key, Entry::absent());
        }
        for (key, text, position) in found {
            let row = serde_json::from_str(&text).map_err(|error| unreadable(V::NAME, &key, &error))?;
            self.rows.insert(key, Entry::stored(row, position));
        }
        Ok(())
    }

    fn fold(&mut self, events: &[&Recorded]) -> Result<(), Error> {
        for Touch { at, fact, keys } in &self.touches {
            let event = events[*at];
            for key in keys {
                let entry = self.rows.entry(key);
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

    fn changes(&mut self) -> Result<Changes, Error> {
        let mut changes = Changes::default();
        for key in self.touches.drain(..).flat_map(|touch| touch.keys) {
            let entry = self.rows.entry(&key);
            if std::mem::take(&mut entry.changed) {
                changes.push(entry.left(V::NAME, key)?);
                entry.stored = entry.row.is_some();
            }
        }
        Ok(changes)
    }

    fn rotate(&mut self) -> Option<Leaving> {
        Some(leaving::<V>(self.rows.rotate()?.into_iter()))
    }

    fn drain(&mut self) -> Leaving {
        leaving::<V>(self.rows.drain())
    }

    fn clear(&mut self) {
        self.rows.clear();
    }
}

/// The changed ones of some rows, each written when its turn comes.
fn leaving<V: View>(rows: impl Iterator<Item = (Key, Entry<V::Row>)> + Send + 'static) -> Leaving {
    Box::new(rows.filter(|(_, entry)| entry.changed).map(|(key, entry)| entry.left(V::NAME, key)))
}

/// A panic in a view's own code must stop that view only, and say at which event.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        format!("the view panicked: {}", text.unwrap_or("without a message"))
    })
}

#[cfg(test)]
mod tests {
    use byteshop_domain::codec::CodecError;

    use super::*;
    use crate::testing::recorded;

    /// Counts events by their data; `13` makes it panic, and `none` concerns it as little as other categories.
    struct Counted;

    impl View for Counted {
        const NAME: &'static str = "counted";
        const VERSION: i32 = 1;
        const READS: &'static [Reads] = &[Reads::category("count")];
        type Fact = String;
        type Row = i64;

        fn read(event: &Recorded) -> Result<Option<String>, CodecError> {
            assert!(event.data != "13", "thirteen");
            match event.data.as_str() {
                "none" => Ok(None),
                "newer" => Err(CodecError::Newer { event_type: "counted".into(), schema: 2, known: 1 }),
                data => Ok(Some(data.to_owned())),
            }
        }

        fn keys(fact: &String, _event: &Recorded) -> Keys {
            fact.split(' ').filter(|key| !key.is_empty()).map(str::to_owned).collect()
        }

        fn fold(row: Option<i64>, key: &Key, _fact: &String, _event: &Recorded) -> Option<i64> {
            assert!(key != "bad", "a {key} key");
            if key == "gone" { None } else { Some(row.unwrap_or(0) + 1) }
        }
    }

    fn event(position: i64, category: &str, data: &str) -> Recorded {
        Recorded { position, ..recorded(category, "counted".into(), data.into()) }
    }

    fn folded(events: &[Recorded]) -> Result<Fold<Counted>, Error> {
        let events: Vec<&Recorded> = events.iter().collect();
        let mut rows = Fold::<Counted>::bounded(10);
        rows.read(&events)?;
        rows.fold(&events)?;
        Ok(rows)
    }

    #[test]
    fn only_events_that_touch_rows_of_the_view_are_read() {
        let idle = [event(1, "order", "13"), event(2, "count", "none"), event(3, "count", "")];
        assert!(!folded(&idle).unwrap().touches_rows());
        let rows = folded(&[&idle[..], &[event(4, "count", "a b")]].concat()).unwrap();
        assert!(rows.touches_rows());
        let seen: Vec<_> = rows.touches.iter().map(|touch| (touch.at, touch.keys.len())).collect();
        assert_eq!(seen, [(3, 2)]);
    }

    #[test]
    fn keys_that_are_not_in_memory_are_missing_once() {
        let events = [event(1, "count", "b a"), event(2, "count", "a c")];
        let events: Vec<&Recorded> = events.iter().collect();
        let mut rows = Fold::<Counted>::bounded(10);
        rows.read(&events).unwrap();
        assert_eq!(rows.missing(), ["a", "b", "c"]);
        rows.insert(vec!["a".into(), "b".into()], vec![("a".into(), "7".into(), 5)]).unwrap();
        assert_eq!(rows.missing(), ["c"]);
        assert_eq!((rows.rows.entry(&"a".to_owned()).row, rows.rows.entry(&"b".to_owned()).row), (Some(7), None));
        let unreadable = rows.insert(vec!["c".into()], vec![("c".into(), "x".into(), 5)]).unwrap_err();
        assert!(unreadable.is_of_data(), "{unreadable}");
    }

    #[test]
    fn a_row_knows_the_last_event_that_touched_it_and_that_it_changed() {
        let mut rows = folded(&[event(1, "count", "a b gone"), event(2, "count", "a")]).unwrap();
        let mut seen = |key: &str| {
            let entry = rows.rows.entry(&key.to_owned());
            (entry.row, entry.position, entry.changed)
        };
        assert_eq!((seen("a"), seen("b"), seen("gone")), ((Some(2), 2, true), (Some(1), 1, true), (None, 1, true)));
    }

    #[test]
    fn changes_are_given_once_and_rows_leave_only_with_changes() {
        let mut rows = folded(&[event(1, "count", "a b"), event(2, "count", "a")]).unwrap();
        let changes = rows.changes().unwrap();
        assert_eq!(
            (changes.keys, changes.rows, changes.positions),
            (vec!["a".to_owned(), "b".to_owned()], vec!["2".to_owned(), "1".to_owned()], vec![2, 1])
        );
        assert!(rows.changes().unwrap().is_empty());
        assert_eq!(rows.drain().count(), 0);
        let mut rows = folded(&[event(1, "count", "a")]).unwrap();
        let left: Vec<Left> = rows.drain().map(Result::unwrap).collect();
        assert_eq!(left, [Left { key: "a".into(), row: Some("1".into()), position: 1, stored: false }]);
    }

    #[test]
    fn an_event_that_cannot_be_read_or_folded_is_named() {
        for (data, why) in [("13", "thirteen"), ("newer", "counted"), ("a bad", "a bad key")] {
            let Err(Error::Unfoldable { view: "counted", position: 2, reason }) =
                folded(&[event(1, "count", "a"), event(2, "count", data)])
            else {
                panic!("{data}");
            };
            assert!(reason.contains(why), "{reason}");
        }
    }
}
