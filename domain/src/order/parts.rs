//! The parts of an order: what the house and each seller sell of it, each with goods, statuses and sums of its own.
//!
//! A variant belongs to a product, and a product to the house or to one seller, so each line belongs to one part. There is one
//! order and one payment: the parts are folded from the events of the order alone, and their sums are exact. What each part has
//! of an amount that is of the whole order is split by largest remainder.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::events::{Event, Line, Placement, ReturnLine};
use super::parcel::ParcelStage;
use super::status::CancelReason;
use crate::ids::{RefundId, ReturnId, SellerId, ShipmentId, VariantId};
use crate::money::Money;
use crate::quantity::Demand;

mod refunded;
mod status;
mod sums;

pub use sums::Sums;

/// The parts of an order, in the order of their first lines; there is at least one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(Vec<Part>);

/// What the house or one seller sells of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The seller; none for the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<SellerId>,
    /// Its sums when the order was placed.
    pub sums: Sums,
    /// The amount to pay: without what was cancelled before the payment.
    pub payable: Money,
    /// The amount that credit notes and the cancellation of the order take back.
    pub credited: Money,
    /// The amount that was refunded.
    pub refunded: Money,
    /// The shipping that need not be paid, as nothing of the part was left to ship before the payment.
    pub shipping_waived: Money,
    /// The shipping that is refunded or to be refunded.
    pub shipping_credited: Money,
    /// The parcels.
    pub parcels: BTreeMap<ShipmentId, Packed>,
    /// The returns.
    pub returns: Vec<ReturnId>,
    goods: BTreeMap<VariantId, Pieces>,
    /// The refunds that are not made yet.
    claims: BTreeMap<RefundId, Money>,
    paid: Paid,
    cancelled: Option<CancelReason>,
    by_hand: bool,
}

/// A parcel of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// The number of pieces in it.
    pub pieces: i64,
    /// The stage.
    pub stage: ParcelStage,
}

/// The pieces of a variant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Pieces {
    bought: i64,
    /// Those among them that are shipped.
    shipped: i64,
    cancelled: i64,
    returned: i64,
}

/// How far the order is paid, regardless of refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Paid {
    Awaiting,
    Authorized,
    OnDelivery,
    Captured,
}

impl Pieces {
    fn kept(self) -> i64 {
        self.bought - self.cancelled
    }

    fn travelling(self) -> i64 {
        (self.shipped - self.cancelled).max(0)
    }

    fn weightless(self) -> i64 {
        self.kept() - self.travelling()
    }
}

