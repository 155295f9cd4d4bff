//! A share in hundredths of a percent, for rates of tax and discounts, in whole numbers only.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::money::{Money, MoneyError, divide_half_up};

/// A whole, in hundredths of a percent.
const WHOLE: i128 = 10_000;

/// From 0 to 10,000 hundredths of a percent: 1,900 is 19 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct BasisPoints(u16);

/// A number that is not a valid share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an integer between 0 and {WHOLE} basis points")]
pub struct BasisPointsError;

#[cfg(feature = "openapi")]
crate::openapi::value!(BasisPoints, crate::openapi::integer(crate::openapi::KnownFormat::Int32, 0, 10_000));

impl BasisPoints {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// Checks the number.
    pub const fn new(hundredths: u16) -> Result<Self, BasisPointsError> {
        if hundredths <= 10_000 { Ok(Self(hundredths)) } else { Err(BasisPointsError) }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// This share of an amount, rounded half-up.
    pub fn of(self, whole: Money) -> Result<Money, MoneyError> {
        let amount = divide_half_up(i128::from(whole.amount) * i128::from(self.0), WHOLE)?;
        Ok(Money { amount, ..whole })
    }

    /// The part of an amount that was added to it at this rate, rounded half-up: amount × rate ÷ (1 + rate).
    pub fn within(self, sum: Money) -> Result<Money, MoneyError> {
        let rate = i128::from(self.0);
        let amount = divide_half_up(i128::from(sum.amount) * rate, WHOLE + rate)?;
        Ok(Money { amount, ..sum })
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = BasisPointsError;
    fn try_from(hundredths: u16) -> Result<Self, BasisPointsError> {
        Self::new(hundredths)
    }
}

impl From<BasisPoints> for u16 {
    fn from(share: BasisPoints) -> Self {
        share.0
    }
}

impl fmt::Display for BasisPoints {
    /// Writes `19 %`, `7.5 %`, `25.25 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match (hundredths / 10, hundredths % 10) {
            (0, 0) => write!(f, "{whole} %"),
            (tenths, 0) => write!(f, "{whole}.{tenths} %"),
            (_, _) => write!(f, "{whole}.{hundredths:02} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cents;

    fn share(hundredths: u16) -> BasisPoints {
        BasisPoints::new(hundredths).unwrap()
    }

    #[test]
    fn a_share_is_rounded_half_up() {
        for (whole, rate, expected) in
            [(1_999, 1_900, 380), (50, 1_000, 5), (45, 1_000, 5), (44, 1_000, 4), (-45, 1_000, -5)]
        {
            assert_eq!(share(rate).of(cents(whole)), Ok(cents(expected)), "{rate} of {whole}");
        }
        assert_eq!(share(10_000).of(cents(i64::MAX)), Ok(cents(i64::MAX)));
    }

    #[test]
    fn what_is_within_a_sum_was_added_to_the_rest() {
        for (sum, rate, expected) in [(11_900, 1_900, 1_900), (1_999, 1_900, 319), (100, 0, 0), (107, 700, 7)] {
            assert_eq!(share(rate).within(cents(sum)), Ok(cents(expected)), "{rate} within {sum}");
        }
    }

    #[test]
    fn it_is_written_as_people_write_it() {
        assert_eq!([1_900, 750, 2_525, 5].map(|rate| share(rate).to_string()), ["19 %", "7.5 %", "25.25 %", "0.05 %"]);
        for json in ["10001", "-1", "1.5", "70000"] {
            assert!(serde_json::from_str::<BasisPoints>(json).is_err(), "{json}");
        }
    }
}
