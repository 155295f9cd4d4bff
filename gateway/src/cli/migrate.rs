//! `byteshop migrate`: brings the database up to date.

use std::io::Write as _;

use byteshop_eventstore::Log;

use super::failure::Failure;
use super::output;
use super::running::Shop;
use crate::config::Config;
use crate::database;

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let shop = Shop::find(config)?;
    database::migrate(shop.owner_url(), &shop.database_url).await?;
    let log = shop.log(config)?;
    let mut out = output::out();
    writeln!(out, "the database is up to date (Postgres {})", log.server_version().await?)?;
    if let Some(excess) = log.excess_rights().await? {
        writeln!(out, "{}", advice(&excess))?;
    }
    Ok(out.flush()?)
}

/// Advice for a shop role that could change recorded events.
pub(super) fn advice(excess: &str) -> String {
    format!(
        "{excess}: give the shop a role of its own in BYTESHOP_DATABASE_URL, name the owner in \
         BYTESHOP_MIGRATION_DATABASE_URL and run `byteshop migrate`, which creates that role"
    )
}

/// Brings the database of a command up to date, unless its role may only serve.
pub(super) async fn when_allowed(shop: &Shop, log: &Log) -> Result<(), Failure> {
    if log.may_migrate().await? {
        database::migrate(shop.owner_url(), &shop.database_url).await?;
    }
    Ok(())
}
