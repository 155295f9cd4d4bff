//! The views: what the shop answers questions from, folded from the log and kept in Postgres (schema `read`).
//!
//! Read [`engine`], then a view such as [`order_list`], then [`replay`]; [`Views`] is the handle to all of them.

pub mod account_list;
pub mod api_key_list;
pub mod assigned_keys;
pub mod category_list;
pub mod dispute_list;
pub mod engine;
mod error;
pub mod key_pool_list;
pub mod ledger;
pub mod notification_list;
#[cfg(feature = "openapi")]
mod openapi;
pub mod order_email;
pub mod order_list;
pub mod page;
pub mod part_list;
pub mod payout_file_list;
pub mod payout_list;
pub mod product_list;
pub mod promotion_list;
pub mod purchase_list;
mod registry;
pub mod replay;
pub mod return_list;
mod roles;
pub mod sales;
pub mod seller_list;
pub mod stock_level;
pub mod stored_value_list;
#[cfg(test)]
mod testing;
mod text;
mod views;

pub use engine::checkpoint::{State, Status};
pub use engine::{Key, Keys, View};
pub use error::Error;
pub use page::Page;
pub use views::{Registered, Views};
