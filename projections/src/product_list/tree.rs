//! The tree of categories in memory: what lies below what, and which attributes count where.

use std::collections::{BTreeSet, HashMap, HashSet};

use byteshop_domain::category::{AttributeDefinition, AttributeType, effective};
use byteshop_domain::ids::CategoryId;
use byteshop_domain::text::AttributeName;

use crate::category_list::Row;

/// Every category.
#[derive(Debug, Default)]
pub(super) struct Tree {
    categories: HashMap<CategoryId, Row>,
    children: HashMap<CategoryId, BTreeSet<CategoryId>>,
}

impl Tree {
    /// Adds or replaces a category.
    pub fn put(&mut self, row: Row) {
        if let Some(known) = self.categories.get(&row.id).and_then(|known| known.parent) {
            self.children.entry(known).or_default().remove(&row.id);
        }
        if let Some(parent) = row.parent {
            self.children.entry(parent).or_default().insert(row.id);
        }
        self.categories.insert(row.id, row);
    }

    /// Some categories and all their descendants, each once.
    pub fn below(&self, roots: &[CategoryId]) -> Vec<CategoryId> {
        let mut seen: HashSet<CategoryId> = HashSet::new();
        let mut open = roots.to_vec();
        let mut found = Vec::new();
        while let Some(id) = open.pop() {
            // Two moves at once can make a circle for a moment, while this view has seen only one of them.
            if seen.insert(id) {
                found.push(id);
                open.extend(self.children.get(&id).into_iter().flatten());
            }
        }
        found
    }

    /// A category and those above it, up to its root.
    pub fn above(&self, id: CategoryId) -> Vec<&Row> {
        let mut found: Vec<&Row> = Vec::new();
        let mut next = Some(id);
        while let Some(row) = next.and_then(|id| self.categories.get(&id)) {
            if found.iter().any(|known| known.id == row.id) {
                break;
            }
            found.push(row);
            next = row.parent;
        }
        found
    }

    /// The attributes by which people filter among some categories and what is below them, or among all when none is
    /// named; of those that share a name, the one that counts highest in the tree.
    pub fn filterable(&self, chosen: &[CategoryId]) -> Vec<&AttributeDefinition> {
        let mut found: Vec<&AttributeDefinition> = Vec::new();
        for id in chosen {
            let above = self.above(*id);
            for definition in effective(above.iter().map(|row| row.attributes.as_slice())) {
                take(&mut found, definition);
            }
        }
        let mut rest: Vec<&Row> = match chosen {
            [] => self.categories.values().collect(),
            chosen => self.below(chosen).into_iter().filter_map(|id| self.categories.get(&id)).collect(),
        };
        rest.sort_by_cached_key(|row| (self.above(row.id).len(), row.rank, row.id));
        for definition in rest.into_iter().flat_map(|row| &row.attributes) {
            take(&mut found, definition);
        }
        found
    }

    /// The types with which categories declare an attribute.
    pub fn types_of(&self, name: &AttributeName) -> impl Iterator<Item = AttributeType> {
        let declared = self.categories.values().flat_map(|row| &row.attributes);
        declared.filter(move |definition| definition.name == *name).map(|definition| definition.r#type)
    }

    /// All categories, those of one parent by rank and name.
    pub fn in_order(&self) -> Vec<&Row> {
        let mut rows: Vec<&Row> = self.categories.values().collect();
        rows.sort_by_key(|row| (row.rank, &row.name, row.id));
        rows
    }
}

fn take<'a>(found: &mut Vec<&'a AttributeDefinition>, definition: &'a AttributeDefinition) {
    if definition.filterable && found.iter().all(|known| known.name != definition.name) {
        found.push(definition);
    }
}
