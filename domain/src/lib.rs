//! The rules of the shop: pure, and independent of all other crates of the project.
//!
//! Read [`decider`] first, then [`money`], [`text`], [`personal`] and [`ids`], then a context such as [`order`], then [`work`], [`settlement`],
//! [`parcels`], [`aftersales`], [`checkout`] and [`process`]. [`any`] holds the list of contexts.

pub mod access_token;
pub mod account;
pub mod address;
pub mod aftersales;
pub mod any;
pub mod api_key;
pub mod balance;
pub mod basis_points;
pub mod bounded;
pub mod cart;
pub mod category;
pub mod checkout;
pub mod codec;
pub mod commission;
pub mod commission_book;
pub mod credit_note;
pub mod currency;
pub mod decider;
pub mod digital_delivery;
pub mod digital_good;
pub mod dispute;
pub mod download;
pub mod gift_card_delivery;
pub mod ids;
pub mod issuer;
pub mod key_delivery;
pub mod key_pool;
pub mod ledger;
pub mod licence;
pub mod locale;
pub mod mailbox;
pub mod money;
pub mod name;
pub mod notification;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod order;
pub mod parcels;
pub mod payment;
pub mod payment_book;
pub mod payment_provider;
pub mod payout;
pub mod payout_account;
pub mod payout_file;
pub mod personal;
pub mod pricing;
pub mod process;
pub mod product;
pub mod promotion;
pub mod promotion_book;
pub mod quantity;
mod reads;
pub mod reconciliation;
pub mod rejected;
pub mod rejection;
pub mod returns;
pub mod seller;
pub mod series;
pub mod session;
pub mod settlement;
pub mod shipment;
pub mod shipping_book;
pub mod shop;
pub mod stock;
pub mod stored_value;
pub mod subscribers;
pub mod tax_book;
pub mod tax_rate;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod text;
pub mod usage;
pub mod watch;
pub mod webhook_endpoint;
pub mod work;

pub use any::{
    AGGREGATES, Aggregate, AnyEvent, Folding, Form, begin, catalogue, event_types, id_of, locate, state_json,
};
pub use bounded::{Bounded, BoundedText};
pub use currency::Currency;
pub use decider::{Actor, Asked, Decider, Event, Kind, Rejection, Upcast, fold};
pub use locale::Locale;
pub use personal::{Personal, Subject};
pub use reads::Reads;
