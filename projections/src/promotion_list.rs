//! Which promotions are there, and what has each given?

use std::collections::BTreeMap;

use byteshop_domain::Decider as _;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::PromotionId;
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, Order};
use byteshop_domain::pricing::Discount;
use byteshop_domain::promotion::{Event, Promotion, Status, Terms};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, Page};
use crate::text::{micros, name_of};
use crate::views::Views;

#[cfg(test)]
mod tests;

/// The view.
#[derive(Debug)]
pub struct PromotionList;

/// A promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The promotion.
    pub id: PromotionId,
    /// Where it is in its life.
    pub status: Status,
    /// What it gives, of what, for whom and when.
    pub terms: Terms,
    /// Orders that were placed with it, cancelled ones too.
    pub orders: i64,
    /// What it took off of them, per currency.
    pub given: Vec<Money>,
    /// When it was made.
    #[serde(with = "micros")]
    pub created_at: DateTime<Utc>,
}

/// What an event says about promotions.
#[derive(Debug)]
pub enum Fact {
    /// Of the promotion itself.
    Changed(Box<Event>),
    /// An order was placed with some.
    Given(BTreeMap<PromotionId, Money>),
}

impl View for PromotionList {
    const NAME: &'static str = "promotion_list";
    const VERSION: i32 = 1;
    const READS: &'static [&'static str] = &[Promotion::CATEGORY, Order::CATEGORY];
    type Fact = Fact;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Fact>, CodecError> {
        if let Some(changed) = event.event::<Promotion>() {
            return Ok(Some(Fact::Changed(Box::new(changed?))));
        }
        let order = event.event::<Order>().transpose()?;
        let Some(order::Event::Placed(placement)) = order else { return Ok(None) };
        let given = |discount: &Discount| (discount.promotion, discount.amount);
        let given: BTreeMap<_, _> = placement.discounts.iter().map(given).collect();
        Ok((!given.is_empty()).then_some(Fact::Given(given)))
    }

    fn keys(fact: &Fact, event: &Recorded) -> Keys {
        match fact {
            Fact::Changed(_) => vec![event.id_of::<Promotion>().to_string()],
            Fact::Given(given) => given.keys().map(ToString::to_string).collect(),
        }
    }

    fn fold(row: Option<Row>, key: &Key, fact: &Fact, event: &Recorded) -> Option<Row> {
        match fact {
            Fact::Changed(changed) => Row::changed(row, changed, event),
            Fact::Given(given) => row.map(|mut row| {
                let amount =
                    given.iter().find(|(promotion, _)| promotion.to_string() == *key).map(|(_, amount)| *amount);
                row.orders += 1;
                row.give(amount);
                row
            }),
        }
    }
}

impl Row {
    fn changed(row: Option<Self>, changed: &Event, event: &Recorded) -> Option<Self> {
        match changed {
            Event::Created { terms } => Some(Self {
                id: event.id_of::<Promotion>(),
                status: Status::Active,
                terms: terms.clone(),
                orders: 0,
                given: vec![],
                created_at: event.occurred_at(),
            }),
            Event::Revised { terms } => row.map(|row| Self { terms: terms.clone(), ..row }),
            Event::Paused {} => row.map(|row| Self { status: Status::Paused, ..row }),
            Event::Resumed {} => row.map(|row| Self { status: Status::Active, ..row }),
            Event::Ended {} => row.map(|row| Self { status: Status::Ended, ..row }),
        }
    }

    fn give(&mut self, amount: Option<Money>) {
        let Some(amount) = amount else { return };
        match self.given.iter_mut().find(|known| known.currency == amount.currency) {
            Some(known) => *known = known.plus(amount).unwrap_or(*known),
            None => self.given.push(amount),
        }
    }
}

/// Which promotions are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only with this status.
    pub status: Option<Status>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of promotions, the newest first.
    pub async fn promotion_list(&self, query: &Query) -> Result<Page, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select key, row::text from read.promotion_list where true");
        if let Some(status) = query.status {
            sql.push(" and status = ").push_bind(name_of(&status));
        }
        // Ids grow with time.
        if let Some(key) = query.ask.after::<String>()? {
            sql.push(" and key < ").push_bind(key);
        }
        sql.push(" order by key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(&rows, &query.ask, |(_, text)| text, |(key, _)| key.clone())
    }
}
