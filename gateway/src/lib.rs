//! Every way into the shop, and the servers it runs on.

pub mod actor;
pub mod cli;
pub mod config;
pub mod http;
pub mod idempotency;
pub mod key_file;
pub mod limits;
pub mod problem;
pub mod reply;
pub mod serve;
pub mod servers;
pub mod shop;
pub mod telemetry;
pub mod token;
pub mod version;
