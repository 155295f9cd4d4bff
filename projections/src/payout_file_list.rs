//! Which files of payouts were created for the bank?

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::PayoutFileId;
use byteshop_domain::money::Money;
use byteshop_domain::payout_file::{Event, PayoutFile};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, NaiveDate, Utc};
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
pub struct PayoutFileList;

/// A file in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = PayoutFileRow))]
pub struct Row {
    /// Its id.
    pub id: PayoutFileId,
    /// How many payouts it was created with.
    pub payouts: usize,
    /// The sum of these payouts.
    pub total: Money,
    /// The day on which the bank is to carry them out.
    pub execute_on: NaiveDate,
    /// When it was created.
    #[serde(with = "micros")]
    pub created_at: DateTime<Utc>,
}

impl View for PayoutFileList {
    const NAME: &'static str = "payout_file_list";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::all::<PayoutFile>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<PayoutFile>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<PayoutFile>().to_string()]
    }

    fn fold(_row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let Event::Created { payouts, total, debtor: _, execute_on, at } = fact;
        let id = event.id_of::<PayoutFile>();
        Some(Row { id, payouts: payouts.len(), total: *total, execute_on: *execute_on, created_at: *at })
    }
}

impl Views {
    /// A page of the files for the bank, the newest first.
    pub async fn payout_file_list(&self, ask: &Ask) -> Result<Page<Row>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select created, key, row::text from read.payout_file_list");
        let list = List::of(PayoutFileList::NAME, &());
        if let Some((created, key)) = ask.after::<(String, String)>(&list)? {
            sql.push(" where (created, key) < (").push_bind(created).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by created desc, key desc limit ").push_bind(ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, ask, &list, |(created, key, text)| ((created, key), text))
    }
}
