//! Which disputes are there, how far is each, and until when can it be answered? The evidence stays in the disputes themselves.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::dispute::{Cause, Dispute, Event, Opening, Share, Status};
use byteshop_domain::ids::{CreditNoteId, DisputeId, OrderId, PaymentId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::text::Reference;
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
pub struct DisputeList;

/// A dispute in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DisputeRow))]
pub struct Row {
    /// Its id.
    pub id: DisputeId,
    /// The payment.
    pub payment: PaymentId,
    /// The order.
    pub order: OrderId,
    /// The provider that decides; null if staff records the outcome.
    pub provider: Option<Provider>,
    /// What the provider or the bank calls it.
    pub reference: Reference,
    /// Why the buyer disputes the payment.
    pub cause: Cause,
    /// The amount that the buyer claims.
    pub amount: Money,
    /// What the payment held of it when it was opened.
    pub held: Money,
    /// The state of the dispute.
    pub status: Status,
    /// Until when the shop can answer; null if it is not known.
    pub respond_by: Option<DateTime<Utc>>,
    /// What the buyer got back; null unless it is lost.
    pub lost: Option<Money>,
    /// What the provider or the bank charges; null if nothing.
    pub fee: Option<Money>,
    /// The credit note of what was lost; null if there is none.
    pub credit_note: Option<CreditNoteId>,
    /// The sellers with a part of the order, what is kept back of each, and what the loss took.
    pub shares: Vec<RowShare>,
    /// When it was recorded.
    #[serde(with = "micros")]
    pub opened_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "micros")]
    pub changed_at: DateTime<Utc>,
}

/// What a dispute holds of the balance of a seller, and takes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = DisputeShare))]
pub struct RowShare {
    /// The seller.
    pub seller: SellerId,
    /// What is kept back while the dispute is open.
    pub amount: Money,
    /// What the loss took; null unless the dispute is lost, and if it was lost before the shop recorded this.
    pub lost: Option<Money>,
}

impl From<&Share> for RowShare {
    fn from(Share { seller, amount }: &Share) -> Self {
        Self { seller: *seller, amount: *amount, lost: None }
    }
}

impl RowShare {
    /// The share once the dispute is lost: `taken` is what that takes from each seller.
    #[must_use]
    pub fn lost(self, taken: &[Share]) -> Self {
        Self { lost: taken.iter().find(|share| share.seller == self.seller).map(|share| share.amount), ..self }
    }
}

impl View for DisputeList {
    const NAME: &'static str = "dispute_list";
    const VERSION: i32 = 2;
    const READS: &'static [Reads] = &[Reads::all::<Dispute>()];
    type Fact = Event;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Event>, CodecError> {
        event.event::<Dispute>().transpose()
    }

    fn keys(_fact: &Event, event: &Recorded) -> Keys {
        vec![event.id_of::<Dispute>().to_string()]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Event, event: &Recorded) -> Option<Row> {
        let changed_at = event.occurred_at();
        let row = row.map(|row| Row { status: Status::after(fact).unwrap_or(row.status), changed_at, ..row });
        match fact {
            Event::Opened { content, at } => Some(Row::opened(event.id_of::<Dispute>(), content, *at, changed_at)),
            Event::EvidenceSubmitted { .. }
            | Event::EvidenceSent { .. }
            | Event::Waited { .. }
            | Event::Accepted {}
            | Event::Won { .. }
            | Event::Reminded { .. } => row,
            Event::Lost { amount, shares: taken, fee, credit_note, .. } => row.map(|row| {
                let shares = row.shares.iter().map(|share| share.lost(taken)).collect();
                Row { lost: Some(*amount), fee: *fee, credit_note: *credit_note, shares, ..row }
            }),
            Event::FeeCorrected { fee, .. } => row.map(|row| Row { fee: *fee, ..row }),
        }
    }
}

impl Row {
    fn opened(id: DisputeId, content: &Opening, opened_at: DateTime<Utc>, changed_at: DateTime<Utc>) -> Self {
        let Opening { payment, order, provider, reference, cause, amount, held, shares, respond_by } = content;
        Self {
            id,
            payment: *payment,
            order: *order,
            provider: *provider,
            reference: reference.clone(),
            cause: *cause,
            amount: *amount,
            held: *held,
            status: Status::Open,
            respond_by: *respond_by,
            lost: None,
            fee: None,
            credit_note: None,
            shares: shares.iter().map(RowShare::from).collect(),
            opened_at,
            changed_at,
        }
    }
}

/// Which disputes are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only of orders with a part of this seller.
    pub seller: Option<SellerId>,
    /// Only those that are so far.
    pub status: Option<Status>,
    /// Only of this order.
    pub order: Option<OrderId>,
    /// Only those that were opened at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only those that were opened before this time.
    pub until: Option<DateTime<Utc>>,
    /// Which page.
    pub ask: Ask,
}

impl Views {
    /// A page of disputes, the newest first.
    pub async fn dispute_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let Query { seller, status, order, from, until, ask } = query;
        let mut sql = QueryBuilder::<Postgres>::new("select opened, key, row::text from read.dispute_list where true");
        if let Some(seller) = seller {
            sql.push(" and sellers @> array[").push_bind(seller.to_string()).push("]");
        }
        if let Some(status) = status {
            sql.push(" and status = ").push_bind(name_of(status));
        }
        if let Some(order) = order {
            sql.push(" and of_order = ").push_bind(order.to_string());
        }
        if let Some(from) = from {
            sql.push(" and opened >= ").push_bind(micros::text(from));
        }
        if let Some(until) = until {
            sql.push(" and opened < ").push_bind(micros::text(until));
        }
        let list = List::of(DisputeList::NAME, &(seller, status, order, from, until));
        if let Some((opened, key)) = ask.after::<(String, String)>(&list)? {
            sql.push(" and (opened, key) < (").push_bind(opened).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by opened desc, key desc limit ").push_bind(ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, ask, &list, |(opened, key, text)| ((opened, key), text))
    }
}
