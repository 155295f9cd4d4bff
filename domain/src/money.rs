//! Money: whole minor units of one ISO 4217 currency; every operation is checked.

use std::fmt;

use iso_currency::Currency;
use serde::{Deserialize, Serialize};

/// An amount in the minor unit of its currency: 1999 EUR is 19.99 euros, 1999 JPY is 1999 yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// Minor units; negative for what is given back.
    pub amount: i64,
    /// ISO 4217 alphabetic code.
    pub currency: Currency,
}

/// Why a calculation with money has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The two amounts are of different currencies.
    #[error("amounts of two currencies cannot be combined")]
    Currency,
    /// The result does not fit 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// An amount of minor units.
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// Nothing, of a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let amount = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The difference of two amounts of one currency.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let amount = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// A number of times the amount.
    pub fn times(self, quantity: i64) -> Result<Self, MoneyError> {
        let amount = self.amount.checked_mul(quantity).ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    /// The sum of many amounts of one currency; zero when there are none.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    fn same(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency { Ok(()) } else { Err(MoneyError::Currency) }
    }
}

impl fmt::Display for Money {
    /// Writes `19.99 EUR`, with the digits that the currency has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.currency.exponent().unwrap_or(0));
        let unit = 10u64.pow(u32::try_from(digits).unwrap_or(0));
        let minor = self.amount.unsigned_abs();
        let sign = if self.amount < 0 { "-" } else { "" };
        write!(f, "{sign}{}", minor / unit)?;
        if digits > 0 {
            write!(f, ".{:0digits$}", minor % unit)?;
        }
        write!(f, " {}", self.currency.code())
    }
}

/// `numerator / denominator`, rounded half away from zero ("half-up" of a price and, mirrored, of a refund).
///
/// # Errors
/// [`MoneyError::Overflow`] when the result does not fit, or when the denominator is not positive.
pub fn divide_half_up(numerator: i128, denominator: i128) -> Result<i64, MoneyError> {
    if denominator <= 0 {
        return Err(MoneyError::Overflow);
    }
    let magnitude = numerator.unsigned_abs();
    let divisor = denominator.unsigned_abs();
    let rounded = magnitude / divisor + u128::from(magnitude % divisor * 2 >= divisor);
    let signed = i128::try_from(rounded).map_err(|_| MoneyError::Overflow)? * numerator.signum();
    i64::try_from(signed).map_err(|_| MoneyError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_with_the_digits_of_its_currency() {
        assert_eq!(Money::new(-1905, Currency::EUR).to_string(), "-19.05 EUR");
        assert_eq!(Money::new(1905, Currency::JPY).to_string(), "1905 JPY");
        assert_eq!(Money::new(5, Currency::KWD).to_string(), "0.005 KWD");
    }

    #[test]
    fn an_overflow_is_an_error_and_not_a_number() {
        let most = Money::new(i64::MAX, Currency::EUR);
        assert_eq!(most.plus(Money::new(1, Currency::EUR)), Err(MoneyError::Overflow));
        assert_eq!(most.times(2), Err(MoneyError::Overflow));
        assert_eq!(most.plus(Money::new(1, Currency::USD)), Err(MoneyError::Currency));
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (numerator, expected) in [(4, 0), (5, 1), (14, 1), (15, 2), (-5, -1), (-4, 0)] {
            assert_eq!(divide_half_up(numerator, 10), Ok(expected));
        }
    }
}