impl Parts {
    /// The stored types of the events that they are folded from; the other events do not change them.
    pub const READS: &'static [&'static str] = &[
        "placed",
        "paid",
        "authorized",
        "released",
        "fulfilled",
        "cancelled",
        "lines_cancelled",
        "refunded",
        "parcel_prepared",
        "parcel_dropped",
        "handed_over",
        "delivered",
        "parcel_returned",
        "parcel_lost",
        "parcel_found",
        "return_requested",
        "returned",
        "credited",
    ];

    /// The parts of a new order.
    pub fn new(placement: &Placement) -> Self {
        let mut sellers: Vec<Option<SellerId>> = Vec::new();
        for line in &placement.lines {
            if !sellers.contains(&line.seller) {
                sellers.push(line.seller);
            }
        }
        let lines = |seller: &Option<SellerId>| placement.lines.iter().filter(|it| it.seller == *seller).collect();
        let lines: Vec<Vec<&Line>> = sellers.iter().map(lines).collect();
        let sums = sums::of_parts(placement, &lines);
        let part = |((seller, lines), sums): ((Option<SellerId>, Vec<&Line>), Sums)| Part::new(seller, &lines, sums);
        Self(sellers.into_iter().zip(lines).zip(sums).map(part).collect())
    }

    /// All of them.
    pub fn all(&self) -> &[Part] {
        &self.0
    }

    /// Whether there is more than one.
    pub fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    /// The parts with the numbers that people know them by, from 1.
    pub fn numbered(&self) -> impl Iterator<Item = (u16, &Part)> {
        (1..).zip(&self.0)
    }

    /// The part with this number.
    pub fn number(&self, number: u16) -> Option<&Part> {
        self.0.get(usize::from(number).checked_sub(1)?)
    }

    /// The part of a seller, with its number.
    pub fn of_seller(&self, seller: SellerId) -> Option<(u16, &Part)> {
        self.numbered().find(|(_, part)| part.seller == Some(seller))
    }

    /// The part that a variant is of.
    pub fn of_variant(&self, variant: VariantId) -> Option<&Part> {
        self.0.iter().find(|part| part.has(variant))
    }

    /// The number of the part that a variant is of.
    pub fn number_of(&self, variant: VariantId) -> Option<u16> {
        self.numbered().find(|(_, part)| part.has(variant)).map(|(number, _)| number)
    }

    /// Applies an event of the order after it was placed.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Authorized { .. } => self.each(|it| it.paid = Paid::Authorized),
            Event::Released { .. } => self.each(|it| it.paid = Paid::OnDelivery),
            Event::Paid { .. } => self.each(|it| it.paid = Paid::Captured),
            Event::Fulfilled { completed, .. } => self.each(|it| it.by_hand |= completed),
            Event::Cancelled { reason, .. } => self.each(|it| it.cancel(*reason)),
            Event::LinesCancelled { lines, shipping, was_paid, refund, .. } => {
                for line in lines {
                    self.of(line.variant, |it| it.cancel_line(line, *was_paid, *refund));
                }
                if let (Some(shipping), Some(line)) = (shipping, lines.first()) {
                    self.of(line.variant, |it| it.take_shipping_off(*shipping, *was_paid, *refund));
                }
            }
            Event::Returned { lines, refund, return_id, .. } => {
                for line in lines {
                    // The money of a return of an import was refunded elsewhere, with the goods.
                    let is_made = return_id.is_none();
                    self.of(line.variant, |it| it.take_back(line, *refund, is_made));
                }
            }
            Event::Credited { refund, amount, shipping, parts, .. } => {
                self.note_credit(*refund, *amount, *shipping, parts);
            }
            Event::Refunded { refund, amount, .. } => match amount {
                Some(amount) => self.note_refund(*refund, *amount),
                None => self.each(Part::refund_all),
            },
            Event::ParcelPrepared { shipment, lines } => self.of_lines(lines, |it| {
                it.parcels.insert(*shipment, Packed { pieces: sum(lines), stage: ParcelStage::Prepared });
            }),
            Event::ParcelDropped { shipment } => self.move_parcel(*shipment, ParcelStage::Dropped),
            Event::HandedOver { shipment, .. } => self.move_parcel(*shipment, ParcelStage::HandedOver),
            Event::Delivered { shipment, .. } => self.move_parcel(*shipment, ParcelStage::Delivered),
            Event::ParcelReturned { shipment, .. } => self.move_parcel(*shipment, ParcelStage::Returned),
            Event::ParcelLost { shipment, .. } => self.move_parcel(*shipment, ParcelStage::Lost),
            Event::ParcelFound { shipment, lines, .. } => {
                // The pieces that are not wanted any more are not of the order.
                let found = Packed { pieces: sum(lines), stage: ParcelStage::HandedOver };
                self.change_parcel(*shipment, |parcel| *parcel = found);
            }
            Event::ReturnRequested { return_id, lines } => self.of_lines(lines, |it| it.returns.push(*return_id)),
            Event::Placed(_)
            | Event::Completed {}
            | Event::Replaced { .. }
            | Event::ReturnClosed { .. }
            | Event::Noted { .. }
            | Event::BuyerForgotten { .. }
            | Event::KeysRevealed { .. }
            | Event::PaymentWindowExtended { .. }
            | Event::MovedToCart { .. } => {}
        }
    }

    fn each(&mut self, change: impl FnMut(&mut Part)) {
        self.0.iter_mut().for_each(change);
    }

    fn of(&mut self, variant: VariantId, change: impl FnOnce(&mut Part)) {
        if let Some(part) = self.0.iter_mut().find(|part| part.has(variant)) {
            change(part);
        }
    }

    /// Changes the part that all of these lines are of.
    fn of_lines(&mut self, lines: &[Demand], change: impl FnOnce(&mut Part)) {
        if let Some(line) = lines.first() {
            self.of(line.variant, change);
        }
    }

    fn move_parcel(&mut self, shipment: ShipmentId, stage: ParcelStage) {
        self.change_parcel(shipment, |parcel| parcel.stage = stage);
    }

    fn change_parcel(&mut self, shipment: ShipmentId, change: impl FnOnce(&mut Packed)) {
        if let Some(parcel) = self.0.iter_mut().find_map(|part| part.parcels.get_mut(&shipment)) {
            change(parcel);
        }
    }
}

