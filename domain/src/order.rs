//! An order: the goods that a buyer bought, with three separate statuses: of the order, its payment and its fulfilment.
//!
//! ```text
//! status       open ──paid and everything has arrived──▶ completed
//!               ├──cancelled (while nothing is packed or handed over)──▶ cancelled
//!               └──not paid in time──▶ expired
//! payment      awaiting ──(authorized)──paid──▶ paid ──refunded in part──▶ partly refunded ──▶ refunded
//!               │    └──(on delivery)──▲      └──cancelled──▶ refund due ──refunded──▶ refunded
//!               └──cancelled──▶ voided
//! fulfilment   unfulfilled ──parcel handed over──▶ partly fulfilled ──all of them──▶ fulfilled
//!                                                     fulfilled ──returned──▶ partly returned ──▶ returned
//! each piece   bought ─┬─ cancelled (before it is packed)
//!                      └─ packed ─ handed over ─ delivered ─ return requested ─ returned
//! ```
//!
//! An order that is paid on delivery is shipped before it is paid, and completed when it is both delivered and paid.
//!
//! A piece that came back undelivered counts as bought and not packed again: it is packed once more, or cancelled. The same holds
//! for a piece that was lost in transit, but another one is taken from stock to replace it, and none goes back to stock when it is
//! cancelled. A cancelled order is never marked as paid: a payment that arrives too late is refused with [`Rejection::Cancelled`],
//! and then voided or refunded by the process [`settle_order`](crate::process::settle_order). The order records everything that
//! was bought, so no later change of a product, a price or a cart affects it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::decider::{Asked, Decider};
use crate::ids::{
    AccountId, CartId, CreditNoteId, Id as _, OrderId, PaymentId, RefundId, ReturnId, ShipmentId, VariantId,
};
use crate::issuer::Issuer;
use crate::money::Money;
use crate::quantity::{Demand, summed};
use crate::text::{NoteText, Reference};
use crate::{Personal, Subject};

mod buyer;
mod cancel;
mod commands;
mod delivered;
mod downloads;
mod events;
mod gift_cards;
mod goods;
mod kept;
mod keys;
mod money;
mod number;
mod of_part;
mod parcel;
mod parts;
mod portions;
mod pricing;
mod progress;
mod rejections;
mod shipping;
mod sold;
mod status;
mod taxes;

pub use buyer::Buyer;
pub use commands::{Command, Wanted};
pub use delivered::{Delivered, LineKeys, RevokedKeys, Shown};
pub use events::{Event, Line, PartShare, Placement, ReturnLine, SellerInvoice};
pub use kept::{Kept, SellerShare, TakenBack};
pub use number::{Number, NumberError};
pub use parcel::{Found, Parcel, ParcelStage};
pub use parts::{Packed, Part, Parts, Sums};
pub use progress::Progress;
pub use rejections::{GIFT_CARDS_MAX, KEYS_SHOWN_MAX, LINES_MAX, NOTES_MAX, Rejection};
pub use sold::Sold;
pub use status::{CancelReason, Fulfilment, PaymentStatus, Stage, Status};
pub use taxes::Taxed;

/// The state of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Order {
    /// It does not exist.
    #[default]
    Missing,
    /// It exists.
    Placed(#[serde(serialize_with = "with_reduced")] Box<Placed>),
}

