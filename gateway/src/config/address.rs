//! The address that a process listens on for operators.

use super::settings::Config;
use super::source::Source;

/// Where operators reach a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationsAddress {
    /// The address, or a host name, with a port.
    pub address: String,
    /// Whether the configuration names it. If not, several processes on one machine want the same, and all but the first
    /// take another port.
    pub is_chosen: bool,
}

impl Config {
    /// Where operators reach the process.
    pub fn operations(&self) -> OperationsAddress {
        let is_chosen = !matches!(self.source("operations_address"), Some(Source::Default) | None);
        OperationsAddress { address: self.operations_address.clone(), is_chosen }
    }

    /// Whether the data directory was named on the command line, which then finds the shop before the URLs do.
    pub fn data_by_flag(&self) -> bool {
        matches!(self.source("data"), Some(Source::Flag(_)))
    }

    /// Where the value of a setting comes from.
    fn source(&self, name: &str) -> Option<&Source> {
        self.in_force.iter().find(|setting| setting.name == name).map(|setting| &setting.source)
    }
}
