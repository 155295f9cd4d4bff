//! Which promotions are there, and what has each given?

use std::collections::BTreeMap;

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{PromotionId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{self, Order};
use byteshop_domain::pricing::Discount;
use byteshop_domain::promotion::{Event, Promotion, Standing, Status, Terms};
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
pub struct PromotionList;

/// A promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its id.
    pub id: PromotionId,
    /// Where it is in its life.
    pub status: Status,
    /// The terms.
    pub terms: Terms,
    /// Orders that were placed with it, cancelled ones too.
    pub orders: i64,
    /// The total discount, per currency.
    pub given: Vec<Money>,
    /// When it was made.
    #[serde(with = "micros")]
    pub created_at: DateTime<Utc>,
}

/// A promotion that was applied, and its discount, as it stands at a moment.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PromotionRow))]
pub struct Shown {
    /// Its id.
    id: PromotionId,
    /// `scheduled`, `active`, `paused`, `over` or `ended`.
    status: Standing,
    /// Its terms.
    terms: Terms,
    /// Orders placed with it, cancelled ones included.
    orders: i64,
    /// Its discount on them, per currency.
    given: Vec<Money>,
    /// When it was created.
    #[serde(with = "micros")]
    created_at: DateTime<Utc>,
}

impl Row {
    fn at(self, now: DateTime<Utc>) -> Shown {
        let Self { id, status, terms, orders, given, created_at } = self;
        let status = Standing::of(status, terms.from, terms.until, now);
        Shown { id, status, terms, orders, given, created_at }
    }
}

/// The content of an event for this view.
#[derive(Debug)]
pub enum Fact {
    /// An event of the promotion.
    Changed(Box<Event>),
    /// An order was placed with some.
    Given(BTreeMap<PromotionId, Money>),
}

impl View for PromotionList {
    const NAME: &'static str = "promotion_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::all::<Promotion>(), Reads::only::<Order>(&["placed"])];
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only those that stand so.
    pub standing: Option<Standing>,
    /// Only those of this seller.
    pub seller: Option<SellerId>,
    /// At which moment.
    pub now: DateTime<Utc>,
    /// Which page.
    pub ask: Ask,
}

/// Promotions that are looked at in one go for those that stand as is wanted: a shop rarely has more.
const BATCH: i64 = 500;

fn push_status(sql: &mut QueryBuilder<Postgres>, operator: &str, status: Status) {
    sql.push(format_args!(" and status {operator} ")).push_bind(name_of(&status));
}

impl Views {
    /// A page of promotions, the newest first.
    ///
    /// What has not ended stands as its period and the clock say, so it is looked at here and not in the database.
    pub async fn promotion_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let wanted = query.ask.limit() + 1;
        let batch = if query.standing.is_some() { wanted.max(BATCH) } else { wanted };
        let list = List::of(PromotionList::NAME, &(query.standing, query.seller));
        let mut after = query.ask.after::<String>(&list)?;
        let mut found: Vec<(String, String)> = Vec::new();
        loop {
            let mut sql = QueryBuilder::<Postgres>::new("select key, row::text from read.promotion_list where true");
            match query.standing {
                Some(Standing::Ended) => push_status(&mut sql, "=", Status::Ended),
                Some(Standing::Over) => push_status(&mut sql, "<>", Status::Ended),
                Some(Standing::Paused) => push_status(&mut sql, "=", Status::Paused),
                Some(Standing::Scheduled | Standing::Active) => push_status(&mut sql, "=", Status::Active),
                None => {}
            }
            if let Some(seller) = query.seller {
                sql.push(" and seller = ").push_bind(seller.to_string());
            }
            // Ids grow with time.
            if let Some(key) = after.take() {
                sql.push(" and key < ").push_bind(key);
            }
            sql.push(" order by key desc limit ").push_bind(batch);
            let rows: Vec<(String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < batch);
            after = rows.last().map(|(key, _)| key.clone());
            for (key, text) in rows {
                let unreadable = |error: serde_json::Error| Error::Row {
                    view: PromotionList::NAME,
                    key: key.clone(),
                    reason: error.to_string(),
                };
                let shown = serde_json::from_str::<Row>(&text).map_err(unreadable)?.at(query.now);
                if query.standing.is_none_or(|standing| standing == shown.status) {
                    let text = serde_json::to_string(&shown).map_err(unreadable)?;
                    found.push((key, text));
                }
            }
            if is_last || i64::try_from(found.len()).is_ok_and(|found| found >= wanted) {
                return Page::of(found, &query.ask, &list, |(key, text)| (key, text));
            }
        }
    }
}
