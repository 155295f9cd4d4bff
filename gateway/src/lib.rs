//! Every way into the shop, and the servers it runs on.

pub mod actor;
pub mod http;
pub mod idempotency;
pub mod limits;
pub mod problem;
pub mod reply;
pub mod servers;
pub mod token;
pub mod version;
