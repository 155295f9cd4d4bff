//! Which keys of programs are there, and which still open something?

use std::collections::BTreeSet;

use byteshop_domain::Reads;
use byteshop_domain::api_key::{ApiKey, Event, Scope};
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{AccountId, ApiKeyId};
use byteshop_domain::text::Name;
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::micros;
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct ApiKeyList;

/// A key in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyInView))]
pub struct Row {
    /// Its id.
    pub id: ApiKeyId,
    /// The purpose of the key.
    pub name: Name,
    /// The scopes of the key.
    pub scopes: BTreeSet<Scope>,
    /// When it was created.
    #[serde(with = "micros")]
    pub created_at: DateTime<Utc>,
    /// The account that created it; none if it was not created by an account.
    pub created_by: Option<AccountId>,
    /// When it stops working by itself.
    #[serde(with = "micros::option")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    #[serde(with = "micros::option")]
    pub revoked_at: Option<DateTime<Utc>>,
}

impl View for ApiKeyList {
    const NAME: &'static str = "api_key_list";
    const VERSION: i32 = 2;
    const READS: &'static [Reads] = &[Reads::all::<ApiKey>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<ApiKey>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<ApiKey>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        match fact {
            Event::Created { name, scopes, hash: _, created_by, expires_at } => Some(Row {
                id: event.id_of::<ApiKey>(),
                name: name.clone(),
                scopes: scopes.clone(),
                created_at: event.occurred_at(),
                // Events that are older than the field say it in their meta.
                created_by: created_by.or_else(|| event.meta().ok().and_then(|meta| meta.actor.account())),
                expires_at: *expires_at,
                revoked_at: None,
            }),
            Event::Revoked {} => row.map(|row| Row { revoked_at: Some(event.occurred_at()), ..row }),
        }
    }
}

impl Views {
    /// A page of keys, the newest first.
    pub async fn api_key_list(&self, ask: &Ask) -> Result<Page<Row>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select created, key, row::text from read.api_key_list where true");
        let list = List::of(ApiKeyList::NAME, &());
        if let Some((created, key)) = ask.after::<(String, String)>(&list)? {
            sql.push(" and (created, key) < (").push_bind(created).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by created desc, key desc limit ").push_bind(ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, ask, &list, |(created, key, text)| ((created, key), text))
    }
}