impl Part {
    fn new(seller: Option<SellerId>, lines: &[&Line], sums: Sums) -> Self {
        let nothing = Money::zero(sums.total.currency);
        let mut goods: BTreeMap<_, Pieces> = BTreeMap::new();
        for line in lines {
            let pieces = goods.entry(line.variant).or_default();
            pieces.bought += line.quantity.get();
            pieces.shipped += if line.travels() { line.quantity.get() } else { 0 };
        }
        Self {
            seller,
            sums,
            payable: sums.total,
            credited: nothing,
            refunded: nothing,
            shipping_waived: nothing,
            shipping_credited: nothing,
            parcels: BTreeMap::new(),
            returns: vec![],
            goods,
            claims: BTreeMap::new(),
            paid: Paid::Awaiting,
            cancelled: None,
            by_hand: false,
        }
    }

    /// The variants.
    pub fn variants(&self) -> impl Iterator<Item = VariantId> {
        self.goods.keys().copied()
    }

    /// Whether a variant is of it.
    pub fn has(&self, variant: VariantId) -> bool {
        self.goods.contains_key(&variant)
    }

    /// The number of pieces that are not cancelled.
    pub fn kept(&self) -> i64 {
        self.goods.values().map(|it| it.kept()).sum()
    }

    /// The part of the amount to pay that is neither credited nor to be credited.
    pub fn left(&self) -> Money {
        Money { amount: self.payable.amount - self.credited.amount, ..self.payable }
    }

    /// The part of its shipping price that is due or paid, and neither refunded nor to be refunded.
    pub fn shipping_left(&self) -> Money {
        let off = self.shipping_waived.amount + self.shipping_credited.amount;
        Money { amount: self.sums.shipping_due.amount - off, ..self.payable }
    }

    /// The most that a refund of money alone, or of shipping, can be.
    pub(super) fn creditable(&self, shipping: bool) -> Money {
        let (left, of_shipping) = (self.left(), self.shipping_left());
        if shipping && of_shipping.amount < left.amount { of_shipping } else { left }
    }

    fn cancel(&mut self, reason: CancelReason) {
        self.cancelled = Some(reason);
        if self.paid == Paid::Captured {
            self.credited = self.payable;
        }
    }

    fn cancel_line(&mut self, line: &ReturnLine, was_paid: bool, refund: Option<RefundId>) {
        self.goods.entry(line.variant).or_default().cancelled += line.quantity.get();
        self.take_off(line.amount, was_paid, refund);
    }

    fn take_shipping_off(&mut self, shipping: Money, was_paid: bool, refund: Option<RefundId>) {
        let off = if was_paid { &mut self.shipping_credited } else { &mut self.shipping_waived };
        *off = plus(*off, shipping);
        self.take_off(shipping, was_paid, refund);
    }

    fn take_back(&mut self, line: &ReturnLine, refund: Option<RefundId>, is_made: bool) {
        self.goods.entry(line.variant).or_default().returned += line.quantity.get();
        if is_made {
            self.credited = plus(self.credited, line.amount);
            self.refunded = plus(self.refunded, line.amount);
        } else {
            self.take_off(line.amount, true, refund);
        }
    }

    /// Takes an amount off of what was paid or is to be paid.
    fn take_off(&mut self, amount: Money, was_paid: bool, refund: Option<RefundId>) {
        if !was_paid {
            self.payable = self.payable.minus(amount).unwrap_or(self.payable);
            return;
        }
        self.credited = plus(self.credited, amount);
        if let Some(refund) = refund {
            let claim = self.claims.entry(refund).or_insert(Money::zero(amount.currency));
            *claim = plus(*claim, amount);
        }
    }
}

/// The decision checked the sums; should one ever overflow, the fold keeps the previous one.
fn plus(one: Money, other: Money) -> Money {
    one.plus(other).unwrap_or(one)
}

fn sum(lines: &[Demand]) -> i64 {
    lines.iter().map(|line| line.quantity.get()).sum()
}
