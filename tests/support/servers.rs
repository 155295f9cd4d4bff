//! One Postgres and one nats-server per test program, thrown away with it; one database per test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use byteshop_gateway::servers::{Options, Servers};
use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// How the names of databases begin that are copies of the template.
const COPY: &str = "test_";
/// Bytes that must be free in memory for the shared servers to keep their data there: five hundred databases of ten megabytes, and
/// as much again.
const MEMORY: u64 = 12 << 30;

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
            let data = directory_in(&memory().unwrap_or_else(std::env::temp_dir));
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

/// The URL of a database over TCP instead of the socket: for what needs an address, or a password that is checked.
///
/// # Panics
/// When it is no URL of a Postgres of ours.
pub fn over_tcp(url: &str) -> String {
    let (user, place) = url.rsplit_once('@').expect("the URL has a user");
    let (_, port_and_name) = place.rsplit_once(':').expect("the URL has a port");
    format!("{user}@127.0.0.1:{port_and_name}")
}

/// Brings a database up to date as its owner, and gives its URL for the role that serves.
///
/// # Panics
/// When Postgres refuses.
pub async fn migrated(owner_url: &str) -> String {
    let serving = serving(owner_url).await;
    // A copy of the template is up to date already.
    if !owner_url.rsplit('/').next().is_some_and(|name| name.starts_with(COPY)) {
        byteshop_gateway::database::migrate(owner_url, &serving).await.expect("the owner may migrate");
    }
    serving
}

/// A new database on the shared Postgres with both schemas and nothing in them, and its URL for its owner. It is a copy of one
/// that is migrated once: copying takes a fraction of the time.
///
/// # Panics
/// When Postgres refuses.
pub async fn fresh_database() -> String {
    static TEMPLATE: OnceCell<()> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            create_database("template_test", "template0").await;
            let url = url_of("template_test").await;
            byteshop_gateway::database::migrate(&url, &serving(&url).await).await.expect("the owner may migrate");
        })
        .await;
    numbered(COPY, "template_test").await
}

/// A new, empty database on the shared Postgres, and its URL for its owner.
///
/// # Panics
/// When Postgres refuses.
pub async fn empty_database() -> String {
    numbered("empty_", "template0").await
}

async fn numbered(prefix: &str, template: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("{prefix}{}", NEXT.fetch_add(1, Ordering::Relaxed));
    create_database(&name, template).await;
    url_of(&name).await
}

async fn url_of(name: &str) -> String {
    let (server, _) = shared().await.database_url.rsplit_once('/').expect("the URL ends with /database");
    format!("{server}/{name}")
}

async fn create_database(name: &str, template: &str) {
    let url = &shared().await.database_url;
    let mut connection = PgConnection::connect(url).await.expect("the shared Postgres takes connections");
    let statement = format!("create database {name} template {template}");
    // A template is not copied while somebody is connected to it, and a connection that was closed takes a moment to end.
    for attempt in 1.. {
        match sqlx::query(sqlx::AssertSqlSafe(statement.as_str())).execute(&mut connection).await {
            Ok(_) => return,
            Err(error) if attempt < 100 && is_in_use(&error) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("the role may make databases: {error}"),
        }
    }
}

fn is_in_use(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55006")
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
    directory_in(&std::env::temp_dir())
}

fn directory_in(parent: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::Permissions::from_mode(0o755);
    let made = tempfile::Builder::new().prefix("byteshop-test-").permissions(open).tempdir_in(parent);
    made.expect("the directory for temporary files is writable").keep()
}

/// The file system in memory, where there is one with room: each database is a thousand files, and making those is most of what a
/// test costs on a disk.
fn memory() -> Option<PathBuf> {
    let place = PathBuf::from("/dev/shm");
    let room = rustix::fs::statvfs(&place).ok()?;
    (room.f_bavail.saturating_mul(room.f_frsize) >= MEMORY).then_some(place)
}
