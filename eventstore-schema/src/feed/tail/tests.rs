//! Tests of the tail, without servers.

use super::*;
use crate::Recorded;
use crate::testing::recorded;

/// A tail at position 5 over a Postgres that is away.
async fn tail(nats: Option<TailConfig>) -> Tail {
    let log = Log::open("postgres://127.0.0.1:1/none").unwrap();
    log.pool().close().await;
    Tail::new(log, nats, Arc::new(Shared::after(5)))
}

fn nats() -> TailConfig {
    TailConfig { url: "nats://127.0.0.1:1".into(), stream: "NONE".into(), prefix: "none".into() }
}

fn ago(pause: Duration) -> Instant {
    Instant::now().checked_sub(pause).unwrap()
}

fn delivered(events: Vec<Arc<Recorded>>) -> Delivered {
    Delivered { upto: events.last().map_or(0, |event| event.position), events }
}

#[tokio::test]
async fn a_session_begins_when_there_is_none_and_its_time_has_come() {
    let mut without = tail(None).await;
    without.connect();
    assert!(without.session.is_none());
    let mut later = tail(Some(nats())).await;
    later.retry_at = Instant::now() + MAX_PAUSE;
    later.connect();
    assert!(later.session.is_none());
    let mut now = tail(Some(nats())).await;
    now.connect();
    let first = now.session.as_ref().map(|session| session.task.len());
    now.connect();
    assert_eq!((first, now.session.is_some()), (Some(1), true));
}

#[tokio::test]
async fn a_lost_session_leaves_postgres_to_be_read_and_is_renewed_after_a_pause() {
    let mut tail = tail(Some(nats())).await;
    tail.connect();
    (tail.silent, tail.doubt) = (false, Some((Instant::now(), 6)));
    tail.disconnect(Some("JetStream stopped delivering"));
    assert!(tail.silent && tail.told && tail.session.is_none() && tail.doubt.is_none());
    assert!(tail.retry_at > Instant::now());
    // Another attempt that fails is not logged.
    tail.told = false;
    tail.retry_at = Instant::now();
    tail.connect();
    tail.disconnect(Some("JetStream stopped delivering"));
    assert!(tail.session.is_none() && !tail.told);
}

#[tokio::test]
async fn postgres_is_read_at_each_tick_while_jetstream_is_silent_and_asked_for_its_head_in_any_case() {
    let mut tail = tail(None).await;
    let (looked, checked) = (tail.looked, tail.checked);
    assert_eq!(tail.next_look(), looked + TICK);
    tail.silent = false;
    assert_eq!(tail.next_look(), checked + CHECK);
    let at = checked + PATIENCE;
    tail.doubt = Some((at, 6));
    assert_eq!(tail.next_look(), at);
    tail.doubt = Some((checked + CHECK + PATIENCE, 6));
    assert_eq!(tail.next_look(), checked + CHECK);
}

#[tokio::test]
async fn a_look_reads_postgres_only_when_it_is_due() {
    let mut tail = tail(None).await;
    tail.looked = Instant::now() + CHECK;
    let looked = tail.looked;
    tail.look().await;
    assert_eq!(tail.looked, looked, "it was read just now");
    let due = ago(TICK);
    tail.looked = due;
    tail.look().await;
    assert!(tail.looked > due);
    // While JetStream delivers it is not read at all.
    (tail.silent, tail.looked) = (false, ago(TICK * 2));
    let looked = tail.looked;
    tail.look().await;
    assert_eq!(tail.looked, looked);
}

#[tokio::test]
async fn a_hint_is_doubted_until_the_window_has_moved_or_postgres_was_read() {
    let mut tail = tail(None).await;
    tail.silent = false;
    let before = Instant::now();
    tail.hinted().await;
    let (at, position) = tail.doubt.unwrap();
    assert!(at >= before + PATIENCE && position == 6);
    // A second hint does not put the first one off.
    tail.hinted().await;
    assert_eq!(tail.doubt, Some((at, position)));
    tail.doubt = Some((Instant::now() + CHECK, 6));
    tail.look().await;
    assert!(tail.doubt.is_some(), "JetStream still has time");
    // JetStream was in time: Postgres is not read.
    let looked = tail.looked;
    tail.shared.push([recorded(6, 1)].into_iter());
    tail.doubt = Some((ago(PATIENCE), 6));
    tail.look().await;
    assert!(tail.doubt.is_none() && tail.looked == looked);
    // It was not: Postgres is read, and has nothing, so that JetStream is not behind.
    tail.doubt = Some((ago(PATIENCE), 7));
    tail.look().await;
    assert!(tail.doubt.is_none() && tail.looked > looked && !tail.silent);
}

#[tokio::test]
async fn a_hint_makes_postgres_be_read_while_jetstream_is_silent() {
    let mut tail = tail(None).await;
    let looked = tail.looked;
    tail.hinted().await;
    assert!(tail.looked >= looked + SPACING && tail.doubt.is_none());
}

#[tokio::test]
async fn a_postgres_without_an_answer_ends_the_session() {
    let mut tail = tail(Some(nats())).await;
    tail.connect();
    (tail.silent, tail.checked) = (false, ago(CHECK));
    let before = Instant::now();
    tail.look().await;
    assert!(tail.silent && tail.session.is_none() && tail.checked >= before);
}

#[tokio::test]
async fn what_jetstream_delivers_moves_the_window_and_shows_that_it_delivers() {
    let mut tail = tail(None).await;
    tail.told = true;
    tail.delivered(delivered(vec![recorded(6, 1), recorded(7, 1)])).await;
    assert_eq!((tail.last(), tail.silent, tail.told), (7, false, false));
    assert_eq!(tail.looked, tail.checked, "nothing was missing");
}

#[tokio::test]
async fn a_jetstream_that_delivers_what_is_long_known_is_still_silent() {
    let mut tail = tail(None).await;
    tail.shared.push((6..=PAGE + 100).map(|position| recorded(position, 1)));
    tail.delivered(Delivered { upto: 99, events: Vec::new() }).await;
    assert!(tail.silent);
    tail.delivered(Delivered { upto: 100, events: Vec::new() }).await;
    assert!(!tail.silent);
}

#[tokio::test]
async fn what_jetstream_has_and_postgres_does_not_give_ends_the_session() {
    let mut tail = tail(Some(nats())).await;
    tail.connect();
    tail.silent = false;
    tail.delivered(delivered(vec![recorded(8, 1)])).await;
    assert!(tail.silent && tail.session.is_none());
    assert_eq!(tail.last(), 5);
}

#[tokio::test]
async fn a_window_that_begins_anew_tells_its_readers() {
    let tail = tail(None).await;
    let mut head = tail.shared.head.subscribe();
    tail.restart(3);
    assert_eq!((tail.last(), *head.borrow_and_update()), (3, 3));
}
