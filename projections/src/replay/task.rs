//! The parameters, the progress and the result of a replay.

use byteshop_eventstore::Log;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::error::Error;

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Events behind it.
    pub done: i64,
    /// Events that there are for it.
    pub total: i64,
}

/// A callback for the progress.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// The view.
    pub view: &'static str,
    /// The position at which it stands.
    pub position: i64,
    /// The rows that it has.
    pub rows: i64,
    /// The table with the rows of `--until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// How many rows the live view has otherwise than the rebuilt one.
    pub different: i64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl Report {
    /// The result of a replay without a comparison.
    pub(super) fn of(view: &'static str, position: i64, rows: i64) -> Self {
        Self { view, position, rows, table: None, different: 0, differences: Vec::new() }
    }
}

/// A row that the live view has otherwise than the rebuilt one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The row's key.
    pub key: String,
    /// The row of the live view, if there is one.
    pub live: Option<String>,
    /// The rebuilt row, if there is one.
    pub rebuilt: Option<String>,
}

/// The dependencies of a replay.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub log: &'a Log,
    /// See `build::ROWS_IN_MEMORY`.
    pub rows_in_memory: usize,
    pub progress: OnProgress<'a>,
}

/// Runs a statement that has the name of a table in it; names come from constants only.
pub(super) async fn execute(connection: &mut PgConnection, statement: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}
