//! Events that no use case writes: as an earlier version of the shop, or time itself, left them in the log.

use std::sync::Arc;

use byteshop_domain::{Actor, Asked, Decider, codec};
use byteshop_eventstore::append::append;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Append, Clock, Log, Meta, NewEvent, Outcome, StreamId};
use chrono::{DateTime, Utc};
use tokio::sync::Mutex;

/// One writer at a time: hundreds at once would wait for the few connections longer than the pool lets them.
static TURN: Mutex<()> = Mutex::const_new(());

/// Appends what one aggregate decides on some commands, past the use cases and their rules.
pub async fn record<A: Decider>(log: &Log, id: A::Id, commands: &[A::Command]) {
    record_at::<A>(log, id, commands, Clock.now()).await;
}

/// The same as if it had happened at another time.
pub async fn record_at<A: Decider>(log: &Log, id: A::Id, commands: &[A::Command], at: DateTime<Utc>) {
    let stream = StreamId::of::<A>(id);
    let asked = Asked { at, by: Actor::System { name: "test".into() } };
    let request_id = Clock.new_id();
    let meta = Meta {
        actor: asked.by.clone(),
        command: format!("{}.test", A::CATEGORY),
        request_id,
        correlation_id: request_id,
        causation: None,
        occurred_at: Some(at),
        trace_id: None,
        client_request_id: None,
    };
    let meta: Arc<str> = serde_json::to_string(&meta).unwrap().into();
    let _turn = TURN.lock().await;
    loop {
        let before = log.read_stream(&stream, 0, PAGE).await.unwrap();
        let version = before.last().map_or(0, |event| event.version);
        let state = before.iter().filter_map(byteshop_eventstore::Recorded::event::<A>).map(Result::unwrap);
        let mut state = state.fold(A::default(), |state, event| state.evolve(&event));
        let mut decided = Vec::new();
        for command in commands {
            let events = state.decide(command, &asked).unwrap();
            state = events.iter().fold(state, A::evolve);
            decided.extend(events);
        }
        let events = decided.iter().zip(version + 1..).map(|(event, version)| {
            let encoded = codec::encode(event).unwrap();
            NewEvent {
                id: Clock.new_id(),
                stream: stream.clone(),
                version,
                event_type: encoded.event_type,
                schema: encoded.schema,
                data: encoded.data,
                meta: Arc::clone(&meta),
                correlation: request_id,
                recorded_at: Clock.now(),
            }
        });
        let one = Append { expect: vec![(stream.clone(), version)], events: events.collect(), receipt: None };
        let mut connection = log.pool().acquire().await.unwrap();
        let outcomes = append(&mut connection, &[one]).await.unwrap();
        // Something else was written to the stream at the same moment.
        if !matches!(outcomes[..], [Outcome::Conflict]) {
            return;
        }
    }
}
