//! Replay: a view is built again from the log, beside itself and while it is served, then swapped, checked or kept (I6).
//!
//! Memory is bounded by `build::ROWS_IN_MEMORY` rows, `build::PAGES_AHEAD` pages of the log and a fixed filter,
//! however long the log and however many the rows. A replay that dies leaves a table beside the view, which the next
//! replay or worker of that view drops. Two replays of one view at once are refused.

pub(crate) mod build;
mod check;
mod seen;
mod shadow;
pub(crate) mod task;

use byteshop_eventstore::Log;
use chrono::{DateTime, Utc};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnection;

use crate::engine::declared::Declared;
use crate::error::Error;
use build::Build;

use task::Setup;
pub use task::{Difference, OnProgress, Progress, Report};

/// The purpose of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// Rebuild the view, and put the new rows in place of the old ones.
    Rebuild,
    /// Rebuild it beside, and compare row by row at the position of the live one, which moves on meanwhile.
    Check,
    /// Build it beside as it was at a moment, into the table `read.<view>__until`, which stays until the next time.
    Until(Until),
}

/// A moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// After the event at this position.
    Position(i64),
    /// After everything that was recorded up to this moment.
    Time(DateTime<Utc>),
}

/// Rebuilds a view and swaps the new rows in.
pub(crate) async fn rebuild(view: Declared, setup: Setup<'_>) -> Result<Report, Error> {
    let mut connection = lock(setup.log, view.name).await?;
    let name = shadow::beside(view.name, "shadow");
    let outcome = rebuild_in(view, setup, &mut connection, &name).await;
    if outcome.is_err() {
        shadow::drop_in(&mut connection, &name).await?;
    }
    outcome
}

async fn rebuild_in(
    view: Declared,
    setup: Setup<'_>,
    connection: &mut PgConnection,
    name: &str,
) -> Result<Report, Error> {
    shadow::create_in(connection, view.name, name).await?;
    let mut build = Build::new(view, setup, name);
    let target = setup.log.head().await?;
    build.advance(connection, target, setup.progress).await?;
    build.flush(connection).await?;
    shadow::index_in(connection, view.name, name).await?;
    build.table_is_indexed();
    let position = shadow::swap_in(connection, &mut build, name).await?;
    Ok(Report::of(view.name, position, shadow::count_in(connection, view.name).await?))
}

/// Rebuilds a view beside the live one up to its position, and compares.
pub(crate) async fn check(view: Declared, setup: Setup<'_>) -> Result<Report, Error> {
    let mut connection = lock(setup.log, view.name).await?;
    let name = shadow::beside(view.name, "check");
    let outcome = check::check_in(view, setup, &mut connection, &name).await;
    shadow::drop_in(&mut connection, &name).await?;
    outcome
}

/// Builds a view beside the live one as it was at a moment.
pub(crate) async fn until(view: Declared, setup: Setup<'_>, until: Until) -> Result<Report, Error> {
    let head = setup.log.head().await?;
    let position = match until {
        Until::Position(position) if position > head => return Err(Error::BeyondHead { position, head }),
        Until::Position(position) => position,
        Until::Time(moment) => setup.log.position_at(moment).await?,
    };
    let mut connection = lock(setup.log, view.name).await?;
    let name = shadow::beside(view.name, "until");
    shadow::create_in(&mut connection, view.name, &name).await?;
    let mut build = Build::new(view, setup, &name);
    build.advance(&mut connection, position, setup.progress).await?;
    build.flush(&mut connection).await?;
    shadow::index_in(&mut connection, view.name, &name).await?;
    let rows = shadow::count_in(&mut connection, &name).await?;
    Ok(Report { table: Some(format!("read.{name}")), ..Report::of(view.name, position, rows) })
}

/// The table that a replay up to a moment has left of this view, if there is one.
pub(crate) async fn leftover(log: &Log, view: &str) -> Result<Option<String>, Error> {
    let name = shadow::beside(view, "until");
    let there: bool =
        sqlx::query_scalar("select to_regclass('read.' || $1) is not null").bind(&name).fetch_one(log.pool()).await?;
    Ok(there.then(|| format!("read.{name}")))
}

/// Drops the table that a replay up to a moment has left of this view.
pub(crate) async fn drop_leftover(log: &Log, view: &'static str) -> Result<(), Error> {
    let mut connection = lock(log, view).await?;
    shadow::drop_in(&mut connection, &shadow::beside(view, "until")).await
}

/// Drops what a replay that died has left.
pub(crate) async fn sweep(log: &Log, view: &'static str) -> Result<(), Error> {
    let names = ["shadow", "check"].map(|kind| shadow::beside(view, kind));
    let left: bool = sqlx::query_scalar(
        "select exists (select from unnest($1::text[]) n where to_regclass('read.' || n) is not null)",
    )
    .bind(names.as_slice())
    .fetch_one(log.pool())
    .await?;
    if !left {
        return Ok(());
    }
    match lock(log, view).await {
        Ok(mut connection) => {
            for name in &names {
                shadow::drop_in(&mut connection, name).await?;
            }
            Ok(())
        }
        // It is not left but in use.
        Err(Error::Busy { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A connection that may replay the view, until it is dropped.
async fn lock(log: &Log, view: &'static str) -> Result<PgConnection, Error> {
    // What a crash takes is built again, so nothing here has to wait for the disk.
    let options = log.options().clone().options([("synchronous_commit", "off")]);
    let mut connection = options.connect().await?;
    let locked: bool = sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended('byteshop replay ' || $1, 0))")
        .bind(view)
        .fetch_one(&mut connection)
        .await?;
    if locked { Ok(connection) } else { Err(Error::Busy { view }) }
}
