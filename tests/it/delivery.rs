//! Delivery: sequence + base = position whatever happens to JetStream, and views keep getting events meanwhile.

mod streams;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::{OrderedPullConsumer, pull};
use async_nats::jetstream::{self, stream::Stream};
use byteshop_commands::relay::history::{self, History};
use byteshop_commands::relay::{self, NatsConfig, RelayState, RelayStatus};
use byteshop_eventstore::append::append;
use byteshop_eventstore::feed::{Feed, TailConfig};
use byteshop_eventstore::{Append, Clock, Log, NewEvent, Outcome, Recorded, StreamId, nats};
use byteshop_tests::patience::eventually;
use byteshop_tests::servers::{fresh_database, options};
use futures_util::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;

const STREAM: &str = "BYTESHOP";

/// A nats-server of one test, which may be killed and robbed of its files.
struct Nats {
    directory: PathBuf,
    port: u16,
    child: Option<Child>,
    /// What it lets in, as its arguments and as a URL say it.
    login: (&'static [&'static str], &'static str),
}

impl Nats {
    fn start() -> Self {
        Self::start_for((&[], ""))
    }

    fn start_for(login: (&'static [&'static str], &'static str)) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = tempfile::Builder::new().prefix("byteshop-nats-").tempdir().unwrap().keep();
        let mut nats = Self { directory, port, child: None, login };
        nats.restart();
        nats
    }

    fn restart(&mut self) {
        let program = options().nats_server.unwrap_or_else(|| "nats-server".into());
        let mut command = Command::new(program);
        command.args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"]).arg(self.store());
        command.args(self.login.0);
        self.child = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }

    fn store(&self) -> PathBuf {
        self.directory.join("store")
    }

