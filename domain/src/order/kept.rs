//! What is kept of the money of an order with goods of sellers: what the sellers are owed of it, and what a credit note takes back.
//!
//! 1. A refund for a line, or for shipping, is taken from what is kept of it. An amount without goods, and what exceeds what is kept
//!    there, is taken from everything that is kept of its part, by largest remainder.
//! 2. Of a line with K kept of P paid, the tax and the commission are K/P of those of the line, rounded half-up. So they depend on
//!    what is kept alone, and not on the steps that led there; a line of which nothing is kept has neither.
//!
//! Orders from before their lines recorded a commission have none of this: all of their sale is the house's.

use serde::{Deserialize, Serialize};

use super::events::{Event, Line, PartShare, Placement};
use super::parts::{Part, Parts};
use super::taxes::Taxed;
use crate::commission::{Commission, CommissionTax};
use crate::ids::{SellerId, VariantId};
use crate::money::{Money, divide_half_up};
use crate::pricing::LineTax;
use crate::pricing::split::split;

/// What a seller has of an order, or of a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerShare {
    /// The seller.
    pub seller: SellerId,
    /// What the buyer pays, or gets back, for the part of the seller: with tax, and with its share of the shipping.
    pub amount: Money,
    /// The sales tax in it.
    pub tax: Money,
    /// The commission of the house, without tax.
    pub commission: Money,
    /// The tax on the commission; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commission_tax: Option<CommissionTax>,
    /// Whether the seller supplies it in its own name, so that it owes the sales tax, and not the house.
    #[serde(default, skip_serializing_if = "is_false")]
    pub supplies: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl SellerShare {
    /// What the house owes the seller of it: what is left without the tax that the house owes, the commission and the tax on that.
    pub fn owed(&self) -> Money {
        let off = self.tax_of_house() + self.commission.amount + self.tax_on_commission();
        Money { amount: self.amount.amount - off, ..self.amount }
    }

    /// The sales tax that the house owes, in minor units.
    pub fn tax_of_house(&self) -> i64 {
        if self.supplies { 0 } else { self.tax.amount }
    }

    /// The tax on the commission, in minor units.
    pub fn tax_on_commission(&self) -> i64 {
        self.commission_tax.map_or(0, |tax| tax.amount.amount)
    }

    fn without(self, rest: Self) -> Self {
        let less = |one: Money, other: Money| Money { amount: one.amount - other.amount, ..one };
        let other = rest.commission_tax;
        let tax = |it: CommissionTax| CommissionTax {
            amount: other.map_or(it.amount, |other| less(it.amount, other.amount)),
            ..it
        };
        Self {
            amount: less(self.amount, rest.amount),
            tax: less(self.tax, rest.tax),
            commission: less(self.commission, rest.commission),
            commission_tax: self.commission_tax.map(tax).filter(|it| it.amount.amount != 0),
            ..self
        }
    }
}

/// What a credit note takes back of an order with goods of sellers.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenBack {
    /// The taxes, by rate.
    pub taxes: Vec<Taxed>,
    /// What it takes back of each seller.
    pub sellers: Vec<SellerShare>,
}

/// What is kept of each part of an order, in the order of the parts; nothing if no line records a commission.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kept(Vec<OfPart>);

/// What is kept of a part.
#[derive(Debug, Clone, PartialEq)]
struct OfPart {
    seller: Option<SellerId>,
    /// Whether its seller supplies it in its own name.
    supplies: bool,
    cells: Vec<Cell>,
}

/// What is kept of a line, or of the shipping of a part.
#[derive(Debug, Clone, PartialEq)]
struct Cell {
    /// None if it is the shipping.
    variant: Option<VariantId>,
    /// What was to be paid when the order was placed: after discounts, with tax.
    paid: Money,
    /// How much of that is kept, in minor units.
    kept: i64,
    tax: Option<LineTax>,
    commission: Option<Commission>,
}

impl Kept {
    /// All of a new order.
    pub fn new(placement: &Placement, parts: &Parts) -> Self {
        if placement.lines.iter().all(|line| line.commission.is_none()) {
            return Self::default();
        }
        Self(parts.all().iter().map(|part| OfPart::new(placement, part)).collect())
    }

    /// Whether the order has goods of sellers with a recorded commission.
    pub fn is_shared(&self) -> bool {
        !self.0.is_empty()
    }

