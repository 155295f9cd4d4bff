//! Where the goods really are: a second book, kept by hand from the events of orders.

use std::collections::{BTreeMap, BTreeSet};

use super::shop::States;
use crate::AnyEvent;
use crate::ids::{OrderId, ShipmentId, VariantId};
use crate::order;
use crate::quantity::Demand;
use crate::stock;

#[derive(Default)]
pub struct Goods {
    /// The pieces in the shop, sold or not.
    pub shelf: BTreeMap<VariantId, i64>,
    /// The pieces that an order has got or is still to get.
    pub kept: BTreeMap<(OrderId, VariantId), i64>,
    /// The pieces that left the shop with an order and did not come back undelivered.
    pub given: BTreeMap<(OrderId, VariantId), i64>,
    /// The pieces that the buyer returned.
    pub returned: BTreeMap<(OrderId, VariantId), i64>,
    /// The pieces that were lost in transit and are neither replaced, found nor cancelled: the order is still to get them, and
    /// they are nowhere.
    pub lost: BTreeMap<(OrderId, VariantId), i64>,
    /// The pieces that are recorded as lost and were not found: entries of the stock.
    pub told_lost: BTreeMap<VariantId, i64>,
    /// The pieces that are really lost.
    pub really_lost: BTreeMap<VariantId, i64>,
    /// The pieces that were cancelled before the payment.
    pub off_unpaid: BTreeMap<(OrderId, VariantId), i64>,
    /// The variants that are not shipped.
    pub digital: BTreeSet<VariantId>,
    parcels: BTreeMap<ShipmentId, Vec<Demand>>,
    /// The pieces of a parcel that were found and are not wanted any more.
    extra: BTreeMap<ShipmentId, Vec<Demand>>,
}

impl Goods {
    /// Applies an event; `before` are the states before it.
    pub fn see(&mut self, before: &States, event: &AnyEvent) {
        if let AnyEvent::Stock(variant, event) = event {
            self.stocked(before, *variant, event);
        }
        if let AnyEvent::Order(order, event) = event {
            self.ordered(*order, event);
            self.sent(*order, event);
        }
    }

    fn stocked(&mut self, before: &States, variant: VariantId, event: &stock::Event) {
        let there = self.shelf.entry(variant).or_default();
        match event {
            stock::Event::Received { quantity, .. } | stock::Event::Returned { quantity, order: None, .. } => {
                *there += quantity.get();
            }
            stock::Event::Lost { quantity, .. } => *there -= quantity.get(),
            stock::Event::LostInTransit { quantity, .. } => {
                *self.told_lost.entry(variant).or_default() += quantity.get();
            }
            stock::Event::FoundInTransit { quantity, .. } => {
                *self.told_lost.entry(variant).or_default() -= quantity.get();
            }
            // The pieces are kept for the order, and leave the shop with its next parcel.
            stock::Event::Replaced { order, quantity } => {
                *self.lost.entry((*order, variant)).or_default() -= quantity.get();
            }
            stock::Event::Counted { on_hand } => *there += on_hand - before.stocks[&variant].on_hand,
            // These are only entries: the goods move with their order.
            stock::Event::Returned { .. }
            | stock::Event::Opened { .. }
            | stock::Event::KeysPooled { .. }
            | stock::Event::Downloadable {}
            | stock::Event::Unlimited {}
            | stock::Event::SaleSuspended {}
            | stock::Event::SaleResumed {}
            | stock::Event::Reserved { .. }
            | stock::Event::Committed { .. }
            | stock::Event::Released { .. } => {}
        }
    }

