//! The address that a process listens on for operators.

use std::net::SocketAddr;

use super::reader::Reader;
use super::kind;

/// Where operators reach a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperationsAddress {
    /// The address.
    pub address: SocketAddr,
    /// Whether the configuration names it. If not, several processes on one machine want the same, and all but the first
    /// take another port.
    pub is_chosen: bool,
}

impl Reader {
    /// Reads it; nothing when it cannot be used.
    pub(super) fn operations(&mut self) -> Option<OperationsAddress> {
        let is_chosen = self.given.contains_key("operations_address");
        let address = self.read("operations_address", None, kind::socket_address)?;
        Some(OperationsAddress { address, is_chosen })
    }
}
