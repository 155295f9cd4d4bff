//! Rules of orders with several parts: a parcel, a return and a partial cancellation are of one part.

use super::{Part, PartShare, Placed, Rejection};
use crate::ids::{SellerId, ShipmentId, VariantId};
use crate::money::Money;
use crate::quantity::{Demand, Quantity};

impl Placed {
    /// The part that lines are of, if the order has several.
    pub fn part_of(&self, lines: &[Demand]) -> Option<&Part> {
        let first = lines.first().filter(|_| self.parts.are_several())?;
        self.parts.of_variant(first.variant)
    }

    /// The number of the part that lines are of, if the order has several.
    pub fn part_number_of(&self, lines: &[Demand]) -> Option<u16> {
        let first = lines.first().filter(|_| self.parts.are_several())?;
        self.parts.number_of(first.variant)
    }

    /// The part that a parcel is of.
    pub fn part_of_parcel(&self, shipment: ShipmentId) -> Option<&Part> {
        self.parts.all().iter().find(|part| part.parcels.contains_key(&shipment))
    }

    /// Everything of a part that is left to ship.
    pub fn left_to_ship_of(&self, part: &Part) -> Vec<Demand> {
        Self::some(part, |variant| self.left_to_ship(variant))
    }

    /// Everything of a part that can still be cancelled.
    pub fn left_to_cancel_of(&self, part: &Part) -> Vec<Demand> {
        Self::some(part, |variant| self.left_to_cancel(variant))
    }

    fn some(part: &Part, count: impl Fn(VariantId) -> i64) -> Vec<Demand> {
        let pieces = |variant| Some(Demand { variant, quantity: Quantity::new(count(variant)).ok()? });
        part.variants().filter_map(pieces).collect()
    }

    /// Refuses lines of several parts.
    pub fn are_of_one_part(&self, lines: &[Demand]) -> Result<(), Rejection> {
        let mut numbers = lines.iter().filter_map(|line| self.parts.number_of(line.variant));
        let first = numbers.next();
        if numbers.all(|number| Some(number) == first) { Ok(()) } else { Err(Rejection::SeveralParts) }
    }

    /// The shipping price that is left of the part that lines are of.
    pub fn shipping_left_with(&self, lines: &[Demand]) -> Money {
        self.part_of(lines).map_or_else(|| self.shipping_left(), Part::shipping_left)
    }

    /// What each part has of a refund of money alone; nothing if the order has one part.
    pub(super) fn shares_of_credit(
        &self,
        part: Option<u16>,
        amount: Money,
        shipping: bool,
    ) -> Result<Vec<PartShare>, Rejection> {
        let named = match part {
            Some(number) => Some(self.parts.number(number).ok_or(Rejection::NoSuchPart)?),
            None => None,
        };
        if !self.parts.are_several() {
            return Ok(vec![]);
        }
        let left = |part: &Part| part.creditable(shipping);
        match named {
            Some(part) if amount.amount <= left(part).amount => Ok(vec![PartShare { seller: part.seller, amount }]),
            Some(part) if shipping => Err(Rejection::TooMuchShipping { left: left(part) }),
            Some(part) => Err(Rejection::TooMuchOfPart { left: left(part) }),
            None if amount.amount <= self.parts.all().iter().map(|part| left(part).amount.max(0)).sum::<i64>() => {
                Ok(self.parts.split(amount, shipping))
            }
            None => Err(Rejection::TooMuchRefunded),
        }
    }

    /// The seller of a part, if it supplies the part in its own name; none if the house supplies it, and before the payment.
    pub fn supplier_of(&self, seller: Option<SellerId>) -> Option<SellerId> {
        seller.filter(|seller| self.invoices.iter().any(|it| it.supplier.seller == *seller))
    }

    /// Who supplies the order, each once: sellers, and the house as none.
    pub fn suppliers(&self) -> Vec<Option<SellerId>> {
        let mut all = Vec::new();
        for supplier in self.parts.all().iter().map(|part| self.supplier_of(part.seller)) {
            if !all.contains(&supplier) {
                all.push(supplier);
            }
        }
        all
    }

    /// The shares of a refund of money alone that have credit notes of their own, each with the number of its part: one for each part
    /// if there are several suppliers and the refund names no part.
    pub fn split_by_supplier(
        &self,
        part: Option<u16>,
        amount: Money,
        shipping: bool,
    ) -> Result<Vec<(Option<u16>, Money)>, Rejection> {
        if part.is_some() || self.suppliers().len() < 2 {
            return Ok(vec![(part, amount)]);
        }
        let shares = self.shares_of_credit(None, amount, shipping)?;
        let of_part = |number: u16, part: &Part| {
            let share = shares.iter().find(|share| share.seller == part.seller)?;
            Some((Some(number), share.amount))
        };
        Ok(self.parts.numbered().filter_map(|(number, part)| of_part(number, part)).collect())
    }

    /// The tax of the shipping that need not be paid.
    pub(super) fn waived_shipping_tax(&self) -> Money {
        let waived = self.parts.all().iter().filter(|part| part.shipping_waived.amount > 0);
        let tax: i64 = waived.map(|part| part.sums.shipping_tax.amount).sum();
        Money { amount: tax, ..self.placement.total }
    }
}
