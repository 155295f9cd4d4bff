//! Lists: pages of views, and the position that a view must have reached to answer.

use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use byteshop_commands::Error;
use byteshop_projections::page::{Ask, FILE_MAX};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::time::Instant;

use crate::app::App;
use crate::edge::problem::Problem;
use crate::edge::values::{Limit, said};
use crate::edge::{reply, version};
use crate::spreadsheet::row;

/// How long a query waits for its views: longer than a view ever lags while it works, shorter than a person waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Which page is asked for.
pub(crate) fn ask(limit: Option<Limit>, cursor: Option<String>) -> Ask {
    Ask { limit: limit.map(Limit::get), cursor, ..Ask::default() }
}

/// A cursor of another list, or of the same list with other filters or in another order.
fn bad_cursor() -> Problem {
    let detail =
        "the cursor does not belong to this list with these filters: leave it out to start with the first page";
    Problem::query("cursor", detail)
}

/// Writes a list that is made here.
pub fn page(list: &impl Serialize) -> Result<Response, Problem> {
    Ok(reply::json(serde_json::to_string(list).map_err(Error::from)?))
}

/// Writes a list as a file of comma-separated values, with a header; refused if the list has more than what is there.
pub fn file<R, const N: usize>(
    name: &str,
    columns: &[&str; N],
    rows: &[R],
    is_all: bool,
    fields: impl Fn(&R) -> [String; N],
) -> Result<Response, Problem> {
    if !is_all {
        let detail = format!("a file has at most {FILE_MAX} entries: choose a shorter period with `from` and `until`");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "list.too_long", detail));
    }
    let failed = |error: std::io::Error| {
        tracing::error!(%error, name, "a list cannot be written");
        Problem::internal()
    };
    let mut text = row(columns).map_err(failed)?;
    for fields in rows.iter().map(fields) {
        text.extend(row(&fields.each_ref().map(String::as_str)).map_err(failed)?);
    }
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or_else(|_| HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, text).into_response())
}

impl App {
    /// Waits until views have the position that the caller asks for.
    pub async fn await_views(&self, views: &[&str], headers: &HeaderMap) -> Result<(), Problem> {
        let Some(position) = version::min_log_position(headers)? else { return Ok(()) };
        self.await_log(headers).await?;
        self.await_views_at(views, position).await
    }

    /// Waits until views have read what is in the log now: for a command about what they list.
    pub(crate) async fn await_views_now(&self, views: &[&str]) -> Result<(), Problem> {
        let position = self.commands.log().head().await.map_err(Error::from)?;
        self.await_views_at(views, position).await
    }

    async fn await_views_at(&self, views: &[&str], position: i64) -> Result<(), Problem> {
        let deadline = Instant::now() + PATIENCE;
        for view in views {
            let patience = deadline.saturating_duration_since(Instant::now());
            if !self.views.wait(view, position, patience).await? {
                return Err(Problem::not_caught_up());
            }
        }
        Ok(())
    }
}

impl From<byteshop_projections::Error> for Problem {
    fn from(error: byteshop_projections::Error) -> Self {
        use byteshop_projections::Error;
        match error {
            Error::Cursor => bad_cursor(),
            Error::Filter { ref attribute, ref reason } => Self::query(attribute, said(attribute, reason)),
            Error::Store(_)
            | Error::Postgres(_)
            | Error::Migrate(_)
            | Error::Unknown { .. }
            | Error::Busy { .. }
            | Error::Unfoldable { .. }
            | Error::Row { .. }
            | Error::Newer { .. }
            | Error::InUse { .. }
            | Error::BeyondHead { .. } => {
                if !error.is_outage() {
                    tracing::error!(%error, "a view failed");
                }
                Self::unavailable("the views are unavailable")
            }
        }
    }
}
