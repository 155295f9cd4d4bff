//! Real orders of the past: a retailer's transaction export becomes products, orders, losses and credit notes in the log.
//!
//! ```text
//! file ─▶ row ─▶ history ─▶ returns, opening ─▶ plan (the same deciders) ─▶ appender (group commit)
//!          └─ rejects: line, reason, text
//! ```
//!
//! - Every line is imported or rejected, once, and the parts come to the sum of the file: [`Report`] checks both.
//! - A document is one append with its receipt, so a killed import continues where it stopped, and a second
//!   one appends nothing. The names of the codes say which products are there.
//! - It holds the text of the file, some 60 bytes per line, the stock and product of each code, and the orders from
//!   which something comes back: some 210 MB for half a million lines.
//! - An export names neither currency nor time zone: prices are read as pounds, moments as UTC.
//!
//! Read [`history`](History), then `plan`, then `run`.

mod book;
mod draft;
mod file;
mod history;
mod opening;
mod plan;
mod price;
mod receipt;
mod report;
mod returns;
mod row;
mod run;

pub use draft::WHO;
pub use file::{BYTES_MAX, Export, FileError};
pub use history::History;
pub use report::{Rejected, Report, Tally, Total};
pub use row::COLUMNS;
pub use run::Pace;

use byteshop_domain::ids::VariantId;

use crate::Commands;
use crate::engine::error::Error;

/// The variant that a stock code becomes.
pub fn variant_of(code: &str) -> VariantId {
    book::id_of(code)
}

impl Commands {
    /// Imports a history; `progress` is told how many of its lines are settled.
    ///
    /// # Errors
    /// [`Error::Store`] when the log is not available: imported documents stay, and importing again continues from there.
    /// [`Error::Contended`] when others write the same streams without end.
    pub async fn import(
        &self,
        history: History,
        pace: Pace,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Report, Error> {
        run::run(self, history, pace, progress).await
    }
}
