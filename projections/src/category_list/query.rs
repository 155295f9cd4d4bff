//! Pages of categories, and what is below one.

use byteshop_domain::ids::CategoryId;
use sqlx::{Postgres, QueryBuilder};

use super::{CategoryList, Row};
use crate::engine::View as _;
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::views::Views;

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
    pub async fn category_list(&self, query: &Query) -> Result<Page<Row>, Error> {
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
        Page::of(rows, &query.ask, &list, |(rank, name, key, text)| ((rank, name, key), text))
    }
}
