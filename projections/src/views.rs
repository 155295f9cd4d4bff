//! The handle to all views: where they stand, waiting for one, running them, rebuilding them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Log, PoolUse};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::engine::View;
use crate::engine::checkpoint::{self, Status};
use crate::engine::declared::Declared;
use crate::engine::lease::{self, Lease};
use crate::engine::together::Together;
use crate::engine::worker::{self, Context, Tail};
use crate::error::Error;
use crate::product_list::Catalog;
use crate::replay::build::ROWS_IN_MEMORY;
use crate::replay::task::Setup;
use crate::replay::{self, OnProgress, Replay, Report};

/// The migrations of schema `read`, in order.
const MIGRATIONS: &[(&str, &str)] = byteshop_eventstore::migrations![
    "0001_checkpoint",
    "0002_order_list",
    "0003_category_list",
    "0004_stock_level",
    "0005_product_list",
    "0006_sales",
    "0007_order_number",
    "0012_promotion_list",
    "0020_account_list",
    "0021_api_key_list",
    "0030_notification_list",
    "0050_catalog",
    "0060_product_words",
    "0070_order_invoice",
    "0071_order_email",
    "0072_order_fulfilment",
    "0073_order_refund_failed",
    "0074_return_list",
    "0080_words_in_memory",
    "0090_names",
    "0100_ledger",
    "0101_order_refunds_to_settle",
    "0102_seller_list",
    "0103_purchase_list",
    "0104_key_pool_list",
    "0105_part_list",
    "0110_assigned_keys",
    "0120_ledger_sellers",
    "0130_payout_list",
    "0140_stored_value_list",
    "0141_payout_file_list",
    "0142_ledger_parties",
    "0150_order_invoices",
    "0151_dispute_list",
    "0155_promotion_seller",
];

/// How long a caller waits for a free connection before it gets an error that the views are busy.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections for questions.
const ASKING: u32 = 16;
/// Connections for the workers, which read and write together: two are kept by the tasks that do it.
const WORKING: u32 = 6;
/// How often the checkpoint is read while a query waits for a view that another process runs.
const POLL: Duration = Duration::from_millis(10);

/// The views of one shop.
#[derive(Debug, Clone)]
pub struct Views {
    inner: Arc<Inner>,
    /// The public address of the API; empty if it is not set.
    api: Arc<str>,
}

#[derive(Debug)]
struct Inner {
    log: Log,
    asking: PgPool,
    working: PgPool,
    views: Vec<Registered>,
    tails: HashMap<&'static str, Arc<Tail>>,
    catalog: Catalog,
}

