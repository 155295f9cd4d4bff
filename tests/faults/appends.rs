//! The appender alone: its connection is cut at any moment, its server process ended, its Postgres killed.
//!
//! Every caller appends under keys of its own and repeats what has no known outcome under the same key. What was accepted
//! must be in the log once, at the positions that were told; what was refused must not be there; of what nobody knows the
//! outcome there may be one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use byteshop_commands::Appender;
use byteshop_eventstore::{Append, Clock, Log, NewEvent, NewReceipt, Outcome, StreamId};
use byteshop_gateway::servers::Servers;
use byteshop_tests::checker::History;
use byteshop_tests::patience::eventually;
use byteshop_tests::proxy::{Way, Wire};
use byteshop_tests::random::Chance;
use byteshop_tests::servers::{fresh_database, fresh_directory, options, over_tcp};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Callers at once: enough that most batches carry many appends.
const CALLERS: u64 = 200;
/// Streams that all callers fight for.
const SHARED: u64 = 4;

/// What a caller was told of one append.
#[derive(Debug)]
enum Told {
    Accepted { id: Uuid, first: i64, last: i64 },
    Duplicate { key: String },
    Refused { id: Uuid },
    Unknown,
}

/// One process of a shop that only appends.
struct Writing {
    appender: Appender,
    _task: JoinSet<()>,
}

impl Writing {
    fn to(log: &Log) -> Self {
        let (appender, appending) = Appender::new(log.clone(), |_| {}, CancellationToken::new());
        let mut task = JoinSet::new();
        task.spawn(appending);
        Self { appender, _task: task }
    }
}

/// A log without cuts beside the one that is under test, for looking.
async fn migrated(url: &str) -> Log {
    let log = Log::open(url).unwrap();
    log.migrate().await.unwrap();
    log
}

fn stream_of(number: u64) -> StreamId {
    StreamId::named("fault", Uuid::from_u128(u128::from(number) + 1))
}

fn append_to(stream: &StreamId, version: i64, key: &str, events: i64) -> Append {
    let event = |version| NewEvent {
        id: Clock.new_id(),
        stream: stream.clone(),
        version,
        event_type: "written".into(),
        schema: 1,
        data: format!("{{\"key\":\"{key}\"}}"),
        meta: "{\"actor\":{\"kind\":\"system\",\"name\":\"fault\"}}".into(),
        correlation: Uuid::from_u128(7),
        recorded_at: Clock.now(),
    };
    let receipt = NewReceipt {
        who: "fault".into(),
        key: key.into(),
        fingerprint: vec![1],
        response: "{}".into(),
        recorded_at: Clock.now(),
        expires_at: None,
    };
    Append {
        expect: vec![(stream.clone(), version - 1)],
        events: (version..version + events).map(event).collect(),
        receipt: Some(receipt),
    }
}

async fn version_of(log: &Log, stream: &StreamId) -> i64 {
    let look = async || {
        let version: Result<i64, _> =
            sqlx::query_scalar("select coalesce(max(version), 0) from log.event where category = $1 and stream = $2")
                .bind(stream.category.as_ref())
                .bind(stream.id)
                .fetch_one(log.pool())
                .await;
        version.ok()
    };
    eventually("a version", look).await
}

/// Appends until told to stop; a caller who is alone on its stream must never be refused.
async fn call(number: u64, appender: Appender, log: Log, mut chance: Chance, stop: Arc<AtomicBool>) -> Vec<Told> {
    let own = stream_of(SHARED + number);
    let mut own_version = 0;
    let mut told = Vec::new();
    let mut keys = 0;
    while !stop.load(Ordering::Relaxed) {
        keys += 1;
        let key = format!("{number}-{keys}");
        let shared = chance.once_in(4).then(|| stream_of(chance.between(0, SHARED - 1)));
        let events = chance.between(1, 3) as i64;
        loop {
            let (stream, version) = match &shared {
                Some(stream) => (stream, version_of(&log, stream).await),
                None => (&own, own_version),
            };
            let append = append_to(stream, version + 1, &key, events);
            let id = append.events[0].id;
            match appender.submit(append).outcome().await {
                Ok(Outcome::Accepted { positions }) => {
                    let (first, last) = positions.unwrap();
                    own_version += if shared.is_none() { events } else { 0 };
                    told.push(Told::Accepted { id, first, last });
                    break;
                }
                Ok(Outcome::Duplicate) => {
                    own_version = version_of(&log, &own).await;
                    told.push(Told::Duplicate { key });
                    break;
                }
                Ok(Outcome::Conflict) => {
                    told.push(Told::Refused { id });
                    assert!(
                        shared.is_some(),
                        "caller {number} is alone on its stream and was refused version {version}"
                    );
                }
                Err(_) => {
                    told.push(Told::Unknown);
                    own_version = version_of(&log, &own).await;
                }
            }
        }
    }
    told
}

/// Lets callers append over these logs while `disturb` works, then compares what they were told with the log.
async fn hammer(logs: &[Log], look: &Log, mut chance: Chance, disturb: impl Future<Output = ()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let writing: Vec<Writing> = logs.iter().map(Writing::to).collect();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let appender = writing[usize::try_from(number).unwrap() % writing.len()].appender.clone();
        callers.spawn(call(number, appender, look.clone(), chance.fork(), Arc::clone(&stop)));
    }
    disturb.await;
    stop.store(true, Ordering::Relaxed);
    let told: Vec<Told> = callers.join_all().await.into_iter().flatten().collect();
    compare(look, told).await;
}

