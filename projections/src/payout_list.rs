//! Which payouts are there, and what became of each? Where they go stays in the payouts themselves.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{PayoutFileId, PayoutId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payout::{Event, Failure, Payout, Status};
use byteshop_domain::payout_account::Means;
use byteshop_domain::seller;
use byteshop_domain::text::{Reason, Reference};
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
pub struct PayoutList;

/// A payout in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PayoutRow))]
pub struct Row {
    /// Its id.
    pub id: PayoutId,
    /// The seller.
    pub seller: SellerId,
    /// The amount.
    pub amount: Money,
    /// How it is paid.
    pub means: Means,
    /// The state of the payout.
    pub status: Status,
    /// The file for the bank that it is in; null if it is in none.
    pub file: Option<PayoutFileId>,
    /// What PayPal or the bank calls the transfer; null until it ends, or if it has none.
    pub reference: Option<Reference>,
    /// What the bank calls the transfer that brought it back; null if it did not come back, or has none.
    #[serde(default)]
    pub return_reference: Option<Reference>,
    /// Why it failed or came back; null otherwise.
    pub failure: Option<Failure>,
    /// The reason in the words of staff; null if there is none.
    pub reason: Option<Reason>,
    /// When it was requested.
    #[serde(with = "micros")]
    pub requested_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "micros")]
    pub changed_at: DateTime<Utc>,
}

impl View for PayoutList {
    const NAME: &'static str = "payout_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::all::<Payout>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Payout>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Payout>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let changed_at = event.occurred_at();
        let row = row.map(|row| Row { status: Status::after(fact).unwrap_or(row.status), ..row });
        match fact {
            Event::Requested { seller, amount, means, destination: _, at } => Some(Row {
                id: event.id_of::<Payout>(),
                seller: *seller,
                amount: *amount,
                means: *means,
                status: Status::Requested,
                file: None,
                reference: None,
                return_reference: None,
                failure: None,
                reason: None,
                requested_at: *at,
                changed_at,
            }),
            Event::Waited { .. } => row,
            Event::Exported { file } => row.map(|row| Row { file: Some(*file), changed_at, ..row }),
            Event::Submitted { .. } | Event::Unresolved {} => row.map(|row| Row { changed_at, ..row }),
            Event::Paid { reference, .. } => row.map(|row| Row { reference: reference.clone(), changed_at, ..row }),
            Event::Failed { failure, because, reference, .. } => row.map(|row| Row {
                reference: reference.clone(),
                failure: Some(*failure),
                reason: because.clone(),
                changed_at,
                ..row
            }),
            Event::Returned { failure, because, reference, .. } => row.map(|row| Row {
                return_reference: reference.clone(),
                failure: Some(*failure),
                reason: because.clone(),
                changed_at,
                ..row
            }),
        }
    }
}

/// Which payouts are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only of this seller.
    pub seller: Option<SellerId>,
    /// Only those that are so far.
    pub status: Option<Status>,
    /// Only those that are paid so.
    pub means: Option<Means>,
    /// Only those in this file.
    pub file: Option<PayoutFileId>,
    /// Only those that were requested at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only those that were requested before this time.
    pub until: Option<DateTime<Utc>>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of payouts, the newest first.
    pub async fn payout_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let Query { seller, status, means, file, from, until, ask } = query;
        let mut sql =
            QueryBuilder::<Postgres>::new("select requested, key, row::text from read.payout_list where true");
        if let Some(seller) = seller {
            sql.push(" and seller = ").push_bind(seller.to_string());
        }
        if let Some(status) = status {
            sql.push(" and status = ").push_bind(name_of(status));
        }
        if let Some(means) = means {
            sql.push(" and means = ").push_bind(name_of(means));
        }
        if let Some(file) = file {
            sql.push(" and file = ").push_bind(file.to_string());
        }
        if let Some(from) = from {
            sql.push(" and requested >= ").push_bind(micros::text(from));
        }
        if let Some(until) = until {
            sql.push(" and requested < ").push_bind(micros::text(until));
        }
        let list = List::of(PayoutList::NAME, &(seller, status, means, file, from, until));
        if let Some((requested, key)) = ask.after::<(String, String)>(&list)? {
            sql.push(" and (requested, key) < (").push_bind(requested).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by requested desc, key desc limit ").push_bind(ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, ask, &list, |(requested, key, text)| ((requested, key), text))
    }

    /// The oldest payouts that are due for a file of the bank, at most so many, without those of suspended sellers.
    pub async fn payouts_due(&self, limit: i64) -> Result<Vec<PayoutId>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select key from read.payout_list where status = ");
        sql.push_bind(name_of(&Status::Requested)).push(" and means = ").push_bind(name_of(&Means::Sepa));
        sql.push(" and seller not in (select key from read.seller_list where status = ");
        sql.push_bind(name_of(&seller::Status::Suspended)).push(")");
        sql.push(" order by requested, key limit ").push_bind(limit);
        let keys: Vec<(String,)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Ok(keys.iter().filter_map(|(key,)| key.parse().ok()).collect())
    }
}
