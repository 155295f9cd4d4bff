//! Which gift cards are there, which store credit does an account have, and what is left of each?

use std::collections::BTreeMap;

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{AccountId, OrderId, StoredValueId};
use byteshop_domain::money::Money;
use byteshop_domain::stored_value::{Event, Holder, Opened, StoredValue};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::{micros, name_of};
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct StoredValueList;

/// What a stored value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A gift card.
    GiftCard,
    /// The store credit of an account.
    StoreCredit,
}

/// A gift card or store credit in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = StoredValueRow))]
pub struct Row {
    /// Its id.
    pub id: StoredValueId,
    /// What it is.
    pub kind: Kind,
    /// The account, for store credit.
    pub account: Option<AccountId>,
    /// What it was issued for, for a gift card.
    pub value: Option<Money>,
    /// What is left, with what is held for orders.
    pub balance: Money,
    /// What is held for orders that are not paid yet.
    pub held: BTreeMap<OrderId, Money>,
    /// When it expires; null if it does not.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether staff blocked it.
    pub blocked: bool,
    /// When it was issued, or first granted or credited.
    #[serde(with = "micros")]
    pub opened_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "micros")]
    pub changed_at: DateTime<Utc>,
}

impl Row {
    /// The state that the row shows.
    fn state(self) -> StoredValue {
        let holder = match (self.account, self.value) {
            (Some(account), _) => Holder::StoreCredit { account },
            (None, value) => {
                let value = value.unwrap_or(self.balance);
                Holder::GiftCard { value, expires_at: self.expires_at, blocked: self.blocked }
            }
        };
        StoredValue::Opened(Opened { holder, balance: self.balance, held: self.held })
    }

    fn of(id: StoredValueId, it: &Opened, opened_at: DateTime<Utc>, changed_at: DateTime<Utc>) -> Self {
        let (kind, account, value) = match it.holder {
            Holder::GiftCard { value, .. } => (Kind::GiftCard, None, Some(value)),
            Holder::StoreCredit { account } => (Kind::StoreCredit, Some(account), None),
        };
        let (balance, held) = (it.balance, it.held.clone());
        let (expires_at, blocked) = (it.expires_at(), it.is_blocked());
        Self { id, kind, account, value, balance, held, expires_at, blocked, opened_at, changed_at }
    }
}

impl View for StoredValueList {
    const NAME: &'static str = "stored_value_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::all::<StoredValue>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<StoredValue>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<StoredValue>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let changed_at = event.occurred_at();
        let opened_at = row.as_ref().map_or(changed_at, |row| row.opened_at);
        let state = row.map_or(StoredValue::Missing, Row::state).evolve(fact);
        Some(Row::of(event.id_of::<StoredValue>(), state.live().ok()?, opened_at, changed_at))
    }
}

/// Which gift cards are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of gift cards, the newest first.
    pub async fn gift_cards(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select opened, key, row::text from read.stored_value_list where kind = ");
        sql.push_bind(name_of(&Kind::GiftCard));
        let list = List::of(StoredValueList::NAME, &Kind::GiftCard);
        if let Some((opened, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (opened, key) < (").push_bind(opened).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by opened desc, key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(opened, key, text)| ((opened, key), text))
    }

    /// The store credit of an account: one for each currency that it has or had some in.
    pub async fn credit_of(&self, account: AccountId) -> Result<Vec<StoredValueId>, Error> {
        let keys: Vec<String> =
            sqlx::query_scalar("select key from read.stored_value_list where account = $1 order by key")
                .bind(account.to_string())
                .fetch_all(self.pool())
                .await?;
        Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
    }
}
