//! What are the balances of the general ledger, and which entries made them?
//!
//! One row per event that moves money: a captured payment, a paid order, a credit note, a refund, a dispute, a gift card, store credit. [`Entry`] says what each
//! debits and credits. An order has its row from the beginning, with the events from which its invoice follows; these are
//! dropped when it is paid.

use byteshop_domain::cart::Destination;
use byteshop_domain::codec::CodecError;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::dispute::{self, Dispute};
use byteshop_domain::ids::{DisputeId, Id as _, OrderId, PaymentId, PayoutId};
use byteshop_domain::ledger::{self, Entry, Line, SellerNumber};
use byteshop_domain::order::{self, Buyer, Order, SellerShare};
use byteshop_domain::payment::{self, Payment};
use byteshop_domain::payout::Payout;
use byteshop_domain::stored_value::StoredValue;
use byteshop_domain::text::Reference;
use byteshop_domain::{Currency, Reads, fold};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::engine::{Key, Keys, View};
use crate::text::micros;

mod query;
mod statement;
#[cfg(test)]
mod tests;

pub use query::{Balance, Charge, Charges, Query};
pub use statement::{StatementQuery, StatementRow};

/// The view.
#[derive(Debug)]
pub struct Ledger;

/// The row of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The entry; absent while an order is not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<Posted>,
    /// What each seller has of it; empty if all of it is the house's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sellers: Vec<SellerShare>,
    /// The invoices of sellers that a sale has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invoices: Vec<SellerNumber>,
    /// The reference of a refund that staff makes; its entry follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Reference>,
    /// The events of an unpaid order from which its invoice will follow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpaid: Vec<order::Event>,
}

/// An entry of the ledger. Its debits equal its credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LedgerEntry))]
pub struct Posted {
    /// The position of the event that it follows from.
    pub position: i64,
    /// When that happened.
    #[serde(with = "micros")]
    pub at: DateTime<Utc>,
    /// What it records.
    pub kind: ledger::Kind,
    /// The order; null if it is unknown.
    pub order: Option<OrderId>,
    /// The number of the invoice or of the credit note, or the reference of the payment, of the receipt or of the settled refund, or
    /// the reference or the id of the payout; null if there is none.
    pub document: Option<Reference>,
    /// The currency of all lines.
    pub currency: Currency,
    /// The lines; debits first.
    pub lines: Vec<Line>,
}

/// The content of an event for this view.
#[derive(Debug)]
pub enum Fact {
    /// An order changed.
    Order(Box<order::Event>),
    /// A payment changed.
    Payment(Key, Box<payment::Event>),
    /// A credit note was issued, a dispute cost something, or a gift card or store credit changed by itself.
    Entry(Key, Box<Entry>),
    /// A payout moved money.
    Payout(Box<Entry>),
}

impl View for Ledger {
    const NAME: &'static str = "ledger";
    const VERSION: i32 = 3;
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(&["placed", "lines_cancelled", "cancelled", "paid"]),
        Reads::only::<Payment>(&[
            "captured",
            "receipt_recorded",
            "receipt_voided",
            "refund_settled",
            "refunded",
            "disputed",
            "dispute_released",
            "fee_charged",
            "seller_paid",
            "seller_charged",
        ]),
        Reads::only::<Dispute>(&["lost", "fee_corrected"]),
        Reads::all::<CreditNote>(),
        Reads::only::<StoredValue>(&["issued", "granted", "withdrawn", "expired"]),
        Reads::only::<Payout>(&["requested", "paid", "failed", "returned"]),
    ];
    type Fact = Fact;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Fact>, CodecError> {
        if let Some(order) = event.event::<Order>() {
            return Ok(Some(Fact::Order(Box::new(order?))));
        }
        if let Some(payment) = event.event::<Payment>() {
            let payment = payment?;
            let key = of_payment(event.id_of::<Payment>(), &payment, event.version);
            return Ok(Some(Fact::Payment(key, Box::new(payment))));
        }
        if let Some(dispute) = event.event::<Dispute>() {
            let dispute = dispute?;
            let key = of_dispute(event.id_of::<Dispute>(), &dispute, event.version);
            return Ok(Entry::of_dispute(&dispute).map(|entry| Fact::Entry(key, Box::new(entry))));
        }
        if let Some(value) = event.event::<StoredValue>() {
            // Each event has a row of its own.
            let key = format!("{}/{}", event.id_of::<StoredValue>(), event.version);
            return Ok(Entry::of_stored_value(&value?).map(|entry| Fact::Entry(key, Box::new(entry))));
        }
        if let Some(payout) = event.event::<Payout>() {
            return Ok(Entry::of_payout(event.id_of::<Payout>(), &payout?).map(|entry| Fact::Payout(Box::new(entry))));
        }
        let Some(note) = event.event::<CreditNote>() else { return Ok(None) };
        let key = event.id_of::<CreditNote>().to_string();
        Ok(Entry::of_credit_note(&note?).map(|entry| Fact::Entry(key, Box::new(entry))))
    }

    fn keys(fact: &Fact, event: &Recorded) -> Keys {
        vec![match fact {
            Fact::Payment(key, _) | Fact::Entry(key, _) => key.clone(),
            Fact::Order(_) => OrderId::from_uuid(event.stream).to_string(),
            Fact::Payout(entry) => {
                let payout = event.id_of::<Payout>();
                let (request, own) = (of_payout(payout, ledger::Kind::Payout), of_payout(payout, entry.kind));
                return if names_transfer(entry.kind) { vec![own, request] } else { vec![own] };
            }
        }]
    }

    fn fold(row: Option<Row>, key: &Key, fact: &Fact, event: &Recorded) -> Option<Row> {
        match fact {
            Fact::Payout(entry) if *key != of_payout(event.id_of::<Payout>(), entry.kind) => {
                row.map(|row| row.documented(entry.document.as_ref()))
            }
            Fact::Order(change) => of_order(row, change, event),
            Fact::Payment(_, change) => of_change(row, change, event),
            Fact::Entry(_, entry) | Fact::Payout(entry) => Some(posted(event, (**entry).clone())),
        }
    }
}

