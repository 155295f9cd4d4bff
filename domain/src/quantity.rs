//! Quantities: whole pieces, at least one, with a maximum.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::VariantId;

/// The maximum number of pieces in one line or one movement: more is a typo, and sums stay far from overflow.
pub const QUANTITY_MAX: i64 = 1_000_000;

/// A number of pieces, from 1 to [`QUANTITY_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

/// A number that is not a valid quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity must be an integer between 1 and {QUANTITY_MAX}")]
pub struct QuantityError;

#[cfg(feature = "openapi")]
crate::openapi::value!(
    Quantity,
    crate::openapi::integer(crate::openapi::KnownFormat::Int64, Self::ONE.get(), QUANTITY_MAX)
);

impl Quantity {
    /// One piece.
    pub const ONE: Self = Self(1);

    /// Checks the number.
    pub const fn new(pieces: i64) -> Result<Self, QuantityError> {
        if pieces >= 1 && pieces <= QUANTITY_MAX { Ok(Self(pieces)) } else { Err(QuantityError) }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum.
    pub const fn plus(self, other: Self) -> Result<Self, QuantityError> {
        Self::new(self.0 + other.0)
    }
}

impl TryFrom<i64> for Quantity {
    type Error = QuantityError;
    fn try_from(pieces: i64) -> Result<Self, QuantityError> {
        Self::new(pieces)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// So many pieces of one variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Demand {
    /// The variant.
    pub variant: VariantId,
    /// How many pieces of it.
    pub quantity: Quantity,
}

/// Sums demands per variant, in the order of the variants' ids: stock is asked once per variant, however many lines want it.
pub fn summed(demands: impl IntoIterator<Item = Demand>) -> Result<Vec<Demand>, QuantityError> {
    let mut sums: BTreeMap<VariantId, Quantity> = BTreeMap::new();
    for Demand { variant, quantity } in demands {
        let sum = match sums.get(&variant) {
            Some(sum) => sum.plus(quantity)?,
            None => quantity,
        };
        sums.insert(variant, sum);
    }
    Ok(sums.into_iter().map(|(variant, quantity)| Demand { variant, quantity }).collect())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::Id;

    #[test]
    fn nothing_less_than_one_and_nothing_absurd() {
        for number in ["0", "-1", "1000001", "1.5", "9223372036854775808", "\"1\""] {
            assert!(serde_json::from_str::<Quantity>(number).is_err(), "{number}");
        }
        assert_eq!(serde_json::from_str::<Quantity>("1000000").unwrap().get(), QUANTITY_MAX);
    }

    #[test]
    fn demand_is_summed_per_variant() {
        let [one, two] = [1, 2].map(|number| VariantId::from_uuid(Uuid::from_u128(number)));
        let of = |variant, pieces| Demand { variant, quantity: Quantity::new(pieces).unwrap() };
        assert_eq!(summed([of(two, 1), of(one, 2), of(two, 3)]), Ok(vec![of(one, 2), of(two, 4)]));
        assert_eq!(summed([of(one, QUANTITY_MAX), of(one, 1)]), Err(QuantityError));
    }
}
