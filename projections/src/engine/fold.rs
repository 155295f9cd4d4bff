//! Reads the events that concern a view and folds them into its rows; a panic in a view stops that view alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use byteshop_eventstore::Recorded;

use super::rows::Rows;
use super::{Keys, View, concerns};
use crate::error::Error;

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
        if !concerns::<V>(event) {
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

#[cfg(test)]
mod tests {
    use byteshop_domain::Reads;
    use byteshop_domain::codec::CodecError;

    use super::super::Key;
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

    #[test]
    fn only_events_that_touch_rows_of_the_view_are_read() {
        let events =
            [event(1, "order", "13"), event(2, "count", "none"), event(3, "count", ""), event(4, "count", "a b")];
        let touches = read::<Counted>(&events).unwrap();
        let seen: Vec<_> = touches.iter().map(|touch| (touch.event.position, touch.keys.len())).collect();
        assert_eq!(seen, [(4, 2)]);
    }

    #[test]
    fn a_row_knows_the_last_event_that_touched_it_and_that_it_changed() {
        let events = [event(1, "count", "a b gone"), event(2, "count", "a")];
        let mut rows = Rows::bounded(10);
        fold::<Counted>(&mut rows, &read(&events).unwrap()).unwrap();
        let mut seen = |key: &str| {
            let entry = rows.entry(&key.to_owned());
            (entry.row, entry.position, entry.changed)
        };
        assert_eq!((seen("a"), seen("b"), seen("gone")), ((Some(2), 2, true), (Some(1), 1, true), (None, 1, true)));
    }

    #[test]
    fn an_event_that_cannot_be_read_or_folded_is_named() {
        for (data, why) in [("13", "thirteen"), ("newer", "counted"), ("a bad", "a bad key")] {
            let events = [event(1, "count", "a"), event(2, "count", data)];
            let folded = read(&events).and_then(|touches| fold::<Counted>(&mut Rows::bounded(10), &touches));
            let Err(Error::Unfoldable { view: "counted", position: 2, reason }) = folded else {
                panic!("{data}");
            };
            assert!(reason.contains(why), "{reason}");
        }
    }
}