/// The key of the row of a kind of entry of a payout.
fn of_payout(payout: PayoutId, kind: ledger::Kind) -> Key {
    format!("{payout}/{}", kind.as_str())
}

/// Whether an entry of a payout names the transfer that was requested: it is the document of the request from then on.
fn names_transfer(kind: ledger::Kind) -> bool {
    matches!(kind, ledger::Kind::PayoutPaid | ledger::Kind::PayoutFailed)
}

impl Row {
    fn documented(self, document: Option<&Reference>) -> Self {
        let entry = self.entry.map(|entry| Posted { document: document.cloned(), ..entry });
        Self { entry, ..self }
    }
}

/// The key of the row of an event of a payment.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
fn of_payment(payment: PaymentId, event: &payment::Event, version: i64) -> Key {
    match event {
        // A dispute may hold more later, a refund may give some of a fee back, and the refund and the capture have rows of their own.
        payment::Event::Disputed { .. }
        | payment::Event::DisputeReleased { .. }
        | payment::Event::FeeCharged { .. }
        | payment::Event::SellerPaid { .. }
        | payment::Event::SellerCharged { .. } => format!("{payment}/{version}"),
        payment::Event::Refunded { refund: Some(refund), .. } | payment::Event::RefundSettled { refund, .. } => {
            refund.to_string()
        }
        // The whole payment was refunded at once; only in older events.
        payment::Event::Refunded { refund: None, .. } => format!("{payment}/refund"),
        payment::Event::ReceiptRecorded { receipt, .. } => receipt.to_string(),
        payment::Event::ReceiptVoided { receipt, .. } => format!("{receipt}/voided"),
        _ => payment.to_string(),
    }
}

/// The key of the row of an event of a dispute.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
fn of_dispute(dispute: DisputeId, event: &dispute::Event, version: i64) -> Key {
    match event {
        dispute::Event::FeeCorrected { .. } => format!("{dispute}/{version}"),
        _ => dispute.to_string(),
    }
}

/// The row of a capture, a receipt or a refund.
fn of_change(row: Option<Row>, change: &payment::Event, event: &Recorded) -> Option<Row> {
    if let payment::Event::RefundSettled { reference, .. } = change {
        return Some(Row { settled: Some(reference.clone()), ..Row::default() });
    }
    let settled = row.and_then(|row| row.settled);
    Entry::of_payment(change, settled.as_ref()).map(|entry| posted(event, entry))
}

/// The row of an order after something happened to it; none if it was cancelled before it was paid.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS come here")]
fn of_order(row: Option<Row>, change: &order::Event, event: &Recorded) -> Option<Row> {
    let id = OrderId::from_uuid(event.stream);
    match change {
        order::Event::Placed(placement) => {
            let mut placement = placement.clone();
            // The amounts and taxes of the invoice depend on the country, and not on the person.
            placement.destination = Destination::to(placement.destination.country);
            (placement.buyer, placement.access_hash) = (Buyer::default(), None);
            Some(Row { unpaid: vec![order::Event::Placed(placement)], ..Row::default() })
        }
        order::Event::Cancelled { was_paid: false, .. } => None,
        order::Event::Paid { .. } => {
            let mut history = row?.unpaid;
            history.push(change.clone());
            let state: Order = fold(&history);
            Entry::of_sale(id, state.live().ok()?).map(|sale| posted(event, sale))
        }
        _ => row.map(|mut row| {
            // Once it is paid, credit notes say what changes.
            if row.entry.is_none() {
                row.unpaid.push(change.clone());
            }
            row
        }),
    }
}

fn posted(event: &Recorded, Entry { kind, order, document, invoices, lines, sellers }: Entry) -> Row {
    // An entry has lines, all of them in one currency.
    let entry = lines.first().map(|line| line.debit.currency).map(|currency| Posted {
        position: event.position,
        at: event.occurred_at(),
        kind,
        order,
        document,
        currency,
        lines,
    });
    Row { entry, sellers, invoices, ..Row::default() }
}
