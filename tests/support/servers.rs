//! One Postgres and one nats-server per test program, thrown away with it; one database per test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use byteshop_gateway::servers::{Options, Servers};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// The servers of this test program. They end with it, however it ends.
#[derive(Debug)]
pub struct TestServers {
    /// A database that is always there, as its owner, for making others.
    pub database_url: String,
    /// The same as the role that serves.
    serving_url: String,
    /// The nats-server; tests beside each other use stream prefixes of their own.
    pub nats_url: String,
    _servers: Servers,
}

/// The servers of this test program, started when first asked for.
///
/// # Panics
/// When they cannot be started; the message says why.
pub async fn shared() -> &'static TestServers {
    static SHARED: OnceCell<TestServers> = OnceCell::const_new();
    SHARED
        .get_or_init(|| async {
            let data = fresh_directory();
            let options = Options { throw_away: true, ..options() };
            let servers = Servers::start(&data, options).await.unwrap_or_else(|error| panic!("{error}"));
            TestServers {
                database_url: servers.migration_url().to_owned(),
                serving_url: servers.database_url().to_owned(),
                nats_url: servers.nats_url().to_owned(),
                _servers: servers,
            }
        })
        .await
}

/// What personal data is sealed under in the tests: every process of a test has the same.
pub fn data_keys() -> byteshop_eventstore::DataKeys {
    byteshop_eventstore::DataKeys::new([42; 32], &[])
}

/// The URL of a database for the role that serves, from the one for its owner.
pub async fn serving(owner_url: &str) -> String {
    let (server, _) = shared().await.serving_url.rsplit_once('/').expect("the URL ends with /database");
    let (_, name) = owner_url.rsplit_once('/').expect("the URL ends with /database");
    format!("{server}/{name}")
}

/// Brings a database up to date as its owner, and gives its URL for the role that serves.
///
/// # Panics
/// When Postgres refuses.
pub async fn migrated(owner_url: &str) -> String {
    let serving = serving(owner_url).await;
    byteshop_gateway::database::migrate(owner_url, &serving).await.expect("the owner may migrate");
    serving
}

/// A new, empty database on the shared Postgres, and its URL for its owner.
///
/// # Panics
/// When Postgres refuses.
pub async fn fresh_database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let url = &shared().await.database_url;
    let mut connection = PgConnection::connect(url).await.expect("the shared Postgres takes connections");
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .expect("the role may make databases");
    let (server, _) = url.rsplit_once('/').expect("the URL ends with /database");
    format!("{server}/{name}")
}

/// The servers' places as the environment gives them, so that a run can choose the versions to test with.
pub fn options() -> Options {
    #[expect(clippy::disallowed_methods, reason = "the tests have no configuration but the environment")]
    let place = |name| std::env::var_os(name).map(PathBuf::from);
    Options { pg_bin: place("BYTESHOP_PG_BIN"), nats_server: place("BYTESHOP_NATS_SERVER"), ..Options::default() }
}

/// A new directory for data, which the unprivileged user of the servers can walk into.
///
/// # Panics
/// When the directory for temporary files is not writable.
pub fn fresh_directory() -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o755);
    let made = tempfile::Builder::new().prefix("byteshop-test-").permissions(open).tempdir();
    made.expect("the directory for temporary files is writable").keep()
}
