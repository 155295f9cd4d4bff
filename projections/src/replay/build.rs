//! Building a view's rows into a table beside it: pages of the log in, COPY out, a bounded number of rows in memory.

use byteshop_domain::Reads;
use byteshop_eventstore::{Log, Recorded, StoreError};
use sqlx::postgres::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::seen::Seen;
use super::task::{OnProgress, Progress, Setup, execute};
use crate::engine::declared::Declared;
use crate::engine::fold::{Folding, Leaving};
use crate::engine::table::{Changes, Table};
use crate::error::Error;

/// Rows that are held in memory at most, plus those of one page; with rows of 1 KB about 200 MB.
pub(crate) const ROWS_IN_MEMORY: usize = 200_000;
/// Positions in a page of the log: some megabytes of events.
const PAGE: i64 = 5_000;
/// Pages that are read ahead while one is folded.
pub(crate) const PAGES_AHEAD: usize = 2;

/// The rows of a view on their way into a table.
pub(super) struct Build {
    pub view: Declared,
    log: Log,
    name: String,
    table: Table,
    rows: Box<dyn Folding>,
    /// Keys of rows that have left memory.
    seen: Seen,
    is_indexed: bool,
    /// The position that the rows stand at.
    pub position: i64,
}

/// A page of the log: the events of the view's categories up to a position.
struct Page {
    events: Vec<Recorded>,
    upto: i64,
}

impl Build {
    pub fn new(view: Declared, setup: Setup<'_>, name: &str) -> Self {
        Self {
            view,
            log: setup.log.clone(),
            name: name.to_owned(),
            table: Table::named(view.name, name),
            rows: view.rows((setup.rows_in_memory / 2).max(1)),
            seen: Seen::none(),
            is_indexed: false,
            position: 0,
        }
    }

    /// Folds everything up to a position.
    pub async fn advance(
        &mut self,
        connection: &mut PgConnection,
        target: i64,
        progress: OnProgress<'_>,
    ) -> Result<(), Error> {
        let (sender, mut pages) = mpsc::channel(PAGES_AHEAD);
        let mut reader = JoinSet::new();
        reader.spawn(read_ahead(self.log.clone(), Reads::categories(self.view.reads), (self.position, target), sender));
        while self.position < target {
            // The reader ends early only by a panic.
            let page = pages.recv().await.unwrap_or_else(|| Err(sqlx::Error::WorkerCrashed.into()));
            let Page { events, upto } = page?;
            self.fold(connection, &events).await?;
            self.position = upto;
            progress(Progress { done: upto, total: target });
        }
        Ok(())
    }

    async fn fold(&mut self, connection: &mut PgConnection, events: &[Recorded]) -> Result<(), Error> {
        let events: Vec<&Recorded> = events.iter().collect();
        self.rows.read(&events)?;
        if let Some(leaving) = self.rows.rotate() {
            self.write(connection, leaving).await?;
        }
        self.load(connection).await?;
        self.rows.fold(&events)
    }

    /// Brings back rows that had left memory and are touched again.
    async fn load(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let mut missing = self.rows.missing();
        missing.retain(|key| self.seen.may_contain(key));
        if missing.is_empty() {
            return Ok(());
        }
        self.need_index(connection).await?;
        let found = self.table.load(connection, &missing).await?;
        self.rows.insert(missing, found)
    }

    /// Rows can be found and replaced by their key only with an index, which costs every COPY, so it comes when needed.
    async fn need_index(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        if !self.is_indexed {
            execute(connection, format!("create unique index {0}_early on read.{0} (key)", self.name)).await?;
            self.is_indexed = true;
        }
        Ok(())
    }

    /// Where the log ends.
    pub async fn head(&self) -> Result<i64, Error> {
        Ok(self.log.head().await?)
    }

    /// The leaf hash at the position of the rows.
    pub async fn leaf(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.log.leaf_at(self.position).await?)
    }

    /// The table has its index of keys now.
    pub fn table_is_indexed(&mut self) {
        self.is_indexed = true;
    }

    /// Writes everything in memory to the table.
    pub async fn flush(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let rows = self.rows.drain();
        self.write(connection, rows).await
    }

    async fn write(&mut self, connection: &mut PgConnection, rows: Leaving) -> Result<(), Error> {
        let mut changes = Changes::default();
        let mut fresh = rows
            .filter_map(|left| match left {
                Ok(left) if left.stored => {
                    changes.push(left);
                    None
                }
                Ok(left) => left.row.is_some().then(|| {
                    self.seen.insert(&left.key);
                    Ok(left)
                }),
                Err(error) => Some(Err(error)),
            })
            .peekable();
        if fresh.peek().is_some() {
            self.table.copy_in(connection, &mut fresh).await?;
        }
        drop(fresh);
        if !changes.is_empty() {
            self.need_index(connection).await?;
            self.table.write_in(connection, &changes).await?;
        }
        Ok(())
    }
}

/// Reads pages ahead of the fold.
async fn read_ahead(
    log: Log,
    categories: Vec<&'static str>,
    (mut position, target): (i64, i64),
    pages: mpsc::Sender<Result<Page, StoreError>>,
) {
    while position < target {
        let upto = (position + PAGE).min(target);
        let page = log.read_range(position, upto, &categories).await.map(|events| Page { events, upto });
        let failed = page.is_err();
        // The one who folds may have given up.
        if pages.send(page).await.is_err() || failed {
            return;
        }
        position = upto;
    }
}
