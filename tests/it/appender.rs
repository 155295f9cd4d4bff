//! The appender: what becomes of appends that Postgres refuses, and of those whose connection is lost.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use byteshop_commands::{Appender, CommitHandle};
use byteshop_eventstore::{Append, Clock, Log, NewEvent, Outcome, StreamId};
use byteshop_tests::patience::eventually;
use byteshop_tests::proxy::{Way, Wire};
use byteshop_tests::servers::{fresh_database, over_tcp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The appender of one process, and the positions that it has told the followers of.
struct Writing {
    appender: Appender,
    committed: Arc<Mutex<Vec<i64>>>,
    _task: JoinSet<()>,
}

impl Writing {
    fn to(log: &Log) -> Self {
        let committed = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&committed);
        let tell = move |batch: byteshop_commands::Committed| {
            told.lock().unwrap().extend(batch.events().iter().map(|event| event.position));
        };
        let (appender, appending) = Appender::new(log.clone(), tell, CancellationToken::new());
        let mut task = JoinSet::new();
        task.spawn(appending);
        Self { appender, committed, _task: task }
    }

    fn committed(&self) -> Vec<i64> {
        self.committed.lock().unwrap().clone()
    }
}

/// An append of some events with this data to a new stream.
fn append_of(number: u128, events: i64, data: &str) -> Append {
    let stream = StreamId::named("bench", Uuid::from_u128(number));
    let event = |version| NewEvent {
        id: Clock.new_id(),
        stream: stream.clone(),
        version,
        event_type: "counted".into(),
        schema: 1,
        data: data.into(),
        meta: "{}".into(),
        correlation: Uuid::from_u128(7),
        recorded_at: Clock.now(),
    };
    Append { expect: vec![(stream.clone(), 0)], events: (1..=events).map(event).collect(), receipt: None }
}

fn accepted(first: i64, last: i64) -> Outcome {
    Outcome::Accepted { positions: Some((first, last)) }
}

#[tokio::test]
async fn an_append_that_postgres_refuses_fails_alone_and_takes_those_along_that_depend_on_it() {
    let log = Log::open(&fresh_database().await).unwrap();
    let writing = Writing::to(&log);
    let broken = CommitHandle::default();
    // They wait together, so they are one batch.
    let submitted = [
        writing.appender.submit(append_of(1, 2, "{}")),
        writing.appender.submit_after(append_of(2, 1, "no JSON"), broken.clone(), Vec::new()),
        writing.appender.submit_after(append_of(3, 1, "{}"), CommitHandle::default(), vec![broken]),
        writing.appender.submit(append_of(4, 1, "{}")),
    ];
    let mut outcomes = Vec::new();
    for submitted in submitted {
        outcomes.push(submitted.outcome().await.ok());
    }
    assert_eq!(outcomes, [Some(accepted(1, 2)), None, Some(Outcome::Conflict), Some(accepted(3, 3))]);
    eventually("the followers are told", async || (writing.committed() == [1, 2, 3]).then_some(())).await;
    // The next one is written as if nothing had happened.
    assert_eq!(writing.appender.submit(append_of(5, 1, "{}")).outcome().await.ok(), Some(accepted(4, 4)));
}

#[tokio::test]
async fn an_append_whose_connection_is_lost_before_it_is_written_is_written_then() {
    let log = Log::open(&fresh_database().await).unwrap();
    let writing = Writing::to(&log);
    let mut held = log.pool().begin().await.unwrap();
    sqlx::query("select position from log.head for update").execute(&mut *held).await.unwrap();
    let submitted = writing.appender.submit(append_of(1, 2, "{}"));
    eventually("the append that waits has lost its connection", async || {
        let ended: Option<bool> = sqlx::query_scalar(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()
                and wait_event_type = 'Lock' and query like '%log.append(%'",
        )
        .fetch_optional(log.pool())
        .await
        .unwrap();
        ended
    })
    .await;
    held.rollback().await.unwrap();
    assert_eq!(submitted.outcome().await.ok(), Some(accepted(1, 2)));
    assert_eq!(log.head().await.unwrap(), 2);
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_found_in_the_log() {
    let url = fresh_database().await;
    let mut through: reqwest::Url = over_tcp(&url).parse().unwrap();
    let server = (Ipv4Addr::LOCALHOST, through.port().unwrap()).into();
    let loses = Arc::new(AtomicBool::new(false));
    let lost = Arc::clone(&loses);
    let wire = Wire::before(server, move |way| way == Way::Answer && lost.swap(false, Ordering::Relaxed)).await;
    through.set_port(Some(wire.address().port())).unwrap();
    let writing = Writing::to(&Log::open(through.as_str()).unwrap());
    // The connection is made, and the statement is known.
    assert_eq!(writing.appender.submit(append_of(1, 1, "{}")).outcome().await.ok(), Some(accepted(1, 1)));
    loses.store(true, Ordering::Relaxed);
    let submitted = [append_of(2, 3, "{}"), append_of(3, 1, "{}")].map(|append| writing.appender.submit(append));
    let [first, second] = submitted;
    assert_eq!(first.outcome().await.ok(), Some(accepted(2, 4)));
    assert_eq!(second.outcome().await.ok(), Some(accepted(5, 5)));
    assert_eq!((wire.cuts(), Log::open(&url).unwrap().head().await.unwrap()), (1, 5));
    eventually("the followers are told", async || (writing.committed() == [1, 2, 3, 4, 5]).then_some(())).await;
}