    /// Applies an event of the order after it was placed.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Cancelled { .. } => self.cells().for_each(|cell| cell.kept = 0),
            Event::LinesCancelled { lines, shipping, .. } => {
                let of_lines = lines.iter().map(|line| (Some(line.variant), line.amount));
                self.take_back(&of_lines.chain(shipping.map(|amount| (None, amount))).collect::<Vec<_>>());
            }
            Event::Returned { lines, .. } => {
                self.take_back(&lines.iter().map(|line| (Some(line.variant), line.amount)).collect::<Vec<_>>());
            }
            Event::Credited { amount, shipping, parts, revoked, .. } => {
                let cards = revoked.iter().filter_map(|of| Some((Some(of.variant), of.taken?)));
                self.credit(*amount, *shipping, parts, &cards.collect::<Vec<_>>());
            }
            Event::Paid { invoices, .. } => {
                for part in &mut self.0 {
                    part.supplies = invoices.iter().any(|it| Some(it.supplier.seller) == part.seller);
                }
            }
            Event::Placed(_)
            | Event::Authorized { .. }
            | Event::Released { .. }
            | Event::Fulfilled { .. }
            | Event::Completed {}
            | Event::Refunded { .. }
            | Event::ParcelPrepared { .. }
            | Event::ParcelDropped { .. }
            | Event::HandedOver { .. }
            | Event::Delivered { .. }
            | Event::ParcelReturned { .. }
            | Event::ParcelLost { .. }
            | Event::Replaced { .. }
            | Event::ParcelFound { .. }
            | Event::ReturnRequested { .. }
            | Event::ReturnClosed { .. }
            | Event::Noted { .. }
            | Event::BuyerForgotten { .. }
            | Event::PaymentWindowExtended { .. }
            | Event::KeysRevealed { .. }
            | Event::MovedToCart { .. } => {}
        }
    }

    /// What each seller has of what is kept.
    pub fn shares(&self) -> Vec<SellerShare> {
        self.0.iter().filter_map(OfPart::share).collect()
    }

    /// What is kept of each part, in minor units.
    pub fn amounts(&self) -> Vec<i64> {
        self.0.iter().map(OfPart::kept).collect()
    }

    /// The taxes in what is kept, by rate.
    pub fn taxed(&self) -> Vec<Taxed> {
        self.taxed_where(|_| true)
    }

    /// The taxes in what is kept of what sellers supply in their own name, by rate.
    pub fn taxed_by_sellers(&self) -> Vec<Taxed> {
        self.taxed_where(|part| part.supplies)
    }

    /// The taxes in what is kept of what this seller, or else the house, supplies, by rate.
    pub fn taxed_by(&self, supplier: Option<SellerId>) -> Vec<Taxed> {
        self.taxed_where(|part| part.supplier() == supplier)
    }

    /// The taxes in what is kept of the parts of these sellers, by rate.
    pub fn taxed_of(&self, sellers: &[Option<SellerId>]) -> Vec<Taxed> {
        self.taxed_where(|part| sellers.contains(&part.seller))
    }

    fn taxed_where(&self, counts: impl Fn(&OfPart) -> bool) -> Vec<Taxed> {
        let mut all: Vec<Taxed> = Vec::new();
        for cell in self.0.iter().filter(|part| counts(part)).flat_map(|part| &part.cells) {
            let Some(it) = cell.taxed().filter(|it| it.net.amount != 0 || it.tax.amount != 0) else { continue };
            match all.iter_mut().find(|known| known.is_same(&it)) {
                Some(known) => (known.net.amount, known.tax.amount) = sum(known, &it),
                None => all.push(it),
            }
        }
        all
    }

    /// What was taken back, since an earlier state of the order, of what this seller, or else the house, supplies.
    pub fn taken_since(&self, before: &Self, supplier: Option<SellerId>) -> TakenBack {
        let now = self.taxed_by(supplier);
        let less = |it: Taxed| {
            let Some(left) = now.iter().find(|left| left.is_same(&it)) else { return it };
            let money = |one: Money, other: Money| Money { amount: one.amount - other.amount, ..one };
            Taxed { net: money(it.net, left.net), tax: money(it.tax, left.tax), ..it }
        };
        let taxes =
            before.taxed_by(supplier).into_iter().map(less).filter(|it| it.net.amount != 0 || it.tax.amount != 0);
        let shares = before.shares().into_iter().zip(self.shares()).map(|(before, now)| before.without(now));
        let shares = shares.filter(|it| it.supplies.then_some(it.seller) == supplier);
        TakenBack { taxes: taxes.collect(), sellers: shares.filter(|it| it.amount.amount != 0).collect() }
    }

    fn cells(&mut self) -> impl Iterator<Item = &mut Cell> {
        self.0.iter_mut().flat_map(|part| &mut part.cells)
    }

    /// Takes amounts of lines, and perhaps of shipping, of one part.
    fn take_back(&mut self, amounts: &[(Option<VariantId>, Money)]) {
        let Some((first, _)) = amounts.first() else { return };
        let is_of = |part: &&mut OfPart| part.cells.iter().any(|cell| cell.variant == *first);
        if let Some(part) = self.0.iter_mut().find(is_of) {
            part.take_back(amounts);
        }
    }

    /// Takes an amount without goods; what is taken back of gift cards, `cards`, is that of their lines.
    fn credit(&mut self, amount: Money, shipping: bool, shares: &[PartShare], cards: &[(Option<VariantId>, Money)]) {
        for part in &mut self.0 {
            // Without shares the order has one part.
            let share = shares.iter().find(|share| share.seller == part.seller).map(|share| share.amount);
            let Some(share) = share.or(shares.is_empty().then_some(amount)) else { continue };
            if shipping {
                part.take_back(&[(None, share)]);
            } else {
                let is_of =
                    |(variant, _): &&(Option<VariantId>, Money)| part.cells.iter().any(|it| it.variant == *variant);
                let own: Vec<_> = cards.iter().filter(is_of).copied().collect();
                let taken: i64 = own.iter().map(|(_, taken)| taken.amount).sum();
                part.take_back(&own);
                part.spread(share.amount - taken);
            }
        }
    }
}

