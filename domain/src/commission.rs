//! The commission of the house on what a seller sells, as an order records it.

use serde::{Deserialize, Serialize};

use crate::Currency;
use crate::money::Money;
use crate::tax_rate::TaxRate;
use crate::text::Slug;

/// The commission on a line of a seller, as it was when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission {
    /// The commission on all pieces of the line, without tax.
    pub amount: Money,
    /// The tax on it; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<CommissionTax>,
    /// The rule that it follows from; absent if none applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<AppliedRule>,
}

/// The tax on a commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionTax {
    /// The rate.
    #[serde(flatten)]
    pub rate: TaxRate,
    /// The tax.
    pub amount: Money,
}

/// The rule of the commission book that applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedRule {
    /// The name of the rule.
    pub rule: Slug,
    /// The version of the commission book that set the rule.
    pub version: i64,
}

impl Commission {
    /// No commission, as no rule applied.
    pub fn none(currency: Currency) -> Self {
        Self { amount: Money::zero(currency), tax: None, rule: None }
    }
}
