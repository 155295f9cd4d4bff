//! The issuer of invoices and credit notes, as they name it.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::bounded::Bounded;
use crate::ids::SellerId;
use crate::text::{AddressLine, Handle, Name, TaxId};

/// The maximum number of lines of an address on papers: as many as an address of a buyer has, with its town and country.
pub const ADDRESS_LINES_MAX: usize = 6;

/// An address on papers, in lines.
pub type AddressLines = Bounded<Vec<AddressLine>, ADDRESS_LINES_MAX>;

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

/// What papers must say of a seller that supplies in its own name. It may be of a person, so events and states have it sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(as = LegalData, example = json!({"name": "Copper Kettles GmbH", "address": ["Yard 7", "10115 Berlin", "Germany"], "tax_id": "DE123456789"}))
)]
pub struct LegalData {
    /// The legal name.
    pub name: Name,
    /// The address in lines, with the country.
    #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
    pub address: AddressLines,
    /// The tax number, such as a VAT id: a seller without one cannot charge sales tax.
    pub tax_id: TaxId,
}

impl From<LegalData> for Issuer {
    fn from(legal: LegalData) -> Self {
        let LegalData { name, address, tax_id } = legal;
        let address = address.iter().map(ToString::to_string).collect();
        Self { name: name.to_string(), address, tax_id: Some(tax_id.to_string()) }
    }
}

/// A seller that supplies its part of an order to the buyer in its own name: it owes the sales tax, and papers of the part name it.
/// The house issues them in its name and for its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supplier {
    /// The seller.
    pub seller: SellerId,
    /// Its handle, which is part of the numbers of its papers.
    pub handle: Handle,
    /// Its legal data of that time, sealed with the key of the seller.
    pub legal: Personal<LegalData>,
}
