//! `byteshop completions`: what a shell needs to complete our command line.

use std::io::Write as _;

use clap::CommandFactory as _;

use super::failure::Failure;
use super::{Cli, output};

pub(super) fn run(shell: clap_complete::Shell) -> Result<(), Failure> {
    // Written to memory first: the generator panics when its reader leaves.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "byteshop", &mut script);
    let mut out = output::out();
    out.write_all(&script)?;
    Ok(out.flush()?)
}
