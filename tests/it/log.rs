//! The log: order without gaps, conditions across streams, receipts, and that nothing in it can be changed.

use byteshop_eventstore::append::append;
use byteshop_eventstore::{Append, Clock, Log, NewEvent, NewReceipt, Outcome, StreamId};
use byteshop_tests::servers::fresh_database;
use uuid::Uuid;

async fn log() -> Log {
    let log = Log::open(&fresh_database().await).unwrap();
    log.migrate().await.unwrap();
    log
}

fn stream(number: u128) -> StreamId {
    StreamId::named("bench", Uuid::from_u128(number))
}

fn event(stream: &StreamId, version: i64) -> NewEvent {
    NewEvent {
        id: Clock.new_id(),
        stream: stream.clone(),
        version,
        event_type: "counted".into(),
        schema: 1,
        data: format!("{{\"n\":{version}}}"),
        meta: "{\"actor\":{\"kind\":\"system\",\"name\":\"test\"}}".into(),
        correlation: Uuid::from_u128(7),
        recorded_at: Clock.now(),
    }
}

fn one(stream: &StreamId, version: i64) -> Append {
    Append { expect: vec![(stream.clone(), version - 1)], events: vec![event(stream, version)], receipt: None }
}

fn accepted(first: i64, last: i64) -> Outcome {
    Outcome::Accepted { positions: Some((first, last)) }
}

#[tokio::test]
async fn a_refused_append_takes_only_those_along_that_build_on_it() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    let (a, b, c, d) = (stream(1), stream(2), stream(3), stream(4));
    let batch = [
        one(&a, 1),
        one(&b, 2), // nothing there yet: refused
        one(&b, 3), // builds on it
        one(&a, 2), // builds on the first
        Append { expect: vec![(b.clone(), 3), (c.clone(), 0)], events: vec![event(&c, 1)], receipt: None }, // reads what was refused
        one(&d, 1),
    ];
    let outcomes = append(&mut writer, &batch).await.unwrap();
    assert_eq!(
        outcomes,
        [accepted(1, 1), Outcome::Conflict, Outcome::Conflict, accepted(2, 2), Outcome::Conflict, accepted(3, 3)]
    );
    assert_eq!(log.head().await.unwrap(), 3);
    let positions: Vec<_> =
        log.read_log(0, 10).await.unwrap().iter().map(|event| (event.position, event.version)).collect();
    assert_eq!(positions, [(1, 1), (2, 2), (3, 1)]);
}

#[tokio::test]
async fn an_append_is_all_or_nothing_across_streams() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    let (a, b) = (stream(1), stream(2));
    assert_eq!(append(&mut writer, &[one(&a, 1)]).await.unwrap(), [accepted(1, 1)]);
    let both = Append {
        expect: vec![(a.clone(), 0), (b.clone(), 0)],
        events: vec![event(&b, 1), event(&a, 1)],
        receipt: None,
    };
    assert_eq!(append(&mut writer, &[both]).await.unwrap(), [Outcome::Conflict]);
    assert!(log.read_stream(&b, 0, 10).await.unwrap().is_empty());
    let only_read = Append { expect: vec![(a.clone(), 1), (b.clone(), 0)], events: vec![event(&b, 1)], receipt: None };
    assert_eq!(append(&mut writer, &[only_read]).await.unwrap(), [accepted(2, 2)]);
}

#[tokio::test]
async fn a_receipt_is_written_with_its_events_and_refuses_the_next() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    let a = stream(1);
    let receipt = |key: &str| NewReceipt {
        who: "me".into(),
        key: key.into(),
        fingerprint: vec![1],
        response: "\"yes\"".into(),
        recorded_at: Clock.now(),
        expires_at: None,
    };
    let with = |key: &str, version| Append { receipt: Some(receipt(key)), ..one(&a, version) };
    let without_events = Append { receipt: Some(receipt("empty")), ..Append::default() };
    let outcomes = append(&mut writer, &[with("k", 1), without_events.clone()]).await.unwrap();
    assert_eq!(outcomes, [accepted(1, 1), Outcome::Accepted { positions: None }]);
    let outcomes = append(&mut writer, &[with("k", 2), without_events, one(&a, 2)]).await.unwrap();
    assert_eq!(outcomes, [Outcome::Duplicate, Outcome::Duplicate, Outcome::Conflict]);
    let found = log.receipt("me", "k").await.unwrap().unwrap();
    assert_eq!((found.first_position, found.last_position, found.response.as_str()), (Some(1), Some(1), "\"yes\""));
    assert_eq!(log.receipt("you", "k").await.unwrap(), None);
}

#[tokio::test]
async fn writers_side_by_side_leave_no_gap_and_one_wins_each_version() {
    const WRITERS: usize = 8;
    const ROUNDS: i64 = 40;
    let log = log().await;
    let hot = stream(99);
    let writing: Vec<_> = (0..WRITERS)
        .map(|number| {
            let (log, hot) = (log.clone(), hot.clone());
            tokio::spawn(async move {
                let mut writer = log.writer().await.unwrap();
                let own = stream(number as u128);
                let mut won = 0;
                for round in 1..=ROUNDS {
                    let outcomes = append(&mut writer, &[one(&own, round), one(&hot, round)]).await.unwrap();
                    assert!(matches!(outcomes[0], Outcome::Accepted { .. }));
                    won += usize::from(matches!(outcomes[1], Outcome::Accepted { .. }));
                }
                won
            })
        })
        .collect();
    let mut won = 0;
    for task in writing {
        won += task.await.unwrap();
    }
    let events = log.read_log(0, 10_000).await.unwrap();
    let positions: Vec<i64> = events.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=log.head().await.unwrap()).collect::<Vec<_>>());
    let hot_versions: Vec<i64> =
        events.iter().filter(|event| event.stream == hot.id).map(|event| event.version).collect();
    assert_eq!(hot_versions.len(), won);
    assert_eq!(hot_versions, (1..=won as i64).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event.leaf == event.computed_leaf()));
}

#[tokio::test]
async fn nothing_in_the_log_can_be_changed() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    append(&mut writer, &[one(&stream(1), 1)]).await.unwrap();
    for statement in ["update log.event set type = 'x'", "delete from log.event", "truncate log.event"] {
        let refused = sqlx::query(statement).execute(log.pool()).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn a_long_stream_is_read_in_pages() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    let a = stream(1);
    let whole =
        Append { expect: vec![(a.clone(), 0)], events: (1..=10_000).map(|n| event(&a, n)).collect(), receipt: None };
    append(&mut writer, &[whole]).await.unwrap();
    let (mut version, mut pages) = (0, 0);
    loop {
        let page = log.read_stream(&a, version, byteshop_eventstore::read::PAGE).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 1_000);
        assert_eq!(page[0].version, version + 1);
        version = last.version;
        pages += 1;
    }
    assert_eq!((version, pages), (10_000, 10));
}
