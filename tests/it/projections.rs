//! Views on a real Postgres: they follow, survive, stop when they must, and are the same after a rebuild.

mod workers;

use std::collections::HashMap;
use std::time::Duration;

use byteshop_domain::Reads;
use byteshop_domain::codec::CodecError;
use byteshop_eventstore::append::append;
use byteshop_eventstore::feed::Feed;
use byteshop_eventstore::{Append, Clock, Log, NewEvent, Recorded, StreamId};
use byteshop_projections::replay::{Replay, Until};
use byteshop_projections::{Error, Key, Keys, Registered, State, Status, View, Views};
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::fresh_database;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Sums what is added to each stream; version 2 counts everything twice, and reads what version 1 cannot.
struct Tally<const V: i32>;

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    total: i64,
    events: i64,
}

#[derive(Deserialize)]
struct Added {
    add: i64,
}

impl<const V: i32> View for Tally<V> {
    const NAME: &'static str = "tally";
    const VERSION: i32 = V;
    const READS: &'static [Reads] = &[Reads::category("tally")];
    type Fact = Added;
    type Row = Row;

    fn read(event: &Recorded) -> Result<Option<Added>, CodecError> {
        match serde_json::from_str(&event.data) {
            Ok(added) => Ok(Some(added)),
            Err(_) if V > 1 => Ok(None),
            Err(error) => Err(CodecError::Unreadable {
                event_type: event.event_type.clone(),
                schema: event.schema,
                reason: error.to_string(),
            }),
        }
    }

    fn keys(_fact: &Added, event: &Recorded) -> Keys {
        vec![event.stream.to_string(), "all".into()]
    }

    fn fold(row: Option<Row>, key: &Key, fact: &Added, _event: &Recorded) -> Option<Row> {
        assert!(fact.add != 13 || V > 1, "thirteen");
        // A tally that comes to nothing is no row.
        let row = row.unwrap_or(Row { total: 0, events: 0 });
        let row = Row { total: row.total + fact.add * i64::from(V), events: row.events + 1 };
        (row.total != 0 || key == "all").then_some(row)
    }
}

/// A view that never fails, beside one that does.
struct Steady;

impl View for Steady {
    const NAME: &'static str = "steady";
    const VERSION: i32 = 1;
    const READS: &'static [Reads] = &[Reads::category("tally")];
    type Fact = ();
    type Row = i64;

    fn read(_event: &Recorded) -> Result<Option<()>, CodecError> {
        Ok(Some(()))
    }

    fn keys(_fact: &(), _event: &Recorded) -> Keys {
        vec!["count".into()]
    }

    fn fold(row: Option<i64>, _key: &Key, _fact: &(), _event: &Recorded) -> Option<i64> {
        Some(row.unwrap_or(0) + 1)
    }
}

