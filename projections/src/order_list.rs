//! Which orders are there, and how far is each?

use std::collections::BTreeSet;

use byteshop_domain::address::Address;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{AccountId, OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{
    CancelReason, Event, Fulfilment, Number, Order, PaymentStatus, Placement, Progress, Status,
};
use byteshop_domain::payment::Payment;
use byteshop_domain::text::{Country, Label, Reference};
use byteshop_domain::{Personal, Reads};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use crate::engine::{Key, Keys, View};
use crate::error::Error;
use crate::page::{Ask, List, Page};
use crate::text::{micros, name_of};
use crate::views::Views;

mod refund;
#[cfg(test)]
mod tests;

pub use refund::Refund;

/// The view.
#[derive(Debug)]
pub struct OrderList;

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = OrderRow))]
pub struct Row {
    /// Its id.
    pub id: OrderId,
    /// The order number.
    pub number: Number,
    /// The buyer's account; null for a guest.
    pub account: Option<AccountId>,
    /// The status of the order as a whole.
    pub status: Status,
    /// The status of the payment.
    pub payment_status: PaymentStatus,
    /// The status of the fulfilment.
    pub fulfilment: Fulfilment,
    /// The reason of the cancellation; null if not cancelled.
    pub cancel_reason: Option<CancelReason>,
    /// The total.
    pub total: Money,
    /// The amount refunded.
    pub refunded: Money,
    /// The country that it goes to.
    pub country: Country,
    /// The address it goes to, with the name: encrypted, and decrypted at the edge. Null if none was given, or the buyer's data was
    /// erased.
    pub address: Option<Personal<Address>>,
    /// The number of lines.
    pub line_count: i64,
    /// The number of pieces.
    pub quantity: i64,
    /// Pieces returned.
    pub returned: i64,
    /// Its payment.
    pub payment: PaymentId,
    /// Refunds that failed and were not retried.
    pub refunds_failed: BTreeSet<RefundId>,
    /// Refunds that no provider makes, so they wait for staff to make and settle them.
    pub refunds_to_settle: BTreeSet<RefundId>,
    /// The invoice number; null before payment. Of several invoices it is the first.
    pub invoice: Option<Reference>,
    /// The numbers of all invoices: of the house, and of sellers that supply their parts in their own name.
    pub invoices: Vec<Reference>,
    /// The id of the order in an older system.
    pub reference: Option<Reference>,
    /// When it was placed.
    #[serde(with = "micros")]
    pub placed_at: DateTime<Utc>,
    /// When it was paid.
    #[serde(with = "micros::option")]
    pub paid_at: Option<DateTime<Utc>>,
}

/// The content of an event for this view.
#[derive(Debug)]
pub enum Fact {
    /// An event of the order.
    Moved(Box<Event>),
    /// An event of a refund of its payment.
    Refund {
        /// The order.
        order: OrderId,
        /// The state of the refund.
        news: Refund,
    },
}

impl View for OrderList {
    const NAME: &'static str = "order_list";
    const VERSION: i32 = 9;
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(Progress::READS),
        Reads::only::<Payment>(&["refund_requested", "refund_failed", "refunded"]),
    ];
    type Fact = Fact;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Fact>, CodecError> {
        if let Some(moved) = event.event::<Order>() {
            return Ok(Some(Fact::Moved(Box::new(moved?))));
        }
        let told = refund::read(event)?;
        Ok(told.map(|(order, news)| Fact::Refund { order, news }))
    }

    fn keys(fact: &Fact, event: &Recorded) -> Keys {
        vec![match fact {
            Fact::Moved(_) => event.id_of::<Order>().to_string(),
            Fact::Refund { order, .. } => order.to_string(),
        }]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Fact, event: &Recorded) -> Option<Row> {
        match fact {
            Fact::Moved(moved) => Row::moved(row, moved, event),
            Fact::Refund { news, .. } => row.map(|mut row| {
                news.note_in(&mut row.refunds_failed, &mut row.refunds_to_settle);
                row
            }),
        }
    }
}

impl Row {
    fn moved(row: Option<Self>, moved: &Event, event: &Recorded) -> Option<Self> {
        if let Event::Placed(placement) = moved {
            return Some(Self::placed(placement, event));
        }
        let mut row = row?;
        row.advance(moved);
        if let Event::Paid { invoice, invoices, .. } = moved {
            row.invoices = invoice.iter().chain(invoices.iter().map(|it| &it.number)).cloned().collect();
            row.invoice = row.invoices.first().cloned();
            row.paid_at = Some(event.occurred_at());
        }
        let is_refund = matches!(moved, Event::Refunded { .. } | Event::Returned { return_id: None, .. });
        if is_refund && row.payment_status == PaymentStatus::Refunded {
            row.refunds_failed.clear();
        }
        Some(row)
    }

    /// Applies an event of the order to the fields that the order itself decides about.
    fn advance(&mut self, event: &Event) {
        let mut progress = Progress {
            status: self.status,
            payment_status: self.payment_status,
            fulfilment: self.fulfilment,
            cancelled: self.cancel_reason,
            payable: self.total,
            refunded: self.refunded,
            kept: self.quantity,
            returned: self.returned,
        };
        progress.note(event);
        // Named one by one, so that a new field is thought about here.
        Progress {
            status: self.status,
            payment_status: self.payment_status,
            fulfilment: self.fulfilment,
            cancelled: self.cancel_reason,
            payable: self.total,
            refunded: self.refunded,
            kept: self.quantity,
            returned: self.returned,
        } = progress;
    }