/// The state of an order that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Placed {
    /// Its three statuses, with what they follow from.
    #[serde(flatten)]
    pub progress: Progress,
    /// The number of the house's invoice; absent for older and imported orders, and if sellers supply all of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Reference>,
    /// The house as its invoice names it; absent for older invoices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seller: Option<Issuer>,
    /// The invoices of the sellers that supply their parts in their own name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invoices: Vec<SellerInvoice>,
    /// What the order adds to the sales.
    pub sold: Sold,
    /// What the house and each seller sell of it.
    #[serde(skip)]
    pub parts: Parts,
    /// What is kept of its money, and what the sellers have of that.
    #[serde(skip)]
    pub kept: Kept,
    /// What each seller had of it when it was paid; nothing if no commission was recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<SellerShare>,
    /// The tax on its invoices, by rate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub invoiced: Vec<Taxed>,
    /// The tax among it that sellers owe, as they supply in their own name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owed_by_sellers: Vec<Taxed>,
    /// The returned quantities, per variant.
    pub returned: BTreeMap<VariantId, i64>,
    /// The credit notes of the order.
    pub credit_notes: Vec<CreditNoteId>,
    /// The cancelled quantities, per variant.
    pub cancelled_quantities: BTreeMap<VariantId, i64>,
    /// The amount that is refunded or to be refunded for returned and cancelled goods.
    pub credited: Money,
    /// The part of the shipping that is refunded or to be refunded.
    pub shipping_credited: Money,
    /// The shipping that need not be paid, as nothing was left to ship before the payment.
    pub shipping_waived: Money,
    /// The refunds that are done.
    pub refunds: Vec<RefundId>,
    /// The parcels.
    pub parcels: BTreeMap<ShipmentId, Parcel>,
    /// The quantities that were lost in transit and are neither replaced nor cancelled, per variant.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lost: BTreeMap<VariantId, i64>,
    /// The keys that were delivered, per variant.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<VariantId, Delivered>,
    /// The pieces whose keys or downloads were revoked with a refund of money alone, per variant.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub keys_refunded: BTreeMap<VariantId, i64>,
    /// What was taken back of its gift cards.
    #[serde(skip)]
    pub gift_cards_taken: Money,
    /// The open returns, with the goods to be returned.
    pub returning: BTreeMap<ReturnId, Vec<Demand>>,
    /// All returns of the order.
    pub returns: Vec<ReturnId>,
    /// Whether everything was handed over at once, without parcels.
    pub by_hand: bool,
    /// The notes of staff, oldest first; at most [`NOTES_MAX`].
    pub notes: Vec<Note>,
    /// When a part of it was last handed over or delivered, if known.
    pub last_moved_at: Option<DateTime<Utc>>,
    /// The cart to which its lines were moved, as it was never paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<CartId>,
    /// Whether the personal data of its guest is erased.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub forgotten: bool,
    /// Whether the buyer may pay longer than when the order was placed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub window_extended: bool,
    /// What was bought. Its `pay_by` is the current one.
    #[serde(flatten)]
    pub placement: Placement,
}

/// A note of staff about an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Note {
    /// The time of the note.
    pub at: DateTime<Utc>,
    /// The account of the author.
    pub by: Option<AccountId>,
    /// The text.
    pub note: Personal<NoteText>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Order {
    const CATEGORY: &'static str = "order";
    type Id = OrderId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Place(placement) => match self {
                Self::Missing => place(placement),
                // The same again: already done.
                Self::Placed(placed) if placed.placement == **placement => Ok(vec![]),
                Self::Placed(_) => Err(Rejection::Exists),
            },
            Command::MarkPaid { payment, invoice, seller, invoices, keys } => {
                let papers = (invoice.as_ref(), seller.as_ref(), invoices.as_slice());
                self.live()?.mark_paid(*payment, papers, keys, asked.at)
            }
            Command::RevealKeys(wanted) => self.live()?.reveal_keys(wanted, asked.at),
            Command::MarkAuthorized { payment } => self.live()?.mark_authorized(*payment),
            Command::Release { payment } => self.live()?.release(*payment),
            Command::Fulfil {} => self.live()?.fulfil(asked.at),
            Command::Cancel { reason, credit_notes, restock } => {
                self.live()?.cancel(*reason, credit_notes, *restock, asked.at)
            }
            Command::CancelLines { lines, shipping, reason, refund, credit_note, restock } => {
                let off = LinesOff { lines, shipping: *shipping, reason: *reason, restock: *restock };
                self.live()?.cancel_lines(&off, *refund, *credit_note, asked.at)
            }
            Command::MarkRefunded { payment, refund, amount } => self.live()?.mark_refunded(*payment, *refund, *amount),
            Command::PrepareParcel { shipment, lines } => self.live()?.prepare_parcel(*shipment, lines),
            Command::DropParcel { shipment } => self.live()?.drop_parcel(*shipment),
            Command::HandOver { shipment } => self.live()?.hand_over(*shipment, asked.at),
            Command::Deliver { shipment } => self.live()?.deliver(*shipment, asked.at),
            Command::TakeBackParcel { shipment } => self.live()?.take_back_parcel(*shipment),
            Command::LoseParcel { shipment } => self.live()?.lose_parcel(*shipment),
            Command::RequestReturn { return_id, lines, since } => {
                self.live()?.request_return(*return_id, lines, *since)
            }
            Command::Note { note } => match self.live()?.notes.len() {
                NOTES_MAX.. => Err(Rejection::TooManyNotes),
                _ => Ok(vec![Event::Noted { note: note.clone(), by: asked.by.account(), at: asked.at }]),
            },
            Command::ForgetBuyer { subject, force, disputed } => self.live()?.forget_buyer(*subject, *force, *disputed),
            Command::Credit { credit_note, refund, amount, shipping, keys, part, taken, imposed } => {
                let what = Credit { amount: *amount, shipping: *shipping, keys, part: *part, taken, imposed: *imposed };
                self.live()?.credit(*credit_note, *refund, &what)
            }
            Command::CloseReturn { return_id } => self.live()?.close_return(*return_id),
            Command::ExtendPaymentWindow { pay_by } => self.live()?.extend_payment_window(*pay_by),
            Command::MoveToCart { cart } => self.live()?.move_to_cart(*cart),
            Command::Return { credit_note, lines, amount, restock, refund, return_id } => {
                self.live()?.give_back(&Event::Returned {
                    credit_note: *credit_note,
                    lines: lines.clone(),
                    amount: *amount,
                    restock: restock.clone(),
                    refund: *refund,
                    return_id: *return_id,
                    revoked: vec![],
                })
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        let counted = self.with(|it| {
            it.progress.note(event);
            it.sold.note(event);
            it.parts.note(event);
            it.kept.note(event);
        });
        counted.evolved(event)
    }
}

