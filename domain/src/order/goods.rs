//! The goods of an order: how many pieces of each variant are kept, packed, handed over, returned or to be returned.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Decision, Event, Placed, Rejection, ReturnLine, Status};
use crate::ids::{CreditNoteId, ReturnId, VariantId};
use crate::money::Money;
use crate::quantity::{Demand, Quantity, summed};

/// The maximum number of returns of one order, including rejected and withdrawn ones: more of them are not about goods.
const RETURNS_MAX: usize = 100;

impl Placed {
    /// The pieces of the order, summed per variant.
    pub fn demands(&self) -> Vec<Demand> {
        // Placing checked that the sums are quantities.
        let bought = summed(self.placement.lines.iter().map(super::Line::demand)).unwrap_or_default();
        let kept = bought.into_iter().filter_map(|Demand { variant, quantity }| {
            let quantity = Quantity::new(quantity.get() - self.off(variant)).ok()?;
            Some(Demand { variant, quantity })
        });
        kept.collect()
    }

    /// The pieces whose stock processes move: none for an import, which moved its stock itself.
    pub fn stock_to_move(&self) -> Vec<Demand> {
        if self.placement.imported { vec![] } else { self.demands() }
    }

    /// The pieces that leave the stock when the order is paid: none if it is paid on delivery, as they have left.
    pub fn stock_to_commit(&self) -> Vec<Demand> {
        if self.is_on_delivery() { vec![] } else { self.stock_to_move() }
    }

    /// The variants of the order, each once.
    pub fn variants(&self) -> Vec<VariantId> {
        let mut variants: Vec<VariantId> = self.placement.lines.iter().map(|line| line.variant).collect();
        variants.sort_unstable();
        variants.dedup();
        variants
    }

    /// The ordered quantity of a variant.
    pub fn bought(&self, variant: VariantId) -> i64 {
        self.placement.lines.iter().filter(|line| line.variant == variant).map(|line| line.quantity.get()).sum()
    }

    /// The cancelled quantity of a variant.
    pub fn off(&self, variant: VariantId) -> i64 {
        self.cancelled_quantities.get(&variant).copied().unwrap_or(0)
    }

    /// The pieces of a variant that are kept and shipped, once `more` of them are cancelled.
    pub(super) fn travelling(&self, variant: VariantId, more: i64) -> i64 {
        let lines = self.placement.lines.iter().filter(|line| line.variant == variant && line.travels());
        let bought: i64 = lines.map(|line| line.quantity.get()).sum();
        (bought - self.off(variant) - more).max(0)
    }

    /// The pieces of a variant that are kept and not shipped.
    pub(super) fn weightless(&self, variant: VariantId) -> i64 {
        self.bought(variant) - self.off(variant) - self.travelling(variant, 0)
    }

    /// Whether nothing is left to ship, and nothing was shipped, of the part that these lines are of, once they are cancelled,
    /// although something was to be shipped before: then its shipping price is refunded with them, or no longer due.
    pub fn shipping_falls_with(&self, lines: &[Demand]) -> bool {
        let part = self.part_of(lines);
        let variants: Vec<VariantId> = part.map_or_else(|| self.variants(), |part| part.variants().collect());
        let kept = |lines: &[Demand]| -> i64 {
            let more = |variant| lines.iter().filter(|it| it.variant == variant).map(|it| it.quantity.get()).sum();
            variants.iter().map(|variant| self.travelling(*variant, more(*variant))).sum()
        };
        kept(&[]) > 0 && kept(lines) == 0
    }

    /// The pieces of a variant that were handed over.
    pub fn handed_over(&self, variant: VariantId) -> i64 {
        if self.by_hand {
            return self.bought(variant) - self.off(variant);
        }
        let given = if self.is_paid() { self.weightless(variant) } else { 0 };
        given + self.in_parcels(variant, super::ParcelStage::is_gone)
    }

    fn in_parcels(&self, variant: VariantId, wanted: impl Fn(super::ParcelStage) -> bool) -> i64 {
        let parcels = self.parcels.values().filter(|parcel| wanted(parcel.stage));
        let lines = parcels.flat_map(|parcel| &parcel.lines).filter(|line| line.variant == variant);
        lines.map(|line| line.quantity.get()).sum()
    }

    /// The pieces of a variant that can still be packed, including those that were lost in transit.
    pub fn left_to_ship(&self, variant: VariantId) -> i64 {
        if self.by_hand {
            return 0;
        }
        self.travelling(variant, 0) - self.in_parcels(variant, |stage| !stage.is_empty())
    }

