//! The database as a whole: made when the server does not have it yet.

use sqlx::Postgres;
use sqlx::migrate::MigrateDatabase as _;

use crate::StoreError;

/// Makes the database that the URL names, empty, when the server does not have it.
///
/// # Errors
/// [`StoreError::Postgres`] when the server cannot be reached, or the role of the URL may not make databases.
pub async fn create_when_missing(url: &str) -> Result<(), StoreError> {
    if !Postgres::database_exists(url).await? {
        Postgres::create_database(url).await?;
    }
    Ok(())
}