impl Views {
    /// Other views than the shop's, beside a log.
    pub fn of(log: Log, views: Vec<Registered>) -> Self {
        // A view and its checkpoint are derived from the log together: when a crash takes the last of them, they are
        // derived again, so a view never waits for the disk.
        let options = log.options().clone().options([("synchronous_commit", "off")]);
        let pool = |connections| PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT);
        let asking = pool(ASKING).connect_lazy_with(options.clone());
        // A worker tries again whatever fails, so it need not ask each time whether the connection still lives.
        let working = pool(WORKING).test_before_acquire(false).connect_lazy_with(options);
        let tails = views.iter().map(|view| (view.name(), Arc::new(Tail::new()))).collect();
        let inner = Inner { log, asking, working, views, tails, catalog: Catalog::default() };
        Self { inner: Arc::new(inner), api: Arc::default() }
    }

    /// These views for a process that shows images at the public address of the API.
    pub fn for_api_at(self, address: &str) -> Self {
        Self { api: address.into(), ..self }
    }

    /// Brings schema `read` up to date; schema `log` comes first.
    pub async fn migrate(&self) -> Result<(), Error> {
        sqlx::raw_sql("create schema if not exists read").execute(&self.inner.asking).await?;
        let mut connection = self.inner.asking.acquire().await?;
        sqlx::query("set search_path to read, public").execute(&mut *connection).await?;
        let outcome = byteshop_eventstore::row::migrator(MIGRATIONS).run(&mut *connection).await;
        sqlx::query("reset search_path").execute(&mut *connection).await?;
        Ok(outcome?)
    }

    /// The names of all views.
    pub fn names(&self) -> Vec<&'static str> {
        self.inner.views.iter().map(Registered::name).collect()
    }

    /// Where every view stands.
    pub async fn status(&self) -> Result<Vec<Status>, Error> {
        let head = self.inner.log.head().await?;
        let views: Vec<_> = self.inner.views.iter().map(|view| (view.name(), view.0.version)).collect();
        checkpoint::status(&self.inner.asking, &views, head).await
    }

    /// Waits until a view has everything up to a position; false when it has not in time.
    pub async fn wait(&self, view: &str, position: i64, patience: Duration) -> Result<bool, Error> {
        let tail = self.tail(view)?;
        let deadline = Instant::now() + patience;
        let mut here = tail.position.subscribe();
        loop {
            let wait = if tail.leads.load(Ordering::Acquire) {
                // The worker may lose its lease meanwhile, so the table is looked at now and then all the same.
                let pause = Duration::from_millis(200).min(deadline.saturating_duration_since(Instant::now()));
                matches!(timeout(pause, here.wait_for(|now| *now >= position)).await, Ok(Ok(_)))
            } else {
                checkpoint::position(&self.inner.asking, view).await? >= position
            };
            if wait {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            if !tail.leads.load(Ordering::Acquire) {
                sleep(POLL).await;
            }
        }
    }

    /// A row as it is stored: JSON text.
    pub async fn row(&self, view: &str, key: &str) -> Result<Option<String>, Error> {
        let statement = format!("select row::text from read.{} where key = $1", self.find(view)?.name());
        Ok(sqlx::query_scalar(AssertSqlSafe(statement)).bind(key).fetch_optional(self.pool()).await?)
    }

    /// Lets a parked view try again; false when it was not parked.
    pub async fn unpark(&self, view: &str) -> Result<bool, Error> {
        checkpoint::unpark(&self.inner.asking, self.find(view)?.name()).await
    }

    /// The table that a replay up to a moment has left of a view, if there is one.
    pub async fn leftover(&self, view: &str) -> Result<Option<String>, Error> {
        replay::leftover(&self.inner.log, self.find(view)?.name()).await
    }

    /// Drops the table that a replay up to a moment has left of a view.
    pub async fn drop_leftover(&self, view: &str) -> Result<(), Error> {
        replay::drop_leftover(&self.inner.log, self.find(view)?.name()).await
    }

    /// Rebuilds, checks or dates back one view.
    pub async fn replay(&self, view: &str, what: Replay, progress: OnProgress<'_>) -> Result<Report, Error> {
        self.replay_within(view, what, ROWS_IN_MEMORY, progress).await
    }

    /// The same with another bound on the rows in memory.
    pub async fn replay_within(
        &self,
        view: &str,
        what: Replay,
        rows_in_memory: usize,
        progress: OnProgress<'_>,
    ) -> Result<Report, Error> {
        let view = self.find(view)?.0;
        let setup = Setup { log: &self.inner.log, rows_in_memory, progress };
        match what {
            Replay::Rebuild => replay::rebuild(view, setup).await,
            Replay::Check => replay::check(view, setup).await,
            Replay::Until(until) => replay::until(view, setup, until).await,
        }
    }

    /// Runs some views, or all when none is named, whenever no other process does, until cancelled.
    pub async fn run(&self, feed: Feed, names: &[String], cancel: CancellationToken) -> Result<(), Error> {
        let chosen = match names {
            [] => self.inner.views.iter().collect::<Vec<_>>(),
            names => names.iter().map(|name| self.find(name)).collect::<Result<_, _>>()?,
        };
        let mut leases = Vec::new();
        let mut tasks = JoinSet::new();
        let (log, pool) = (&self.inner.log, &self.inner.working);
        let together = Arc::new(Together::start(pool.clone()));
        for view in chosen {
            let (lease, held) = Lease::new(view.name());
            leases.push(lease);
            let tail = Arc::clone(self.tail(view.name())?);
            let together = Arc::clone(&together);
            let context = Context { view: view.0, log: log.clone(), pool: pool.clone(), tail, together };
            tasks.spawn(worker::run(context, feed.clone(), held, cancel.clone()));
        }
        lease::keep(&self.inner.log, &leases, &cancel).await;
        // They end by themselves when cancelled; dropping the set ends them at the latest.
        while tasks.join_next().await.is_some() {}
        Ok(())
    }

    /// How the pools are used just now.
    pub fn pool_use(&self) -> Vec<PoolUse> {
        let Inner { asking, working, .. } = &*self.inner;
        vec![PoolUse::of("views", asking), PoolUse::of("view_workers", working)]
    }

    /// The pool for questions.
    pub(crate) fn pool(&self) -> &PgPool {
        &self.inner.asking
    }

    /// The public address of the API, at which images are shown; empty if it is not set.
    pub(crate) fn api(&self) -> &str {
        &self.api
    }

    /// The product index.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    fn find(&self, name: &str) -> Result<&Registered, Error> {
        self.inner
            .views
            .iter()
            .find(|view| view.name() == name)
            .ok_or_else(|| Error::Unknown { name: name.chars().take(64).collect(), known: self.names().join(", ") })
    }

    fn tail(&self, name: &str) -> Result<&Arc<Tail>, Error> {
        self.find(name).map(|view| &self.inner.tails[view.name()])
    }
}

/// A view by its name, without its types.
#[derive(Clone, Copy)]
pub struct Registered(Declared);

impl Registered {
    /// This view.
    pub fn of<V: View>() -> Self {
        Self(Declared::of::<V>())
    }

    fn name(&self) -> &'static str {
        self.0.name
    }

    #[cfg(test)]
    pub(crate) fn declared(&self) -> (&'static str, &'static [byteshop_domain::Reads]) {
        (self.0.name, self.0.reads)
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
