//! What is left of an order to credit, by how it is taxed, and from that the tax of a credit note.
//!
//! 1. The credit for a line, for shipping, or for gift cards is taxed as that was, as far as that much is left of it.
//! 2. An amount without goods, and what exceeds the amount left, is split over everything that is left, by largest remainder.
//! 3. Each part contains tax in proportion to what is left there, rounded half-up. So no credit note has more tax than is left,
//!    and the credit notes of a whole order have all of its tax.

use crate::ids::VariantId;
use crate::money::{Money, MoneyError};
use crate::order::{Placed, Taxed};
use crate::pricing::{LineTax, split};
use crate::tax_rate::TaxRate;

use super::Content;

/// How an amount is taxed: the rate, and whether prices include the tax.
type Kind = (TaxRate, bool);

/// The amounts of an order that are left to credit, by how they are taxed.
#[derive(Debug, Clone)]
pub struct Left<'a> {
    order: &'a Placed,
    taxed: Vec<Taxed>,
    /// The amount that is not taxed.
    untaxed: Money,
}

impl<'a> Left<'a> {
    /// What is left of a paid order after its credit notes.
    pub fn after<'b>(order: &'a Placed, notes: impl IntoIterator<Item = &'b Content>) -> Result<Self, MoneyError> {
        let (taxed, payable) = (order.invoiced.clone(), order.payable());
        let sum = taxed.iter().try_fold(Money::zero(payable.currency), |sum, it| sum.plus(it.gross()?))?;
        let mut left = Self { order, taxed, untaxed: at_least_zero(payable.minus(sum)?) };
        notes.into_iter().try_for_each(|note| left.take(note))?;
        Ok(left)
    }

    /// The sum.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.taxed.iter().try_fold(self.untaxed, |sum, it| sum.plus(it.gross()?))
    }

    /// The taxes of a new credit note; the taxes that it already names do not count.
    pub fn taxes(&self, note: &Content) -> Result<Vec<Taxed>, MoneyError> {
        let mut left = vec![self.untaxed.amount];
        for taxed in &self.taxed {
            left.push(taxed.gross()?.amount);
        }
        let whole = left.clone();
        let mut rest = note.total.amount;
        for (kind, amount) in parts(self.order, note) {
            let taken = amount.amount.min(left[self.place(kind)]).max(0);
            left[self.place(kind)] -= taken;
            rest -= taken;
        }
        let kinds = std::iter::once(None).chain(self.taxed.iter().map(kind).map(Some));
        let weights: Vec<(Option<Kind>, i64)> = kinds.zip(left.iter().copied()).collect();
        let spread = split::split(rest.clamp(0, left.iter().sum()), &weights);
        let given = whole.iter().zip(&left).zip(&spread).map(|((whole, left), spread)| whole - left + spread);
        let taxed = self.taxed.iter().zip(given.skip(1)).filter(|(_, given)| *given > 0);
        taxed.map(|(taxed, given)| taxed.part(Money { amount: given, ..note.total })).collect()
    }

    /// The index of the amounts with this tax; those of a tax that the order does not have count as not taxed.
    fn place(&self, wanted: Option<Kind>) -> usize {
        self.taxed.iter().position(|it| Some(kind(it)) == wanted).map_or(0, |place| place + 1)
    }

    fn take(&mut self, note: &Content) -> Result<(), MoneyError> {
        let mut rest = note.total;
        for taken in said(self.order, note)? {
            rest = rest.minus(taken.gross()?)?;
            if let Some(it) = self.taxed.iter_mut().find(|it| kind(it) == kind(&taken)) {
                it.net = at_least_zero(it.net.minus(taken.net)?);
                it.tax = at_least_zero(it.tax.minus(taken.tax)?);
            }
        }
        self.untaxed = at_least_zero(self.untaxed.minus(at_least_zero(rest))?);
        Ok(())
    }
}

/// The taxes of a credit note of an order. Those of older credit notes are computed within each line.
pub fn said(order: &Placed, note: &Content) -> Result<Vec<Taxed>, MoneyError> {
    if let Some(taxes) = &note.taxes {
        return Ok(taxes.clone());
    }
    let mut all: Vec<Taxed> = Vec::new();
    for (kind, amount) in parts(order, note) {
        let Some(kind) = kind else { continue };
        let (rate, included) = kind;
        let tax = rate.within(amount)?;
        let net = amount.minus(tax)?;
        match all.iter_mut().find(|it| self::kind(it) == kind) {
            Some(it) => (it.tax, it.net) = (it.tax.plus(tax)?, it.net.plus(net)?),
            None => all.push(Taxed { rate, included, net, tax }),
        }
    }
    Ok(all)
}

/// The parts of a credit note whose purpose, and so whose tax, is known.
fn parts(order: &Placed, note: &Content) -> impl Iterator<Item = (Option<Kind>, Money)> {
    let kind = |tax: Option<LineTax>| tax.map(|tax| (tax.rate, tax.included));
    let of_line = move |variant: VariantId| {
        // Only imports have a variant on several lines, and they are not taxed: carts have each variant once.
        let bought = order.placement.lines.iter().find(|bought| bought.variant == variant);
        kind(bought.and_then(|bought| bought.tax))
    };
    let of_shipping = kind(order.placement.shipping.as_ref().and_then(|shipping| shipping.tax));
    let lines = note.lines.iter().map(move |line| (of_line(line.variant), line.amount));
    let rest = [note.shipping.map(|amount| (of_shipping, amount)), note.gift_cards.map(|amount| (None, amount))];
    lines.chain(rest.into_iter().flatten())
}

fn kind(taxed: &Taxed) -> Kind {
    (taxed.rate, taxed.included)
}

fn at_least_zero(amount: Money) -> Money {
    Money { amount: amount.amount.max(0), ..amount }
}

#[cfg(test)]
mod tests;