    fn placed(placement: &Placement, event: &Recorded) -> Self {
        // Named one by one, so that a new field is thought about here.
        let Placement {
            buyer,
            cart: _,
            access_hash: _,
            destination,
            lines,
            discounts: _,
            shipping: _,
            part_shipping: _,
            claims: _,
            total: _,
            payment,
            pay_by: _,
            reference,
            imported: _,
            tax_rounding: _,
        } = placement;
        let progress = Progress::new(placement);
        Self {
            id: event.id_of::<Order>(),
            number: Number::of(event.stream),
            account: buyer.account,
            status: progress.status,
            payment_status: progress.payment_status,
            fulfilment: progress.fulfilment,
            cancel_reason: progress.cancelled,
            total: progress.payable,
            refunded: progress.refunded,
            country: destination.country.clone(),
            address: destination.address.clone(),
            line_count: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            quantity: progress.kept,
            returned: progress.returned,
            payment: *payment,
            refunds_failed: BTreeSet::new(),
            refunds_to_settle: BTreeSet::new(),
            invoice: None,
            invoices: vec![],
            reference: reference.clone(),
            placed_at: event.occurred_at(),
            paid_at: None,
        }
    }
}

/// The owner of an e-mail address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// The account that has it.
    pub account: Option<AccountId>,
    /// The keyed hashes by which the orders of a guest who gave it are found.
    pub email_hashes: Vec<Label>,
}

/// Which orders are wanted, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only with this status.
    pub status: Option<Status>,
    /// Only with this number.
    pub number: Option<Number>,
    /// Only with this number of one of its invoices.
    pub invoice: Option<Reference>,
    /// Only with this payment status.
    pub payment_status: Option<PaymentStatus>,
    /// Only with this fulfilment.
    pub fulfilment: Option<Fulfilment>,
    /// Only with a refund that failed and was not tried again, or only without one.
    pub refunds_failed: Option<bool>,
    /// Only with a refund that waits for staff, or only without one.
    pub refunds_to_settle: Option<bool>,
    /// Only placed at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Only placed before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Only orders of the owner of this e-mail address.
    pub contact: Option<Contact>,
    /// Which page.
    pub ask: Ask,
}

impl Query {
    /// The list that this is a page of.
    fn list(&self) -> List {
        let Self {
            account,
            status,
            number,
            invoice,
            payment_status,
            fulfilment,
            refunds_failed,
            refunds_to_settle,
            from,
            until,
            contact,
            ..
        } = self;
        let stage = (status, payment_status, fulfilment, refunds_failed, refunds_to_settle);
        List::of(OrderList::NAME, &(account, stage, number, invoice, from, until, contact))
    }
}

impl Views {
    /// A page of orders, the newest first.
    pub async fn order_list(&self, query: &Query) -> Result<Page<Row>, Error> {
        let mut sql = QueryBuilder::<Postgres>::new("select placed, key, row::text from read.order_list where true");
        if let Some(account) = query.account {
            sql.push(" and account = ").push_bind(account.to_string());
        }
        if let Some(status) = query.status {
            sql.push(" and status = ").push_bind(name_of(&status));
        }
        if let Some(number) = query.number {
            sql.push(" and number = ").push_bind(number.to_string());
        }
        if let Some(invoice) = &query.invoice {
            sql.push(" and invoices @> array[").push_bind(invoice.to_string()).push("]");
        }
        if let Some(status) = query.payment_status {
            sql.push(" and payment_status = ").push_bind(name_of(&status));
        }
        if let Some(fulfilment) = query.fulfilment {
            sql.push(" and fulfilment = ").push_bind(name_of(&fulfilment));
        }
        match query.refunds_failed {
            Some(true) => _ = sql.push(" and refunds_failed"),
            Some(false) => _ = sql.push(" and not refunds_failed"),
            None => {}
        }
        match query.refunds_to_settle {
            Some(true) => _ = sql.push(" and refunds_to_settle"),
            Some(false) => _ = sql.push(" and not refunds_to_settle"),
            None => {}
        }
        if let Some(from) = query.from {
            sql.push(" and placed >= ").push_bind(micros::text(&from));
        }
        if let Some(until) = query.until {
            sql.push(" and placed < ").push_bind(micros::text(&until));
        }
        if let Some(Contact { account, email_hashes }) = &query.contact {
            sql.push(" and (account = ").push_bind(account.map(|account| account.to_string()));
            sql.push(" or key in (select key from read.order_email where email_hash = any (");
            sql.push_bind(email_hashes.iter().map(ToString::to_string).collect::<Vec<_>>()).push(")))");
        }
        let list = query.list();
        if let Some((placed, key)) = query.ask.after::<(String, String)>(&list)? {
            sql.push(" and (placed, key) < (").push_bind(placed).push(", ").push_bind(key).push(")");
        }
        sql.push(" order by placed desc, key desc limit ").push_bind(query.ask.limit() + 1);
        let rows: Vec<(String, String, String)> = sql.build_query_as().fetch_all(self.pool()).await?;
        Page::of(rows, &query.ask, &list, |(placed, key, text)| ((placed, key), text))
    }
}
