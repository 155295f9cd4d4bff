//! The cache: which state is the latest, which is durable, and which is recent.

use byteshop_eventstore::StreamId;
use uuid::Uuid;

use super::*;
use crate::testing::recorded;

fn versioned(version: i64, made_by: Option<CommitHandle>) -> Versioned {
    Versioned { version, state: Arc::new(version), made_by }
}

fn change(stream: &StreamId, from: i64, made_by: Option<CommitHandle>) -> Change {
    Change { stream: stream.clone(), from, made_by, to: Some(versioned(from + 1, None)) }
}

#[test]
fn a_decision_on_a_refused_append_is_not_submitted_although_another_process_wrote_the_same_version() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    let first = [change(&stream, 1, None)];
    let handle = cache.submit(&first, |handle, _| handle).unwrap();
    let made_by = cache.latest(&stream).unwrap().made_by;
    // Another process was faster: its version 2 is the one in the log.
    handle.settle(false);
    cache.revoke(&first);
    cache.put_durable(&stream, &versioned(2, None), None);
    assert!(cache.submit(&[change(&stream, 2, made_by)], |_, _| ()).is_none());
    assert!(cache.submit(&[change(&stream, 2, None)], |_, _| ()).is_some());
}

#[test]
fn a_state_that_is_older_than_an_event_of_the_log_is_read_anew() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    cache.notice(&[event(1)]);
    assert!(cache.latest(&stream).is_some());
    cache.notice(&[event(2)]);
    assert!(cache.latest(&stream).is_none());
    cache.put_durable(&stream, &versioned(2, None), None);
    assert_eq!(cache.latest(&stream).map(|latest| latest.version), Some(2));
}

fn event(version: i64) -> Recorded {
    Recorded { category: "cart".into(), version, ..recorded(version) }
}

fn version_of(found: Option<Versioned>) -> Option<i64> {
    found.map(|found| found.version)
}

#[test]
fn a_submitted_state_is_for_decisions_only_until_it_is_durable() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    let (first, second) = ([change(&stream, 1, None)], |made_by| [change(&stream, 2, made_by)]);
    cache.submit(&first, |_, _| ()).unwrap();
    assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(1), Some(2)));
    let second = second(cache.latest(&stream).unwrap().made_by);
    cache.submit(&second, |_, _| ()).unwrap();
    // The first is written while the second waits.
    cache.confirm(&first);
    assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(2), Some(3)));
    cache.confirm(&second);
    assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(3), Some(3)));
}

#[test]
fn a_decision_on_an_older_version_is_not_submitted() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(2, None), None);
    assert!(cache.submit(&[change(&stream, 1, None)], |_, _| ()).is_none());
    let other = StreamId::named("cart", Uuid::from_u128(1));
    let changes = [change(&other, 0, None), change(&stream, 1, None)];
    assert!(cache.submit(&changes, |_, _| ()).is_none());
    assert_eq!(version_of(cache.latest(&stream)), Some(2));
}

#[test]
fn a_stream_that_is_only_read_keeps_its_state() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    let only_read = [Change { to: None, ..change(&stream, 1, None) }];
    cache.submit(&only_read, |_, _| ()).unwrap();
    cache.confirm(&only_read);
    assert_eq!((version_of(cache.durable(&stream)), version_of(cache.latest(&stream))), (Some(1), Some(1)));
}

#[test]
fn a_state_that_is_read_late_replaces_nothing_newer() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    let newest = Versioned { state: Arc::new("first"), ..versioned(3, None) };
    cache.put_durable(&stream, &newest, None);
    cache.put_durable(&stream, &versioned(2, None), None);
    cache.put_durable(&stream, &versioned(3, None), None);
    let found = cache.durable(&stream).unwrap();
    assert_eq!((found.version, found.state.downcast_ref()), (3, Some(&"first")));
    assert_eq!(version_of(cache.latest(&stream)), Some(3));
}

#[test]
fn a_durable_state_that_overtakes_a_submitted_one_is_the_latest() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    cache.submit(&[change(&stream, 1, None)], |_, _| ()).unwrap();
    cache.put_durable(&stream, &versioned(1, None), None);
    assert_eq!(version_of(cache.latest(&stream)), Some(2));
    cache.put_durable(&stream, &versioned(3, None), None);
    assert_eq!(version_of(cache.latest(&stream)), Some(3));
}

