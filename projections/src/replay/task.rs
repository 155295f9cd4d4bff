//! What a replay works with, how far it is, and what it comes to.

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

/// What is told of the progress now and then.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// What a replay came to.
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
    /// What a replay came to that compared nothing.
    pub(super) fn of(view: &'static str, position: i64, rows: i64) -> Self {
        Self { view, position, rows, table: None, different: 0, differences: Vec::new() }
    }
}

/// A row that the live view has otherwise than the rebuilt one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The row's key.
    pub key: String,
    /// What the live view has, if anything.
    pub live: Option<String>,
    /// What the log gives, if anything.
    pub rebuilt: Option<String>,
}

/// What a replay works with.
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
