//! The seller, as invoices and credit notes name them.

use serde::{Deserialize, Serialize};

/// Who sells: what tax law wants on papers (EU directive 2006/112/EC, article 226 (3) and (5)).
///
/// It is a setting of the shop. An event that issues a document keeps it as it was at that moment, so that the document
/// reads the same for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// The name of the shop.
    pub name: String,
    /// Its address, in lines; empty if no setting gives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<String>,
    /// Its tax number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
