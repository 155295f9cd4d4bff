//! The use cases of the shop, by context: each is decided and appended as a whole, or not at all.
//!
//! Those on orders after checkout, on payments and on parcels are in [`aftersales`](crate::aftersales), `pay`, `settle` and
//! [`shipping`](crate::shipping).

pub mod accounts;
pub mod cart_total;
pub mod carts;
pub mod categories;
pub mod checkout;
pub(crate) mod documents;
pub mod offers;
pub mod price;
pub mod products;
pub mod promotions;