    fn ordered(&mut self, order: OrderId, event: &order::Event) {
        match event {
            order::Event::Placed(placement) => {
                for line in &placement.lines {
                    *self.kept.entry((order, line.variant)).or_default() += line.quantity.get();
                    if line.digital {
                        self.digital.insert(line.variant);
                    }
                }
            }
            order::Event::Paid { .. } => {
                for (variant, left) in self.left(order) {
                    let given = if self.digital.contains(&variant) { left } else { 0 };
                    self.give(order, variant, given);
                }
            }
            order::Event::Fulfilled { completed: true, .. } => {
                for (variant, left) in self.left(order) {
                    self.give(order, variant, left);
                }
            }
            order::Event::Cancelled { .. } => {
                let books = self.kept.iter_mut().chain(&mut self.lost);
                for (_, pieces) in books.filter(|((of, _), _)| *of == order) {
                    *pieces = 0;
                }
            }
            order::Event::LinesCancelled { lines, was_paid, .. } => {
                for line in lines {
                    *self.kept.entry((order, line.variant)).or_default() -= line.quantity.get();
                    let lost = self.lost.entry((order, line.variant)).or_default();
                    *lost -= line.quantity.get().min(*lost);
                    if !was_paid {
                        *self.off_unpaid.entry((order, line.variant)).or_default() += line.quantity.get();
                    }
                }
            }
            order::Event::Returned { lines, restock, .. } => {
                for line in lines {
                    *self.returned.entry((order, line.variant)).or_default() += line.quantity.get();
                }
                for line in restock {
                    *self.shelf.entry(line.variant).or_default() += line.quantity.get();
                }
            }
            order::Event::Authorized { .. }
            | order::Event::Released { .. }
            | order::Event::Fulfilled { .. }
            | order::Event::Completed {}
            | order::Event::Refunded { .. }
            | order::Event::Credited { .. }
            | order::Event::KeysRevealed { .. }
            // Of parcels, below.
            | order::Event::ParcelPrepared { .. }
            | order::Event::HandedOver { .. }
            | order::Event::ParcelReturned { .. }
            | order::Event::ParcelLost { .. }
            | order::Event::ParcelFound { .. }
            | order::Event::ParcelDropped { .. }
            | order::Event::Delivered { .. }
            | order::Event::Replaced { .. }
            | order::Event::ReturnRequested { .. }
            | order::Event::ReturnClosed { .. }
            | order::Event::BuyerForgotten { .. }
            | order::Event::MovedToCart { .. }
            | order::Event::PaymentWindowExtended { .. }
            | order::Event::Noted { .. } => {}
        }
    }

    /// The pieces that move with parcels.
    fn sent(&mut self, order: OrderId, event: &order::Event) {
        if let order::Event::ParcelPrepared { shipment, lines } = event {
            self.parcels.insert(*shipment, lines.clone());
        }
        if let order::Event::HandedOver { lines, .. } = event {
            for line in lines {
                self.give(order, line.variant, line.quantity.get());
            }
        }
        if let order::Event::ParcelReturned { shipment, .. } = event {
            for line in self.parcels[shipment].clone() {
                self.give(order, line.variant, -line.quantity.get());
            }
            for line in self.extra.remove(shipment).unwrap_or_default() {
                *self.shelf.entry(line.variant).or_default() += line.quantity.get();
                *self.really_lost.entry(line.variant).or_default() -= line.quantity.get();
            }
        }
        if let order::Event::ParcelLost { shipment, .. } = event {
            for line in self.parcels[shipment].clone() {
                *self.given.entry((order, line.variant)).or_default() -= line.quantity.get();
                *self.lost.entry((order, line.variant)).or_default() += line.quantity.get();
                *self.really_lost.entry(line.variant).or_default() += line.quantity.get();
            }
        }
        if let order::Event::ParcelFound { shipment, lines, extra, .. } = event {
            for line in lines {
                *self.given.entry((order, line.variant)).or_default() += line.quantity.get();
                *self.lost.entry((order, line.variant)).or_default() -= line.quantity.get();
                *self.really_lost.entry(line.variant).or_default() -= line.quantity.get();
            }
            let sum = |lines: &[Demand]| lines.iter().map(|line| line.quantity.get()).sum::<i64>();
            assert_eq!(sum(lines) + sum(extra), sum(&self.parcels[shipment]), "a piece of a parcel is nowhere");
            self.parcels.insert(*shipment, lines.clone());
            self.extra.insert(*shipment, extra.clone());
        }
    }

    /// The pieces that an order is still to get.
    pub fn left(&self, order: OrderId) -> Vec<(VariantId, i64)> {
        let of = self.kept.iter().filter(|((of, _), _)| *of == order);
        of.map(|((_, variant), kept)| (*variant, kept - self.given.get(&(order, *variant)).copied().unwrap_or(0)))
            .collect()
    }

    pub fn write_off(&mut self, lines: &[Demand]) {
        for line in lines {
            *self.shelf.entry(line.variant).or_default() -= line.quantity.get();
        }
    }

    fn give(&mut self, order: OrderId, variant: VariantId, number: i64) {
        *self.given.entry((order, variant)).or_default() += number;
        *self.shelf.entry(variant).or_default() -= number;
    }
}
