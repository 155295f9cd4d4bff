//! What the shop knows and decides: pure, and dependent on nothing of ours.
//!
//! Read [`decider`] first, then [`money`] and [`ids`], then a context such as [`order`], then [`process`].

pub mod codec;
pub mod decider;
pub mod ids;
pub mod money;
#[cfg(test)]
mod testing;

pub use decider::{Actor, Asked, Decider, Event, Kind, Rejection, Upcast, fold};
pub use iso_currency::Currency;