impl Order {
    fn evolved(self, event: &Event) -> Self {
        match event {
            Event::Placed(placement) => Self::Placed(Box::new(Placed::new(placement.clone()))),
            Event::Paid { invoice, seller, invoices, keys, .. } => self.with(|it| {
                it.note_paid((invoice.as_ref(), seller.as_ref(), invoices));
                it.note_keys(keys);
            }),
            Event::KeysRevealed { lines, at } => self.with(|it| it.note_revealed(lines, *at)),
            Event::Fulfilled { completed, at } => self.with(|it| it.note_fulfilled(*completed, *at)),
            Event::Cancelled { credit_note, further_notes, .. } => self.with(|it| {
                it.credit_notes.extend(credit_note.iter().chain(further_notes));
                it.lost.clear();
            }),
            Event::LinesCancelled { lines, amount, shipping, was_paid, credit_note, .. } => self.with(|it| {
                it.note_lines_cancelled(lines, *amount, *was_paid, *credit_note);
                it.note_shipping_off(*shipping, *was_paid);
            }),
            Event::Refunded { refund, .. } => self.with(|it| it.refunds.extend(refund)),
            Event::ParcelPrepared { shipment, lines } => self.with(|it| {
                it.parcels.insert(*shipment, Parcel::prepared(lines));
            }),
            Event::ParcelDropped { shipment } => self.with(|it| it.move_parcel(*shipment, ParcelStage::Dropped, None)),
            Event::HandedOver { shipment, at, .. } => {
                self.with(|it| it.move_parcel(*shipment, ParcelStage::HandedOver, Some(*at)))
            }
            Event::Delivered { shipment, at } => {
                self.with(|it| it.move_parcel(*shipment, ParcelStage::Delivered, Some(*at)))
            }
            Event::ParcelReturned { shipment, .. } => {
                self.with(|it| it.move_parcel(*shipment, ParcelStage::Returned, None))
            }
            Event::ParcelLost { shipment, lines, .. } => self.with(|it| {
                it.move_parcel(*shipment, ParcelStage::Lost, None);
                it.note_lost(lines);
            }),
            Event::Replaced { lines } => self.with(|it| it.note_no_longer_lost(lines)),
            Event::ParcelFound { shipment, lines, extra, .. } => {
                self.with(|it| it.find_parcel(*shipment, lines, extra))
            }
            Event::ReturnRequested { return_id, lines } => self.with(|it| {
                it.returns.push(*return_id);
                it.returning.insert(*return_id, lines.clone());
            }),
            Event::Noted { note, by, at } => {
                self.with(|it| it.notes.push(Note { at: *at, by: *by, note: note.clone() }))
            }
            Event::BuyerForgotten { .. } => self.with(|it| it.forgotten = true),
            Event::PaymentWindowExtended { pay_by } => self.with(|it| {
                it.placement.pay_by = Some(*pay_by);
                it.window_extended = true;
            }),
            Event::MovedToCart { cart } => self.with(|it| it.moved_to = Some(*cart)),
            Event::Credited { credit_note, amount, shipping, revoked, downloads, .. } => self.with(|it| {
                it.note_credit(*credit_note, *amount, *shipping);
                it.note_keys_refunded(revoked);
                it.note_gift_cards_taken(revoked);
                it.note_downloads_refunded(downloads);
            }),
            Event::ReturnClosed { return_id } => self.with(|it| drop(it.returning.remove(return_id))),
            Event::Returned { credit_note, lines, amount, return_id, .. } => self.with(|it| {
                it.take_back(*credit_note, lines, *amount);
                if let Some(return_id) = return_id {
                    it.returning.remove(return_id);
                }
            }),
            // They change the progress alone.
            Event::Authorized { .. } | Event::Released { .. } | Event::Completed {} => self,
        }
    }

