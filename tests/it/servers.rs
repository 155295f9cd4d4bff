//! The private servers: they come up, come back when killed, carry on with their data, and leave nothing behind.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use byteshop_eventstore::{Log, nats};
use byteshop_gateway::servers::{Error, Options, Servers};
use byteshop_projections::Views;
use byteshop_tests::patience::eventually;
use byteshop_tests::program::Program;
use byteshop_tests::servers::{empty_database, fresh_directory, options, over_tcp, shared};
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
    keep_number(servers.migration_url(), 42).await;
    keep_message(servers.nats_url(), "hello").await;
    // Whoever else is on this machine has no password.
    let (_, address) = servers.nats_url().rsplit_once('@').unwrap();
    assert!(async_nats::connect(address).await.is_err());
    for _ in 0..3 {
        let (postgres, nats) = (process_of(&data.0, "postgres"), process_of(&data.0, "nats-server"));
        kill_process(postgres, Signal::KILL).unwrap();
        kill_process(nats, Signal::KILL).unwrap();
        let number = eventually("Postgres is back", || number_in(servers.migration_url())).await;
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
    keep_number(servers.migration_url(), 7).await;
    keep_message(servers.nats_url(), "still here").await;
    let urls = (servers.migration_url().to_owned(), servers.nats_url().to_owned());
    servers.stop().await;
    assert_eq!(processes(&data.0), []);

    let servers = start(&data.0).await;
    assert_eq!((servers.migration_url(), servers.nats_url()), (urls.0.as_str(), urls.1.as_str()));
    assert_eq!(number_in(servers.migration_url()).await, Some(7));
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
    keep_number(servers.migration_url(), 11).await;
    let (postgres, nats) = (process_of(&data.0, "postgres"), process_of(&data.0, "nats-server"));
    // Dropped and not stopped: the new start meets the old servers on their way out.
    drop(servers);
    let servers = start(&data.0).await;
    assert_ne!(process_of(&data.0, "postgres"), postgres);
    assert_ne!(process_of(&data.0, "nats-server"), nats);
    assert_eq!(number_in(servers.migration_url()).await, Some(11));
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
    let (database_url, nats_url) = (Some(empty_database().await), Some(theirs.nats_url.clone()));
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
    let right = over_tcp(&theirs.database_url);
    assert!(PgConnection::connect(&right).await.is_ok());
    assert!(PgConnection::connect(&right.replace('@', "x@")).await.is_err());
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
    let mut connection = PgConnection::connect(servers.migration_url()).await.unwrap();
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

/// What only the shop is to know, in every setting that holds a secret, and in a variable that is none of ours.
fn plant(program: &mut Program) -> Vec<String> {
    let canary = |name: &str| format!("canary-of-{name}");
    let mut planted = Vec::new();
    for name in ["BYTESHOP_SMTP_PASSWORD", "BYTESHOP_FILES_SECRET", "BYTESHOP_SMS_SECRET", "BYTESHOP_PUSH_SECRET"] {
        program.set(name, canary(name));
        planted.push(canary(name));
    }
    program.set("BYTESHOP_SMS_URL", "http://127.0.0.1:1/sms");
    program.set("BYTESHOP_PUSH_URL", "http://127.0.0.1:1/push");
    program.set("AWS_SECRET_ACCESS_KEY", canary("AWS_SECRET_ACCESS_KEY"));
    planted.push(canary("AWS_SECRET_ACCESS_KEY"));
    let data_key = base64::engine::general_purpose::STANDARD.encode([7; 32]);
    program.set("BYTESHOP_DATA_KEY", data_key.clone());
    let jwt_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    planted.extend([data_key, jwt_key.lines().nth(1).unwrap().to_owned()]);
    program.set("BYTESHOP_JWT_KEY", jwt_key);
    planted
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_the_shop_is_in_the_environment_of_its_servers() {
    let mut program = Program::new();
    let planted = plant(&mut program);
    program.start().await;
    let shop = program.pid().unwrap();
    let environment = |pid: Pid| fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    let own = environment(shop);
    for secret in &planted {
        assert!(holds(&own, secret), "the shop itself was not given {secret}");
    }
    let children: Vec<_> = program.processes().into_iter().filter(|process| process.pid != shop).collect();
    for name in ["postgres", "nats-server", "sh"] {
        assert!(children.iter().any(|child| child.name == name), "no {name} in {children:?}");
    }
    for child in children {
        let given = environment(child.pid);
        for secret in &planted {
            assert!(!holds(&given, secret), "{secret} is in the environment of {child:?}");
        }
        assert!(!holds(&given, "BYTESHOP_"), "a setting is in the environment of {child:?}");
    }
    program.interrupt().await;
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_looks_into_the_data_directory() {
    let data = Data::new();
    fs::set_permissions(&data.0, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(data.0.join("postgres.log"), "of an earlier program\n").unwrap();
    fs::set_permissions(data.0.join("postgres.log"), fs::Permissions::from_mode(0o644)).unwrap();
    let servers = start(&data.0).await;
    // Another user runs the servers when the shop runs as root, and passes through.
    let passing = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
    assert_eq!(mode(&data.0), passing);
    for (file, wanted) in [
        ("postgres", 0o700),
        ("nats", 0o700),
        ("nats/nats.conf", 0o600),
        ("servers.json", 0o600),
        ("postgres.log", 0o640),
        ("nats.log", 0o640),
    ] {
        assert_eq!(mode(&data.0.join(file)), wanted, "{file}");
    }
    let (_, nats) = servers.nats_url().split_once("://").unwrap();
    let password = |url: &str| url.split_once('@').unwrap().0.rsplit_once(':').unwrap().1.to_owned();
    let passwords = [servers.migration_url(), servers.database_url(), nats].map(password);
    assert!(passwords[0] != passwords[1] && passwords[0] != passwords[2] && passwords[1] != passwords[2]);
    servers.stop().await;
}

/// A directory of a program that had one role and one password for everything.
#[tokio::test(flavor = "multi_thread")]
async fn data_of_a_shop_with_one_role_gets_the_role_that_serves() {
    let mut program = Program::new();
    let servers = start(program.data()).await;
    let log = Log::open(servers.migration_url()).unwrap();
    log.migrate().await.unwrap();
    Views::beside(log.clone()).migrate().await.unwrap();
    servers.stop().await;
    let file = program.data().join("servers.json");
    let mut remembered: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    for new in ["serving_password", "nats_password"] {
        assert!(remembered.as_object_mut().unwrap().remove(new).is_some(), "{new}");
    }
    fs::write(&file, remembered.to_string()).unwrap();

    program.start().await;
    program.say(&["seed", "--without-images"]);
    program.say(&["replay", "--all"]);
    program.say(&["replay", "--all", "--check"]);
    let run = program.run_json().unwrap();
    let url = |name: &str| run[name].as_str().unwrap().to_owned();
    assert!(url("database_url").contains("//byteshop_serve:"), "{run}");
    assert!(url("migration_database_url").contains("//byteshop:"), "{run}");
    let serving = Log::open(&url("database_url")).unwrap();
    assert_eq!(serving.excess_rights().await.unwrap(), None);
    let owners: Vec<String> =
        sqlx::query_scalar("select distinct tableowner::text from pg_tables where schemaname = 'read'")
            .fetch_all(serving.pool())
            .await
            .unwrap();
    assert_eq!(owners, ["byteshop_serve"]);
    let before = serving.head().await.unwrap();
    // And once more, as it is by now.
    program.interrupt().await;
    program.start().await;
    assert!(serving.head().await.unwrap() >= before);
    program.interrupt().await;
}

/// As in a checkout below /root: the unprivileged user cannot walk there. Run by another user, it is just a directory.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_below_a_closed_one_works() {
    let closed = Data::new();
    fs::set_permissions(&closed.0, fs::Permissions::from_mode(0o700)).unwrap();
    let data = closed.0.join("below");
    let servers = start(&data).await;
    keep_number(servers.migration_url(), 3).await;
    keep_message(servers.nats_url(), "kept").await;
    kill_process(process_of(&data, "postgres"), Signal::KILL).unwrap();
    assert_eq!(eventually("Postgres is back", || number_in(servers.migration_url())).await, 3);
    servers.stop().await;
    assert_eq!(processes(&data), []);
}
