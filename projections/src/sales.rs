//! What was sold, when and where?
//!
//! An order counts on the day it was placed. An order that is cancelled unpaid was not a sale, and its row is deleted;
//! one that is cancelled after payment stays in `gross` and is counted in `cancelled_orders`. Refunds are subtracted
//! with their credit note in `credited`, on the day of the credit note and in the country of the order; refunds of
//! older cancellations without a credit note are subtracted in `cancelled_amount`. So `after_credits = gross +
//! cancelled_amount + credited`, the last two being negative. [`Sold`] decides what is subtracted with which, from the
//! events of the order alone.
//!
//! Days are those of `occurred_at`, in UTC.

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_domain::credit_note::{self, CreditNote};
use byteshop_domain::ids::Id as _;
use byteshop_domain::order::{self, Order, Sold};
use byteshop_domain::stock::{self, StockLevel};
use byteshop_eventstore::Recorded;
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};

mod query;
#[cfg(test)]
mod tests;

pub use query::{By, Losses, Query, Report, Totals};

/// The view.
#[derive(Debug)]
pub struct Sales;

/// The amounts of one document, or of one day's losses. Amounts are in minor units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// When, such as `2010-03-17`.
    pub day: String,
    /// Where to; nothing for losses.
    pub country: String,
    /// ISO 4217; nothing for losses.
    pub currency: String,
    /// Orders.
    pub orders: i64,
    /// Pieces ordered.
    pub units: i64,
    /// The amount ordered.
    pub gross: i64,
    /// Orders cancelled after they were paid.
    pub cancelled_orders: i64,
    /// The amount to be refunded for cancelled orders, negative.
    pub cancelled: i64,
    /// Credit notes.
    pub credit_notes: i64,
    /// The amount of credit notes, negative.
    pub credited: i64,
    /// Pieces lost, here or on their way, without those that were found again.
    pub lost_units: i64,
    /// Of an order: the remaining amount, and what was subtracted with which document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold: Option<Sold>,
}

/// The content of an event for this view.
#[derive(Debug)]
pub enum Fact {
    /// A document of its own.
    Sold(Row),
    /// An order changed.
    Moved(Box<order::Event>),
    /// Pieces are gone.
    Lost {
        /// How many; fewer than none when some were found again.
        units: i64,
    },
}

impl View for Sales {
    const NAME: &'static str = "sales";
    const VERSION: i32 = 3;
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(Sold::READS),
        Reads::all::<CreditNote>(),
        Reads::only::<StockLevel>(&["lost", "lost_in_transit", "found_in_transit"]),
    ];
    type Fact = Fact;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Fact>, CodecError> {
        if let Some(order) = event.event::<Order>() {
            return Ok(Some(of_order(order?, event)));
        }
        if let Some(credit_note) = event.event::<CreditNote>() {
            return Ok(Some(of_credit_note(&credit_note?, event)));
        }
        event.event::<StockLevel>().transpose().map(|stock| stock.as_ref().and_then(of_stock))
    }

    fn keys(fact: &Fact, event: &Recorded) -> Keys {
        vec![match fact {
            Fact::Sold(row) if row.credit_notes > 0 => event.id_of::<CreditNote>().to_string(),
            Fact::Sold(_) | Fact::Moved(_) => byteshop_domain::ids::OrderId::from_uuid(event.stream).to_string(),
            Fact::Lost { .. } => format!("lost_{}", day(event)),
        }]
    }

    fn fold(row: Option<Row>, _key: &Key, fact: &Fact, event: &Recorded) -> Option<Row> {
        match fact {
            Fact::Sold(row) => Some(row.clone()),
            Fact::Moved(event) => row.and_then(|row| row.moved(event)),
            Fact::Lost { units } => {
                let row = row.unwrap_or_else(|| Row { day: day(event), ..Row::default() });
                Some(Row { lost_units: row.lost_units.saturating_add(*units), ..row })
            }
        }
    }
}

impl Row {
    /// The row of an order after something happened to it; none when it was no sale.
    fn moved(self, event: &order::Event) -> Option<Self> {
        let mut sold = self.sold?;
        sold.note(event);
        let (gross, cancelled) = (sold.ordered.amount, -sold.cancelled.amount);
        let row = Self { gross, cancelled, sold: Some(sold), ..self };
        if let order::Event::Cancelled { was_paid, .. } = event {
            return was_paid.then(|| Self { cancelled_orders: row.orders, ..row });
        }
        if let order::Event::LinesCancelled { lines, was_paid: false, .. } = event {
            let units: i64 = lines.iter().map(|line| line.quantity.get()).sum();
            return Some(Self { units: row.units - units, ..row });
        }
        Some(row)
    }
}

fn day(event: &Recorded) -> String {
    event.occurred_at().date_naive().to_string()
}

fn of_order(order: order::Event, event: &Recorded) -> Fact {
    let order::Event::Placed(placement) = order else { return Fact::Moved(Box::new(order)) };
    Fact::Sold(Row {
        day: day(event),
        country: placement.destination.country.to_string(),
        currency: placement.total.currency.code().to_owned(),
        orders: 1,
        units: placement.lines.iter().map(|line| line.quantity.get()).sum(),
        gross: placement.total.amount,
        sold: Some(Sold::new(placement.total)),
        ..Row::default()
    })
}

fn of_credit_note(credit_note: &credit_note::Event, event: &Recorded) -> Fact {
    match credit_note {
        credit_note::Event::Issued(content) => Fact::Sold(Row {
            day: day(event),
            country: content.country.to_string(),
            currency: content.total.currency.code().to_owned(),
            credit_notes: 1,
            credited: -content.total.amount,
            ..Row::default()
        }),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
fn of_stock(stock: &stock::Event) -> Option<Fact> {
    match stock {
        stock::Event::Lost { quantity, .. } | stock::Event::LostInTransit { quantity, .. } => {
            Some(Fact::Lost { units: quantity.get() })
        }
        // It was none after all, which is told on the day that it was found.
        stock::Event::FoundInTransit { quantity, .. } => Some(Fact::Lost { units: -quantity.get() }),
        _ => None,
    }
}