const TABLES: &str = "
    create table read.tally (
        key text primary key collate \"C\", row json not null, position bigint not null,
        total bigint generated always as ((row ->> 'total')::bigint) stored check (total < 1000000)
    );
    create index tally_total on read.tally (total, key);
    create table read.steady (key text primary key collate \"C\", row json not null, position bigint not null);";

/// A database with the two views, and a way to write to its log.
struct Shop {
    url: String,
    log: Log,
    writer: PgConnection,
    versions: HashMap<Uuid, i64>,
}

fn views<const V: i32>(shop: &Shop) -> Views {
    Views::of(Log::open(&shop.url).unwrap(), vec![Registered::of::<Tally<V>>(), Registered::of::<Steady>()])
}

impl Shop {
    async fn new() -> Self {
        let url = fresh_database().await;
        let log = Log::open(&url).unwrap();
        log.migrate().await.unwrap();
        Views::open(&url).unwrap().migrate().await.unwrap();
        let mut writer = log.writer().await.unwrap();
        sqlx::raw_sql(TABLES).execute(&mut writer).await.unwrap();
        Self { url, log, writer, versions: HashMap::new() }
    }

    /// Appends events, each of (stream, data), and gives the last position.
    async fn append(&mut self, events: &[(u128, &str)]) -> i64 {
        let events = events.iter().map(|(stream, data)| {
            let stream = Uuid::from_u128(*stream);
            let version = self.versions.entry(stream).or_default();
            *version += 1;
            NewEvent {
                id: Clock.new_id(),
                stream: StreamId::named("tally", stream),
                version: *version,
                event_type: "added".into(),
                schema: 1,
                data: (*data).into(),
                meta: "{}".into(),
                correlation: Uuid::nil(),
                recorded_at: Clock.now(),
            }
        });
        let events = events.collect();
        let appends = [Append { events, ..Append::default() }];
        append(&mut self.writer, &appends).await.unwrap();
        self.log.head().await.unwrap()
    }

    /// Adds 1 to `count` streams in turn.
    async fn append_many(&mut self, count: u128, streams: u128) -> i64 {
        let events: Vec<_> = (0..count).map(|number| (number % streams, r#"{"add":1}"#)).collect();
        let mut head = 0;
        for chunk in events.chunks(1_000) {
            head = self.append(chunk).await;
        }
        head
    }

    async fn sql(&self, statement: &'static str) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    }

    async fn total(&self, views: &Views, stream: u128) -> Option<i64> {
        let row = views.row("tally", &Uuid::from_u128(stream).to_string()).await.unwrap()?;
        Some(serde_json::from_str::<Row>(&row).unwrap().total)
    }
}

/// A process that runs the views; it dies when dropped.
struct Process {
    views: Views,
    _task: JoinSet<()>,
    cancel: CancellationToken,
}

impl Process {
    fn start<const V: i32>(shop: &Shop) -> Self {
        let views = views::<V>(shop);
        let cancel = CancellationToken::new();
        let feed = Feed::start(shop.log.clone(), None, 0, cancel.clone());
        let mut task = JoinSet::new();
        let (running, cancelled) = (views.clone(), cancel.clone());
        task.spawn(async move { running.run(feed, &[], cancelled).await.unwrap() });
        Self { views, _task: task, cancel }
    }

    async fn reaches(&self, position: i64) {
        for view in ["tally", "steady"] {
            assert!(self.views.wait(view, position, Duration::from_secs(30)).await.unwrap(), "{view}");
        }
    }

    async fn status(&self) -> Status {
        self.views.status().await.unwrap().into_iter().find(|status| status.view == "tally").unwrap()
    }

    async fn becomes(&self, state: State) -> Status {
        eventually(state.as_str(), async || Some(self.status().await).filter(|status| status.state == state)).await
    }
}

async fn differences(views: &Views, view: &str) -> i64 {
    views.replay(view, Replay::Check, &|_| {}).await.unwrap().different
}

#[tokio::test]
async fn a_view_follows_and_is_what_its_rebuild_is() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    shop.append_many(2_500, 70).await;
    let head = shop.append(&[(500, r#"{"add":5}"#), (500, r#"{"add":-5}"#)]).await;
    process.reaches(head).await;
    assert_eq!(shop.total(&process.views, 3).await, Some(36));
    assert_eq!(shop.total(&process.views, 500).await, None);
    assert_eq!(differences(&process.views, "tally").await, 0);
    let status = process.status().await;
    assert_eq!((status.position, status.lag, status.state), (head, 0, State::Live));
}

#[tokio::test]
async fn another_process_sees_the_position_and_takes_over() {
    let mut shop = Shop::new().await;
    let first = Process::start::<1>(&shop);
    let head = shop.append_many(10, 3).await;
    first.reaches(head).await;
    let second = Process::start::<1>(&shop);
    second.reaches(head).await;
    assert!(!second.views.wait("tally", head + 1, Duration::from_millis(50)).await.unwrap());
    first.cancel.cancel();
    let head = shop.append_many(10, 3).await;
    second.reaches(head).await;
    assert_eq!(differences(&second.views, "tally").await, 0);
}

#[tokio::test]
async fn killed_connections_and_two_workers_leave_every_event_counted_once() {
    let mut shop = Shop::new().await;
    let processes = [Process::start::<1>(&shop), Process::start::<1>(&shop)];
    let mut head = 0;
    for _ in 0..15 {
        head = shop.append_many(200, 7).await;
        // Every connection but the writer's and this one: leases, transactions under way, feeds.
        shop.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and query not like '%log.append(%'",
        )
        .await;
    }
    for process in &processes {
        process.reaches(head).await;
        assert_eq!(shop.total(&process.views, 0).await, Some(15 * 29));
    }
    assert_eq!(differences(&processes[0].views, "tally").await, 0);
    assert_eq!(differences(&processes[0].views, "steady").await, 0);
}

#[tokio::test]
async fn a_check_finds_a_changed_row_and_a_replay_repairs_it_while_the_view_moves() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(3_000, 50).await;
    process.reaches(head).await;
    shop.sql("update read.tally set row = '{\"total\":1,\"events\":1}' where key = 'all'").await;
    shop.sql("delete from read.tally where key = '00000000-0000-0000-0000-000000000007'").await;
    shop.sql("insert into read.tally values ('zzz', '{\"total\":1,\"events\":1}', 1)").await;
    let report = process.views.replay("tally", Replay::Check, &|_| {}).await.unwrap();
    assert_eq!(report.different, 3);
    let keys: Vec<_> = report.differences.iter().map(|difference| difference.key.as_str()).collect();
    assert_eq!(keys, ["00000000-0000-0000-0000-000000000007", "all", "zzz"]);
    assert!(report.differences[0].live.is_none() && report.differences[2].rebuilt.is_none());

    let views = process.views.clone();
    let mut replays = JoinSet::new();
    // Few rows in memory, so that most of them leave it and come back.
    replays.spawn(async move { views.replay_within("tally", Replay::Rebuild, 10, &|_| {}).await });
    while replays.is_empty() || replays.try_join_next().is_none() {
        shop.append_many(20, 60).await;
    }
    let head = shop.append_many(20, 60).await;
    process.reaches(head).await;
    assert_eq!(differences(&process.views, "tally").await, 0);
    let indexes: Vec<String> =
        sqlx::query_scalar("select indexname::text from pg_indexes where tablename = 'tally' order by 1")
            .fetch_all(shop.log.pool())
            .await
            .unwrap();
    assert_eq!(indexes, ["tally_pkey", "tally_total"]);
}

#[tokio::test]
async fn a_worker_forgets_its_rows_when_they_are_replaced_at_the_position_where_it_stands() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(1, 1).await;
    process.reaches(head).await;
    drop(process);
    shop.sql("update read.tally set row = '{\"total\":100,\"events\":1}' where key <> 'all'").await;
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(1, 1).await;
    process.reaches(head).await;
    assert_eq!(shop.total(&process.views, 0).await, Some(101));
    let report = process.views.replay("tally", Replay::Rebuild, &|_| {}).await.unwrap();
    assert_eq!((report.position, shop.total(&process.views, 0).await), (head, Some(2)));
    let head = shop.append_many(1, 1).await;
    process.reaches(head).await;
    assert_eq!(shop.total(&process.views, 0).await, Some(3));
    assert_eq!(differences(&process.views, "tally").await, 0);
}

#[tokio::test]
async fn a_view_on_another_history_stops_until_it_is_rebuilt() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(5, 2).await;
    process.reaches(head).await;
    drop(process);
    // As a restored backup would: the log has another event where the view stands.
    shop.sql(
        "alter table log.event disable trigger user; update log.event set leaf = sha256('other') where position = 5",
    )
    .await;
    // Whoever asks is told before the view itself has found out.
    let found = views::<1>(&shop).status().await.unwrap();
    assert!(found.iter().all(|view| view.state == State::OtherHistory), "{found:?}");
    let process = Process::start::<1>(&shop);
    eventually("it has stopped there", async || (process.status().await.error_position == Some(5)).then_some(())).await;
    shop.append_many(5, 2).await;
    assert_eq!(process.status().await.position, 5);
    process.views.replay("tally", Replay::Rebuild, &|_| {}).await.unwrap();
    process.becomes(State::Live).await;
    let head = shop.append_many(1, 1).await;
    assert!(process.views.wait("tally", head, Duration::from_secs(30)).await.unwrap());
}

#[tokio::test]
async fn a_view_that_cannot_go_on_is_parked_and_the_others_go_on() {
    for bad in [r#"{"unknown":1}"#, r#"{"add":13}"#, r#"{"add":2000000}"#] {
        let mut shop = Shop::new().await;
        shop.append_many(10, 3).await;
        let at = shop.append(&[(99, bad)]).await;
        let head = shop.append_many(10, 3).await;
        let process = Process::start::<1>(&shop);
        let status = process.becomes(State::Parked).await;
        assert_eq!((status.position, status.error_position), (at - 1, Some(at)), "{bad}: {:?}", status.error);
        assert!(process.views.wait("steady", head, Duration::from_secs(30)).await.unwrap());
        // The same program stops there again.
        assert!(process.views.unpark("tally").await.unwrap());
        process.becomes(State::Parked).await;
        assert!(
            matches!(
                process.views.replay("tally", Replay::Rebuild, &|_| {}).await,
                Err(Error::Unfoldable { position, .. }) if position == at
            ) || bad.contains("2000000")
        );
        if bad.contains("2000000") {
            shop.sql("alter table read.tally drop constraint tally_total_check").await;
            process.views.unpark("tally").await.unwrap();
            process.reaches(head).await;
            continue;
        }
        drop(process);
        // A newer one does not.
        let process = Process::start::<2>(&shop);
        process.reaches(head).await;
        assert_eq!(process.status().await.version, 2);
    }
}

#[tokio::test]
async fn a_newer_version_is_built_beside_and_an_older_program_leaves_it_alone() {
    let mut shop = Shop::new().await;
    let old = Process::start::<1>(&shop);
    let head = shop.append_many(100, 4).await;
    old.reaches(head).await;
    drop(old);
    // A replay that died left this.
    shop.sql("create table read.tally__shadow (nonsense int)").await;
    let new = Process::start::<2>(&shop);
    let status = eventually("version 2", async || Some(new.status().await).filter(|status| status.version == 2)).await;
    assert_eq!((status.position, status.state), (head, State::Live));
    assert_eq!(shop.total(&new.views, 1).await, Some(50));
    drop(new);
    let _old = Process::start::<1>(&shop);
    shop.append_many(100, 4).await;
    let new = Process::start::<2>(&shop);
    let head = shop.append_many(1, 4).await;
    // The old program holds the lease of the other view, and gives up neither; the new one checks what it has.
    assert!(new.views.wait("steady", head, Duration::from_secs(30)).await.unwrap());
    assert_eq!(new.status().await.version, 2);
}

#[tokio::test]
async fn a_view_is_dated_back_into_a_table_of_its_own() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    let then = shop.append_many(40, 4).await;
    let moment = Clock.now();
    let head = shop.append_many(40, 4).await;
    process.reaches(head).await;
    for until in [Until::Position(then), Until::Time(moment)] {
        let report = process.views.replay("tally", Replay::Until(until), &|_| {}).await.unwrap();
        assert_eq!((report.position, report.rows, report.table.as_deref()), (40, 5, Some("read.tally__until")));
        let total: i64 = sqlx::query_scalar("select total from read.tally__until where key = 'all'")
            .fetch_one(shop.log.pool())
            .await
            .unwrap();
        assert_eq!(total, 40);
    }
    assert!(matches!(
        process.views.replay("tally", Replay::Until(Until::Position(81)), &|_| {}).await,
        Err(Error::BeyondHead { position: 81, head: 80 })
    ));
    assert!(matches!(process.views.replay("tale", Replay::Check, &|_| {}).await, Err(Error::Unknown { .. })));
}

#[tokio::test]
async fn two_replays_of_one_view_are_refused() {
    let shop = Shop::new().await;
    let mut other = PgConnection::connect(&shop.url).await.unwrap();
    sqlx::query("select pg_advisory_lock(hashtextextended('byteshop replay tally', 0))")
        .execute(&mut other)
        .await
        .unwrap();
    let views = views::<1>(&shop);
    assert!(matches!(views.replay("tally", Replay::Rebuild, &|_| {}).await, Err(Error::Busy { view: "tally" })));
    other.close().await.unwrap();
    eventually("the lock is free", async || views.replay("tally", Replay::Rebuild, &|_| {}).await.ok()).await;
}
