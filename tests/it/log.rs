//! The log: order without gaps, conditions across streams, receipts, and that nothing in it can be changed.

use byteshop_eventstore::append::append;
use byteshop_eventstore::read::Filter;
use byteshop_eventstore::{Append, Clock, Log, NewEvent, NewReceipt, Outcome, Recorded, StreamId};
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

#[tokio::test]
async fn events_are_found_by_position_stream_moment_cause_words_and_actor() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    let (a, b) = (stream(1), stream(2));
    let batch = [one(&a, 1), one(&b, 1), one(&a, 2), one(&a, 3)];
    append(&mut writer, &batch).await.unwrap();
    let all = log.read_log(0, 10).await.unwrap();
    let positions = |events: &[Recorded]| events.iter().map(|event| event.position).collect::<Vec<_>>();

    let pages = log.read_many(&[(b.clone(), 0), (a.clone(), 1), (stream(3), 0)], 10).await.unwrap();
    assert_eq!(pages.iter().map(|page| positions(page)).collect::<Vec<_>>(), [vec![2], vec![3, 4], vec![]]);
    assert_eq!(log.event_at(3).await.unwrap().as_ref(), Some(&all[2]));
    assert_eq!(log.event_at(5).await.unwrap(), None);
    let recorded = log.recorded_at(&[2, 5]).await.unwrap();
    assert_eq!(recorded.into_iter().collect::<Vec<_>>(), [(2, all[1].recorded_at)]);
    assert_eq!((log.version_of(&a).await.unwrap(), log.version_of(&stream(3)).await.unwrap()), (3, 0));
    assert_eq!(log.leaf_at(3).await.unwrap().as_ref(), Some(&all[2].leaf));
    assert_eq!(log.leaf_at(5).await.unwrap(), None);
    assert_eq!(positions(&log.read_correlation(Uuid::from_u128(7), 1, 2).await.unwrap()), [2, 3]);
    assert_eq!(positions(&log.read_range(1, 3, &["bench"]).await.unwrap()), [2, 3]);
    assert_eq!(positions(&log.mentioning("bench", "counted", "\"n\":3").await.unwrap()), [4]);
    assert_eq!(log.actor_names().await.unwrap(), ["test"]);
    assert_eq!(log.position_at(all[3].recorded_at).await.unwrap(), 4);
    assert_eq!(log.position_at(all[0].recorded_at - chrono::TimeDelta::seconds(1)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_filter_lets_through_what_all_its_parts_allow() {
    let log = log().await;
    let mut writer = log.writer().await.unwrap();
    let (a, b) = (stream(1), stream(2));
    append(&mut writer, &[one(&a, 1), one(&b, 1), one(&a, 2)]).await.unwrap();
    let passes = async |filter: Filter| {
        let next = log.read_filtered(0, 10, &filter).await.unwrap();
        let last = log.read_last(3, 10, &filter).await.unwrap();
        assert_eq!(next, last);
        next.iter().map(|event| event.position).collect::<Vec<_>>()
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(passes(Filter::default()).await, [1, 2, 3]);
    assert_eq!(passes(Filter { streams: vec![b], ..Filter::default() }).await, [2]);
    assert_eq!(passes(Filter { categories: names(&["order"]), ..Filter::default() }).await, [0; 0]);
    assert_eq!(passes(Filter { types: names(&["bench.counted"]), ..Filter::default() }).await, [1, 2, 3]);
    assert_eq!(passes(Filter { types: names(&["bench.other"]), ..Filter::default() }).await, [0; 0]);
    assert_eq!(passes(Filter { actor: Some("system test".into()), ..Filter::default() }).await, [1, 2, 3]);
    assert_eq!(passes(Filter { actor: Some("staff".into()), ..Filter::default() }).await, [0; 0]);
}

#[tokio::test]
async fn the_keys_that_were_answered_are_told_with_what_was_asked() {
    let log = log().await;
    let receipt = |key: &str| NewReceipt {
        who: "me".into(),
        key: key.into(),
        fingerprint: key.as_bytes().to_vec(),
        response: "{}".into(),
        recorded_at: Clock.now(),
        expires_at: None,
    };
    let batch = ["a", "b"].map(|key| Append { receipt: Some(receipt(key)), ..Append::default() });
    append(&mut log.writer().await.unwrap(), &batch).await.unwrap();
    let keys = ["b", "c"].map(str::to_owned);
    assert_eq!(log.fingerprints("me", &keys).await.unwrap(), [("b".to_owned(), b"b".to_vec())]);
    assert_eq!(log.fingerprints("you", &keys).await.unwrap(), []);
}
