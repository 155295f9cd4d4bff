//! What lines and parts of an order have of an amount.

use serde::{Deserialize, Serialize};

use crate::ids::{SellerId, VariantId};
use crate::money::Money;
use crate::quantity::Quantity;

/// The amount that is given back for a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnLine {
    /// The variant.
    pub variant: VariantId,
    /// The quantity.
    pub quantity: Quantity,
    /// The refunded amount.
    pub amount: Money,
}

/// What one part of an order has of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartShare {
    /// The seller whose part it is; absent for the house.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<SellerId>,
    /// The amount.
    pub amount: Money,
}
