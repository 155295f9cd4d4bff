//! Integration tests: real Postgres, real NATS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]

mod commands;
mod log;
mod projections;
mod servers;
