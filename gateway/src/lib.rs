//! Every way into the shop, and the servers it runs on.

pub mod servers;
