//! Where the value of a setting comes from.

use std::fmt;
use std::path::PathBuf;

/// The prefix of all environment variables of the shop.
pub(super) const PREFIX: &str = "BYTESHOP_";

/// Where a value comes from; the later of these wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The default.
    Default,
    /// A default that development has of its own.
    Dev,
    /// The file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// The command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Dev => f.write_str("default of dev"),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}
