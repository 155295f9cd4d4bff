//! What events of an order say of some of it: pieces that are given back, shares of parts, and invoices of sellers.

use serde::{Deserialize, Serialize};

use crate::ids::{SellerId, VariantId};
use crate::issuer::Supplier;
use crate::money::Money;
use crate::quantity::Quantity;
use crate::text::Reference;

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

/// The invoice of a seller for its part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SellerInvoice {
    /// The number.
    pub number: Reference,
    /// The seller as the invoice names it.
    #[serde(flatten)]
    pub supplier: Supplier,
}