fn sum(one: &Taxed, other: &Taxed) -> (i64, i64) {
    (one.net.amount + other.net.amount, one.tax.amount + other.tax.amount)
}

impl OfPart {
    fn new(placement: &Placement, part: &Part) -> Self {
        let of_part = placement.lines.iter().filter(|line| line.seller == part.seller);
        let shipping = placement.shipping_of(part.seller).map(|shipping| Cell {
            variant: None,
            paid: part.sums.shipping_due,
            kept: part.sums.shipping_due.amount,
            tax: shipping.tax.map(|tax| LineTax { amount: part.sums.shipping_tax, ..tax }),
            commission: None,
        });
        Self { seller: part.seller, supplies: false, cells: of_part.map(Cell::of).chain(shipping).collect() }
    }

    /// Its seller, if that supplies it in its own name; none if the house supplies it.
    fn supplier(&self) -> Option<SellerId> {
        self.seller.filter(|_| self.supplies)
    }

    fn kept(&self) -> i64 {
        self.cells.iter().map(|cell| cell.kept).sum()
    }

    /// What its seller has; nothing if it is the house, or no commission was recorded for it.
    fn share(&self) -> Option<SellerShare> {
        let seller = self.seller.filter(|_| self.cells.iter().any(|cell| cell.commission.is_some()))?;
        let zero = Money::zero(self.cells.first()?.paid.currency);
        let money = |amount: i64| Money { amount, ..zero };
        let sum = |of: &dyn Fn(&Cell) -> i64| money(self.cells.iter().map(of).sum());
        // All lines of an order have the rate of the moment when it was placed.
        let rate = self.cells.iter().find_map(|cell| Some(cell.commission.as_ref()?.tax?.rate));
        let amount = sum(&Cell::tax_on_commission);
        Some(SellerShare {
            seller,
            amount: sum(&|cell| cell.kept),
            tax: sum(&Cell::tax),
            commission: sum(&Cell::commission),
            commission_tax: rate.map(|rate| CommissionTax { rate, amount }).filter(|tax| tax.amount.amount != 0),
            supplies: self.supplies,
        })
    }

    fn take_back(&mut self, amounts: &[(Option<VariantId>, Money)]) {
        let mut rest = 0;
        for (variant, amount) in amounts {
            let cell = self.cells.iter_mut().find(|cell| cell.variant == *variant);
            rest += amount.amount - cell.map_or(0, |cell| cell.take(amount.amount));
        }
        self.spread(rest);
    }

    fn spread(&mut self, amount: i64) {
        let weights: Vec<(usize, i64)> = self.cells.iter().map(|cell| cell.kept).enumerate().collect();
        let shares = split(amount.clamp(0, self.kept()), &weights);
        for (cell, share) in self.cells.iter_mut().zip(shares) {
            cell.kept -= share;
        }
    }
}

impl Cell {
    fn of(line: &Line) -> Self {
        // Placing checked that it can be counted.
        let paid = line.total().unwrap_or(line.amount);
        let (variant, commission) = (Some(line.variant), line.commission.clone());
        Self { variant, paid, kept: paid.amount, tax: line.tax, commission }
    }

    /// Takes an amount, as far as it is kept; returns how much was taken.
    fn take(&mut self, amount: i64) -> i64 {
        let taken = amount.clamp(0, self.kept);
        self.kept -= taken;
        taken
    }

    /// The part of an amount of the whole cell that belongs to what is kept.
    fn share_of(&self, whole: Money) -> i64 {
        let exact = i128::from(whole.amount) * i128::from(self.kept);
        // Of what costs nothing, nothing is kept.
        divide_half_up(exact, i128::from(self.paid.amount)).unwrap_or(0)
    }

    fn tax(&self) -> i64 {
        self.tax.map_or(0, |tax| self.share_of(tax.amount))
    }

    fn commission(&self) -> i64 {
        self.commission.as_ref().map_or(0, |it| self.share_of(it.amount))
    }

    fn tax_on_commission(&self) -> i64 {
        self.commission.as_ref().and_then(|it| it.tax).map_or(0, |tax| self.share_of(tax.amount))
    }

    fn taxed(&self) -> Option<Taxed> {
        let LineTax { rate, included, .. } = self.tax?;
        let money = |amount: i64| Money { amount, ..self.paid };
        let tax = self.tax();
        Some(Taxed { rate, included, net: money(self.kept - tax), tax: money(tax) })
    }
}

#[cfg(test)]
mod tests;
