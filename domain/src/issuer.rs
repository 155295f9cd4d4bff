//! The issuer of invoices and credit notes, as they name it.

use serde::{Deserialize, Serialize};

/// The seller, as tax law requires it on documents (EU directive 2006/112/EC, article 226 (3) and (5)).
///
/// It is a setting of the shop. An event that issues a document holds the seller of that time, so that the document does not
/// change later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// The name of the shop.
    pub name: String,
    /// Its address, in lines; empty if no setting gives it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub address: Vec<String>,
    /// Its tax number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
}
