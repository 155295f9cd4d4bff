//! A view without its types, so that the engine is compiled once, and not for each view.

use byteshop_domain::Reads;
use byteshop_eventstore::Recorded;

use super::View;
use super::fold::{Fold, Folding};

/// A view without its types: what it declares, and how its rows are kept in memory.
#[derive(Clone, Copy)]
pub(crate) struct Declared {
    pub name: &'static str,
    pub version: i32,
    pub reads: &'static [Reads],
    rows: fn(usize) -> Box<dyn Folding>,
}

impl Declared {
    pub fn of<V: View>() -> Self {
        Self {
            name: V::NAME,
            version: V::VERSION,
            reads: V::READS,
            rows: |generation| Box::new(Fold::<V>::bounded(generation)),
        }
    }

    /// Whether the view reads an event.
    pub fn concerns(&self, event: &Recorded) -> bool {
        Reads::cover(self.reads, &event.category, &event.event_type)
    }

    /// No rows in memory yet: at most twice as many as a generation holds, plus those of one batch.
    pub fn rows(&self, generation: usize) -> Box<dyn Folding> {
        (self.rows)(generation)
    }
}
