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
