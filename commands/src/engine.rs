//! How commands are executed: loaded states, decisions, one append for all of them, and group commit.
//!
//! Read `execute` for how a command is executed, `unit` for what a command may do, [`appender`] for group commit.

pub mod appender;
pub(crate) mod batched_reads;
pub(crate) mod cache;
pub(crate) mod commit_handle;
pub(crate) mod error;
pub(crate) mod execute;
pub(crate) mod in_flight;
pub mod intent;
pub(crate) mod looks;
pub(crate) mod recent;
pub(crate) mod state;
pub(crate) mod together;
pub(crate) mod unit;
