//! Pages of stock levels.

use byteshop_domain::ids::ProductId;
use sqlx::{Postgres, QueryBuilder};

use super::{Row, StockLevel};
use crate::engine::View as _;
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::views::Views;

/// Which stock is wanted, in the order of the variants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only of this product.
    pub product: Option<ProductId>,
    /// Only where fewer than this can be had.
    pub available_below: Option<i64>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of stock levels, in the order of the variants.
    pub async fn stock_level(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select key, row::text from read.stock_level where true");
        if let Some(product) = query.product {
            sql.push(" and product = ").push_bind(product.to_string());
        }
        if let Some(bound) = query.available_below {
            sql.push(" and available < ").push_bind(bound);
        }
        let list = List::of(StockLevel::NAME, &(query.product, query.available_below));
        if let Some(key) = query.ask.after::<String>(&list)? {
            sql.push(" and key > ").push_bind(key);
        }
        sql.push(" order by key limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(key, text)| (key, text))
    }
}
