//! Integration tests: real Postgres, real NATS.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]
#![allow(clippy::disallowed_methods, reason = "tests wait for what they spawn")]
#![allow(
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_wrap,
    reason = "what a test does not expect, it panics about"
)]

mod appender;
mod audit;
mod bank_files;
#[path = "../browser/mod.rs"]
mod browser;
mod catalog;
mod commands;
mod compose;
mod delivery;
mod grpc;
mod http;
mod import;
mod log;
mod notifications;
mod operations;
mod paypal_sandbox;
mod pricing;
mod projections;
mod readiness;
mod restore;
mod roles;
mod rotation;
mod servers;
mod tour;
mod trail;
mod views;
mod webhooks;
