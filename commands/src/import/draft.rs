//! A draft of one append: aggregates decide, and their events are collected with the expected versions.

use std::sync::Arc;

use byteshop_domain::decider::{Actor, Asked, Decider};
use byteshop_domain::{Kind, codec};
use byteshop_eventstore::{Append, Clock, NewEvent, NewReceipt, StreamId};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::engine::error::{Error, Rejected};
use crate::engine::intent::Intent;

/// The owner of the receipts, and the default actor of imported events.
pub const WHO: &str = "import";

/// An aggregate as it will be when everything that was submitted is written.
#[derive(Debug, Clone, Default)]
pub struct Held<A> {
    /// The version of its stream.
    pub version: i64,
    /// The state.
    pub state: A,
}

/// An aggregate within an append.
#[derive(Debug)]
pub struct Touched<A: Decider> {
    id: A::Id,
    from: i64,
    /// The state after the decisions.
    pub held: Held<A>,
}

impl<A: Decider> Touched<A> {
    /// An aggregate whose state is in memory.
    pub fn again(id: A::Id, held: Held<A>) -> Self {
        Self { id, from: held.version, held }
    }

    /// A new aggregate.
    pub fn new(id: A::Id) -> Self {
        Self::again(id, Held { version: 0, state: A::default() })
    }
}

/// The append.
pub struct Draft {
    clock: Clock,
    meta: Arc<str>,
    correlation: Uuid,
    now: DateTime<Utc>,
    asked: Asked,
    append: Append,
}

impl Draft {
    /// An append of one document, which happened in the past; `by` imports it.
    pub fn new(clock: Clock, by: &Actor, command: &'static str, at: DateTime<Utc>) -> Result<Self, Error> {
        let mut intent = Intent::new(by.clone(), command, clock.new_id());
        intent.occurred_at = Some(at);
        Ok(Self {
            clock,
            meta: serde_json::to_string(&intent.meta())?.into(),
            correlation: intent.correlation_id,
            now: clock.now(),
            asked: Asked { at, by: by.clone() },
            append: Append::default(),
        })
    }

    /// Decides a command; what happens is part of the append.
    pub fn decide<A: Decider>(&mut self, touched: &mut Touched<A>, command: &A::Command) -> Result<(), Error> {
        let events = touched.held.state.decide(command, &self.asked);
        let events = events.map_err(|rejection| Rejected::of::<A>(&rejection))?;
        for event in &events {
            let encoded = codec::encode(event)?;
            touched.held.version += 1;
            touched.held.state = std::mem::take(&mut touched.held.state).evolve(event);
            self.append.events.push(NewEvent {
                id: self.clock.new_id(),
                stream: StreamId::of::<A>(touched.id),
                version: touched.held.version,
                event_type: encoded.event_type,
                schema: encoded.schema,
                data: encoded.data,
                meta: Arc::clone(&self.meta),
                correlation: self.correlation,
                recorded_at: self.now,
            });
        }
        Ok(())
    }

    /// The append holds only if the aggregate was what it was decided on.
    pub fn expect<A: Decider>(&mut self, touched: &Touched<A>) {
        self.append.expect.push((StreamId::of::<A>(touched.id), touched.from));
    }

    /// The finished append, with a receipt when it has a key.
    pub fn finish(mut self, key: Option<(String, Vec<u8>)>) -> Append {
        self.append.receipt = key.map(|(key, fingerprint)| NewReceipt {
            who: WHO.to_owned(),
            key,
            fingerprint,
            response: "{}".to_owned(),
            recorded_at: self.now,
            expires_at: None,
        });
        self.append
    }
}

/// A refusal that is no aggregate's own.
pub fn refused(code: &str, detail: impl Into<String>) -> Error {
    Error::Rejected(Rejected { code: code.to_owned(), kind: Kind::Invalid, detail: detail.into(), pointer: None })
}
