//! Shared statements of the workers of a process: they take turns at the same moments, and read and write with one
//! statement each, hence one round trip and one transaction for all views.
//!
//! The views stay independent of each other: each has its own checkpoint, which moves by compare-and-swap, and a
//! statement that fails is repeated for each view on its own, so that only the view at fault stops.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Postgres};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::Key;
use super::checkpoint::{ADVANCE, Move};
use super::table::{Changes, Found, Table};
use crate::error::Error;

/// The least time between two turns: under load it makes one transaction of many, which saves most of their cost.
const PACE: Duration = Duration::from_millis(16);
/// For how long workers join a turn after it has begun.
const JOIN: Duration = Duration::from_millis(5);
/// How long a checkpoint may stay behind the position in memory when no row has changed. Views that are behind are saved together.
const LAZY: Duration = Duration::from_millis(100);
/// How long the first rows to load wait for those of other views.
const LINGER: Duration = Duration::from_millis(1);
/// How long the first write of a turn waits for the others: long enough for views that load rows before.
const GATHER: Duration = Duration::from_millis(4);
/// The number of the first parameter of [`write`] behind those of the checkpoints.
const FIRST_OF_ROWS: usize = 8;
/// Requests that wait: a worker has one at a time.
const QUEUE: usize = 64;

/// Rows that a worker looks for.
struct Load {
    table: Table,
    keys: Vec<Key>,
    answer: oneshot::Sender<Result<Found, Error>>,
}

/// A write of a worker.
struct Write {
    table: Table,
    step: Move,
    changes: Changes,
    answer: oneshot::Sender<Result<bool, Error>>,
}

/// The state that the workers of a process share.
#[derive(Debug)]
pub(crate) struct Together {
    turn: Mutex<Turn>,
    /// When the views that are ahead of their checkpoints are saved.
    save_at: Mutex<Instant>,
    loads: mpsc::Sender<Load>,
    writes: mpsc::Sender<Write>,
    /// Ends the tasks when the last worker has ended.
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Turn {
    number: u64,
    began: Option<Instant>,
}

impl Together {
    /// Starts the tasks that read and write.
    pub fn start(pool: PgPool) -> Self {
        let ((loads, to_load), (writes, to_write)) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        let mut tasks = JoinSet::new();
        tasks.spawn(load_all(pool.clone(), to_load));
        tasks.spawn(write_all(pool, to_write));
        Self { turn: Mutex::default(), save_at: Mutex::new(Instant::now()), loads, writes, _tasks: tasks }
    }

    /// Waits for a turn after the one that the worker `had`.
    pub async fn next_turn(&self, had: &mut u64) {
        while let Err(at) = self.take_turn(had) {
            sleep_until(at).await;
        }
    }

    /// Joins the turn that began just now, or begins one; otherwise returns the time of the next turn.
    fn take_turn(&self, had: &mut u64) -> Result<(), Instant> {
        // The turn is whole after every call, whatever panicked elsewhere.
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match turn.began {
            Some(began) if turn.number != *had && now < began + JOIN => {}
            Some(began) if now < began + PACE => return Err(began + PACE),
            Some(_) | None => *turn = Turn { number: turn.number + 1, began: Some(now) },
        }
        *had = turn.number;
        Ok(())
    }

    /// When a view that is ahead of its checkpoint is to be saved: at the same moment as the others.
    pub fn next_save(&self) -> Instant {
        let mut save_at = self.save_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if *save_at <= now {
            *save_at = now + LAZY;
        }
        *save_at
    }

    /// Reads rows of a view's table.
    pub async fn load(&self, table: &Table, keys: Vec<Key>) -> Result<Found, Error> {
        let (answer, found) = oneshot::channel();
        let load = Load { table: table.clone(), keys, answer };
        self.loads.send(load).await.map_err(|_| ended())?;
        found.await.map_err(|_| ended())?
    }

