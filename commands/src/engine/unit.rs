//! The unit of work: the aggregates that a command has read, and its decisions.

mod money_back;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use byteshop_domain::codec::{self, Encoded};
use byteshop_domain::decider::{Asked, Decider};
use byteshop_domain::ids::CartId;
use byteshop_domain::money::Money;
use byteshop_domain::series::Series;
use byteshop_domain::work::{Decided, Stream};
use byteshop_eventstore::{NewEvent, StreamId};
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::engine::cache::{Change, Versioned};
use crate::engine::commit_handle::CommitHandle;
use crate::engine::error::{Error, Rejected};
use crate::engine::intent::Intent;

/// An aggregate within a unit of work.
#[derive(Debug, Clone)]
pub struct Loaded<A: Decider> {
    /// The id.
    pub id: A::Id,
    /// The version, including the events that this unit decided.
    pub version: i64,
    /// The state, including the events that this unit decided.
    pub state: Arc<A>,
}

impl<A: Decider> Loaded<A> {
    /// Refuses what does not exist.
    pub fn exists(self) -> Result<Self, Error> {
        if self.version == 0 {
            return Err(Rejected::missing(A::CATEGORY).into());
        }
        Ok(self)
    }
}

/// The unit of work: one attempt to execute a command. Clones are handles to the same unit.
#[derive(Clone)]
pub struct Unit {
    commands: Commands,
    intent: Arc<Intent>,
    meta: Arc<str>,
    now: DateTime<Utc>,
    work: Arc<Mutex<Work>>,
}

/// The reads and decisions of a unit so far.
#[derive(Default)]
pub(crate) struct Work {
    pub(crate) changes: Vec<Change>,
    pub(crate) events: Vec<NewEvent>,
    /// Whether a state came from the cache, so that a refusal must be confirmed by the log.
    pub(crate) cached: bool,
    /// The total of a cart that the response shows to its owner.
    pub(crate) shown: Option<(CartId, Money)>,
}

impl Unit {
    pub(crate) fn new(commands: Commands, intent: Arc<Intent>, meta: Arc<str>) -> Self {
        let now = commands.clock().now();
        Self { commands, intent, meta, now, work: Arc::default() }
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Work {
        std::mem::take(&mut *self.work())
    }

    /// The actor and the time of occurrence of the events that are recorded.
    pub fn asked(&self) -> Asked {
        Asked { at: self.intent.occurred_at.unwrap_or(self.now), by: self.intent.actor.clone() }
    }

    /// The moment of this attempt.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// A new id.
    pub fn new_id<I: byteshop_domain::ids::Id>(&self) -> I {
        I::from_uuid(self.commands.clock().new_id())
    }

    /// Loads an aggregate; version 0 and the default state when there is none.
    pub async fn load<A: Decider>(&self, id: A::Id) -> Result<Loaded<A>, Error> {
        let mut loaded = self.load_all::<A>(&[id]).await?;
        Ok(loaded.swap_remove(0))
    }

    /// Loads the aggregate of the command: it must exist and have the version that the caller expects.
    pub async fn load_matching<A: Decider>(&self, id: A::Id) -> Result<Loaded<A>, Error> {
        let loaded = self.load::<A>(id).await?.exists()?;
        self.check_version(&loaded)?;
        Ok(loaded)
    }

    /// Checks the version that the caller expects.
    pub fn check_version<A: Decider>(&self, loaded: &Loaded<A>) -> Result<(), Error> {
        match &self.intent.if_match {
            Some(versions) if !versions.contains(&loaded.version) => Err(Error::Version { current: loaded.version }),
            Some(_) | None => Ok(()),
        }
    }

    /// Loads many aggregates of a kind in at most one round trip, in the order of their ids.
    pub async fn load_all<A: Decider>(&self, ids: &[A::Id]) -> Result<Vec<Loaded<A>>, Error> {
        let cache = self.commands.cache();
        let mut found: Vec<Option<Versioned>> = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        let mut cached = false;
        for id in ids {
            let stream = StreamId::of::<A>(*id);
            let known = self.work().decided(&stream).or_else(|| cache.latest(&stream));
            match &known {
                Some(_) => cached = true,
                None => missing.push(stream),
            }
            found.push(known);
        }
        let read = if missing.is_empty() { Vec::new() } else { self.commands.read_states::<A>(&missing).await? };
        let mut read = read.into_iter();
        let mut loaded = Vec::with_capacity(ids.len());
        let mut work = self.work();
        work.cached |= cached;
        for (id, found) in ids.iter().zip(found) {
            let Some(versioned) = found.or_else(|| read.next()) else { continue };
            let state = downcast::<A>(&versioned);
            work.see(StreamId::of::<A>(*id), versioned.version, versioned.made_by);
            loaded.push(Loaded { id: *id, version: versioned.version, state });
        }
        Ok(loaded)
    }

    /// Reads an aggregate without a version check in the append: for hints that are checked again later.
    pub async fn peek<A: Decider>(&self, id: A::Id) -> Result<Loaded<A>, Error> {
        let mut seen = self.peek_all::<A>(&[id]).await?;
        Ok(seen.swap_remove(0))
    }

    /// Reads many aggregates of a kind in at most one round trip, in the order of their ids, without version checks in the append.
    pub async fn peek_all<A: Decider>(&self, ids: &[A::Id]) -> Result<Vec<Loaded<A>>, Error> {
        let streams: Vec<StreamId> = ids.iter().map(|id| StreamId::of::<A>(*id)).collect();
        let known = |stream: &StreamId| self.work().decided(stream).or_else(|| self.commands.cache().latest(stream));
        let found: Vec<Option<Versioned>> = streams.iter().map(known).collect();
        let missing: Vec<StreamId> =
            streams.into_iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(stream, _)| stream).collect();
        let read = if missing.is_empty() { Vec::new() } else { self.commands.read_states::<A>(&missing).await? };
        let mut read = read.into_iter();
        let seen = ids.iter().zip(found).filter_map(|(id, found)| {
            let versioned = found.or_else(|| read.next())?;
            Some(Loaded { id: *id, version: versioned.version, state: downcast(&versioned) })
        });
        Ok(seen.collect())
    }

