//! Errors between a query and a view, and between the log and a view.

use byteshop_eventstore::StoreError;

/// A view could not be asked, moved or rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Postgres did not answer, or answered with an error.
    #[error("the views are not available: {0}")]
    Postgres(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the views cannot be migrated: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// There is no view of this name.
    #[error("there is no view {name}; the views are {known}")]
    Unknown {
        /// The requested name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// Another program rebuilds or checks the view right now.
    #[error("{view} is being replayed by another program: wait until that is done")]
    Busy {
        /// The view.
        view: &'static str,
    },
    /// The view cannot read or fold an event.
    #[error("{view} stopped at position {position}: {reason}")]
    Unfoldable {
        /// The view.
        view: &'static str,
        /// Where the event stands.
        position: i64,
        /// The reason.
        reason: String,
    },
    /// A stored row is not what the view writes.
    #[error("{view} cannot read its row {key}: {reason}")]
    Row {
        /// The view.
        view: &'static str,
        /// The row's key.
        key: String,
        /// The reason.
        reason: String,
    },
    /// The view was built by a newer program.
    #[error("{view} has version {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// The view.
        view: &'static str,
        /// The version of its rows.
        found: i32,
        /// The version that is known here.
        known: i32,
    },
    /// Readers kept the table, so that the new one could not take its place.
    #[error("{view} was rebuilt, but its table is in use: try again")]
    InUse {
        /// The view.
        view: &'static str,
    },
    /// The log ends before the position that was asked for.
    #[error("the log ends at {head}, before {position}")]
    BeyondHead {
        /// The requested position.
        position: i64,
        /// Where the log ends.
        head: i64,
    },
    /// A filter by an attribute that can only be a slip.
    #[error("{reason}")]
    Filter {
        /// The name of the attribute.
        attribute: String,
        /// The reason.
        reason: String,
    },
    /// A cursor of another list, or of the same list with other filters or in another order.
    #[error("the cursor does not belong to this list with these filters")]
    Cursor,
}

impl Error {
    /// Whether Postgres is away ([`StoreError::is_outage`]).
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Store(error) => error.is_outage(),
            Self::Postgres(error) => byteshop_eventstore::is_outage(error),
            Self::Migrate(_)
            | Self::Unknown { .. }
            | Self::Busy { .. }
            | Self::Unfoldable { .. }
            | Self::Row { .. }
            | Self::Newer { .. }
            | Self::InUse { .. }
            | Self::BeyondHead { .. }
            | Self::Filter { .. }
            | Self::Cursor => false,
        }
    }

    /// Whether the data is to blame, so that trying again cannot help.
    pub(crate) fn is_of_data(&self) -> bool {
        match self {
            // SQLSTATE classes 22 data exception, 23 integrity constraint, 54 program limit exceeded.
            Self::Postgres(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)))
            }
            Self::Row { .. } | Self::Unfoldable { .. } => true,
            Self::Store(_)
            | Self::Postgres(_)
            | Self::Migrate(_)
            | Self::Unknown { .. }
            | Self::Busy { .. }
            | Self::Newer { .. }
            | Self::InUse { .. }
            | Self::BeyondHead { .. }
            | Self::Filter { .. }
            | Self::Cursor => false,
        }
    }

    /// Whether a statement gave up waiting for a lock (SQLSTATE 55P03).
    pub(crate) fn is_lock_timeout(&self) -> bool {
        matches!(self, Self::Postgres(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "55P03"))
    }
}
