//! The prices and quantities of the parts of an order, and the check that their sum is the total.

use super::{Buyer, Line, Placement, Rejection};
use crate::cart::Destination;
use crate::ids::{PaymentId, SellerId};
use crate::money::{Money, MoneyError};
use crate::pricing::{LineTax, Shipping};
use crate::quantity::Demand;
use crate::tax_book::Rounding;

impl Line {
    /// The amount that the line must have: the price, exact or not, times the quantity.
    pub fn due(&self) -> Result<Money, MoneyError> {
        match &self.exact_price {
            Some(exact) => exact.times(self.quantity, self.unit_price.currency()),
            None => self.unit_price.times(self.quantity),
        }
    }

    /// Whether the line is shipped; otherwise it is fulfilled as soon as the order is paid.
    pub fn travels(&self) -> bool {
        !self.digital
    }

    /// The pieces of the line.
    pub fn demand(&self) -> Demand {
        Demand { variant: self.variant, quantity: self.quantity }
    }

    /// The discount of the line.
    pub fn off(&self) -> Money {
        self.discount.unwrap_or(Money::zero(self.amount.currency))
    }

    /// The price of the line: after its discount, with its tax.
    pub fn total(&self) -> Result<Money, MoneyError> {
        LineTax::on_top(self.tax.as_ref(), self.amount.minus(self.off())?)
    }
}

impl Placement {
    /// An imported order, with the prices that were paid, whatever promotions and taxes they contain.
    pub fn past(buyer: Buyer, destination: Destination, lines: Vec<Line>, total: Money, payment: PaymentId) -> Self {
        Self {
            buyer,
            cart: None,
            access_hash: None,
            destination,
            lines,
            discounts: vec![],
            shipping: None,
            part_shipping: vec![],
            claims: vec![],
            total,
            payment,
            pay_by: None,
            reference: None,
            imported: true,
            tax_rounding: Rounding::Line,
        }
    }

    /// The subtotal: the lines before discounts.
    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        Money::sum(self.total.currency, self.lines.iter().map(|line| line.amount))
    }

    /// The discount of lines and shipping.
    pub fn discount(&self) -> Result<Money, MoneyError> {
        Money::sum(self.total.currency, self.discounts.iter().map(|discount| discount.amount))
    }

    /// All shipping: of the house, and of sellers at prices of their own.
    pub fn shippings(&self) -> impl Iterator<Item = &Shipping> {
        self.shipping.iter().chain(self.part_shipping.iter().map(|it| &it.shipping))
    }

    /// The shipping of the part of this seller at a price of its own.
    pub fn own_shipping(&self, seller: Option<SellerId>) -> Option<&Shipping> {
        self.part_shipping.iter().find(|it| Some(it.seller) == seller).map(|it| &it.shipping)
    }

    /// How the part of this seller, or of the house, is shipped.
    pub fn shipping_of(&self, seller: Option<SellerId>) -> Option<&Shipping> {
        self.own_shipping(seller).or(self.shipping.as_ref())
    }

    /// The shipping price before discounts.
    pub fn shipping_price(&self) -> Money {
        // Placing checked that the sum can be counted.
        let zero = Money::zero(self.total.currency);
        self.shippings().fold(zero, |sum, it| sum.plus(it.price.money()).unwrap_or(sum))
    }

    /// The amount to pay for all shipping.
    pub fn shipping_due(&self) -> Result<Money, MoneyError> {
        self.shippings().try_fold(Money::zero(self.total.currency), |sum, it| sum.plus(it.total()?))
    }

    /// All taxes, whether prices include them or not.
    pub fn tax(&self) -> Result<Money, MoneyError> {
        let of_lines = self.lines.iter().filter_map(|line| line.tax);
        let of_shipping = self.shippings().filter_map(|shipping| shipping.tax);
        Money::sum(self.total.currency, of_lines.chain(of_shipping).map(|tax| tax.amount))
    }

    /// Refuses parts whose sum is not the total.
    pub(super) fn check_sums(&self) -> Result<(), Rejection> {
        if let Some(line) = self.lines.iter().enumerate().position(|(index, line)| !self.is_sound(index, line)) {
            return Err(Rejection::WrongAmount { line });
        }
        if self.discounts.iter().any(|discount| discount.lines.iter().any(|share| share.line >= self.lines.len())) {
            return Err(Rejection::WrongTotal);
        }
        match self.due() {
            Ok(due) if due == self.total && self.is_shipping_sound() => Ok(()),
            Ok(_) | Err(_) => Err(Rejection::WrongTotal),
        }
    }

    /// Whether the amount of a line is its price times its quantity, and its discount is the sum of those of the promotions.
    fn is_sound(&self, index: usize, line: &Line) -> bool {
        let shares = self.discounts.iter().flat_map(|discount| &discount.lines).filter(|share| share.line == index);
        let off = Money::sum(line.amount.currency, shares.map(|share| share.amount));
        line.due() == Ok(line.amount)
            && off == Ok(line.off())
            && (0..=line.amount.amount.max(0)).contains(&line.off().amount)
            && line.tax.is_none_or(|tax| tax.amount.amount >= 0)
    }

    fn is_shipping_sound(&self) -> bool {
        let off = Money::sum(self.total.currency, self.discounts.iter().filter_map(|discount| discount.shipping));
        let parts = self.discounts.iter().all(|discount| {
            let parts = discount.lines.iter().map(|share| share.amount).chain(discount.shipping);
            Money::sum(self.total.currency, parts) == Ok(discount.amount)
        });
        let sound = |shipping: &Shipping| {
            off == Ok(shipping.discount) && (0..=shipping.price.money().amount).contains(&shipping.discount.amount)
        };
        // Promotions take nothing off the shipping of a seller.
        let of_sellers = self.part_shipping.iter().all(|it| it.shipping.discount.amount == 0);
        parts && of_sellers && self.shipping.as_ref().map_or(off == Ok(Money::zero(self.total.currency)), sound)
    }

    /// The amount to pay for lines and shipping.
    fn due(&self) -> Result<Money, MoneyError> {
        let zero = Money::zero(self.total.currency);
        let lines = self.lines.iter().try_fold(zero, |sum, line| sum.plus(line.total()?))?;
        lines.plus(self.shipping_due()?)
    }
}

#[cfg(test)]
mod tests;
