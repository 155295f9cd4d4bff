//! Which variants are delivered by keys, and which of them have few left? No row has a key in it.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::key_pool::{self, Counts, Event, KeyPool};
use byteshop_domain::quantity::Quantity;
use byteshop_domain::text::Sku;
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
pub struct KeyPoolList;

/// A pool of keys in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = KeyPoolRow))]
pub struct Row {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// Keys that were imported.
    pub imported: i64,
    /// Keys that were generated for the orders that got them.
    pub generated: i64,
    /// Unsold keys, reserved or not.
    pub left: i64,
    /// Keys that paid orders have got.
    pub assigned: i64,
    /// Keys that were withdrawn.
    pub withdrawn: i64,
    /// Keys among the assigned ones whose pieces were given back.
    pub revoked: i64,
    /// Keys among the revoked ones that their buyer had seen.
    pub revoked_revealed: i64,
    /// Staff is told when fewer keys are left; null if not.
    pub alert_below: Option<Quantity>,
    /// Whether fewer keys are left than that.
    pub low: bool,
    /// When it last changed.
    #[serde(with = "micros")]
    pub changed_at: DateTime<Utc>,
}

impl Row {
    fn counts(&self) -> Counts {
        let Self { imported, generated, assigned, withdrawn, revoked, revoked_revealed, alert_below, low, .. } = *self;
        Counts { imported, generated, assigned, withdrawn, revoked, revoked_revealed, alert_below, low }
    }

    fn with(self, counts: Counts, changed_at: DateTime<Utc>) -> Self {
        let Counts { imported, generated, assigned, withdrawn, revoked, revoked_revealed, alert_below, low } = counts;
        let left = counts.left();
        let row = Self { imported, generated, left, assigned, withdrawn, revoked, revoked_revealed, ..self };
        Self { alert_below, low, changed_at, ..row }
    }
}

impl View for KeyPoolList {
    const NAME: &'static str = "key_pool_list";
    const VERSION: i32 = 2;
    const READS: &'static [Reads] = &[Reads::all::<KeyPool>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<KeyPool>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![key_pool::variant(event.id_of::<KeyPool>()).to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let changed_at = event.occurred_at();
        if let Event::Opened { product, sku } = fact {
            let variant = key_pool::variant(event.id_of::<KeyPool>());
            let new = Row {
                variant,
                product: *product,
                sku: sku.clone(),
                imported: 0,
                generated: 0,
                left: 0,
                assigned: 0,
                withdrawn: 0,
                revoked: 0,
                revoked_revealed: 0,
                alert_below: None,
                low: false,
                changed_at,
            };
            return Some(new);
        }
        row.map(|row| {
            let mut counts = row.counts();
            counts.note(fact);
            row.with(counts, changed_at)
        })
    }
}

/// Which pools are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those with few keys left.
    pub low: bool,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of pools, the newest variants first.
    pub async fn key_pool_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select key, row::text from read.key_pool_list where true");
        if query.low {
            sql.push(" and low");
        }
        let list = List::of(KeyPoolList::NAME, &query.low);
        if let Some(key) = query.ask.after::<String>(&list)? {
            sql.push(" and key < ").push_bind(key);
        }
        sql.push(" order by key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(key, text)| (key, text))
    }
}