    /// The pieces of a variant that can still be cancelled: those that are not packed, and, before the payment, those that are
    /// not shipped.
    pub fn left_to_cancel(&self, variant: VariantId) -> i64 {
        let not_handed_over = if self.is_paid() || self.by_hand { 0 } else { self.weightless(variant) };
        self.left_to_ship(variant) + not_handed_over
    }

    /// The pieces among these that are in the shop: lost pieces are cancelled first, so that the buyer does not wait for them.
    pub fn at_hand(&self, lines: &[Demand]) -> Vec<Demand> {
        without(lines, |line| self.lost_of(line.variant))
    }

    /// The pieces among these that must be taken from the stock before they can be packed: those in the shop are packed first.
    pub fn to_replace(&self, lines: &[Demand]) -> Vec<Demand> {
        without(lines, |line| self.left_to_ship(line.variant) - self.lost_of(line.variant))
    }

    /// The pieces of a variant that were lost in transit, and are neither replaced nor cancelled.
    pub fn lost_of(&self, variant: VariantId) -> i64 {
        self.lost.get(&variant).copied().unwrap_or(0)
    }

    /// The pieces that were lost in transit, and are neither replaced nor cancelled.
    pub(super) fn lost_pieces(&self) -> Vec<Demand> {
        let pieces = |(variant, number): (&VariantId, &i64)| {
            Some(Demand { variant: *variant, quantity: Quantity::new(*number).ok()? })
        };
        self.lost.iter().filter_map(pieces).collect()
    }

    pub(super) fn note_lost(&mut self, lines: &[Demand]) {
        for line in lines {
            *self.lost.entry(line.variant).or_default() += line.quantity.get();
        }
    }

    pub(super) fn note_no_longer_lost(&mut self, lines: &[Demand]) {
        for line in lines {
            *self.lost.entry(line.variant).or_default() -= line.quantity.get();
        }
        self.lost.retain(|_, number| *number > 0);
    }

    /// The pieces of a variant that can still be returned.
    pub fn left_to_return(&self, variant: VariantId) -> i64 {
        self.handed_over(variant) - self.given_up(variant)
    }

    /// The pieces of a variant that were returned, or whose keys or downloads were revoked with a refund of money alone.
    pub(super) fn given_up(&self, variant: VariantId) -> i64 {
        let of = |pieces: &BTreeMap<VariantId, i64>| pieces.get(&variant).copied().unwrap_or(0);
        of(&self.returned) + of(&self.keys_refunded)
    }

    /// The pieces of a variant in returns that are open.
    pub fn coming_back(&self, variant: VariantId) -> i64 {
        let lines = self.returning.values().flatten().filter(|line| line.variant == variant);
        lines.map(|line| line.quantity.get()).sum()
    }

    pub(super) fn handed_over_pieces(&self) -> i64 {
        self.variants().into_iter().map(|variant| self.handed_over(variant)).sum()
    }

    pub(super) fn delivered_pieces(&self) -> i64 {
        let delivered = |variant| {
            let given = if self.is_paid() { self.weightless(variant) } else { 0 };
            given + self.in_parcels(variant, |stage| stage == super::ParcelStage::Delivered)
        };
        self.variants().into_iter().map(delivered).sum()
    }

    /// Whether these lines are everything that is left of the order, and none of it is packed or handed over.
    pub fn is_all_that_is_left(&self, lines: &[Demand]) -> bool {
        let nothing_moved = self.handed_over_pieces() == 0;
        nothing_moved && summed(lines.iter().copied()).is_ok_and(|lines| lines == self.demands())
    }

    pub(super) fn request_return(
        &self,
        return_id: ReturnId,
        lines: &[Demand],
        since: Option<DateTime<Utc>>,
    ) -> Decision {
        if self.returns.contains(&return_id) {
            return Ok(vec![]);
        }
        match self.progress.status {
            Status::Cancelled | Status::Expired => return Err(Rejection::Cancelled),
            Status::Open | Status::Completed => {}
        }
        if self.placement.imported {
            return Err(Rejection::Imported);
        }
        if self.is_on_delivery() {
            return Err(Rejection::NotPaid);
        }
        if self.returns.len() >= RETURNS_MAX {
            return Err(Rejection::TooManyReturns);
        }
        let lines = summed(lines.iter().copied()).map_err(|_| Rejection::TooManyLines)?;
        if lines.is_empty() {
            return Err(Rejection::NoLines);
        }
        if self.handed_over_pieces() == 0 {
            return Err(Rejection::NotFulfilled);
        }
        self.are_of_one_part(&lines)?;
        if lines.iter().any(|line| self.is_gift_card(line.variant)) {
            return Err(Rejection::GiftCardsNotReturned);
        }
        for Demand { variant, quantity } in &lines {
            let left = (self.left_to_return(*variant) - self.coming_back(*variant)).max(0);
            if quantity.get() > left {
                return Err(Rejection::TooManyReturned { variant: *variant, left });
            }
        }
        if let (Some(since), Some(moved)) = (since, self.last_moved_at)
            && moved < since
        {
            return Err(Rejection::ReturnWindowPassed);
        }
        Ok(vec![Event::ReturnRequested { return_id, lines }])
    }