    /// As `kill -9`.
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops or continues the process: its connections stay, but nothing answers.
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.as_ref().unwrap().id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    fn wipe(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.store()).unwrap();
    }

    /// Copies the files of a server that is not running.
    fn back_up(&self) {
        copy(&self.store(), &self.directory.join("copy"));
    }

    fn roll_back(&mut self) {
        self.wipe();
        copy(&self.directory.join("copy"), &self.store());
    }

    fn url(&self) -> String {
        format!("nats://{}127.0.0.1:{}", self.login.1, self.port)
    }

    async fn jetstream(&self) -> jetstream::Context {
        let url = self.url();
        let client =
            eventually("a connection to nats-server", || async { nats::options(&url).connect(&url).await.ok() }).await;
        jetstream::new(client)
    }

    async fn stream(&self) -> Stream {
        let jetstream = self.jetstream().await;
        eventually("the stream", || async { jetstream.get_stream(STREAM).await.ok() }).await
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-r").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}

/// A log on a database of its own.
async fn fresh_log() -> Log {
    let log = Log::open(&fresh_database().await).unwrap();
    log.migrate().await.unwrap();
    log
}

/// Appends events, each to a new stream, in batches.
async fn append_events(log: &Log, count: usize) -> i64 {
    let mut writer = log.writer().await.unwrap();
    let mut last = 0;
    let mut left = count;
    while left > 0 {
        let batch: Vec<Append> = (0..left.min(500)).map(|_| one_event()).collect();
        left -= batch.len();
        for outcome in append(&mut writer, &batch).await.unwrap() {
            let Outcome::Accepted { positions: Some((_, position)) } = outcome else { panic!("{outcome:?}") };
            last = position;
        }
    }
    last
}

fn one_event() -> Append {
    event_with(r#""ünï \" code""#)
}

/// An event whose data has this JSON text as its note.
fn event_with(note: &str) -> Append {
    let id = Clock.new_id();
    let stream = StreamId::named("order", id);
    let meta = serde_json::json!({
        "actor": {"kind": "system"}, "command": "order.place", "request_id": id, "correlation_id": id
    });
    let event = NewEvent {
        id,
        stream: stream.clone(),
        version: 1,
        event_type: "placed".into(),
        schema: 1,
        data: format!(r#"{{"note":{note},"number":"{id}"}}"#),
        meta: meta.to_string().into(),
        correlation: id,
        recorded_at: Clock.now(),
    };
    Append { expect: vec![(stream, 0)], events: vec![event], receipt: None }
}

/// A relay in a task.
struct Running {
    cancel: CancellationToken,
    tasks: JoinSet<()>,
    status: watch::Receiver<RelayStatus>,
}

impl Running {
    fn start(log: &Log, nats: &Nats) -> Self {
        let cancel = CancellationToken::new();
        let (sender, status) = RelayStatus::channel();
        let config = NatsConfig::new(nats.url());
        let mut tasks = JoinSet::new();
        tasks.spawn(relay::run(log.clone(), config, None, cancel.clone(), sender));
        Self { cancel, tasks, status }
    }

    /// Waits until everything up to a position is acknowledged.
    async fn relayed(&self, position: i64) {
        self.until("the relay to be there", |status| {
            status.state == RelayState::Relaying && status.position == position
        })
        .await;
    }

    async fn until(&self, awaited: &str, reached: impl Fn(&RelayStatus) -> bool) {
        let mut status = self.status.clone();
        let found = tokio::time::timeout(Duration::from_secs(30), status.wait_for(|status| reached(status))).await;
        let last = self.status.borrow().clone();
        assert!(matches!(found, Ok(Ok(_))), "waited in vain for {awaited}; it is {last:?}");
    }

    async fn end(mut self) {
        self.cancel.cancel();
        self.tasks.join_next().await.unwrap().unwrap();
    }
}

/// A feed, and a reader that compares each of its events with the one before.
struct Reader {
    feed: Feed,
    seen: Arc<AtomicI64>,
    task: AbortHandle,
    _tasks: JoinSet<()>,
}

impl Reader {
    fn start(log: &Log, nats: Option<&Nats>, from: i64) -> Self {
        let config = nats.map(|nats| TailConfig { url: nats.url(), stream: STREAM.into(), prefix: "byteshop".into() });
        let feed = Feed::start(log.clone(), config, from, CancellationToken::new());
        let seen = Arc::new(AtomicI64::new(from));
        let mut tasks = JoinSet::new();
        let task = tasks.spawn(read(log.clone(), feed.clone(), Arc::clone(&seen)));
        Self { feed, seen, task, _tasks: tasks }
    }

    async fn reached(&self, position: i64) {
        eventually(&format!("the feed to be at {position}, past {}", self.seen.load(Ordering::SeqCst)), || async {
            assert!(!self.task.is_finished(), "the reader found an event out of place");
            (self.seen.load(Ordering::SeqCst) >= position).then_some(())
        })
        .await;
        assert_eq!(self.seen.load(Ordering::SeqCst), position);
        assert_eq!(self.feed.head(), position);
    }
}

async fn read(log: Log, feed: Feed, seen: Arc<AtomicI64>) {
    loop {
        let after = seen.load(Ordering::SeqCst);
        let events = feed.next(after, 300).await.unwrap();
        assert!(!events.is_empty() && events.len() <= 300);
        let stored = log.read_log(after, i64::try_from(events.len()).unwrap()).await.unwrap();
        assert!(events.iter().map(AsRef::as_ref).eq(&stored), "the feed gives the events of the log after {after}");
        seen.fetch_add(i64::try_from(events.len()).unwrap(), Ordering::SeqCst);
    }
}

/// Reads the whole stream and compares it with the log: sequence + base = position up to the head, each once.
async fn assert_delivered(log: &Log, nats: &Nats, base: i64, first: i64) {
    let mut stream = nats.stream().await;
    let head = log.head().await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    let created = stream.cached_info().created;
    assert_eq!(i64::try_from(state.last_sequence).unwrap() + base, head);
    assert_eq!(i64::try_from(state.first_sequence).unwrap() + base, first);
    assert_eq!(i64::try_from(state.messages).unwrap(), head - first + 1);
    let known = log.delivery(STREAM).await.unwrap().unwrap();
    assert_eq!(known.base, base);
    assert_eq!(known.created_at.timestamp_micros(), created.timestamp_micros());
    let consumer: OrderedPullConsumer = stream.create_consumer(pull::OrderedConfig::default()).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut after = first - 1;
    while after < head {
        for event in log.read_log(after, 1_000).await.unwrap() {
            let message = messages.next().await.unwrap().unwrap();
            let sequence = i64::try_from(message.info().unwrap().stream_sequence).unwrap();
            assert_eq!(sequence + base, event.position);
            let headers = message.headers.clone().unwrap();
            assert_eq!(headers.get("Nats-Msg-Id").unwrap().as_str(), event.id.to_string());
            assert_eq!(headers.get("Byteshop-Position").unwrap().as_str(), event.position.to_string());
            assert_eq!(message.subject.as_str(), relay::subject("byteshop", &event));
            assert_eq!(serde_json::from_slice::<Recorded>(&message.payload).unwrap(), event);
            after = event.position;
        }
    }
}

/// The feed has a consumer on the stream: it is back on JetStream.
async fn on_jetstream(nats: &Nats) {
    let stream = nats.stream().await;
    eventually("the feed's consumer", || async {
        (stream.get_info().await.ok()?.state.consumer_count > 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_who_is_there_is_told() {
    let user: &[&str] = &["--user", "shop", "--pass", "p@ss/w:rd %"];
    let token: &[&str] = &["--auth", "t0ken"];
    for login in [(user, "shop:p%40ss%2Fw%3Ard%20%25@"), (token, "t0ken@")] {
        let nats = Nats::start_for(login);
        let log = fresh_log().await;
        let last = append_events(&log, 100).await;
        let relay = Running::start(&log, &nats);
        relay.relayed(last).await;
        assert_eq!(nats.stream().await.get_info().await.unwrap().state.messages, 100);
        let reader = Reader::start(&log, Some(&nats), 0);
        reader.reached(last).await;
        // Hints of other processes go over the same kind of connection.
        let hints = relay::hint_client(&nats.url()).await.unwrap();
        eventually("the hinting connection", || async {
            (hints.connection_state() == async_nats::connection::State::Connected).then_some(())
        })
        .await;
        relay.end().await;
        // Without the words nobody gets in.
        let strangers = format!("nats://127.0.0.1:{}", nats.port);
        assert!(async_nats::connect(&strangers).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sequence_plus_base_is_position_from_the_first_event_on() {
    let (log, nats) = (fresh_log().await, Nats::start());
    append_events(&log, 50).await;
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    relay.relayed(50).await;
    assert_delivered(&log, &nats, 0, 1).await;
    on_jetstream(&nats).await;
    for count in [1, 2, 249, 250, 251, 1_000, 2_345] {
        let head = append_events(&log, count).await;
        relay.relayed(head).await;
        reader.reached(head).await;
    }
    assert_delivered(&log, &nats, 0, 1).await;
    relay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_too_large_for_nats_keeps_its_number_and_is_read_from_postgres() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    append_events(&log, 10).await;
    relay.relayed(10).await;
    on_jetstream(&nats).await;
    let large = event_with(&format!("\"{}\"", "x".repeat(2 << 20)));
    append(&mut log.writer().await.unwrap(), &[large]).await.unwrap();
    relay.relayed(11).await;
    reader.reached(11).await;
    append_events(&log, 10).await;
    relay.relayed(21).await;
    reader.reached(21).await;
    on_jetstream(&nats).await;
    let message = nats.stream().await.get_raw_message(11).await.unwrap();
    assert_eq!(message.headers.get("Byteshop-Position").unwrap().as_str(), "11");
    assert!(message.payload.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_goes_on_where_another_one_ended() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let take_turns = async || {
        for _ in 0..3 {
            let head = append_events(&log, 700).await;
            let relay = Running::start(&log, &nats);
            relay.relayed(head).await;
            relay.end().await;
        }
    };
    take_turns().await;
    assert_delivered(&log, &nats, 0, 1).await;
    // In a stream that begins later in the log, too.
    nats.jetstream().await.delete_stream(STREAM).await.unwrap();
    take_turns().await;
    let base = log.delivery(STREAM).await.unwrap().unwrap().base;
    assert!(base > 0);
    assert_delivered(&log, &nats, base, base + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_starts_late_starts_near_the_head_of_a_long_log() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let start = append_events(&log, 100_100).await;
    let reader = Reader::start(&log, Some(&nats), start - 30);
    let relay = Running::start(&log, &nats);
    relay.relayed(start).await;
    let head = append_events(&log, 100).await;
    relay.relayed(head).await;
    reader.reached(head).await;
    assert_delivered(&log, &nats, start, start + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_is_made_again_and_carries_on() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    append_events(&log, 120).await;
    relay.relayed(120).await;
    on_jetstream(&nats).await;
    nats.jetstream().await.delete_stream(STREAM).await.unwrap();
    append_events(&log, 80).await;
    relay.relayed(200).await;
    reader.reached(200).await;
    assert_delivered(&log, &nats, 120, 121).await;
    on_jetstream(&nats).await;
    append_events(&log, 5).await;
    relay.relayed(205).await;
    reader.reached(205).await;
    assert_delivered(&log, &nats, 120, 121).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_deleted_while_nothing_happens_is_made_again_too() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    append_events(&log, 12).await;
    relay.relayed(12).await;
    assert_made_again(&log, &nats, &relay).await;
}

/// Deletes the stream, which has twelve events, and waits until it is there again.
async fn assert_made_again(log: &Log, nats: &Nats, relay: &Running) {
    nats.jetstream().await.delete_stream(STREAM).await.unwrap();
    nats.stream().await;
    append_events(log, 3).await;
    relay.relayed(15).await;
    assert_delivered(log, nats, 12, 13).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_stream_carries_on() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    append_events(&log, 120).await;
    relay.relayed(120).await;
    nats.stream().await.purge().await.unwrap();
    append_events(&log, 80).await;
    relay.relayed(200).await;
    reader.reached(200).await;
    assert_delivered(&log, &nats, 0, 121).await;
    // A relay that comes new to a purged stream knows its numbers from Postgres.
    nats.stream().await.purge().await.unwrap();
    relay.end().await;
    let relay = Running::start(&log, &nats);
    append_events(&log, 20).await;
    relay.relayed(220).await;
    reader.reached(220).await;
    assert_delivered(&log, &nats, 0, 201).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_store_directory_is_filled_again() {
    let (log, mut nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    append_events(&log, 400).await;
    relay.relayed(400).await;
    nats.wipe();
    append_events(&log, 100).await;
    reader.reached(500).await;
    nats.restart();
    relay.relayed(500).await;
    append_events(&log, 100).await;
    relay.relayed(600).await;
    reader.reached(600).await;
    assert_delivered(&log, &nats, 400, 401).await;
    on_jetstream(&nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_directory_wiped_under_a_running_server_is_noticed_at_the_latest_when_it_restarts() {
    let (log, mut nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    append_events(&log, 400).await;
    relay.relayed(400).await;
    std::fs::remove_dir_all(nats.store()).unwrap();
    // The server may acknowledge what it cannot keep; the feed must not depend on it.
    append_events(&log, 100).await;
    reader.reached(500).await;
    nats.kill();
    append_events(&log, 100).await;
    reader.reached(600).await;
    nats.restart();
    relay.relayed(600).await;
    append_events(&log, 100).await;
    relay.relayed(700).await;
    reader.reached(700).await;
    let base = log.delivery(STREAM).await.unwrap().unwrap().base;
    assert!((400..=600).contains(&base));
    assert_delivered(&log, &nats, base, base + 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_directory_rolled_back_to_an_older_copy_is_caught_up() {
    let (log, mut nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    append_events(&log, 300).await;
    relay.relayed(300).await;
    nats.kill();
    nats.back_up();
    nats.restart();
    append_events(&log, 300).await;
    relay.relayed(600).await;
    nats.roll_back();
    append_events(&log, 100).await;
    nats.restart();
    relay.relayed(700).await;
    reader.reached(700).await;
    append_events(&log, 10).await;
    relay.relayed(710).await;
    reader.reached(710).await;
    assert_delivered(&log, &nats, 0, 1).await;
    on_jetstream(&nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_directory_rolled_back_to_an_earlier_stream_is_adopted_with_its_base() {
    let (log, mut nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    append_events(&log, 300).await;
    relay.relayed(300).await;
    nats.kill();
    nats.back_up();
    nats.wipe();
    nats.restart();
    append_events(&log, 300).await;
    relay.relayed(600).await;
    assert_delivered(&log, &nats, 300, 301).await;
    nats.roll_back();
    nats.restart();
    append_events(&log, 100).await;
    relay.relayed(700).await;
    assert_delivered(&log, &nats, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_appended_while_the_server_is_down_is_delivered_once_and_in_order() {
    let (log, mut nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    let mut head = append_events(&log, 1_000).await;
    relay.relayed(head).await;
    nats.kill();
    relay.until("the relay to wait", |status| matches!(status.state, RelayState::Waiting(_))).await;
    let down = Instant::now();
    while down.elapsed() < Duration::from_secs(10) {
        head = append_events(&log, 7).await;
        reader.reached(head).await;
    }
    nats.restart();
    relay.relayed(head).await;
    assert_delivered(&log, &nats, 0, 1).await;
    on_jetstream(&nats).await;
    head = append_events(&log, 10).await;
    reader.reached(head).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_holds_nobody_up() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    let mut head = append_events(&log, 100).await;
    relay.relayed(head).await;
    on_jetstream(&nats).await;
    nats.signal(Signal::STOP);
    let hung = Instant::now();
    while !matches!(relay.status.borrow().state, RelayState::Waiting(_)) {
        head = append_events(&log, 10).await;
        reader.reached(head).await;
        assert!(hung.elapsed() < Duration::from_secs(30), "the relay does not notice");
    }
    nats.signal(Signal::CONT);
    relay.relayed(head).await;
    assert_delivered(&log, &nats, 0, 1).await;
    on_jetstream(&nats).await;
    head = append_events(&log, 10).await;
    reader.reached(head).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_again_and_again_under_load_loses_and_doubles_nothing() {
    let (log, mut nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let relay = Running::start(&log, &nats);
    let mut appending = JoinSet::new();
    appending.spawn({
        let log = log.clone();
        async move {
            let mut head = 0;
            for _ in 0..60 {
                head = append_events(&log, 500).await;
            }
            head
        }
    });
    for _ in 0..4 {
        let before = relay.status.borrow().position;
        relay
            .until("more to be relayed", |status| {
                status.state == RelayState::Relaying && (status.position > before + 200 || status.position == 30_000)
            })
            .await;
        nats.kill();
        nats.restart();
    }
    let head = appending.join_next().await.unwrap().unwrap();
    relay.relayed(head).await;
    reader.reached(head).await;
    assert_delivered(&log, &nats, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_relays_one_leads_and_the_other_takes_over_when_it_dies() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let reader = Reader::start(&log, Some(&nats), 0);
    let mut first = Running::start(&log, &nats);
    let mut head = append_events(&log, 100).await;
    first.relayed(head).await;
    let second = Running::start(&log, &nats);
    head = append_events(&log, 100).await;
    first.relayed(head).await;
    assert_eq!(second.status.borrow().state, RelayState::Standby);
    // As a killed process: nothing is handed over, the connections just end.
    first.tasks.abort_all();
    head = append_events(&log, 100).await;
    second.relayed(head).await;
    reader.reached(head).await;
    assert_delivered(&log, &nats, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_that_both_believe_to_lead_do_no_harm() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relays = [Running::start(&log, &nats), Running::start(&log, &nats)];
    let leader = "select pid from pg_locks where locktype = 'advisory' and granted
        and database = (select oid from pg_database where datname = current_database())";
    let mut head = 0;
    for _ in 0..6 {
        let pid: i32 =
            eventually("a leader", || async { sqlx::query_scalar(leader).fetch_optional(log.pool()).await.unwrap() })
                .await;
        // The one that has lost the lead does not know it yet, and publishes on.
        sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(log.pool()).await.unwrap();
        let since = Instant::now();
        loop {
            head = append_events(&log, 20).await;
            let now: Option<i32> = sqlx::query_scalar(leader).fetch_optional(log.pool()).await.unwrap();
            if now.is_some_and(|now| now != pid) {
                break;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "nobody took over");
        }
    }
    eventually("one of them to be there", || async {
        relays.iter().any(|relay| relay.status.borrow().position == head).then_some(())
    })
    .await;
    assert_delivered(&log, &nats, 0, 1).await;
}

/// A relay meets the stream of another log; the operator deletes it.
async fn meets_another_history(theirs: usize, ours: usize) {
    let (other, log, nats) = (fresh_log().await, fresh_log().await, Nats::start());
    append_events(&other, theirs).await;
    let relay = Running::start(&other, &nats);
    relay.relayed(other.head().await.unwrap()).await;
    relay.end().await;

    let mut head = append_events(&log, ours).await;
    let relay = Running::start(&log, &nats);
    let reader = Reader::start(&log, Some(&nats), 0);
    relay.until("the relay to stop", |status| matches!(status.state, RelayState::Stopped(_))).await;
    head = head.max(append_events(&log, 10).await);
    reader.reached(head).await;
    // It is left as it was found, by who compares it too.
    let config = NatsConfig::new(nats.url());
    assert!(matches!(history::compare(&log, &config).await, History::Other { .. }));
    assert_eq!(nats.stream().await.cached_info().state.last_sequence, u64::try_from(theirs).unwrap());

    history::delete(&config).await.unwrap();
    relay.relayed(head).await;
    assert_eq!(history::compare(&log, &config).await, History::Same { position: head });
    head = append_events(&log, 10).await;
    relay.relayed(head).await;
    reader.reached(head).await;
    assert_delivered(&log, &nats, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jetstream_that_is_ahead_of_postgres_stops_the_relay_until_it_is_deleted() {
    meets_another_history(200, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jetstream_with_another_history_stops_the_relay_until_it_is_deleted() {
    meets_another_history(100, 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_without_jetstream_reads_postgres_from_any_position() {
    let log = fresh_log().await;
    append_events(&log, 15_000).await;
    let (from_the_start, from_the_head) = (Reader::start(&log, None, 0), Reader::start(&log, None, 15_000));
    from_the_start.reached(15_000).await;
    append_events(&log, 1_500).await;
    from_the_start.reached(16_500).await;
    from_the_head.reached(16_500).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_goes_back_when_the_log_has_become_shorter() {
    let log = fresh_log().await;
    append_events(&log, 10).await;
    let reader = Reader::start(&log, None, 0);
    reader.reached(10).await;
    // As a restored backup would, under a process that goes on.
    let shorten = "alter table log.event disable trigger user; delete from log.event where position > 5;
        update log.head set position = 5";
    sqlx::raw_sql(shorten).execute(log.pool()).await.unwrap();
    eventually("the feed to be at 5", async || (reader.feed.head() == 5).then_some(())).await;
    append_events(&log, 3).await;
    let events = reader.feed.next(5, 300).await.unwrap();
    let stored = log.read_log(5, 300).await.unwrap();
    assert!(events.iter().map(AsRef::as_ref).eq(stored.iter().take(events.len())) && !events.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_from_another_process_wakes_the_relay() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    let reader = Reader::start(&log, Some(&nats), 0);
    relay.relayed(0).await;
    on_jetstream(&nats).await;
    let client = relay::hint_client(&nats.url()).await.unwrap();
    for number in 1..=20 {
        append_events(&log, 1).await;
        relay::hint(&client, "byteshop").await;
        reader.reached(number).await;
    }
}
