//! Which categories are there, and what is under what?

use byteshop_domain::Reads;
use byteshop_domain::category::{AttributeDefinition, Category, Event};
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::CategoryId;
use byteshop_domain::text::{Name, Slug};
use byteshop_eventstore::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};

mod query;
#[cfg(test)]
mod tests;

pub use query::Query;

/// The view.
#[derive(Debug)]
pub struct CategoryList;

/// A category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The category.
    pub id: CategoryId,
    /// The name.
    pub name: Name,
    /// The slug.
    pub slug: Slug,
    /// The parent category; none for a root category.
    pub parent: Option<CategoryId>,
    /// The rank among its siblings: lowest first, ties sorted by name.
    pub rank: u32,
    /// The category's own attributes, without inherited ones.
    pub attributes: Vec<AttributeDefinition>,
    /// Whether it is closed.
    pub archived: bool,
}

impl View for CategoryList {
    const NAME: &'static str = "category_list";
    const VERSION: i32 = 2;
    const READS: &'static [Reads] = &[Reads::all::<Category>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Category>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Category>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        match fact {
            Event::Created { name, slug, parent } => Some(Row {
                id: event.id_of::<Category>(),
                name: name.clone(),
                slug: slug.clone(),
                parent: *parent,
                rank: 0,
                attributes: Vec::new(),
                archived: false,
            }),
            Event::Renamed { name } => row.map(|row| Row { name: name.clone(), ..row }),
            Event::Moved { parent } => row.map(|row| Row { parent: *parent, ..row }),
            Event::Ranked { rank } => row.map(|row| Row { rank: *rank, ..row }),
            Event::AttributesDeclared { attributes } => row.map(|row| Row { attributes: attributes.clone(), ..row }),
            Event::Archived {} => row.map(|row| Row { archived: true, ..row }),
        }
    }
}
