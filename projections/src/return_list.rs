//! Which returns are there, and how far is each? What buyers say of them in their own words stays in the returns themselves.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{CreditNoteId, OrderId, RefundId, ReturnId};
use byteshop_domain::money::Money;
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::{Event, Return, Stage, Why};
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
pub struct ReturnList;

/// A return in a list. The buyer's comment is in the return itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ReturnRow))]
pub struct Row {
    /// Its id.
    pub id: ReturnId,
    /// The order.
    pub order: OrderId,
    /// The state of the return.
    pub status: Stage,
    /// The pieces to return, summed by variant.
    pub lines: Vec<Demand>,
    /// Why the goods are returned.
    pub reason: Why,
    /// The number of pieces to return.
    pub quantity: i64,
    /// The amount refunded.
    pub amount: Option<Money>,
    /// The refund; null until the goods are received, and if there is nothing to refund.
    pub refund: Option<RefundId>,
    /// Null until the goods are received.
    pub credit_note: Option<CreditNoteId>,
    /// When it was requested.
    #[serde(with = "micros")]
    pub requested_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "micros")]
    pub changed_at: DateTime<Utc>,
}

impl View for ReturnList {
    const NAME: &'static str = "return_list";
    const VERSION: i32 = 2;
    const READS: &'static [Reads] = &[Reads::all::<Return>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Return>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Return>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let (status, changed_at) = (Stage::of(fact), event.occurred_at());
        let row = row.map(|row| Row { status, changed_at, ..row });
        match fact {
            Event::Requested { order, lines, why, comment: _ } => Some(Row {
                id: event.id_of::<Return>(),
                order: *order,
                status,
                lines: lines.clone(),
                reason: *why,
                quantity: lines.iter().map(|line| line.quantity.get()).sum(),
                amount: None,
                refund: None,
                credit_note: None,
                requested_at: changed_at,
                changed_at,
            }),
            Event::Approved { .. } | Event::Rejected { .. } | Event::Withdrawn { .. } => row,
            Event::Received { amount, refund, credit_note, .. } => {
                let (amount, credit_note) = (Some(*amount), Some(*credit_note));
                row.map(|row| Row { amount, refund: *refund, credit_note, ..row })
            }
            Event::Refunded { refund, .. } => row.map(|row| Row { refund: Some(*refund), ..row }),
        }
    }
}

/// Which returns are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those that are so far.
    pub status: Option<Stage>,
    /// Only of this order.
    pub order: Option<OrderId>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of returns, the newest first.
    pub async fn return_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql =
            QueryBuilder::<Postgres>::new("select requested, key, row::text from read.return_list where true");
        if let Some(status) = query.status {
            sql.push(" and status = ").push_bind(name_of(&status));
        }
        if let Some(order) = query.order {
            sql.push(" and of_order = ").push_bind(order.to_string());
        }
        let list = List::of(ReturnList::NAME, &(query.status, query.order));
        if let Some((requested, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (requested, key) < (").push_bind(requested).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by requested desc, key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(requested, key, text)| ((requested, key), text))
    }
}
