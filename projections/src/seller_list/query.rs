//! Finding sellers by name.

use byteshop_domain::seller::Status;
use byteshop_domain::text::search_form;
use sqlx::{Postgres, QueryBuilder};

use super::{Row, SellerList};
use crate::engine::View as _;
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::name_of;
use crate::views::Views;

/// Which sellers are wanted, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those that are so far.
    pub status: Option<Status>,
    /// Only with this in the name.
    pub q: Option<String>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of sellers, by name.
    pub async fn seller_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select search, key, row::text from read.seller_list where true");
        if let Some(status) = query.status {
            sql.push(" and status = ").push_bind(name_of(&status));
        }
        if let Some(q) = &query.q {
            sql.push(" and position(").push_bind(search_form(q)).push(" in search) > 0");
        }
        let list = List::of(SellerList::NAME, &(query.status, &query.q));
        if let Some((search, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (search, key) > (").push_bind(search).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by search, key limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(search, key, text)| ((search, key), text))
    }
}