    /// Starts an aggregate under a new id, without looking for one: if there is one, the append is refused.
    pub(crate) fn start<A: Decider>(&self, id: A::Id) -> Loaded<A> {
        self.work().see(StreamId::of::<A>(id), 0, None);
        Loaded { id, version: 0, state: Arc::default() }
    }

    /// Records that the response shows a cart's total to its owner, if the total has to be remembered.
    pub fn shows_total(&self, cart: CartId, total: Option<Money>) {
        self.work().shown = total.map(|total| (cart, total));
    }

    /// Decides a command; what happens is part of this unit's append.
    pub(crate) fn decide<A: Decider>(&self, loaded: &mut Loaded<A>, command: &A::Command) -> Result<(), Error> {
        let asked = self.asked();
        let events = loaded.state.decide(command, &asked).map_err(|rejection| Rejected::of::<A>(&rejection))?;
        if events.is_empty() {
            return Ok(());
        }
        let stream = StreamId::of::<A>(loaded.id);
        let mut state = Arc::unwrap_or_clone(std::mem::take(&mut loaded.state));
        let mut work = self.work();
        for event in &events {
            loaded.version += 1;
            work.events.push(self.new_event(&stream, loaded.version, codec::encode(event)?));
            state = state.evolve(event);
        }
        loaded.state = Arc::new(state);
        work.changed(&stream, Versioned { version: loaded.version, state: loaded.state.clone(), made_by: None });
        Ok(())
    }

    fn new_event(&self, stream: &StreamId, version: i64, encoded: Encoded) -> NewEvent {
        NewEvent {
            id: self.commands.clock().new_id(),
            stream: stream.clone(),
            version,
            event_type: encoded.event_type,
            schema: encoded.schema,
            data: encoded.data,
            meta: Arc::clone(&self.meta),
            correlation: self.intent.correlation_id,
            recorded_at: self.now,
        }
    }

    /// Adds events that were decided together to this unit's append. `versions` are those of the loaded streams; the others are
    /// new.
    pub(crate) fn record(&self, decided: &Decided, versions: &BTreeMap<Stream, i64>) -> Result<(), Error> {
        // Buyers may have numbers that a restored backup does not contain.
        if decided.events.iter().any(|event| event.category() == Series::CATEGORY) {
            self.commands.open()?;
        }
        let mut work = self.work();
        for event in &decided.events {
            let key = (event.category(), event.stream());
            let stream = StreamId { category: Cow::Borrowed(key.0), id: key.1 };
            let before = work.decided(&stream).map(|it| it.version);
            let version = before.or_else(|| versions.get(&key).copied()).unwrap_or_default() + 1;
            if version == 1 {
                work.see(stream.clone(), 0, None);
            }
            work.events.push(self.new_event(&stream, version, event.encode()?));
            if let Some(state) = decided.states.get(&key) {
                work.changed(&stream, Versioned { version, state: Arc::clone(state), made_by: None });
            }
        }
        Ok(())
    }

    /// Applies the events that this unit decided on an aggregate.
    pub(crate) fn refresh<A: Decider>(&self, loaded: &mut Loaded<A>) {
        if let Some(decided) = self.work().decided(&StreamId::of::<A>(loaded.id)) {
            (loaded.version, loaded.state) = (decided.version, downcast(&decided));
        }
    }

    /// An aggregate that this unit began.
    pub(crate) fn begun<A: Decider>(&self, id: A::Id) -> Loaded<A> {
        let mut begun = Loaded { id, version: 0, state: Arc::default() };
        self.refresh(&mut begun);
        begun
    }

    /// The commands, for work beside the unit such as a call to a provider.
    pub fn commands(&self) -> &Commands {
        &self.commands
    }
}

impl Work {
    /// The events that this unit decided on a stream.
    fn decided(&self, stream: &StreamId) -> Option<Versioned> {
        self.changes.iter().find(|change| change.stream == *stream)?.to.clone()
    }

