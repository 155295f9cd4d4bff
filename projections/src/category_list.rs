//! Which categories are there, and what is under what?

use byteshop_domain::Decider as _;
use byteshop_domain::category::{AttributeDefinition, Category, Event};
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::CategoryId;
use byteshop_domain::text::{Name, Slug};
use byteshop_eventstore::Recorded;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct CategoryList;

/// A category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The category.
    pub id: CategoryId,
    /// Its name for people.
    pub name: Name,
    /// Its name in addresses.
    pub slug: Slug,
    /// What it is under; nothing for a root.
    pub parent: Option<CategoryId>,
    /// Its place among those beside it: the lowest comes first, and equals by name.
    pub rank: u32,
    /// What it asks of its products, beside what the categories above it ask.
    pub attributes: Vec<AttributeDefinition>,
    /// Whether it is closed.
    pub archived: bool,
}

impl View for CategoryList {
    const NAME: &'static str = "category_list";
    const VERSION: i32 = 2;
    const READS: &'static [&'static str] = &[Category::CATEGORY];
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

/// Which categories are wanted, by rank and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only directly under this one; `Some(None)` for the roots.
    pub parent: Option<Option<CategoryId>>,
    /// Closed ones too.
    pub archived: bool,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// How many levels of categories there are below one.
    pub async fn levels_below(&self, category: CategoryId) -> Result<usize, Error> {
        // No tree is deeper than this; should one ever go in a circle, it is not walked for ever.
        let levels: i32 = sqlx::query_scalar(
            "with recursive below (key, level) as (
                select key, 0 from read.category_list where key = $1
                union all
                select child.key, below.level + 1 from read.category_list child
                join below on child.parent = below.key where below.level < 100)
             select coalesce(max(level), 0) from below",
        )
        .bind(category.to_string())
        .fetch_one(self.pool())
        .await?;
        Ok(usize::try_from(levels).unwrap_or_default())
    }

    /// The categories below one, at most so many.
    pub async fn categories_below(&self, category: CategoryId, most: usize) -> Result<Vec<CategoryId>, Error> {
        // Without duplicates, so that a circle ends too.
        let keys: Vec<String> = sqlx::query_scalar(
            "with recursive below (key) as (
                select key from read.category_list where parent = $1
                union
                select child.key from read.category_list child join below on child.parent = below.key)
             select key from below where key <> $1 order by key limit $2",
        )
        .bind(category.to_string())
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(self.pool())
        .await?;
        // A key of this view is the id of a category.
        Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
    }

    /// A page of categories, by rank and name.
    pub async fn category_list(&self, query: &Query) -> Result<Page, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select rank, name, key, row::text from read.category_list where true");
        match query.parent {
            None => {}
            Some(None) => {
                sql.push(" and parent is null");
            }
            Some(Some(parent)) => {
                sql.push(" and parent = ").push_bind(parent.to_string());
            }
        }
        if !query.archived {
            sql.push(" and not archived");
        }
        let list = List::of(CategoryList::NAME, &(query.parent.is_some(), query.parent, query.archived));
        if let Some((rank, name, key)) = query.ask.after::<(i64, String, String)>(&list)? {
            sql.push(" and (rank, name, key) > (").push_bind(rank).push(", ").push_bind(name);
            sql.push(", ").push_bind(key).push(")");
        }
        sql.push(" order by rank, name, key limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(i64, String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        let place = |(rank, name, key, _): &(i64, String, String, String)| (*rank, name.clone(), key.clone());
        Page::of(&rows, &query.ask, &list, |(_, _, _, text)| text, place)
    }
}