    /// The state, if the order exists.
    pub fn live(&self) -> Result<&Placed, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Placed(placed) => Ok(placed),
        }
    }

    /// The state, if the order waits for this payment.
    pub fn awaiting(&self, payment: PaymentId) -> Option<&Placed> {
        self.live().ok().filter(|placed| placed.awaits(payment))
    }

    fn with(mut self, change: impl FnOnce(&mut Placed)) -> Self {
        if let Self::Placed(placed) = &mut self {
            change(placed);
        }
        self
    }
}

fn place(placement: &Placement) -> Decision {
    let lines = &placement.lines;
    if lines.is_empty() {
        return Err(Rejection::NoLines);
    }
    let gift_cards = lines.iter().filter(|line| line.gift_cards).map(|line| line.quantity.get()).sum::<i64>();
    if gift_cards > GIFT_CARDS_MAX {
        return Err(Rejection::TooManyGiftCards);
    }
    if lines.len() > LINES_MAX || summed(lines.iter().map(Line::demand)).is_err() {
        return Err(Rejection::TooManyLines);
    }
    placement.check_sums()?;
    Ok(vec![Event::Placed(placement.clone())])
}

impl Placed {
    fn new(placement: Placement) -> Self {
        let nothing = Money::zero(placement.total.currency);
        let parts = Parts::new(&placement);
        Self {
            progress: Progress::new(&placement),
            invoice: None,
            seller: None,
            invoices: vec![],
            sold: Sold::new(placement.total),
            kept: Kept::new(&placement, &parts),
            parts,
            shared: vec![],
            invoiced: vec![],
            owed_by_sellers: vec![],
            returned: BTreeMap::new(),
            credit_notes: vec![],
            cancelled_quantities: BTreeMap::new(),
            credited: nothing,
            shipping_credited: nothing,
            shipping_waived: nothing,
            refunds: vec![],
            parcels: BTreeMap::new(),
            lost: BTreeMap::new(),
            keys: BTreeMap::new(),
            keys_refunded: BTreeMap::new(),
            gift_cards_taken: nothing,
            returning: BTreeMap::new(),
            returns: vec![],
            by_hand: false,
            notes: vec![],
            last_moved_at: None,
            moved_to: None,
            forgotten: false,
            window_extended: false,
            placement,
        }
    }

    /// The person whose personal data it holds.
    pub fn subject(&self, order: OrderId) -> Subject {
        let whose = Subject::of_cart(CartId::from_uuid(order.uuid()), self.placement.buyer.account);
        self.placement.destination.address.as_ref().map_or(whose, Personal::subject)
    }

    /// The status in one word for people.
    pub fn stage(&self) -> Stage {
        match self.progress.status {
            Status::Completed => Stage::Completed,
            Status::Cancelled => Stage::Cancelled,
            Status::Expired => Stage::Expired,
            Status::Open if self.progress.fulfilment == Fulfilment::Fulfilled => Stage::Fulfilled,
            Status::Open if self.is_paid() => Stage::Paid,
            Status::Open => Stage::New,
        }
    }
}

/// The JSON of a state, which also says what need not be paid.
fn with_reduced<S: Serializer>(placed: &Placed, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        placed: &'a Placed,
        reduced: Money,
    }
    Shown { placed, reduced: placed.reduced() }.serialize(serializer)
}

/// A refund of money alone.
struct Credit<'a> {
    amount: Money,
    shipping: bool,
    keys: &'a [Demand],
    part: Option<u16>,
    taken: &'a [(VariantId, Money)],
    /// Whether the buyer has the amount already.
    imposed: bool,
}

/// Lines that are to be cancelled.
struct LinesOff<'a> {
    lines: &'a [ReturnLine],
    shipping: Option<Money>,
    reason: CancelReason,
    restock: bool,
}

#[cfg(test)]
mod tests;