    pub(super) fn close_return(&self, return_id: ReturnId) -> Decision {
        if self.returning.contains_key(&return_id) {
            return Ok(vec![Event::ReturnClosed { return_id }]);
        }
        if self.returns.contains(&return_id) { Ok(vec![]) } else { Err(Rejection::NoSuchReturn) }
    }

    /// Returns goods; `returned` is the event that records it.
    pub(super) fn give_back(&self, returned: &Event) -> Decision {
        let Event::Returned { credit_note, lines, amount, restock, return_id, .. } = returned else {
            return Ok(vec![]);
        };
        if self.credit_notes.contains(credit_note) {
            return Ok(vec![]);
        }
        match self.progress.status {
            Status::Cancelled | Status::Expired => return Err(Rejection::Cancelled),
            Status::Open if self.handed_over_pieces() == 0 => return Err(Rejection::NotFulfilled),
            Status::Open | Status::Completed => {}
        }
        let back = Self::checked(lines)?;
        self.are_of_one_part(&back)?;
        if self.sum_of(lines) != Ok(*amount) {
            return Err(Rejection::WrongTotal);
        }
        let promised = match return_id {
            Some(id) => self.returning.get(id).ok_or(Rejection::NoSuchReturn)?.as_slice(),
            None => &[],
        };
        for Demand { variant, quantity } in &back {
            let own: i64 = promised.iter().filter(|it| it.variant == *variant).map(|it| it.quantity.get()).sum();
            let left = (self.left_to_return(*variant) - self.coming_back(*variant) + own).max(0);
            if quantity.get() > left {
                return Err(Rejection::TooManyReturned { variant: *variant, left });
            }
        }
        match self.credited.plus(*amount) {
            Ok(credited) if credited.amount <= self.payable().amount => {}
            Ok(_) | Err(_) => return Err(Rejection::TooMuchRefunded),
        }
        let came_back = |Demand { variant, quantity }: &Demand| {
            back.iter().any(|line| line.variant == *variant && line.quantity >= *quantity)
        };
        if !restock.iter().all(came_back) {
            return Err(Rejection::WrongTotal);
        }
        let mut returned = returned.clone();
        if let Event::Returned { restock, revoked, .. } = &mut returned {
            *revoked = self.keys_given_up_with(&back);
            if self.placement.imported {
                restock.clear();
            }
        }
        Ok(vec![returned])
    }

    /// The lines, summed per variant, if there are any and their amounts are valid.
    pub(super) fn checked(lines: &[ReturnLine]) -> Result<Vec<Demand>, Rejection> {
        if lines.is_empty() {
            return Err(Rejection::NoLines);
        }
        if lines.iter().any(|line| line.amount.amount < 0) {
            return Err(Rejection::WrongTotal);
        }
        let demand = |line: &ReturnLine| Demand { variant: line.variant, quantity: line.quantity };
        summed(lines.iter().map(demand)).map_err(|_| Rejection::TooManyLines)
    }

    pub(super) fn sum_of(&self, lines: &[ReturnLine]) -> Result<Money, Rejection> {
        Money::sum(self.placement.total.currency, lines.iter().map(|line| line.amount))
            .map_err(|_| Rejection::WrongTotal)
    }

    pub(super) fn note_fulfilled(&mut self, completed: bool, at: Option<DateTime<Utc>>) {
        self.last_moved_at = at.or(self.last_moved_at);
        self.by_hand |= completed;
    }

    pub(super) fn take_back(&mut self, note: CreditNoteId, lines: &[ReturnLine], amount: Money) {
        self.credit_notes.push(note);
        for line in lines {
            *self.returned.entry(line.variant).or_default() += line.quantity.get();
        }
        self.credited = self.credited.plus(amount).unwrap_or(self.credited);
    }
}

/// The lines without the pieces that `taken` gives for each.
fn without(lines: &[Demand], taken: impl Fn(&Demand) -> i64) -> Vec<Demand> {
    let left = |line: &Demand| {
        let quantity = Quantity::new(line.quantity.get() - taken(line).max(0)).ok()?;
        Some(Demand { quantity, ..*line })
    };
    lines.iter().filter_map(left).collect()
}
