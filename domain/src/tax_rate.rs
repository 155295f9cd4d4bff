//! A tax rate, exact to a ten-thousandth of a percent, in whole numbers only.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::basis_points::BasisPoints;
use crate::money::{Money, MoneyError, divide_half_up};

/// A whole, in millionths.
const WHOLE: u32 = 1_000_000;
/// Millionths in a hundredth of a percent.
const PER_BPS: u32 = 100;

/// From 0 to 1,000,000 millionths (ppm): 88,750 is 8.875 %.
///
/// A rate is stored and shown as `rate_bps`, in hundredths of a percent, rounded half-up; if it has more digits, `rate_ppm`
/// beside it is exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct TaxRate(u32);

/// Why a value is not a tax rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaxRateError {
    /// It is outside of 0 to 100 %.
    #[error("a rate is a whole number from 0 to {WHOLE} millionths (`rate_ppm`)")]
    OutOfRange,
    /// Both fields are missing.
    #[error("missing field `rate_bps`, in hundredths of a percent, or `rate_ppm`, in millionths")]
    Missing,
    /// The two fields contradict each other.
    #[error("`rate_bps` is not `rate_ppm` in hundredths of a percent: give one of them")]
    Contradiction,
}

impl TaxRate {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// A rate in millionths.
    pub const fn new(millionths: u32) -> Result<Self, TaxRateError> {
        if millionths <= WHOLE { Ok(Self(millionths)) } else { Err(TaxRateError::OutOfRange) }
    }

    /// In millionths.
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// In hundredths of a percent, rounded half-up.
    pub fn rounded_bps(self) -> BasisPoints {
        let hundredths = u16::try_from((self.0 + PER_BPS / 2) / PER_BPS).ok();
        // At most the whole, which is a share.
        hundredths.and_then(|it| BasisPoints::new(it).ok()).unwrap_or(BasisPoints::ZERO)
    }

    /// The rate in millionths, if hundredths of a percent are not exact.
    pub fn ppm_beyond_bps(self) -> Option<u32> {
        (!self.0.is_multiple_of(PER_BPS)).then_some(self.0)
    }

    /// This share of an amount, rounded half-up.
    pub fn of(self, whole: Money) -> Result<Money, MoneyError> {
        let amount = divide_half_up(i128::from(whole.amount) * i128::from(self.0), i128::from(WHOLE))?;
        Ok(Money { amount, ..whole })
    }

    /// The part of an amount that was added to it at this rate, rounded half-up: amount × rate ÷ (1 + rate).
    pub fn within(self, sum: Money) -> Result<Money, MoneyError> {
        let rate = i128::from(self.0);
        let amount = divide_half_up(i128::from(sum.amount) * rate, i128::from(WHOLE) + rate)?;
        Ok(Money { amount, ..sum })
    }

    /// A rate from the two fields in which it is stored and requested.
    pub(crate) fn given(bps: Option<BasisPoints>, ppm: Option<u32>) -> Result<Self, TaxRateError> {
        let rate = match (bps, ppm) {
            (_, Some(ppm)) => Self::new(ppm)?,
            (Some(bps), None) => bps.into(),
            (None, None) => return Err(TaxRateError::Missing),
        };
        if bps.is_some_and(|bps| bps != rate.rounded_bps()) { Err(TaxRateError::Contradiction) } else { Ok(rate) }
    }
}

impl From<BasisPoints> for TaxRate {
    fn from(share: BasisPoints) -> Self {
        Self(u32::from(share.get()) * PER_BPS)
    }
}

impl fmt::Display for TaxRate {
    /// Writes `19 %`, `7.5 %`, `8.875 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = WHOLE / 100;
        let fraction = format!("{:04}", self.0 % percent);
        match fraction.trim_end_matches('0') {
            "" => write!(f, "{} %", self.0 / percent),
            digits => write!(f, "{}.{digits} %", self.0 / percent),
        }
    }
}

/// The fields in which a rate is stored and requested.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_bps: Option<BasisPoints>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_ppm: Option<u32>,
}

impl From<TaxRate> for Fields {
    fn from(rate: TaxRate) -> Self {
        Self { rate_bps: Some(rate.rounded_bps()), rate_ppm: rate.ppm_beyond_bps() }
    }
}

impl TryFrom<Fields> for TaxRate {
    type Error = TaxRateError;
    fn try_from(Fields { rate_bps, rate_ppm }: Fields) -> Result<Self, TaxRateError> {
        Self::given(rate_bps, rate_ppm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cents;

    #[test]
    fn three_decimals_of_a_percent_are_exact() {
        let rate = TaxRate::new(88_750).unwrap();
        assert_eq!(rate.of(cents(100_000)), Ok(cents(8_875)));
        assert_eq!(rate.of(cents(500)), Ok(cents(44)));
        assert_eq!(rate.of(cents(100_500)), Ok(cents(8_919)));
        assert_eq!(rate.within(cents(108_875)), Ok(cents(8_875)));
        assert_eq!(TaxRate::new(1_000_000).unwrap().of(cents(i64::MAX)), Ok(cents(i64::MAX)));
        assert_eq!(TaxRate::new(1_000_001), Err(TaxRateError::OutOfRange));
    }

    #[test]
    fn hundredths_of_a_percent_round_as_they_did() {
        for (bps, whole) in [(1_900, 1_999), (750, 45), (2_525, 44), (5, 100_000), (10_000, 7)] {
            let share = BasisPoints::new(bps).unwrap();
            let rate = TaxRate::from(share);
            assert_eq!(rate.of(cents(whole)), share.of(cents(whole)));
            assert_eq!(rate.within(cents(whole)), share.within(cents(whole)));
            assert_eq!((rate.rounded_bps(), rate.ppm_beyond_bps()), (share, None));
        }
    }

    #[test]
    fn it_is_written_as_people_write_it() {
        let written = [190_000, 75_000, 88_750, 99_750, 500, 1].map(|rate| TaxRate::new(rate).unwrap().to_string());
        assert_eq!(written, ["19 %", "7.5 %", "8.875 %", "9.975 %", "0.05 %", "0.0001 %"]);
    }

    #[test]
    fn the_two_fields_must_agree() {
        let (bps, ppm) = (|it| Some(BasisPoints::new(it).unwrap()), Some);
        assert_eq!(TaxRate::given(bps(1_900), None), Ok(TaxRate(190_000)));
        assert_eq!(TaxRate::given(None, ppm(88_750)), Ok(TaxRate(88_750)));
        assert_eq!(TaxRate::given(bps(888), ppm(88_750)), Ok(TaxRate(88_750)));
        assert_eq!(TaxRate::given(bps(887), ppm(88_750)), Err(TaxRateError::Contradiction));
        assert_eq!(TaxRate::given(None, None), Err(TaxRateError::Missing));
        assert_eq!(TaxRate::given(None, ppm(1_000_001)), Err(TaxRateError::OutOfRange));
    }
}
