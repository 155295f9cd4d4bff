//! Money: whole minor units of one ISO 4217 currency; every operation is checked.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::currency::Currency;
use crate::quantity::Quantity;

/// An amount in the minor unit of its currency: 1999 EUR is 19.99 euros, 1999 JPY is 1999 yen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({"amount": 1999, "currency": "EUR"})))]
pub struct Money {
    /// The amount in minor units; negative for a refund.
    pub amount: i64,
    /// ISO 4217 currency code.
    pub currency: Currency,
}

/// Why a calculation with money fails.
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

    /// Zero, in a currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: 0, currency }
    }

    /// Whether it is nothing.
    pub const fn is_zero(&self) -> bool {
        self.amount == 0
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

impl Money {
    /// The amount in major units, such as `19.99`, with the digits that the currency has.
    pub fn decimal(self) -> String {
        let digits = usize::from(self.currency.exponent().unwrap_or(0));
        let unit = 10u64.pow(u32::try_from(digits).unwrap_or(0));
        let minor = self.amount.unsigned_abs();
        let sign = if self.amount < 0 { "-" } else { "" };
        let whole = minor / unit;
        if digits > 0 { format!("{sign}{whole}.{:0digits$}", minor % unit) } else { format!("{sign}{whole}") }
    }
}

impl fmt::Display for Money {
    /// Writes `19.99 EUR`, with the digits that the currency has.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency.code())
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

/// The highest price, in minor units: ten thousand million euros; a line of a thousand times that many pieces still fits 64
/// bits.
pub const PRICE_MAX: i64 = 1_000_000_000_000;

/// The price of one piece: from zero to [`PRICE_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Money", into = "Money")]
pub struct Price(Money);

/// An amount that is not a valid price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a price must be between 0 and {PRICE_MAX} minor units")]
pub struct PriceError;

impl Price {
    /// Checks the amount.
    pub const fn new(money: Money) -> Result<Self, PriceError> {
        if money.amount >= 0 && money.amount <= PRICE_MAX { Ok(Self(money)) } else { Err(PriceError) }
    }

    /// The amount.
    pub const fn money(self) -> Money {
        self.0
    }

    /// Its currency.
    pub const fn currency(self) -> Currency {
        self.0.currency
    }

    /// The price of a number of pieces.
    pub fn times(self, quantity: Quantity) -> Result<Money, MoneyError> {
        self.0.times(quantity.get())
    }
}

#[cfg(feature = "openapi")]
crate::openapi::value!(Price, crate::openapi::within::<Money>(), Money);

impl TryFrom<Money> for Price {
    type Error = PriceError;
    fn try_from(money: Money) -> Result<Self, PriceError> {
        Self::new(money)
    }
}

impl From<Price> for Money {
    fn from(price: Price) -> Self {
        price.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The maximum number of digits of an exact price on each side of its point: with [`PRICE_MAX`] and any quantity it stays
/// within 128 bits.
const EXACT_DIGITS: usize = 9;

/// A price per piece in major units with more digits than the currency has, such as `0.034` pounds.
///
/// Older systems kept such prices; a line's amount is then its exact price times its quantity, rounded once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExactPrice(String);

/// A text that is not an exact price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an exact price is a decimal number with at most {EXACT_DIGITS} digits on each side of its point")]
pub struct ExactPriceError;

#[cfg(feature = "openapi")]
crate::openapi::value!(ExactPrice, crate::openapi::example("0.034"));

impl ExactPrice {
    /// Checks the text.
    pub fn new(text: &str) -> Result<Self, ExactPriceError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits =
            |part: &str| (1..=EXACT_DIGITS).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(whole) && digits(fraction) { Ok(Self(text.to_owned())) } else { Err(ExactPriceError) }
    }

    /// The price of a number of pieces, rounded half-up to the currency's minor unit.
    pub fn times(&self, quantity: Quantity, currency: Currency) -> Result<Money, MoneyError> {
        let (whole, fraction) = self.0.split_once('.').unwrap_or((&self.0, ""));
        let digits = |part: &str| part.bytes().fold(0i128, |number, byte| number * 10 + i128::from(byte - b'0'));
        let places = 10i128.pow(u32::try_from(fraction.len()).map_err(|_| MoneyError::Overflow)?);
        let minor = 10i128.pow(u32::from(currency.exponent().unwrap_or(0)));
        let exact = (digits(whole) * places + digits(fraction)) * minor * i128::from(quantity.get());
        Ok(Money::new(divide_half_up(exact, places)?, currency))
    }
}

impl TryFrom<String> for ExactPrice {
    type Error = ExactPriceError;
    fn try_from(text: String) -> Result<Self, ExactPriceError> {
        Self::new(&text)
    }
}

impl From<ExactPrice> for String {
    fn from(price: ExactPrice) -> Self {
        price.0
    }
}

impl fmt::Display for ExactPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
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

    #[test]
    fn a_price_is_neither_negative_nor_absurd() {
        for amount in [-1, PRICE_MAX + 1] {
            assert_eq!(Price::new(Money::new(amount, Currency::EUR)), Err(PriceError));
        }
        let json = serde_json::from_str::<Price>(r#"{"amount":-1,"currency":"EUR"}"#).unwrap_err();
        assert!(json.to_string().starts_with("a price must be between 0 and "), "{json}");
    }

    #[test]
    fn an_exact_price_is_rounded_once_per_line() {
        let of = |text: &str, pieces| {
            let quantity = Quantity::new(pieces).unwrap();
            ExactPrice::new(text).unwrap().times(quantity, Currency::GBP).unwrap().amount
        };
        assert_eq!([of("0.034", 1), of("0.034", 100), of("0.005", 1), of("2", 3)], [3, 340, 1, 600]);
        assert_eq!([of("12.5", 2), of("1.25", 1), of("10.001", 1_000)], [2_500, 125, 1_000_100]);
        assert_eq!(ExactPrice::new("12.50").unwrap().to_string(), "12.50");
        for text in ["", ".", "1.", ".5", "-1", "1e3", "1.0000000001"] {
            assert_eq!(ExactPrice::new(text), Err(ExactPriceError), "{text}");
        }
    }
}
