//! Prices as exports write them: decimal numbers, some with more digits than a penny has.

use byteshop_domain::Currency;
use byteshop_domain::money::{ExactPrice, Money, Price, divide_half_up};

/// The currency of an export, which does not say it.
pub const CURRENCY: Currency = Currency::GBP;
/// Digits on each side of the point at most, as [`ExactPrice`] has them: together they fit 64 bits.
const DIGITS_MAX: usize = 9;
/// Billionths in a major unit.
const BILLION: i64 = 1_000_000_000;
/// Billionths in a minor unit.
const PER_MINOR: i64 = BILLION / 100;

/// A decimal number of major units, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i64);

impl Decimal {
    /// Reads digits with a point and a minus sign or without.
    pub fn read(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let fits =
            |part: &str| (1..=DIGITS_MAX).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if !fits(whole) || !fits(fraction) {
            return None;
        }
        let number = |part: &str| part.bytes().fold(0i64, |number, byte| number * 10 + i64::from(byte - b'0'));
        let places = u32::try_from(DIGITS_MAX - fraction.len()).ok()?;
        Some(Self(sign * (number(whole) * BILLION + number(fraction) * 10i64.pow(places))))
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The price of so many pieces in minor units, rounded half-up once; a negative number of pieces gives it back.
    pub fn times(self, pieces: i64) -> i128 {
        // 10^18 × 10^6 is far below 2^127; the quotient, at most 10^17 for quantities that are allowed, fits.
        let exact = i128::from(self.0) * i128::from(pieces);
        divide_half_up(exact, i128::from(PER_MINOR)).map_or(0, i128::from)
    }

    /// The price of one piece in whole minor units, rounded half-up.
    pub fn price(self) -> Option<Price> {
        let minor = i64::try_from(self.times(1)).ok()?;
        Price::new(Money::new(minor, CURRENCY)).ok()
    }

    /// The price as it stands, when it has more digits than whole minor units.
    pub fn exact(self) -> Option<ExactPrice> {
        if self.0 < 0 || self.0 % PER_MINOR == 0 {
            return None;
        }
        let text = format!("{}.{:09}", self.0 / BILLION, self.0 % BILLION);
        ExactPrice::new(text.trim_end_matches('0')).ok()
    }
}

#[cfg(test)]
mod tests {
    use byteshop_domain::quantity::Quantity;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_exact_and_rounded_once() {
        let read = |text| Decimal::read(text).unwrap();
        assert_eq!(read("6.950").times(12), 8340);
        assert_eq!(read("0.034").times(100), 340);
        assert_eq!([read("0.005").times(1), read("0.005").times(-1), read("-53594.36").times(1)], [1, -1, -5_359_436]);
        assert_eq!(read("0.0340").exact().unwrap().to_string(), "0.034");
        assert_eq!(read("2.500").exact(), None);
        for text in ["", ".", "1.", ".5", "+1", "--1", "1e3", "1.0000000001", "1234567890", "1,5", "NaN"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
    }

    proptest! {
        /// The order's own check of a line's amount must come to the same.
        #[test]
        fn it_agrees_with_the_domain(whole in 0u32..10_000, fraction in "[0-9]{1,9}", pieces in 1i64..=1_000_000) {
            let decimal = Decimal::read(&format!("{whole}.{fraction}")).unwrap();
            let quantity = Quantity::new(pieces).unwrap();
            let due = match decimal.exact() {
                Some(exact) => exact.times(quantity, CURRENCY),
                None => decimal.price().unwrap().times(quantity),
            };
            prop_assert_eq!(i128::from(due.unwrap().amount), decimal.times(pieces));
        }
    }
}
