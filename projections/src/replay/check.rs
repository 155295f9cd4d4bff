//! The check: a view is rebuilt beside itself and compared row by row at the same position.

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::build::Build;
use super::shadow;
use super::task::{Difference, Report, Setup};
use crate::engine::declared::Declared;
use crate::error::Error;

/// Differences that are shown one by one.
const SHOWN: usize = 20;

/// A row as it is compared: key, text, position.
type Stored = (String, String, i64);

pub(super) async fn check_in(
    view: Declared,
    setup: Setup<'_>,
    connection: &mut PgConnection,
    name: &str,
) -> Result<Report, Error> {
    let log = setup.log;
    // The live view moves on; this transaction keeps seeing it as it is now, position and rows alike.
    let mut live = log.options().clone().connect().await?;
    let mut live = live.begin_with("begin isolation level repeatable read read only").await?;
    let position: i64 = sqlx::query_scalar("select coalesce(max(position), 0) from read.checkpoint where view = $1")
        .bind(view.name)
        .fetch_one(&mut *live)
        .await?;
    // Holds the table, so that nothing can be put in its place before it is read.
    shadow::count_in(&mut live, view.name).await?;
    let head = log.head().await?;
    if position > head {
        return Err(Error::BeyondHead { position, head });
    }
    shadow::create_in(connection, view.name, name).await?;
    let mut build = Build::new(view, setup, name);
    build.advance(connection, position, setup.progress).await?;
    build.flush(connection).await?;
    let rows = shadow::count_in(connection, name).await?;
    let (different, differences) = compare(&mut live, view.name, connection, name).await?;
    live.rollback().await?;
    Ok(Report { different, differences, ..Report::of(view.name, position, rows) })
}

/// Walks through both tables in the order of their keys.
async fn compare(
    live: &mut PgConnection,
    view: &str,
    connection: &mut PgConnection,
    name: &str,
) -> Result<(i64, Vec<Difference>), Error> {
    let all = |table: &str| {
        AssertSqlSafe(format!("select key, row::text, position from read.{table} order by key collate \"C\""))
    };
    let mut live = sqlx::query_as::<_, Stored>(all(view)).fetch(live);
    let mut rebuilt = sqlx::query_as::<_, Stored>(all(name)).fetch(connection);
    let (mut count, mut shown) = (0, Vec::new());
    let (mut ours, mut theirs) = (live.try_next().await?, rebuilt.try_next().await?);
    loop {
        let order = match (&ours, &theirs) {
            (None, None) => return Ok((count, shown)),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(ours), Some(theirs)) => ours.0.as_bytes().cmp(theirs.0.as_bytes()),
        };
        if order.is_eq() && ours == theirs {
            (ours, theirs) = (live.try_next().await?, rebuilt.try_next().await?);
            continue;
        }
        // The side that lacks the key is not moved on.
        let left = if order.is_le() { ours.take() } else { None };
        let right = if order.is_ge() { theirs.take() } else { None };
        count += 1;
        if shown.len() < SHOWN {
            let key = left.as_ref().or(right.as_ref()).map(|row| row.0.clone()).unwrap_or_default();
            let text = |row: Option<Stored>| row.map(|(_, text, position)| format!("{text} @{position}"));
            shown.push(Difference { key, live: text(left), rebuilt: text(right) });
        }
        if ours.is_none() && order.is_le() {
            ours = live.try_next().await?;
        }
        if theirs.is_none() && order.is_ge() {
            theirs = rebuilt.try_next().await?;
        }
    }
}