async fn compare(log: &Log, told: Vec<Told>) {
    let mut history = History::read(log).await;
    let (mut accepted, mut duplicates, mut refused, mut unknown) = (0, 0, 0, 0);
    for one in told {
        match one {
            Told::Accepted { id, first, last } => {
                accepted += 1;
                let at = history.ids.get(&id).copied();
                if at != Some(first) {
                    history.breach(format!("{id} was acknowledged at {first}..{last} and is at {at:?}"));
                }
            }
            Told::Duplicate { key } => {
                duplicates += 1;
                if history.receipts(&key).len() != 1 {
                    history.breach(format!("{key} was answered as done before, and has no receipt"));
                }
            }
            Told::Refused { id } => {
                refused += 1;
                if let Some(at) = history.ids.get(&id) {
                    let what = format!("{id} was refused and is at {at}");
                    history.breach(what);
                }
            }
            Told::Unknown => unknown += 1,
        }
    }
    // A key stands in its receipt's events and in no others.
    let rows: Vec<(String, i64, i64, i64)> = sqlx::query_as(
        "select data->>'key', min(position), max(position), count(*) from log.event where category = 'fault' group by 1",
    )
    .fetch_all(log.pool())
    .await
    .unwrap();
    for (key, first, last, count) in rows {
        let receipt = history.receipts(&key).first().map(|receipt| (receipt.first_position, receipt.last_position));
        if receipt != Some((Some(first), Some(last))) || count != last - first + 1 {
            history
                .breach(format!("{key} is at {first}..{last} with {count} events, and its receipt says {receipt:?}"));
        }
    }
    history.assert_sound();
    eprintln!(
        "{} events: {accepted} accepted, {duplicates} found done, {refused} refused, {unknown} unknown",
        history.head
    );
    assert!(accepted > 0);
}

/// Where a URL's server listens.
fn server_in(url: &str) -> SocketAddr {
    let (_, after) = url.rsplit_once('@').unwrap();
    after.split('/').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_backend_is_terminated_is_written_once_or_not_at_all() {
    let mut chance = crate::chance("terminated backends");
    let url = fresh_database().await;
    let look = migrated(&url).await;
    let log = Log::open(&url).unwrap();
    let mut killer = PgConnection::connect(&url).await.unwrap();
    let mut moments = chance.fork();
    let terminate = async {
        let mut terminated = 0;
        for _ in 0..crate::rounds(4) * 15 {
            sleep(Duration::from_millis(moments.between(1, 100))).await;
            let found: Vec<bool> = sqlx::query_scalar(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid() and query like '%log.append(%'",
            )
            .fetch_all(&mut killer)
            .await
            .unwrap();
            terminated += found.len();
        }
        assert!(terminated > 0, "nothing was there to terminate");
    };
    hammer(&[log], &look, chance, terminate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_connection_is_cut_is_settled_by_looking() {
    let mut chance = crate::chance("cut connections");
    let url = fresh_database().await;
    let look = migrated(&url).await;
    let url = over_tcp(&url);
    let server = server_in(&url);
    let (mut first, mut second) = (chance.fork(), chance.fork());
    // The one loses answers of the server, the other is gone as soon as it has asked, while the server still works.
    let losing = Wire::before(server, move |way| way == Way::Answer && first.once_in(25)).await;
    let leaving = Wire::before(server, move |way| way == Way::Question && second.once_in(25)).await;
    let over = |wire: &Wire| Log::open(&url.replace(&server.to_string(), &wire.address().to_string())).unwrap();
    let logs = [over(&losing), over(&leaving)];
    let lasting = Duration::from_secs(crate::rounds(4));
    hammer(&logs, &look, chance, sleep(lasting)).await;
    eprintln!("cut {} answers and {} questions", losing.cuts(), leaving.cuts());
    assert!(losing.cuts() > 0 && leaving.cuts() > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_appenders_go_on_after_postgres_is_killed() {
    let mut chance = crate::chance("killed Postgres");
    let data = fresh_directory();
    let servers = Servers::start(&data, options()).await.unwrap_or_else(|error| panic!("{error}"));
    let look = migrated(servers.migration_url()).await;
    let logs = [(); 2].map(|()| Log::open(servers.migration_url()).unwrap());
    let mut moments = chance.fork();
    let kill = async {
        for round in 0..crate::rounds(3) {
            sleep(Duration::from_millis(moments.between(200, 1_200))).await;
            let (whom, killed) = if moments.once_in(2) { backend(&look).await } else { postmaster(&data) };
            let before = head(&look).await;
            kill_process(killed, Signal::KILL).unwrap();
            let started = Instant::now();
            eventually("appends go on", async || (look.head().await.ok()? > before).then_some(())).await;
            eprintln!("round {round}: {whom} killed, appends again after {:?}", started.elapsed());
        }
    };
    hammer(&logs, &look, chance, kill).await;
    servers.stop().await;
    std::fs::remove_dir_all(&data).unwrap();
}

async fn head(log: &Log) -> i64 {
    eventually("the head of the log", async || log.head().await.ok()).await
}

/// The process that works for one of the appenders; Postgres restarts all of its processes when one is killed.
async fn backend(log: &Log) -> (&'static str, Pid) {
    let pid: i32 = eventually("an appender at work", async || {
        sqlx::query_scalar(
            "select pid from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and query like '%log.append(%' limit 1",
        )
        .fetch_optional(log.pool())
        .await
        .ok()?
    })
    .await;
    ("a backend", Pid::from_raw(pid).unwrap())
}

fn postmaster(data: &std::path::Path) -> (&'static str, Pid) {
    let lock = std::fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap();
    ("Postgres", Pid::from_raw(lock.lines().next().unwrap().trim().parse().unwrap()).unwrap())
}
