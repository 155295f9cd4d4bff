//! Which orders have a part of a seller, and how far is each part? Orders of the house alone are not among them.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{OrderId, SellerId};
use byteshop_domain::order::{Event, Fulfilment, Number, Order, Part, Parts, PaymentStatus, Placement, Status};
use byteshop_domain::text::Country;
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
pub struct PartList;

/// An order with parts of sellers. No route returns it as it is: each seller sees its own part alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The order.
    pub id: OrderId,
    /// The order number.
    pub number: Number,
    /// The country that it goes to.
    pub country: Country,
    /// Its parts.
    pub parts: Parts,
    /// How far each part is: what rows are found by.
    pub stages: Vec<Stage>,
    /// When it was placed.
    #[serde(with = "micros")]
    pub placed_at: DateTime<Utc>,
    /// When it was paid.
    #[serde(with = "micros::option")]
    pub paid_at: Option<DateTime<Utc>>,
}

/// How far the part of a seller is, or must be to be found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stage {
    /// The seller; none for the house.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller: Option<SellerId>,
    /// The status of the part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Its payment status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_status: Option<PaymentStatus>,
    /// The status of its goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfilment: Option<Fulfilment>,
}

impl Stage {
    fn of(part: &Part) -> Self {
        Self {
            seller: part.seller,
            status: Some(part.status()),
            payment_status: Some(part.payment_status()),
            fulfilment: Some(part.fulfilment()),
        }
    }
}

impl View for PartList {
    const NAME: &'static str = "part_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::only::<Order>(Parts::READS)];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Order>().transpose()
    }

    fn keys(fact: &Event, event: &Recorded) -> Keys {
        if let Event::Placed(placement) = fact
            && placement.lines.iter().all(|line| line.seller.is_none())
        {
            return vec![];
        }
        vec![event.id_of::<Order>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        if let Event::Placed(placement) = fact {
            return Some(Row::placed(placement, event));
        }
        let mut row = row?;
        row.parts.note(fact);
        row.stages = row.parts.all().iter().map(Stage::of).collect();
        if let Event::Paid { .. } = fact {
            row.paid_at = Some(event.occurred_at());
        }
        Some(row)
    }
}

impl Row {
    fn placed(placement: &Placement, event: &Recorded) -> Self {
        let parts = Parts::new(placement);
        Self {
            id: event.id_of::<Order>(),
            number: Number::of(event.stream),
            country: placement.destination.country.clone(),
            stages: parts.all().iter().map(Stage::of).collect(),
            parts,
            placed_at: event.occurred_at(),
            paid_at: None,
        }
    }
}

/// Which orders of a seller are wanted, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The seller.
    pub seller: SellerId,
    /// Only with this number.
    pub number: Option<Number>,
    /// Only with a part of the seller with this status.
    pub status: Option<Status>,
    /// Only with a part of the seller with this payment status.
    pub payment_status: Option<PaymentStatus>,
    /// Only with a part of the seller with this fulfilment.
    pub fulfilment: Option<Fulfilment>,
    /// Only placed at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Only placed before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of orders with a part of a seller, the newest first.
    pub async fn part_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let Query { seller, number, status, payment_status, fulfilment, from, until, ask } = query;
        let stage =
            Stage { seller: Some(*seller), status: *status, payment_status: *payment_status, fulfilment: *fulfilment };
        let mut sql =
            QueryBuilder::<Postgres>::new("select placed, key, row::text from read.part_list where stages @> ");
        sql.push_bind(serde_json::to_string(&[&stage]).map_err(|_| Error::Cursor)?).push("::jsonb");
        if let Some(number) = number {
            sql.push(" and number = ").push_bind(number.to_string());
        }
        if let Some(from) = from {
            sql.push(" and placed >= ").push_bind(micros::text(from));
        }
        if let Some(until) = until {
            sql.push(" and placed < ").push_bind(micros::text(until));
        }
        let list = List::of(PartList::NAME, &(&stage, number, from, until));
        if let Some((placed, key)) = ask.after::<(String, String)>(&list)? {
            sql.push(" and (placed, key) < (").push_bind(placed).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by placed desc, key desc limit ").push_bind(ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, ask, &list, |(placed, key, text)| ((placed, key), text))
    }
}
