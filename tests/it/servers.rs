//! The private servers: they come up, come back when killed, carry on with their data, and leave nothing behind.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use byteshop_eventstore::nats;
use byteshop_gateway::servers::{Error, Options, Servers};
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::{fresh_database, fresh_directory, options, shared};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};

/// A data directory that is removed at the end of its test.
struct Data(PathBuf);

impl Data {
    fn new() -> Self {
        Self(fresh_directory())
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn start(data: &Path) -> Servers {
    Servers::start(data, options()).await.unwrap_or_else(|error| panic!("{error}"))
}

/// Processes whose command line has the mark of that data directory, with the first word of it.
fn processes(data: &Path) -> Vec<(Pid, String)> {
    let remembered = fs::read_to_string(data.join("servers.json")).unwrap();
    let remembered: serde_json::Value = serde_json::from_str(&remembered).unwrap();
    let mark = remembered["mark"].as_str().unwrap();
    let output = std::process::Command::new("ps").args(["-axww", "-o", "pid=,command="]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter(|line| line.contains(mark)).map(|line| {
        let (pid, line) = line.trim_start().split_once(' ').unwrap();
        let first = line.trim_start().split(' ').next().unwrap();
        (Pid::from_raw(pid.parse().unwrap()).unwrap(), first.rsplit('/').next().unwrap().to_owned())
    });
    lines.collect()
}

fn process_of(data: &Path, program: &str) -> Pid {
    let found = processes(data);
    found.iter().find(|(_, name)| name == program).unwrap_or_else(|| panic!("no {program} in {found:?}")).0
}

async fn number_in(url: &str) -> Option<i64> {
    let mut connection = PgConnection::connect(url).await.ok()?;
    sqlx::query_scalar("select number from kept").fetch_one(&mut connection).await.ok()
}

async fn keep_number(url: &str, number: i64) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql("create table kept (number bigint)").execute(&mut connection).await.unwrap();
    sqlx::query("insert into kept values ($1)").bind(number).execute(&mut connection).await.unwrap();
}

async fn jetstream(url: &str) -> Option<async_nats::jetstream::Context> {
    Some(async_nats::jetstream::new(nats::options(url).connect(url).await.ok()?))
}

async fn keep_message(url: &str, text: &'static str) {
    let jetstream = jetstream(url).await.unwrap();
    let config = async_nats::jetstream::stream::Config {
        name: "KEPT".into(),
        subjects: vec!["kept".into()],
        ..Default::default()
    };
    jetstream.create_stream(config).await.unwrap();
    jetstream.publish("kept", text.into()).await.unwrap().await.unwrap();
}

async fn message_in(url: &str) -> Option<String> {
    let stream = jetstream(url).await?.get_stream("KEPT").await.ok()?;
    let message = stream.get_last_raw_message_by_subject("kept").await.ok()?;
    String::from_utf8(message.payload.to_vec()).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_comes_back_on_its_url_with_its_data() {
    let data = Data::new();
    let servers = start(&data.0).await;
    keep_number(servers.database_url(), 42).await;
    keep_message(servers.nats_url(), "hello").await;
    // Whoever else is on this machine has no password.
    let (_, address) = servers.nats_url().rsplit_once('@').unwrap();
    assert!(async_nats::connect(address).await.is_err());
    for _ in 0..3 {
        let (postgres, nats) = (process_of(&data.0, "postgres"), process_of(&data.0, "nats-server"));
        kill_process(postgres, Signal::KILL).unwrap();
        kill_process(nats, Signal::KILL).unwrap();
        let number = eventually("Postgres is back", || number_in(servers.database_url())).await;
        let message = eventually("NATS is back", || message_in(servers.nats_url())).await;
        assert_eq!((number, message.as_str()), (42, "hello"));
        assert_ne!((process_of(&data.0, "postgres"), process_of(&data.0, "nats-server")), (postgres, nats));
    }
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_leaves_nothing_and_the_next_start_carries_on() {
    let data = Data::new();
    let servers = start(&data.0).await;
    keep_number(servers.database_url(), 7).await;
    keep_message(servers.nats_url(), "still here").await;
    let urls = (servers.database_url().to_owned(), servers.nats_url().to_owned());
    servers.stop().await;
    assert_eq!(processes(&data.0), []);

    let servers = start(&data.0).await;
    assert_eq!((servers.database_url(), servers.nats_url()), (urls.0.as_str(), urls.1.as_str()));
    assert_eq!(number_in(servers.database_url()).await, Some(7));
    assert_eq!(message_in(servers.nats_url()).await.as_deref(), Some("still here"));
    servers.stop().await;
    assert_eq!(processes(&data.0), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_forgets_its_servers_leaves_nothing_either() {
    let data = Data::new();
    drop(start(&data.0).await);
    eventually("the reaper has done its work", async || processes(&data.0).is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_takes_over_from_servers_that_still_run() {
    let data = Data::new();
    let servers = start(&data.0).await;
    keep_number(servers.database_url(), 11).await;
    let (postgres, nats) = (process_of(&data.0, "postgres"), process_of(&data.0, "nats-server"));
    // Dropped and not stopped: the new start meets the old servers on their way out.
    drop(servers);
    let servers = start(&data.0).await;
    assert_ne!(process_of(&data.0, "postgres"), postgres);
    assert_ne!(process_of(&data.0, "nats-server"), nats);
    assert_eq!(number_in(servers.database_url()).await, Some(11));
    servers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_has_one_shop_and_another_one_works_beside_it() {
    let (first, second) = (Data::new(), Data::new());
    let (one, two) = tokio::join!(start(&first.0), start(&second.0));
    assert_ne!(one.database_url(), two.database_url());
    assert_ne!(one.nats_url(), two.nats_url());
    let refused = Servers::start(&first.0, options()).await.unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn running_servers_can_be_used_instead() {
    let data = Data::new();
    let theirs = shared().await;
    let (database_url, nats_url) = (Some(fresh_database().await), Some(theirs.nats_url.clone()));
    let options = Options { database_url: database_url.clone(), nats_url: nats_url.clone(), ..options() };
    let servers = Servers::start(&data.0, options).await.unwrap();
    assert_eq!(Some(servers.database_url()), database_url.as_deref());
    assert_eq!(Some(servers.nats_url()), nats_url.as_deref());
    assert_eq!(processes(&data.0), []);
    servers.stop().await;
    assert_eq!(number_in(&theirs.database_url).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused() {
    let theirs = shared().await;
    let (before, after) = theirs.database_url.rsplit_once('@').unwrap();
    let wrong = format!("{before}x@{after}");
    assert!(PgConnection::connect(&wrong).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_major_version_is_refused() {
    let data = Data::new();
    fs::create_dir(data.0.join("postgres")).unwrap();
    fs::write(data.0.join("postgres/PG_VERSION"), "39\n").unwrap();
    fs::write(
        data.0.join("servers.json"),
        r#"{"mark": "byteshop_test", "password": "x", "postgres_port": 1, "nats_port": 2}"#,
    )
    .unwrap();
    let refused = Servers::start(&data.0, options()).await.unwrap_err();
    assert!(matches!(refused, Error::OtherMajor { written: 39, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_without_its_password_is_refused() {
    let data = Data::new();
    start(&data.0).await.stop().await;
    fs::remove_file(data.0.join("servers.json")).unwrap();
    let refused = Servers::start(&data.0, options()).await.unwrap_err();
    assert!(matches!(refused, Error::SecretsLost { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_on_the_disk() {
    let data = Data::new();
    let servers = start(&data.0).await;
    let mut connection = PgConnection::connect(servers.database_url()).await.unwrap();
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        let setting: String =
            sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&mut connection).await.unwrap();
        assert_eq!(setting, "on", "{name}");
    }
    let encoding: String = sqlx::query_scalar("show server_encoding").fetch_one(&mut connection).await.unwrap();
    assert_eq!(encoding, "UTF8");
    servers.stop().await;
}

/// As after a restart of the machine: the number in the lock file is another program's by now.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_that_names_another_program_is_in_nobodys_way() {
    let data = Data::new();
    start(&data.0).await.stop().await;
    let lock = data.0.join("postgres/postmaster.pid");
    fs::write(&lock, format!("{}\n{}\n1\n5432\n\n\n", std::process::id(), data.0.display())).unwrap();
    start(&data.0).await.stop().await;
}

/// As in a checkout below /root: the unprivileged user cannot walk there. Run by another user, it is just a directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_below_a_closed_one_works() {
    let closed = Data::new();
    fs::set_permissions(&closed.0, fs::Permissions::from_mode(0o700)).unwrap();
    let data = closed.0.join("below");
    let servers = start(&data).await;
    keep_number(servers.database_url(), 3).await;
    keep_message(servers.nats_url(), "kept").await;
    kill_process(process_of(&data, "postgres"), Signal::KILL).unwrap();
    assert_eq!(eventually("Postgres is back", || number_in(servers.database_url())).await, 3);
    servers.stop().await;
    assert_eq!(processes(&data), []);
}
