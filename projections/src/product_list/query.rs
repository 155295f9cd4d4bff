//! Searching, filtering and sorting products.

use byteshop_domain::ids::CategoryId;
use byteshop_domain::product::Status;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::error::Error;
use crate::page::{Ask, Page};
use crate::text::{name_of, without_nul};
use crate::views::Views;

/// Which products may be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shown {
    /// What everybody sees.
    #[default]
    Published,
    /// All of them, which only staff may see.
    All,
    /// Only those, which only staff may see.
    Only(Status),
}

/// In which order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The cheapest first; what has no price is left out.
    Price,
    /// The dearest first; what has no price is left out.
    PriceDesc,
    /// By title, capitals and small letters alike.
    Title,
}

/// Which products are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Which may be seen.
    pub shown: Shown,
    /// Words of the title, the description or a code; `"…"`, `or` and `-` as in search engines.
    pub q: Option<String>,
    /// Only in this category or one below it.
    pub category: Option<CategoryId>,
    /// Only where something costs at least this, in minor units.
    pub price_min: Option<i64>,
    /// Only where something costs at most this, in minor units.
    pub price_max: Option<i64>,
    /// Only with these attributes: name and value as text.
    pub attributes: Vec<(String, String)>,
    /// Only where something can be had.
    pub in_stock: bool,
    /// In which order.
    pub sort: Sort,
    /// Which page.
    pub ask: Ask,
}

/// What an order sorts by: the column, and whether the greatest comes first.
struct By {
    column: &'static str,
    descending: bool,
}

impl Sort {
    fn by(self) -> By {
        match self {
            Self::Newest => By { column: "created", descending: true },
            Self::Price => By { column: "price_min", descending: false },
            Self::PriceDesc => By { column: "price_min", descending: true },
            Self::Title => By { column: "title", descending: false },
        }
    }

    fn is_by_price(self) -> bool {
        match self {
            Self::Price | Self::PriceDesc => true,
            Self::Newest | Self::Title => false,
        }
    }
}

/// Where a page ended. The order is part of it: a cursor of one order has no meaning in another.
#[derive(Serialize, Deserialize)]
struct Place {
    s: Sort,
    v: String,
    k: String,
}

impl Views {
    /// A page of products.
    pub async fn product_list(&self, query: &Query) -> Result<Page, Error> {
        let By { column, descending } = query.sort.by();
        let mut sql = QueryBuilder::<Postgres>::new("select ");
        sql.push(column).push("::text, key, row::text from read.product_list p where true");
        query.push_filters(&mut sql);
        if query.sort.is_by_price() {
            sql.push(" and price_min is not null");
        }
        if let Some(Place { s, v, k }) = query.ask.after()? {
            if s != query.sort {
                return Err(Error::Cursor);
            }
            sql.push(" and (").push(column).push(if descending { ", key) < (" } else { ", key) > (" });
            if query.sort.is_by_price() {
                sql.push_bind(v.parse::<i64>().map_err(|_| Error::Cursor)?);
            } else {
                sql.push_bind(v);
            }
            sql.push(", ").push_bind(k).push(")");
        }
        let direction = if descending { " desc" } else { "" };
        sql.push(" order by ").push(column).push(direction).push(", key").push(direction);
        sql.push(" limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(
            &rows,
            &query.ask,
            |(_, _, text)| text,
            |(value, key, _)| Place { s: query.sort, v: value.clone(), k: key.clone() },
        )
    }
}

impl Query {
    fn push_filters(&self, sql: &mut QueryBuilder<Postgres>) {
        match self.shown {
            Shown::Published => {
                sql.push(" and status = 'published'");
            }
            Shown::All => {}
            Shown::Only(status) => {
                sql.push(" and status = ").push_bind(name_of(&status));
            }
        }
        if let Some(words) = &self.q {
            let words = without_nul(words);
            // The second form finds codes, which are not stemmed.
            sql.push(" and search @@ (websearch_to_tsquery('english', ").push_bind(words.clone());
            sql.push(") || websearch_to_tsquery('simple', ").push_bind(words).push("))");
        }
        if let Some(category) = self.category {
            // `union` without `all` ends even on a tree that two moves at once have made a circle.
            sql.push(" and category in (with recursive below(key) as (select ").push_bind(category.to_string());
            sql.push(" collate \"C\" union select c.key from read.category_list c join below b on c.parent = b.key");
            sql.push(") select key from below)");
        }
        if let Some(least) = self.price_min {
            sql.push(" and price_max >= ").push_bind(least);
        }
        if let Some(most) = self.price_max {
            sql.push(" and price_min <= ").push_bind(most);
        }
        for (name, value) in &self.attributes {
            sql.push(" and row -> 'attributes' ->> ").push_bind(without_nul(name));
            sql.push(" = ").push_bind(without_nul(value));
        }
        if self.in_stock {
            sql.push(" and exists (select from read.stock_level s where s.product = p.key and s.available > 0)");
        }
    }
}
