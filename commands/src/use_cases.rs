//! What can be done in the shop, by context: each use case is decided whole and appended whole, or not at all.

pub mod access_tokens;
pub mod accounts;
pub mod api_keys;
pub mod cart_total;
pub mod carts;
pub mod categories;
pub mod checkout;
pub(crate) mod documents;
pub mod keys;
pub mod notifications;
pub mod offers;
pub mod orders;
pub mod payments;
pub mod price;
pub mod products;
pub mod promotions;
pub mod returns;
mod settlement;
pub mod shipments;
pub mod shipping_book;
pub mod shop;
pub mod stock;
pub mod tax_book;
pub mod watches;
pub mod webhook_endpoints;
