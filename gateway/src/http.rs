//! HTTP: every route under `/v1`, behind the [edge](crate::edge).
//!
//! Read an area such as [`carts`], then [`openapi`].

pub mod accounts;
pub mod admin;
pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod bulk;
pub mod carts;
pub mod categories;
mod dev_mail;
mod guide;
mod identity;
pub mod images;
pub mod keys;
pub mod language;
mod ledger;
pub mod matrix;
pub mod me;
mod mode;
pub mod notifications;
pub mod openapi;
pub mod operations;
pub mod order_keys;
pub mod orders;
pub(crate) mod pages;
mod payment_methods;
mod payments;
pub mod print;
pub mod products;
pub mod promotions;
pub mod provider;
mod receipts;
pub mod returns;
pub mod search;
pub mod second_factor;
pub mod sellers;
pub mod sessions;
pub mod shipments;
pub mod shipping;
pub mod show;
pub mod stock;
pub mod story;
pub mod tax;
pub mod unsubscribe;
pub mod variants;
pub mod webhooks_out;