#[test]
fn after_a_refusal_the_stream_is_read_anew_whatever_is_confirmed_meanwhile() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    let first = [change(&stream, 1, None)];
    cache.submit(&first, |_, _| ()).unwrap();
    cache.revoke(&first);
    assert!(cache.latest(&stream).is_none());
    assert_eq!(version_of(cache.durable(&stream)), Some(1));
    // A late confirmation says nothing about what other processes have written.
    cache.confirm(&first);
    assert!(cache.latest(&stream).is_none());
    cache.put_durable(&stream, &versioned(2, None), None);
    assert_eq!(version_of(cache.latest(&stream)), Some(2));
}

#[test]
fn a_decision_on_an_append_that_waits_depends_on_it_and_one_on_a_durable_append_on_nothing() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), None);
    let handle = cache.submit(&[change(&stream, 1, None)], |handle, depends| depends.is_empty().then_some(handle));
    let handle = handle.flatten().unwrap();
    let made_by = cache.latest(&stream).unwrap().made_by;
    assert_eq!(cache.submit(&[change(&stream, 2, made_by.clone())], |_, depends| depends.len()), Some(1));
    let made_by = cache.latest(&stream).unwrap().made_by;
    handle.settle(true);
    assert_eq!(cache.submit(&[change(&stream, 3, made_by)], |_, depends| depends.len()), Some(1));
    cache.put_durable(&stream, &versioned(9, None), None);
    assert_eq!(cache.submit(&[change(&stream, 9, Some(handle))], |_, depends| depends.len()), Some(0));
}

/// Whether the state of a stream is recent, and its version.
fn recent(cache: &Cache, stream: &StreamId) -> Option<i64> {
    Some(cache.recent(std::slice::from_ref(stream))?[0].version)
}

#[test]
fn a_state_is_recent_while_looks_notice_nothing_newer() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.put_durable(&stream, &versioned(1, None), cache.looked());
    assert_eq!(recent(&cache, &stream), None, "nothing was looked at yet");
    cache.look_from(10);
    assert_eq!(recent(&cache, &stream), None, "what was read before the first look may have been old");
    cache.put_durable(&stream, &versioned(1, None), cache.looked());
    cache.look_on(&[(StreamId::named("cart", Uuid::from_u128(1)), 9)], 20);
    assert_eq!(recent(&cache, &stream), Some(1));
    cache.look_on(&[(stream.clone(), 2)], 30);
    assert_eq!((recent(&cache, &stream), cache.latest(&stream).is_none()), (None, true));
    cache.put_durable(&stream, &versioned(2, None), cache.looked());
    assert_eq!(recent(&cache, &stream), Some(2));
    cache.look_from(1_000);
    assert_eq!(recent(&cache, &stream), None, "looks that begin anew have missed something");
    let other = StreamId::named("cart", Uuid::from_u128(2));
    cache.put_durable(&stream, &versioned(2, None), cache.looked());
    assert!(cache.recent(&[stream, other]).is_none(), "what is not in memory is not recent");
}

#[test]
fn a_state_that_was_read_during_a_look_is_not_recent() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.look_from(10);
    let looked = cache.looked();
    // The read saw version 1, and the look version 2.
    cache.look_on(&[(stream.clone(), 2)], 20);
    cache.put_durable(&stream, &versioned(1, None), looked);
    assert_eq!(recent(&cache, &stream), None);
    cache.put_durable(&stream, &versioned(2, None), cache.looked());
    assert_eq!(recent(&cache, &stream), Some(2));
}

#[test]
fn what_this_process_appends_is_recent_at_once() {
    let (cache, stream) = (Cache::default(), StreamId::named("cart", Uuid::nil()));
    cache.look_from(10);
    cache.put_durable(&stream, &versioned(1, None), cache.looked());
    let appended = [change(&stream, 1, None)];
    cache.submit(&appended, |_, _| ()).unwrap();
    assert_eq!(recent(&cache, &stream), Some(1));
    cache.confirm(&appended);
    assert_eq!(recent(&cache, &stream), Some(2));
    // Another process has built on it, and the look knows before this process has read it.
    cache.look_on(&[(stream.clone(), 3)], 20);
    cache.confirm(&appended);
    assert_eq!(recent(&cache, &stream), None);
    let begun = StreamId::named("cart", Uuid::from_u128(1));
    cache.confirm(&[change(&begun, 0, None)]);
    assert_eq!(recent(&cache, &begun), None, "nobody looked at it before");
}
