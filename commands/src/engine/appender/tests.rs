//! Tests of batches: what belongs to one, and what its callers are told.

use byteshop_eventstore::{Clock, NewEvent, StreamId};
use uuid::Uuid;

use super::*;

type Answered = oneshot::Receiver<Result<Outcome, Unavailable>>;

fn append_of(events: usize) -> Append {
    let stream = StreamId::named("bench", Uuid::nil());
    let event = |version| NewEvent {
        id: Uuid::from_u128(u128::from(version)),
        stream: stream.clone(),
        version: i64::from(version),
        event_type: "counted".into(),
        schema: 1,
        data: "{}".into(),
        meta: "{}".into(),
        correlation: Uuid::nil(),
        recorded_at: Clock.now(),
    };
    Append { events: (1..).take(events).map(|version: u32| event(version)).collect(), ..Append::default() }
}

fn waiting(events: usize, depends: Vec<CommitHandle>) -> (Waiting, CommitHandle, Answered) {
    let ((done, answered), handle) = (oneshot::channel(), CommitHandle::default());
    let caller = Caller { done, handle: handle.clone(), depends };
    (Waiting { append: append_of(events), caller }, handle, answered)
}

/// The batches that a queue of appends with so many events each becomes, by the number of their appends.
fn batches(appends: usize, events: usize) -> Vec<usize> {
    let (queue, mut queued) = mpsc::unbounded_channel();
    for _ in 0..appends {
        queue.send(waiting(events, vec![]).0).unwrap();
    }
    let mut batches = Vec::new();
    while let Ok(first) = queued.try_recv() {
        let (appends, callers) = gather(first, &mut queued);
        assert_eq!(appends.len(), callers.len());
        batches.push(appends.len());
    }
    batches
}

const ACCEPTED: Outcome = Outcome::Accepted { positions: Some((7, 9)) };

#[test]
fn waiting_appends_become_one_batch_within_its_bounds() {
    assert_eq!(batches(3, 1), [3]);
    assert_eq!(batches(MAX_APPENDS + 1, 0), [MAX_APPENDS, 1]);
    assert_eq!(batches(5, MAX_EVENTS / 2), [2, 2, 1]);
    assert_eq!(batches(2, MAX_EVENTS + 1), [1, 1]);
}

#[test]
fn an_append_that_depends_on_a_refused_one_is_refused_before_it_is_written() {
    let (refused, pending) = (CommitHandle::default(), CommitHandle::default());
    refused.settle(false);
    let (doomed, handle, mut answered) = waiting(1, vec![pending.clone(), refused]);
    let (other, other_handle, _) = waiting(1, vec![pending]);
    let (queue, mut queued) = mpsc::unbounded_channel();
    queue.send(other).unwrap();
    let (appends, callers) = gather(doomed, &mut queued);
    assert_eq!((appends.len(), callers.len()), (1, 1));
    assert!(handle.is_refused() && !other_handle.is_refused());
    assert!(matches!(answered.try_recv(), Ok(Ok(Outcome::Conflict))));
}

#[test]
fn every_caller_gets_its_own_outcome_and_all_handles_are_settled() {
    let waiting = [ACCEPTED, Outcome::Conflict, Outcome::Duplicate].map(|outcome| (outcome, waiting(1, vec![])));
    let (mut outcomes, mut callers, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (outcome, (waiting, handle, answered)) in waiting {
        outcomes.push(Ok(outcome));
        callers.push(waiting.caller);
        seen.push((outcome, handle, answered));
    }
    answer(outcomes, callers);
    for (outcome, handle, mut answered) in seen {
        assert_eq!(answered.try_recv().unwrap().unwrap(), outcome);
        assert_eq!((handle.is_accepted(), handle.is_refused()), (outcome == ACCEPTED, outcome != ACCEPTED));
    }
}

#[test]
fn an_append_without_a_known_outcome_counts_as_refused() {
    let (waiting, handle, mut answered) = waiting(1, vec![]);
    waiting.caller.answer(Err(Unavailable("away".into())));
    assert!(handle.is_refused() && answered.try_recv().unwrap().is_err());
}

#[test]
fn the_callers_of_a_failed_batch_share_the_cause_except_those_whose_outcome_is_known() {
    let outcomes = give_up(vec![Some(Ok(ACCEPTED)), None], &StoreError::Unavailable("away".into()));
    assert_eq!(outcomes[0].as_ref().unwrap(), &ACCEPTED);
    assert_eq!(outcomes[1].as_ref().unwrap_err().0, StoreError::Unavailable("away".into()).to_string());
}

#[test]
fn followers_get_the_events_of_a_batch_as_they_stand_in_the_log() {
    assert_eq!(first_position(&Ok(ACCEPTED)), Some(7));
    assert_eq!(first_position(&Ok(Outcome::Accepted { positions: None })), None);
    assert_eq!(first_position(&Ok(Outcome::Conflict)), None);
    let shared = Arc::new(append_of(1));
    let committed = Committed(vec![(7, Arc::new(append_of(2))), (12, Arc::clone(&shared))]);
    let places = committed.events().iter().map(|event| (event.position, event.version)).collect::<Vec<_>>();
    assert_eq!(places, [(7, 1), (8, 2), (12, 1)]);
}

#[tokio::test]
async fn a_program_that_stops_tells_its_callers() {
    let cancel = CancellationToken::new();
    let log = Log::open("postgres://127.0.0.1:1/none").unwrap();
    let (appender, run) = Appender::new(log, |_| {}, cancel.clone());
    cancel.cancel();
    run.await;
    assert_eq!(appender.submit(append_of(1)).outcome().await.unwrap_err().0, "the program is stopping");
}
