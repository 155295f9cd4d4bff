//! What the tests share: servers of their own, and patience with a limit.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

pub mod authority;
pub mod browser;
pub mod checker;
pub mod contract;
pub mod past;
pub mod patience;
pub mod payouts;
pub mod paypal;
pub mod people;
pub mod program;
pub mod proxy;
pub mod random;
pub mod receiver;
pub mod secrets;
pub mod sellers;
pub mod servers;
pub mod shop;
pub mod smtp;
pub mod write_side;