    fn see(&mut self, stream: StreamId, version: i64, made_by: Option<CommitHandle>) {
        // Loaded twice: the first version counts, since the append expects one version of each stream.
        if self.changes.iter().all(|change| change.stream != stream) {
            self.changes.push(Change { stream, from: version, made_by, to: None });
        }
    }

    fn changed(&mut self, stream: &StreamId, to: Versioned) {
        if let Some(change) = self.changes.iter_mut().find(|change| change.stream == *stream) {
            change.to = Some(to);
        }
    }
}

/// The state of a stream, typed again; a stream's category fixes its type.
pub(crate) fn downcast<A: Decider>(versioned: &Versioned) -> Arc<A> {
    Arc::clone(&versioned.state).downcast::<A>().expect("a category has one aggregate type")
}

#[cfg(test)]
mod tests {
    use byteshop_domain::Actor;
    use byteshop_domain::ids::{Id as _, ProductId, VariantId};
    use byteshop_domain::quantity::Quantity;
    use byteshop_domain::stock::{self, StockLevel};
    use byteshop_domain::text::Sku;
    use byteshop_eventstore::{DataKeys, Log};
    use tokio_util::sync::CancellationToken;
    use uuid::Uuid;

    use super::*;
    use crate::{Appender, Connected};

    /// A unit whose Postgres does not answer: it has only what it decides.
    fn unit(if_match: Option<Vec<i64>>) -> Unit {
        let log = Log::open("postgres://127.0.0.1:1/none").unwrap();
        let (appender, _) = Appender::new(log.clone(), |_| {}, CancellationToken::new());
        let commands = Commands::new(log, appender, DataKeys::none(), Connected::emulators());
        let intent = Intent::new(Actor::System { name: "test".into() }, "stock.open", Uuid::nil());
        Unit::new(commands, Arc::new(Intent { if_match, ..intent }), "{}".into())
    }

    fn loaded(version: i64) -> Loaded<StockLevel> {
        Loaded { id: VariantId::from_uuid(Uuid::from_u128(1)), version, state: Arc::default() }
    }

    #[tokio::test]
    async fn an_aggregate_must_exist_and_have_a_version_that_the_caller_has_seen() {
        assert!(loaded(0).exists().is_err());
        assert_eq!(loaded(3).exists().unwrap().version, 3);
        assert!(unit(None).check_version(&loaded(3)).is_ok());
        assert!(unit(Some(vec![2, 3])).check_version(&loaded(3)).is_ok());
        let refused = unit(Some(vec![2])).check_version(&loaded(3));
        assert!(matches!(refused, Err(Error::Version { current: 3 })));
    }

    #[tokio::test]
    async fn what_a_unit_decides_is_one_append_on_the_version_that_it_began_with() {
        let unit = unit(None);
        let mut level = unit.start::<StockLevel>(loaded(0).id);
        let (product, sku) = (ProductId::from_uuid(Uuid::nil()), Sku::new("L-1").unwrap());
        unit.decide(&mut level, &stock::Command::Open { product, sku }).unwrap();
        let quantity = Quantity::new(5).unwrap();
        unit.decide(&mut level, &stock::Command::Receive { quantity, reason: None }).unwrap();
        assert_eq!((level.version, level.state.on_hand), (2, 5));
        // The unit sees its own decisions, which nothing else does yet.
        let again = unit.load::<StockLevel>(level.id).await.unwrap();
        assert_eq!((again.version, again.state.on_hand), (2, 5));
        let seen = unit.peek::<StockLevel>(level.id).await.unwrap();
        assert_eq!((seen.version, seen.state.on_hand), (2, 5));
        assert_eq!(unit.begun::<StockLevel>(level.id).version, 2);
        let work = unit.take();
        assert!(work.cached);
        assert_eq!(work.events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
        let changes: Vec<_> =
            work.changes.iter().map(|change| (change.from, change.to.as_ref().map(|to| to.version))).collect();
        assert_eq!(changes, [(0, Some(2))]);
    }

    fn versioned(version: i64) -> Versioned {
        Versioned { version, state: Arc::new(StockLevel::default()), made_by: None }
    }

    #[test]
    fn a_stream_that_is_loaded_twice_is_expected_at_its_first_version() {
        let (mut work, stream) = (Work::default(), StreamId::named("stock", Uuid::nil()));
        work.see(stream.clone(), 3, None);
        work.see(stream.clone(), 4, None);
        work.see(StreamId::named("stock", Uuid::from_u128(1)), 1, None);
        assert_eq!(work.changes.iter().map(|change| change.from).collect::<Vec<_>>(), [3, 1]);
    }

    #[test]
    fn a_unit_continues_from_what_it_decided() {
        let (mut work, stream) = (Work::default(), StreamId::named("stock", Uuid::nil()));
        let other = StreamId::named("stock", Uuid::from_u128(1));
        work.see(other.clone(), 1, None);
        work.see(stream.clone(), 3, None);
        assert!(work.decided(&stream).is_none());
        work.changed(&stream, versioned(5));
        assert_eq!(work.decided(&stream).map(|decided| decided.version), Some(5));
        assert!(work.decided(&other).is_none());
    }
}