    /// Moves a checkpoint and rows, or nothing: false when the checkpoint is no longer where it was, or the log is another one.
    pub async fn write(&self, table: &Table, step: Move, changes: Changes) -> Result<bool, Error> {
        let (answer, moved) = oneshot::channel();
        let write = Write { table: table.clone(), step, changes, answer };
        self.writes.send(write).await.map_err(|_| ended())?;
        moved.await.map_err(|_| ended())?
    }
}

/// The tasks end with the process only, or by a panic.
fn ended() -> Error {
    sqlx::Error::WorkerCrashed.into()
}

/// The next request, and those that come within a time.
async fn next_of<T>(queue: &mut mpsc::Receiver<T>, within: Duration) -> Option<Vec<T>> {
    let mut all = vec![queue.recv().await?];
    sleep(within).await;
    while let Ok(next) = queue.try_recv() {
        all.push(next);
    }
    Some(all)
}

/// The connection of one task, which it keeps: the pool checks a connection when it is returned, which costs a second round trip.
struct OwnConnection {
    pool: PgPool,
    kept: Option<PoolConnection<Postgres>>,
}

impl OwnConnection {
    fn of(pool: PgPool) -> Self {
        Self { pool, kept: None }
    }

    /// The connection, or another one when the last statement failed.
    async fn take(&mut self) -> Result<PoolConnection<Postgres>, Error> {
        match self.kept.take() {
            Some(connection) => Ok(connection),
            None => Ok(self.pool.acquire().await?),
        }
    }
}

async fn load_all(pool: PgPool, mut queue: mpsc::Receiver<Load>) {
    let mut own = OwnConnection::of(pool.clone());
    while let Some(loads) = next_of(&mut queue, LINGER).await {
        let found = match load_on(&mut own, &loads).await {
            Ok(found) => found.into_iter().map(Ok).collect(),
            Err(error) if loads.len() == 1 => vec![Err(error)],
            Err(_) => join_all(loads.iter().map(|one| load_one(&pool, one))).await,
        };
        for (load, found) in loads.into_iter().zip(found) {
            // A worker that was cancelled waits for nothing.
            let _ = load.answer.send(found);
        }
    }
}

async fn load_on(own: &mut OwnConnection, loads: &[Load]) -> Result<Vec<Found>, Error> {
    let mut connection = own.take().await?;
    let found = load(&mut connection, loads).await?;
    own.kept = Some(connection);
    Ok(found)
}

async fn load_one(pool: &PgPool, one: &Load) -> Result<Found, Error> {
    let mut connection = pool.acquire().await?;
    Ok(load(&mut connection, std::slice::from_ref(one)).await?.swap_remove(0))
}

/// Loads the rows for some requests in one statement.
async fn load(connection: &mut PgConnection, loads: &[Load]) -> Result<Vec<Found>, Error> {
    let parts: Vec<String> = loads.iter().enumerate().map(|(at, load)| load.table.find(at, at + 1)).collect();
    let mut statement = sqlx::query_as::<_, (i32, Key, String, i64)>(AssertSqlSafe(parts.join(" union all ")));
    for load in loads {
        statement = statement.bind(&load.keys);
    }
    let mut found = vec![Found::new(); loads.len()];
    for (at, key, row, position) in statement.fetch_all(connection).await? {
        let rows = usize::try_from(at).ok().and_then(|at| found.get_mut(at));
        rows.expect("the statement numbers the requests").push((key, row, position));
    }
    Ok(found)
}

async fn write_all(pool: PgPool, mut queue: mpsc::Receiver<Write>) {
    let mut own = OwnConnection::of(pool.clone());
    while let Some(mut writes) = next_of(&mut queue, GATHER).await {
        // Two processes that move the same checkpoints lock them in the same order.
        writes.sort_by_key(|write| write.step.view);
        let moved = match write_on(&mut own, &writes).await {
            Ok(moved) => writes.iter().map(|write| Ok(moved.contains(write.step.view))).collect(),
            Err(error) if writes.len() == 1 => vec![Err(error)],
            Err(_) => join_all(writes.iter().map(|one| write_one(&pool, one))).await,
        };
        for (write, moved) in writes.into_iter().zip(moved) {
            // A worker that was cancelled reads the state again.
            let _ = write.answer.send(moved);
        }
    }
}

async fn write_on(own: &mut OwnConnection, writes: &[Write]) -> Result<HashSet<String>, Error> {
    let mut connection = own.take().await?;
    let moved = write(&mut connection, writes).await?;
    own.kept = Some(connection);
    Ok(moved)
}

async fn write_one(pool: &PgPool, one: &Write) -> Result<bool, Error> {
    let mut connection = pool.acquire().await?;
    Ok(!write(&mut connection, std::slice::from_ref(one)).await?.is_empty())
}

/// Moves checkpoints, and the rows of each that moves; gives the views that moved. One statement, hence one transaction: rows
/// move only when the checkpoint does.
async fn write(connection: &mut PgConnection, writes: &[Write]) -> Result<HashSet<String>, Error> {
    let mut text = format!("with moved as ({ADVANCE})");
    let mut next = FIRST_OF_ROWS;
    for Write { table, changes, .. } in writes {
        if !changes.keys.is_empty() {
            text.push_str(&table.put_if_moved(next));
            next += 3;
        }
        if !changes.gone.is_empty() {
            text.push_str(&table.remove_if_moved(next));
            next += 1;
        }
    }
    text.push_str(" select view from moved");
    let column = |of: fn(&Move) -> i64| writes.iter().map(|write| of(&write.step)).collect::<Vec<i64>>();
    let mut statement = sqlx::query_scalar::<_, String>(AssertSqlSafe(text))
        .bind(writes.iter().map(|write| write.step.view).collect::<Vec<_>>())
        .bind(writes.iter().map(|write| write.step.version).collect::<Vec<_>>())
        .bind(column(|step| step.epoch))
        .bind(column(|step| step.from))
        .bind(column(|step| step.to))
        .bind(writes.iter().map(|write| write.step.leaf.as_slice()).collect::<Vec<_>>())
        .bind(column(|step| step.rate));
    for Write { changes, .. } in writes {
        if !changes.keys.is_empty() {
            statement = statement.bind(&changes.keys).bind(&changes.rows).bind(&changes.positions);
        }
        if !changes.gone.is_empty() {
            statement = statement.bind(&changes.gone);
        }
    }
    Ok(statement.fetch_all(connection).await?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together() -> Together {
        Together::start(PgPool::connect_lazy("postgres://127.0.0.1:1/none").unwrap())
    }

    fn begin(together: &Together, ago: Duration) {
        together.turn.lock().unwrap().began = Instant::now().checked_sub(ago);
    }

    #[tokio::test]
    async fn workers_join_a_turn_that_began_just_now_once_each() {
        let (together, mut one, mut other, mut late) = (together(), 0, 0, 0);
        together.take_turn(&mut one).unwrap();
        together.take_turn(&mut other).unwrap();
        assert_eq!((one, other), (1, 1));
        assert!(together.take_turn(&mut one).is_err(), "it had this turn");
        begin(&together, JOIN + Duration::from_millis(1));
        assert!(together.take_turn(&mut late).is_err(), "the turn is under way");
    }

    #[tokio::test]
    async fn the_next_turn_begins_when_the_pace_allows_it() {
        let (together, mut one) = (together(), 0);
        together.take_turn(&mut one).unwrap();
        let at = together.take_turn(&mut one).unwrap_err();
        assert_eq!(Some(at), together.turn.lock().unwrap().began.map(|began| began + PACE));
        begin(&together, PACE);
        together.take_turn(&mut one).unwrap();
        assert_eq!(one, 2);
    }

    #[tokio::test]
    async fn requests_that_come_together_are_answered_together() {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        for number in 1..=3 {
            sender.send(number).await.unwrap();
        }
        assert_eq!(next_of(&mut queue, LINGER).await, Some(vec![1, 2, 3]));
        drop(sender);
        assert_eq!(next_of(&mut queue, LINGER).await, None::<Vec<i32>>);
    }
}
