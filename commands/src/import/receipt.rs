//! The identity of a document: the key of its receipt, and a hash of its content.

use byteshop_domain::text::Title;
use sha2::{Digest as _, Sha256};

use super::history::{History, Invoice};

/// The key of a document's receipt.
pub fn key_of(invoice: &Invoice) -> String {
    format!("invoice:{}", invoice.reference)
}

/// A hash of what a document says, so that the same number with other content is seen.
pub fn fingerprint(history: &History, invoice: &Invoice) -> Vec<u8> {
    let mut hash = Sha256::new();
    let mut text = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    text(invoice.reference.as_str());
    text(invoice.customer.as_ref().map_or("", |customer| customer.as_str()));
    text(invoice.country.as_str());
    text(&invoice.at.timestamp().to_string());
    for line in &invoice.lines {
        text(history.code_of(line).sku.as_str());
        text(history.described(line).map_or("", Title::as_str));
        text(&format!("{} × {:?}", line.quantity, history.price_of(line).decimal));
    }
    hash.finalize().to_vec()
}
