//! The configuration: flags before `BYTESHOP_*` variables before `byteshop.toml` before defaults, with all mistakes told at once.

mod address;
mod kind;
mod mistake;
mod outside;
mod reader;
mod setting;
mod settings;
mod show;
mod source;
mod trade;

use std::fmt;

pub use address::OperationsAddress;
pub use kind::{Files, LogFormat};
pub use mistake::{Mistake, Mistakes};
pub use outside::{OutsideConfig, ProviderConfig};
pub use reader::Inputs;
use reader::Reader;
pub use settings::Config;
pub use show::{InForce, Row, Shown, hide_password};
pub use source::Source;

impl Config {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// All mistakes, not only the first.
    pub fn load(inputs: &Inputs) -> Result<Self, Mistakes> {
        let mut reader = Reader::gather(settings::ALL, inputs);
        let config = Self::read(&mut reader);
        reader.check_outside();
        reader.check_paypal();
        match config {
            Some(config) if reader.mistakes.is_empty() => Ok(Self { in_force: reader.in_force, ..config }),
            Some(_) | None => Err(Mistakes(reader.mistakes)),
        }
    }

    /// Warnings that operators must see before the shop sells.
    pub fn warnings(&self) -> Vec<String> {
        let unsent = || self.outside().warning().map(str::to_owned);
        let open = (!self.dev).then(|| self.connected_warnings().into_iter().chain(unsent()));
        self.trade().warnings().chain(open.into_iter().flatten()).collect()
    }

    /// Every setting with its value and where it comes from; secrets are hidden.
    pub fn in_force(&self) -> &[InForce] {
        &self.in_force
    }
}

impl fmt::Debug for Config {
    /// Shows no secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("in_force", &self.in_force).finish_non_exhaustive()
    }
}

impl Shown {
    /// The settings of this process.
    pub fn of(config: &Config) -> Self {
        let settings = config.in_force().iter().map(Row::of).collect();
        Self { pid: std::process::id(), settings, warnings: config.warnings() }
    }
}

#[cfg(test)]
mod tests;
