//! `byteshop migrate`: brings the database up to date.

use std::io::Write as _;

use byteshop_projections::Views;

use super::failure::Failure;
use super::output;
use super::running::Shop;
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let log = Shop::find(config)?.log(config)?;
    // The views' schema looks into the log's, so the log comes first.
    log.migrate().await?;
    Views::beside(log.clone()).migrate().await?;
    let mut out = output::out();
    writeln!(out, "the database is up to date (Postgres {})", log.server_version().await?)?;
    Ok(out.flush()?)
}
