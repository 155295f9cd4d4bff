//! Errors between the program and the log.

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
    /// A stored JSON text cannot be read.
    #[error("stored JSON cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// Personal data could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] crate::personal::SealError),
}

impl StoreError {
    /// Whether the statement may have taken effect although it failed: the connection was lost under way.
    pub fn outcome_is_unknown(&self) -> bool {
        match self {
            // Postgres answered with an error: the transaction was rolled back. (Class 57: the server is going down,
            // which can strike after the commit was written.)
            Self::Postgres(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code.starts_with("57")),
            Self::Postgres(_) => true,
            Self::Unavailable(_) | Self::Migrate(_) | Self::Unreadable { .. } | Self::Json(_) | Self::Seal(_) => false,
        }
    }

    /// Whether Postgres is away. One place of each process notices that and logs it once, so everybody else who fails for it
    /// says nothing.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Postgres(error) => is_outage(error),
            Self::Unavailable(_) => true,
            Self::Migrate(_) | Self::Unreadable { .. } | Self::Json(_) | Self::Seal(_) => false,
        }
    }
}

/// Whether an error says that Postgres is away, and not that it refused a statement.
pub fn is_outage(error: &sqlx::Error) -> bool {
    if let sqlx::Error::Database(error) = error {
        // Classes 08 (connection exception), 53 (too few resources) and 57 (shutting down or starting up), and 55000: it
        // accepts no connections to this database.
        let code = error.code().unwrap_or_default();
        return ["08", "53", "57"].iter().any(|class| code.starts_with(class)) || code == "55000";
    }
    matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    )
}

/// Remembers the current trouble, so that a caller that retries many times a second logs it once.
#[derive(Debug, Default)]
pub struct Trouble(Option<String>);

impl Trouble {
    /// Notes a failure; true when it is another one than the last.
    pub fn is_news(&mut self, error: &impl std::fmt::Display) -> bool {
        let text = error.to_string();
        let is_news = self.0.as_ref() != Some(&text);
        self.0 = Some(text);
        is_news
    }

    /// Notes that all is well; true when it was not before.
    pub fn is_over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// Advice for when Postgres does not answer.
pub const AWAY: &str = "check that Postgres is running and that BYTESHOP_DATABASE_URL points to it";

/// Advice for operators about an error that comes from Postgres, however deeply nested.
pub fn advice(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<sqlx::Error>() {
            return advice_on(error);
        }
        next = error.source();
    }
    None
}

fn advice_on(error: &sqlx::Error) -> Option<&'static str> {
    if matches!(error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) {
        return Some(AWAY);
    }
    let code = error.as_database_error()?.code()?;
    // SQLSTATE 42P01 undefined table, 42883 undefined function, 3F000 undefined schema.
    if ["42P01", "42883", "3F000"].contains(&code.as_ref()) {
        return Some("run `byteshop migrate` to migrate the database");
    }
    // Class 28 invalid authorization. Postgres does not say whether the role is missing or the password wrong.
    if code.starts_with("28") {
        return Some(
            "check the user and the password in BYTESHOP_DATABASE_URL; for a new shop, `byteshop migrate` creates the \
            role with the owner's URL in BYTESHOP_MIGRATION_DATABASE_URL",
        );
    }
    // 3D000 undefined database.
    (code == "3D000").then_some("check the user, the password and the database in BYTESHOP_DATABASE_URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_way_is_news_once() {
        let mut trouble = Trouble::default();
        assert!(!trouble.is_over());
        assert_eq!(["a", "a", "b", "b", "a"].map(|text| trouble.is_news(&text)), [true, false, true, false, true]);
        assert!(trouble.is_over() && !trouble.is_over());
        assert!(trouble.is_news(&"a"));
    }

    #[test]
    fn a_lost_connection_is_an_outage_and_a_refused_statement_is_none() {
        let lost = sqlx::Error::Io(std::io::ErrorKind::ConnectionRefused.into());
        assert!(StoreError::Postgres(lost).is_outage() && StoreError::Unavailable(String::new()).is_outage());
        assert!(!StoreError::Postgres(sqlx::Error::RowNotFound).is_outage());
    }
}
