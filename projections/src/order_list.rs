//! Which orders are there, and how far is each?

use std::collections::BTreeSet;

use byteshop_domain::address::Address;
use byteshop_domain::codec::CodecError;
use byteshop_domain::ids::{AccountId, OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{CancelReason, Event, Fulfilment, Line, Number, Order, PaymentStatus, Placement, Status};
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
    /// The invoice number; null before payment.
    pub invoice: Option<Reference>,
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
    const VERSION: i32 = 7;
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(&[
            "placed",
            "paid",
            "authorized",
            "fulfilled",
            "completed",
            "cancelled",
            "lines_cancelled",
            "refunded",
            "handed_over",
            "parcel_returned",
            "parcel_lost",
            "parcel_found",
            "returned",
        ]),
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
                news.note_in(&mut row.refunds_failed);
                row
            }),
        }
    }
}

impl Row {
    #[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
    fn moved(row: Option<Self>, moved: &Event, event: &Recorded) -> Option<Self> {
        let change = |change: &dyn Fn(&mut Self)| {
            row.map(|mut row| {
                change(&mut row);
                row
            })
        };
        match moved {
            Event::Placed(placement) => Some(Self::placed(placement, event)),
            Event::Paid { invoice, .. } => change(&|row| {
                row.invoice.clone_from(invoice);
                row.payment_status = PaymentStatus::Paid;
                row.paid_at = Some(event.occurred_at());
            }),
            Event::Authorized { .. } => change(&|row| row.payment_status = PaymentStatus::Authorized),
            Event::Fulfilled { completed, .. } => change(&|row| {
                row.note_fulfilment(Fulfilment::Fulfilled);
                if *completed {
                    row.status = Status::Completed;
                }
            }),
            Event::Completed {} => change(&|row| row.status = Status::Completed),
            Event::Cancelled { reason, was_paid, due, .. } => change(&|row| {
                row.status = reason.status();
                row.cancel_reason = Some(*reason);
                row.payment_status = PaymentStatus::of_cancelled(*was_paid, *due);
            }),
            Event::LinesCancelled { lines, amount, shipping, was_paid, .. } => change(&|row| {
                row.quantity -= lines.iter().map(|line| line.quantity.get()).sum::<i64>();
                row.note_fulfilment(row.fulfilment);
                if !was_paid {
                    let off = shipping.map_or(Ok(*amount), |shipping| amount.plus(shipping));
                    row.total = off.and_then(|off| row.total.minus(off)).unwrap_or(row.total);
                }
            }),
            Event::Refunded { amount, .. } => change(&|row| row.give_back(*amount)),
            Event::HandedOver { .. } => change(&|row| row.note_fulfilment(Fulfilment::PartlyFulfilled)),
            Event::ParcelReturned { fulfilment, .. }
            | Event::ParcelLost { fulfilment, .. }
            | Event::ParcelFound { fulfilment, .. } => change(&|row| row.note_fulfilment(*fulfilment)),
            Event::Returned { lines, amount, return_id, .. } => change(&|row| {
                row.returned += lines.iter().map(|line| line.quantity.get()).sum::<i64>();
                row.note_fulfilment(row.fulfilment);
                // The money of a return of ours follows, when the provider has given it back.
                if return_id.is_none() {
                    row.give_back(Some(*amount));
                }
            }),
            _ => change(&|_| {}),
        }
    }

    /// Applies a change of the fulfilment.
    fn note_fulfilment(&mut self, fulfilment: Fulfilment) {
        self.fulfilment = fulfilment.with_returns(self.returned, self.quantity);
    }

    /// Money is back with the buyer: so much of it, or all.
    fn give_back(&mut self, amount: Option<Money>) {
        self.refunded = amount.map_or(self.total, |amount| self.refunded.plus(amount).unwrap_or(self.refunded));
        let all = self.refunded.amount >= self.total.amount;
        if all {
            self.refunds_failed.clear();
        }
        if all || self.payment_status != PaymentStatus::RefundDue {
            self.payment_status = if all { PaymentStatus::Refunded } else { PaymentStatus::PartlyRefunded };
        }
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
            claims: _,
            total,
            payment,
            pay_by: _,
            reference,
            imported: _,
            tax_rounding: _,
        } = placement;
        Self {
            id: event.id_of::<Order>(),
            number: Number::of(event.stream),
            account: buyer.account,
            status: Status::Open,
            payment_status: PaymentStatus::Awaiting,
            fulfilment: Fulfilment::Unfulfilled,
            cancel_reason: None,
            total: *total,
            refunded: Money::zero(total.currency),
            country: destination.country.clone(),
            address: destination.address.clone(),
            line_count: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            quantity: lines.iter().map(|line: &Line| line.quantity.get()).sum(),
            returned: 0,
            payment: *payment,
            refunds_failed: BTreeSet::new(),
            invoice: None,
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
    /// Only with this number of its invoice.
    pub invoice: Option<Reference>,
    /// Only with this payment status.
    pub payment_status: Option<PaymentStatus>,
    /// Only with this fulfilment.
    pub fulfilment: Option<Fulfilment>,
    /// Only with a refund that failed and was not tried again, or only without one.
    pub refunds_failed: Option<bool>,
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
            from,
            until,
            contact,
            ..
        } = self;
        let stage = (status, payment_status, fulfilment, refunds_failed);
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
            sql.push(" and invoice = ").push_bind(invoice.to_string());
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
