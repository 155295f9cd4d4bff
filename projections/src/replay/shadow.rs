//! The table beside a view's: made like it, indexed like it, and put in its place.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::build::Build;
use super::task::execute;
use crate::engine::checkpoint;
use crate::engine::declared::Declared;
use crate::error::Error;

/// Events that may be left for the moment in which the view is locked: some milliseconds of work.
const LEFT_FOR_THE_SWAP: i64 = 500;
/// How long the swap waits for readers before it lets those behind it pass: they would wait just as long.
const LOCK_TIMEOUT_MS: u32 = 200;
/// How often the swap is tried.
const TRIES: u32 = 50;
/// How long it waits in between.
const PAUSE: Duration = Duration::from_millis(100);

/// The name of a table beside a view's.
pub(super) fn beside(view: &str, kind: &str) -> String {
    format!("{view}__{kind}")
}

/// Makes an empty table like the view's, without its indexes.
pub(super) async fn create_in(connection: &mut PgConnection, view: &str, name: &str) -> Result<(), Error> {
    drop_in(connection, name).await?;
    execute(connection, format!("create table read.{name} (like read.{view} including all excluding indexes)")).await
}

pub(super) async fn drop_in(connection: &mut PgConnection, name: &str) -> Result<(), Error> {
    execute(connection, format!("drop table if exists read.{name}")).await
}

pub(super) async fn count_in(connection: &mut PgConnection, name: &str) -> Result<i64, Error> {
    let statement = format!("select count(*) from read.{name}");
    Ok(sqlx::query_scalar(AssertSqlSafe(statement)).fetch_one(connection).await?)
}

/// The indexes of a view's table: name, definition, whether it is the primary key.
async fn indexes_of(connection: &mut PgConnection, view: &str) -> Result<Vec<(String, String, bool)>, Error> {
    Ok(sqlx::query_as(
        "select c.relname::text, pg_get_indexdef(i.indexrelid), i.indisprimary
         from pg_index i join pg_class c on c.oid = i.indexrelid
         where i.indrelid = ('read.' || $1)::regclass order by c.relname",
    )
    .bind(view)
    .fetch_all(connection)
    .await?)
}

fn shadow_index(index: &str, name: &str) -> String {
    format!("{name}_{:08x}", crc(index))
}

/// A short stand-in for an index's name, which with the table's name would grow beyond the 63 bytes that Postgres keeps.
fn crc(text: &str) -> u32 {
    // FNV-1a (RFC 9923, 32 bits).
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Creates the indexes of the view's table on the shadow table.
pub(super) async fn index_in(connection: &mut PgConnection, view: &str, name: &str) -> Result<(), Error> {
    execute(connection, format!("drop index if exists read.{name}_early")).await?;
    for (index, definition, is_primary) in indexes_of(connection, view).await? {
        let other = shadow_index(&index, name);
        let definition = definition.replacen(
            &format!(" INDEX {index} ON read.{view} "),
            &format!(" INDEX {other} ON read.{name} "),
            1,
        );
        execute(connection, definition).await?;
        if is_primary {
            let statement = format!("alter table read.{name} add constraint {other} primary key using index {other}");
            execute(connection, statement).await?;
        }
    }
    execute(connection, format!("analyze read.{name}")).await
}

/// Replaces the view's table with the shadow table, once it has caught up and no reader blocks it; returns the
/// position.
pub(super) async fn swap_in(connection: &mut PgConnection, build: &mut Build, name: &str) -> Result<i64, Error> {
    for _ in 0..TRIES {
        loop {
            let head = build.head().await?;
            let left = head - build.position;
            build.advance(connection, head, &|_| {}).await?;
            build.flush(connection).await?;
            if left <= LEFT_FOR_THE_SWAP {
                break;
            }
        }
        match try_swap(connection, build, name).await {
            Ok(true) => return Ok(build.position),
            Ok(false) => {}
            Err(error) if error.is_lock_timeout() => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error),
        }
    }
    Err(Error::InUse { view: build.view.name })
}

/// The swap itself; false when the view has moved too far ahead meanwhile.
async fn try_swap(connection: &mut PgConnection, build: &mut Build, name: &str) -> Result<bool, Error> {
    let Declared { name: view, version, .. } = build.view;
    let head = build.head().await?;
    let mut transaction = connection.begin().await?;
    execute(&mut transaction, format!("set local lock_timeout = {LOCK_TIMEOUT_MS}")).await?;
    execute(&mut transaction, format!("lock table read.{view} in access exclusive mode")).await?;
    // The view stops here. A reader that has seen its position must not see an earlier one after the swap.
    let live: i64 = sqlx::query_scalar("select coalesce(max(position), 0) from read.checkpoint where view = $1")
        .bind(view)
        .fetch_one(&mut *transaction)
        .await?;
    // A view of another history may stand beyond the end of this one.
    let target = live.min(head.max(build.head().await?));
    if target - build.position > LEFT_FOR_THE_SWAP {
        transaction.rollback().await?;
        return Ok(false);
    }
    if target > build.position {
        build.advance(&mut transaction, target, &|_| {}).await?;
        build.flush(&mut transaction).await?;
    }
    let indexes = indexes_of(&mut transaction, view).await?;
    execute(&mut transaction, format!("drop table read.{view}; alter table read.{name} rename to {view}")).await?;
    for (index, _, _) in indexes {
        let statement = format!("alter index read.{} rename to {index}", shadow_index(&index, name));
        execute(&mut transaction, statement).await?;
    }
    let leaf = build.leaf().await?;
    checkpoint::replace(&mut *transaction, view, version, build.position, leaf.as_deref()).await?;
    transaction.commit().await?;
    Ok(true)
}
