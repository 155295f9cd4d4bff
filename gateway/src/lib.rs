//! Every way into the shop, and the servers it runs on.

pub mod access;
pub mod actor;
pub mod api_key;
pub mod cli;
pub mod config;
pub mod disposable;
pub mod ended;
pub mod http;
pub mod idempotency;
pub mod key_file;
pub mod limits;
pub mod outside;
pub mod page;
pub mod password;
pub mod pictures;
pub mod problem;
pub mod proxies;
pub mod refresh_token;
pub mod reply;
pub mod serve;
pub mod servers;
pub mod shop;
pub mod telemetry;
pub mod token;
pub mod trade;
pub mod version;
