//! Streams in unusual states, and what a relay and a feed do with them while nothing happens.

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::AckPolicy;

use super::*;

/// Publishes events to the stream alone, after the head of the log: Postgres says that they exist, and does not give them.
async fn publish_only(log: &Log, nats: &Nats, count: i64) -> i64 {
    let head = log.head().await.unwrap();
    let last = log.event_at(head).await.unwrap().unwrap();
    let longer = "update log.head set position = position + $1";
    sqlx::query(longer).bind(count).execute(log.pool()).await.unwrap();
    let jetstream = nats.jetstream().await;
    let mut acknowledged = Vec::new();
    for position in head + 1..=head + count {
        let event = Recorded { position, id: Clock.new_id(), ..last.clone() };
        let mut headers = HeaderMap::new();
        headers.insert("Byteshop-Position", position.to_string());
        headers.insert("Nats-Msg-Id", event.id.to_string());
        let (subject, payload) = (relay::subject("byteshop", &event), serde_json::to_vec(&event).unwrap());
        acknowledged.push(jetstream.publish_with_headers(subject, headers, payload.into()).await.unwrap());
    }
    for acknowledged in acknowledged {
        acknowledged.await.unwrap();
    }
    head + count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_reads_from_jetstream_what_it_has() {
    for is_replaced in [false, true] {
        let (log, nats) = (fresh_log().await, Nats::start());
        let relay = Running::start(&log, &nats);
        relay.relayed(append_events(&log, 20).await).await;
        if is_replaced {
            nats.jetstream().await.delete_stream(STREAM).await.unwrap();
            relay.relayed(append_events(&log, 10).await).await;
        }
        relay.end().await;
        let mut seen = log.head().await.unwrap();
        let config = TailConfig { url: nats.url(), stream: STREAM.into(), prefix: "byteshop".into() };
        let feed = Feed::start(log.clone(), Some(config), seen, CancellationToken::new());
        on_jetstream(&nats).await;
        // More than a consumer delivers that waits for acknowledgements.
        let head = publish_only(&log, &nats, 1_200).await;
        while seen < head {
            let next = tokio::time::timeout(Duration::from_secs(30), feed.next(seen, 300)).await;
            let events = next.expect("JetStream delivers").unwrap();
            assert!(events.iter().map(|event| event.position).eq((seen + 1..).take(events.len())));
            seen = events.last().unwrap().position;
        }
        let stream = nats.stream().await;
        let consumer = stream.consumers().next().await.unwrap().unwrap().config;
        assert_eq!(consumer.ack_policy, AckPolicy::None);
        assert!(consumer.memory_storage && !consumer.idle_heartbeat.is_zero());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_relay_stores_its_position_keeps_its_session_and_notices_that_the_stream_is_gone() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    relay.relayed(0).await;
    let mut status = relay.status.clone();
    let is_over = async { status.wait_for(|status| status.state != RelayState::Relaying).await.is_ok() };
    let working = async {
        append_events(&log, 12).await;
        relay.relayed(12).await;
        eventually("the position is stored", async || {
            log.delivery(STREAM).await.unwrap().filter(|stored| stored.relayed == 12).map(|_| ())
        })
        .await;
        // Longer than it takes to confirm the lead and to inspect the stream.
        tokio::time::sleep(Duration::from_secs(8)).await;
    };
    tokio::select! {
        () = working => {}
        _ = is_over => panic!("nothing of this ends the session"),
    }
    assert_made_again(&log, &nats, &relay).await;
}

/// The transactions that were committed in the database of a log, as far as Postgres has counted them.
async fn transactions(log: &Log) -> i64 {
    let counted = "select xact_commit from pg_stat_database where datname = current_database()";
    sqlx::query_scalar(counted).fetch_one(log.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_relay_rests_between_two_looks() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    relay.relayed(append_events(&log, 12).await).await;
    let before = transactions(&log).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let counted = transactions(&log).await - before;
    // It looks five times a second. Without a rest it would be hundreds of times.
    assert!(counted < 150, "{counted} transactions in three seconds");
    relay.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_last_message_was_deleted_is_continued() {
    let (log, nats) = (fresh_log().await, Nats::start());
    append_events(&log, 12).await;
    let relay = Running::start(&log, &nats);
    relay.relayed(12).await;
    relay.end().await;
    assert!(nats.stream().await.delete_message(12).await.unwrap());
    let reader = Reader::start(&log, Some(&nats), 0);
    on_jetstream(&nats).await;
    let relay = Running::start(&log, &nats);
    append_events(&log, 3).await;
    relay.relayed(15).await;
    reader.reached(15).await;
    let state = nats.stream().await.cached_info().state.clone();
    assert_eq!((state.messages, state.last_sequence), (14, 15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_back_on_a_stream_that_was_purged() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    append_events(&log, 12).await;
    relay.relayed(12).await;
    nats.stream().await.purge().await.unwrap();
    let _reader = Reader::start(&log, Some(&nats), 0);
    on_jetstream(&nats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_stream_that_postgres_does_not_know_is_made_anew() {
    let (log, nats) = (fresh_log().await, Nats::start());
    append_events(&log, 12).await;
    let relay = Running::start(&log, &nats);
    relay.relayed(12).await;
    relay.end().await;
    nats.stream().await.purge().await.unwrap();
    sqlx::query("delete from log.delivery").execute(log.pool()).await.unwrap();
    let relay = Running::start(&log, &nats);
    relay.relayed(12).await;
    assert_delivered(&log, &nats, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_little_room_gets_a_smaller_stream() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("nats.conf");
    std::fs::write(&config, "jetstream { max_file_store: 300MB }").unwrap();
    let arguments: &[&str] = vec!["-c", config.to_str().unwrap().to_owned().leak()].leak();
    let (log, nats) = (fresh_log().await, Nats::start_for((arguments, "")));
    append_events(&log, 12).await;
    let relay = Running::start(&log, &nats);
    relay.relayed(12).await;
    assert_eq!(nats.stream().await.cached_info().config.max_bytes, 256 << 20);
    assert_delivered(&log, &nats, 0, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_stream_holds_no_other_history() {
    let (log, nats) = (fresh_log().await, Nats::start());
    append_events(&log, 12).await;
    nats.jetstream().await;
    let config = NatsConfig::new(nats.url());
    assert_eq!(history::compare(&log, &config).await, History::Same { position: 0 });
    let away = NatsConfig::new("nats://127.0.0.1:1");
    assert!(matches!(history::compare(&log, &away).await, History::Unknown { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_is_published_and_not_stored() {
    let (log, nats) = (fresh_log().await, Nats::start());
    let relay = Running::start(&log, &nats);
    relay.relayed(0).await;
    let client = nats::options(&nats.url()).connect(nats.url()).await.unwrap();
    let mut hints = client.subscribe("byteshop-hint").await.unwrap();
    client.flush().await.unwrap();
    let hinting = relay::hint_client(&nats.url()).await.unwrap();
    relay::hint(&hinting, "byteshop").await;
    tokio::time::timeout(Duration::from_secs(30), hints.next()).await.expect("a hint comes").unwrap();
    assert_eq!(nats.stream().await.cached_info().state.messages, 0);
}
