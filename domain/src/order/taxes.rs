//! The taxes of an order by rate, as its invoice shows them.

use serde::{Deserialize, Serialize};

use super::events::Placement;
use crate::money::{Money, MoneyError, divide_half_up};
use crate::pricing::LineTax;
use crate::tax_rate::TaxRate;

/// What is taxed at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxed {
    /// The rate.
    #[serde(flatten)]
    pub rate: TaxRate,
    /// Whether prices include the tax; otherwise it is added to them.
    pub included: bool,
    /// The amount without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
}

impl Taxed {
    /// The amount with tax.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        self.net.plus(self.tax)
    }

    /// The part of it with this gross amount: in proportion, rounded half-up, so that the whole has the whole tax.
    pub(crate) fn part(&self, gross: Money) -> Result<Self, MoneyError> {
        let whole = self.gross()?;
        if whole.amount <= 0 {
            return Ok(Self { net: gross, tax: Money::zero(gross.currency), ..*self });
        }
        let exact = i128::from(self.tax.amount) * i128::from(gross.amount);
        let tax = Money { amount: divide_half_up(exact, i128::from(whole.amount))?, ..gross };
        Ok(Self { net: gross.minus(tax)?, tax, ..*self })
    }

    /// Whether another amount is taxed alike.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.rate, self.included) == (other.rate, other.included)
    }

    pub(super) fn is_like(&self, tax: &LineTax) -> bool {
        (self.rate, self.included) == (tax.rate, tax.included)
    }
}

impl Placement {
    /// The taxed amounts of lines and shipping, by rate and by whether prices include the tax.
    pub fn taxed(&self) -> Result<Vec<Taxed>, MoneyError> {
        let mut all: Vec<Taxed> = Vec::new();
        let of_lines = self.lines.iter().map(|line| (line.tax, line.total()));
        let of_shipping = self.shippings().map(|it| (it.tax, it.total()));
        for (tax, paid) in of_lines.chain(of_shipping) {
            let Some(tax) = tax else { continue };
            let net = paid?.minus(tax.amount)?;
            match all.iter_mut().find(|it| it.is_like(&tax)) {
                Some(it) => (it.tax, it.net) = (it.tax.plus(tax.amount)?, it.net.plus(net)?),
                None => all.push(Taxed { rate: tax.rate, included: tax.included, net, tax: tax.amount }),
            }
        }
        Ok(all)
    }
}
