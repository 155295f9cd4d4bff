//! What can go wrong between the program and the log.

/// The log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres did not answer, or answered with an error.
    #[error("the event store is not available: {0}")]
    Postgres(#[from] sqlx::Error),
    /// Postgres stayed away; whether the append was written is not known.
    #[error("the event store is not available: {0}")]
    Unavailable(String),
    /// The schema could not be brought up to date.
    #[error("the event store cannot be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A stored event cannot be read.
    #[error("position {position}: {source}")]
    Unreadable {
        /// Where it stands.
        position: i64,
        /// Why.
        source: byteshop_domain::codec::CodecError,
    },
    /// A stored JSON text of ours cannot be read.
    #[error("stored JSON cannot be read: {0}")]
    Json(#[from] serde_json::Error),
}

impl StoreError {
    /// Whether the statement may have taken effect although it failed: the connection was lost under way.
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            // Postgres answered with an error: the transaction was rolled back. (Class 57: the server is going down,
            // which can strike after the commit was written.)
            Self::Postgres(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code.starts_with("57")),
            Self::Postgres(_) => true,
            Self::Unavailable(_) | Self::Migrate(_) | Self::Unreadable { .. } | Self::Json(_) => false,
        }
    }
}
