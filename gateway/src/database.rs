//! The database of a shop, brought up to date: its schemas, and the role that serves on them.

use byteshop_eventstore::Log;
use byteshop_projections::{Error, Views};

/// As the owner of the database: brings both schemas up to date and lets the role of `serving_url` serve.
///
/// Doing so again changes nothing. A database whose one role did everything gets its serving role this way.
///
/// # Errors
/// When Postgres cannot be reached, or the owner may not do so.
pub async fn migrate(owner_url: &str, serving_url: &str) -> Result<(), Error> {
    let log = Log::open(owner_url)?;
    let _turn = log.turn_to_migrate().await?;
    // The views' schema looks into the log's, so the log comes first.
    log.migrate().await?;
    let views = Views::beside(log.clone());
    views.migrate().await?;
    if let Some(role) = log.admit(serving_url).await? {
        views.give_to(&role).await?;
    }
    Ok(())
}
