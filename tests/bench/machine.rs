//! What the figures were measured on: the machine, and a Postgres of our own that keeps what it acknowledges.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use byteshop_eventstore::Log;
use byteshop_gateway::servers::Servers;
use byteshop_projections::Views;
use byteshop_tests::servers::options;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;

/// A Postgres on a new directory, with fsync and `synchronous_commit` on.
pub struct Private {
    servers: Servers,
    // Removed after the servers have stopped, since it is dropped after them.
    _data: TempDir,
}

impl Private {
    /// Starts it, and says which one it is.
    pub async fn start() -> Result<Self> {
        let data = directory()?;
        let servers = Servers::start(data.path(), options()).await?;
        let private = Self { servers, _data: data };
        let durable: String =
            sqlx::query_scalar("select current_setting('fsync') || ' ' || current_setting('synchronous_commit')")
                .fetch_one(&mut PgConnection::connect(private.servers.migration_url()).await?)
                .await?;
        anyhow::ensure!(durable == "on on", "this Postgres does not keep what it acknowledges: {durable}");
        Ok(private)
    }

    /// Which servers there are.
    pub fn versions(&self) -> String {
        let versions = self.servers.versions();
        let or_unknown = |version: &Option<String>| version.clone().unwrap_or_else(|| "unknown".into());
        format!("Postgres {}, nats-server {}", or_unknown(&versions.postgres), or_unknown(&versions.nats))
    }

    /// A new database with both schemas, and its URL.
    pub async fn database(&self, name: &str) -> Result<(Log, String)> {
        let url = self.servers.migration_url();
        let mut connection = PgConnection::connect(url).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut connection).await?;
        let (server, _) = url.rsplit_once('/').context("the URL ends with /database")?;
        let url = format!("{server}/{name}");
        let log = Log::open(&url)?;
        log.migrate().await?;
        Views::beside(log.clone()).migrate().await?;
        Ok((log, url))
    }

    /// Stops it.
    pub async fn stop(self) {
        self.servers.stop().await;
    }
}

/// A new directory that the unprivileged user of the servers can walk into; removed when dropped.
pub fn directory() -> Result<TempDir> {
    let open = std::fs::Permissions::from_mode(0o755);
    Ok(tempfile::Builder::new().prefix("byteshop-bench-").permissions(open).tempdir()?)
}

/// The machine in one line: processors, memory, system.
pub fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = read("/proc/meminfo");
    let kilobytes: u64 = memory.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or_default();
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{cores} × {}, {} GB, Linux {}, load before the run {}",
        model.unwrap_or("processor"),
        kilobytes >> 20,
        kernel.trim(),
        load.split_whitespace().next().unwrap_or("unknown")
    )
}
