//! Prints comma-separated values.

use std::io::Write as _;

use super::failure::Failure;
use super::output::Out;
use crate::spreadsheet;

pub(super) use crate::spreadsheet::{harmless, time};

/// Writes a row.
pub(super) fn row<const N: usize>(out: &mut Out, fields: &[&str; N]) -> Result<(), Failure> {
    Ok(out.write_all(&spreadsheet::row(fields)?)?)
}
