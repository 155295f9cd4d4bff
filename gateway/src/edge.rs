//! The layers around every handler: the caller and their permissions, limits, and the form of responses.
//!
//! Read [`layer`] for the order of the layers, [`actor`] for the caller, [`ask`] for how a request becomes a command.

pub mod access;
pub mod actor;
pub mod ask;
pub(crate) mod attachment;
pub mod body;
pub(crate) mod by_link;
pub(crate) mod caching;
pub mod compressed;
pub mod conditional;
pub mod contract;
pub mod cors;
pub(crate) mod fresh;
pub(crate) mod guard;
pub mod headers;
pub mod idempotency;
pub mod layer;
pub mod limits;
pub mod lists;
pub(crate) mod local;
pub(crate) mod measures;
pub mod page;
pub mod parameters;
pub mod past;
pub mod positions;
pub mod problem;
pub mod proxies;
pub mod reply;
pub mod request;
mod shown_positions;
pub(crate) mod total;
pub mod trail;
pub mod values;
pub mod version;
