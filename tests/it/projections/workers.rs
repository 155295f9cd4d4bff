//! Workers: what a view does that has nothing to do, that is far behind, or that stands beside a broken one.

use std::sync::Arc;

use super::*;

/// Appends events that touch no row of any view.
async fn append_others(shop: &mut Shop, count: i64) -> i64 {
    let stream = Uuid::from_u128(7_000);
    let events = (0..count).map(|_| {
        let version = shop.versions.entry(stream).or_default();
        *version += 1;
        NewEvent {
            id: Clock.new_id(),
            stream: StreamId::named("other", stream),
            version: *version,
            event_type: "happened".into(),
            schema: 1,
            data: "{}".into(),
            meta: "{}".into(),
            correlation: Uuid::nil(),
            recorded_at: Clock.now(),
        }
    });
    let appends = [Append { events: events.collect(), ..Append::default() }];
    append(&mut shop.writer, &appends).await.unwrap();
    shop.log.head().await.unwrap()
}

#[tokio::test]
async fn a_view_that_another_process_leads_is_left_to_it() {
    let mut shop = Shop::new().await;
    let mut other = PgConnection::connect(&shop.url).await.unwrap();
    let lease = "select pg_advisory_lock(hashtextextended('byteshop view tally', 0))";
    sqlx::query(lease).execute(&mut other).await.unwrap();
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(5, 2).await;
    assert!(process.views.wait("steady", head, Duration::from_secs(30)).await.unwrap());
    assert_eq!(process.status().await.position, 0);
    other.close().await.unwrap();
    process.reaches(head).await;
}

#[tokio::test]
async fn a_position_is_stored_although_no_row_changes() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    let stored = async |position: i64| {
        eventually("the position is stored", async || (process.status().await.position == position).then_some(()))
            .await;
    };
    stored(append_others(&mut shop, 3).await).await;
    // It goes on from there, and stores what follows as well.
    let head = shop.append(&[(1, r#"{"add":1}"#)]).await;
    process.reaches(head).await;
    stored(append_others(&mut shop, 1).await).await;
    // An event that cannot be folded is named although those before it are stored later.
    append_others(&mut shop, 2).await;
    let at = shop.append(&[(99, r#"{"unknown":1}"#)]).await;
    let status = process.becomes(State::Parked).await;
    assert_eq!((status.position, status.error_position), (at - 1, Some(at)));
    assert_eq!(shop.total(&process.views, 1).await, Some(1));
}

/// Another process may have lost an append that it told of.
#[tokio::test]
async fn an_event_that_the_feed_has_and_the_log_has_not_is_not_counted() {
    let mut shop = Shop::new().await;
    let (views, cancel) = (views::<1>(&shop), CancellationToken::new());
    let feed = Feed::start(shop.log.clone(), None, 0, cancel.clone());
    let (running, followed, cancelled) = (views.clone(), feed.clone(), cancel.clone());
    let mut task = JoinSet::new();
    task.spawn(async move { running.run(followed, &[], cancelled).await.unwrap() });
    let process = Process { views, _task: task, cancel };
    let head = shop.append_many(3, 1).await;
    process.reaches(head).await;
    eventually("the feed is there", async || (feed.head() == head).then_some(())).await;
    let last = shop.log.event_at(head).await.unwrap().unwrap();
    let data = r#"{"add":1000}"#.into();
    let phantom = Recorded { position: head + 1, id: Clock.new_id(), data, leaf: vec![7; 32], ..last };
    feed.offer(vec![Arc::new(phantom)]);
    let head = shop.append_many(2, 1).await;
    process.reaches(head).await;
    assert_eq!(shop.total(&process.views, 0).await, Some(5));
    assert_eq!(differences(&process.views, "tally").await, 0);
}

#[tokio::test]
async fn a_view_without_its_table_does_not_hold_up_the_others() {
    let mut shop = Shop::new().await;
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(5, 2).await;
    process.reaches(head).await;
    drop(process);
    shop.sql("alter table read.tally rename to tally_gone").await;
    let process = Process::start::<1>(&shop);
    let head = shop.append_many(5, 2).await;
    assert!(process.views.wait("steady", head, Duration::from_secs(30)).await.unwrap());
    assert_eq!(process.views.row("steady", "count").await.unwrap().as_deref(), Some("10"));
    shop.sql("alter table read.tally_gone rename to tally").await;
    process.reaches(head).await;
    assert_eq!(differences(&process.views, "tally").await, 0);
}

#[tokio::test]
async fn a_rebuild_that_the_table_refuses_parks_the_view_and_leaves_its_rows() {
    let mut shop = Shop::new().await;
    let old = Process::start::<1>(&shop);
    // Counted twice, as version 2 does it, it is more than the table takes.
    let head = shop.append(&[(1, r#"{"add":600000}"#)]).await;
    old.reaches(head).await;
    drop(old);
    let new = Process::start::<2>(&shop);
    let status = new.becomes(State::Parked).await;
    assert_eq!((status.version, status.position), (1, head));
    assert_eq!(shop.total(&new.views, 1).await, Some(600_000));
}
