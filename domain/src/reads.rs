//! The events that a reader of the log declares that it reads.

use crate::any::event_types;
use crate::decider::Decider;

/// The events of one category that a reader reads, such as a view.
///
/// A reader is not shown the events that it does not declare, so a new event concerns only the readers that declare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reads {
    category: &'static str,
    /// The stored types of the events; `None` for all.
    types: Option<&'static [&'static str]>,
}

impl Reads {
    /// All events of an aggregate: a new one stops the build where the reader matches them.
    pub const fn all<A: Decider>() -> Self {
        Self::category(A::CATEGORY)
    }

    /// Some events of an aggregate, by their stored types.
    pub const fn only<A: Decider>(types: &'static [&'static str]) -> Self {
        Self { category: A::CATEGORY, types: Some(types) }
    }

    /// All events of a category.
    pub const fn category(category: &'static str) -> Self {
        Self { category, types: None }
    }

    /// The categories of some declarations.
    pub fn categories(reads: &[Self]) -> Vec<&'static str> {
        reads.iter().map(|reads| reads.category).collect()
    }

    /// Whether an event is to be shown to a reader with these declarations.
    ///
    /// An event that this program does not know is shown too: the reader cannot read it and stops there, because a newer program
    /// may declare it.
    pub fn cover(reads: &[Self], category: &str, event_type: &str) -> bool {
        let declared = reads.iter().find(|reads| reads.category == category);
        declared.is_some_and(|reads| {
            reads.types.is_none_or(|types| types.contains(&event_type) || !event_types(category).contains(&event_type))
        })
    }

    /// The declared types that are no events of the category: mistakes.
    pub fn unknown(self) -> Vec<&'static str> {
        let known = event_types(self.category);
        self.types.unwrap_or_default().iter().copied().filter(|declared| !known.contains(declared)).collect()
    }

    /// The events of the category that are not declared, in the order of the alphabet; each as `category.type`.
    pub fn ignored(self) -> Vec<String> {
        let Some(types) = self.types else { return vec![] };
        let ignored = event_types(self.category).iter().filter(|known| !types.contains(known));
        let mut ignored: Vec<_> = ignored.map(|event_type| format!("{}.{event_type}", self.category)).collect();
        ignored.sort_unstable();
        ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Order;
    use crate::stock::StockLevel;

    const READS: &[Reads] = &[Reads::only::<Order>(&["placed", "sold"]), Reads::all::<StockLevel>()];

    #[test]
    fn a_reader_is_shown_what_it_declares_and_what_this_program_does_not_know() {
        let shown = |category, event_type| Reads::cover(READS, category, event_type);
        assert!(shown("order", "placed") && shown("stock", "counted"));
        assert!(!shown("order", "paid") && !shown("cart", "expired"));
        assert!(shown("order", "teleported"));
    }

    #[test]
    fn a_declared_type_that_no_event_has_is_found() {
        assert_eq!(READS[0].unknown(), ["sold"]);
        assert!(READS[1].unknown().is_empty());
    }

    #[test]
    fn what_is_not_declared_is_ignored() {
        let ignored = READS[0].ignored();
        assert!(ignored.contains(&"order.paid".to_owned()) && !ignored.contains(&"order.placed".to_owned()));
        assert!(ignored.is_sorted());
        assert!(READS[1].ignored().is_empty());
    }
}
