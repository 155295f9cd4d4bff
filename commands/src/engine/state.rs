//! Aggregates for queries: the durable state, now or at an earlier moment.

use std::sync::Arc;

use byteshop_domain::codec;
use byteshop_domain::decider::Decider;
use byteshop_eventstore::read::PAGE;
use byteshop_eventstore::{Recorded, StoreError, StreamId};
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::engine::cache::{AnyState, Versioned};
use crate::engine::error::Error;
use crate::engine::unit::downcast;

/// A moment of an aggregate's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After the event at this position of the log.
    Position(i64),
    /// After the events that were recorded up to this time.
    Moment(DateTime<Utc>),
    /// At this version of the stream.
    Version(i64),
}

/// An aggregate as it is or was.
#[derive(Debug, Clone)]
pub struct Snapshot<A> {
    /// The version of its stream.
    pub version: i64,
    /// The state.
    pub state: Arc<A>,
}

impl Commands {
    /// The durable state of an aggregate; none if it does not exist.
    pub async fn get<A: Decider>(&self, id: A::Id) -> Result<Option<Snapshot<A>>, Error> {
        let mut found = self.get_all::<A>(&[id]).await?;
        Ok(found.swap_remove(0))
    }

    /// The durable states of many aggregates of a kind in one round trip, in the order of their ids.
    pub async fn get_all<A: Decider>(&self, ids: &[A::Id]) -> Result<Vec<Option<Snapshot<A>>>, Error> {
        let streams: Vec<StreamId> = ids.iter().map(|id| StreamId::of::<A>(*id)).collect();
        let read = self.read_states::<A>(&streams).await?;
        Ok(read
            .iter()
            .map(|found| (found.version > 0).then(|| Snapshot { version: found.version, state: downcast(found) }))
            .collect())
    }

    /// The durable state of an aggregate and of those that belong to it, mostly in one round trip: the ids of the latter are taken
    /// from the cached state first.
    pub async fn get_with<A: Decider, B: Decider>(
        &self,
        id: A::Id,
        related: impl Fn(&A) -> Vec<B::Id> + Send,
    ) -> Result<Option<(Snapshot<A>, Vec<Option<Snapshot<B>>>)>, Error> {
        let guess = self.glimpse::<A>(id).map(|seen| related(&seen)).unwrap_or_default();
        let (found, mut others) = tokio::try_join!(self.get::<A>(id), self.get_all::<B>(&guess))?;
        let Some(found) = found else { return Ok(None) };
        let wanted = related(&found.state);
        if wanted != guess {
            others = self.get_all::<B>(&wanted).await?;
        }
        Ok(Some((found, others)))
    }

    /// The cached state of an aggregate: durable, but perhaps not the newest. For facts that never change.
    pub fn glimpse<A: Decider>(&self, id: A::Id) -> Option<Arc<A>> {
        self.cache().durable(&StreamId::of::<A>(id)).map(|found| downcast(&found))
    }

    /// The cached state of an aggregate, or else its durable state: for facts that never change, and for decisions that
    /// the log checks later.
    pub async fn seen<A: Decider>(&self, id: A::Id) -> Result<Option<Arc<A>>, Error> {
        match self.glimpse::<A>(id) {
            Some(seen) => Ok(Some(seen)),
            None => Ok(self.get::<A>(id).await?.map(|found| found.state)),
        }
    }

    /// The first page of an aggregate's events.
    pub async fn beginning<A: Decider>(&self, id: A::Id) -> Result<Arc<[Recorded]>, Error> {
        let mut pages = self.reader().read(vec![(StreamId::of::<A>(id), 0)]).await?;
        Ok(pages.swap_remove(0))
    }

    /// Maps each event of an aggregate, oldest first; reads a page at a time, so that a long stream is never in memory
    /// as a whole.
    pub async fn gather<A: Decider, T>(
        &self,
        id: A::Id,
        wanted: impl Fn(A::Event) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let stream = StreamId::of::<A>(id);
        let (mut gathered, mut version) = (Vec::new(), 0);
        loop {
            let page = self.log().read_stream(&stream, version, PAGE).await?;
            for recorded in &page {
                version = recorded.version;
                gathered.extend(recorded.event::<A>().transpose()?.and_then(&wanted));
            }
            if i64::try_from(page.len()) != Ok(PAGE) {
                return Ok(gathered);
            }
        }
    }

    /// The state of an aggregate at an earlier moment, none when it did not exist then.
    pub async fn get_at<A: Decider>(&self, id: A::Id, at: At) -> Result<Option<Snapshot<A>>, Error> {
        let stream = StreamId::of::<A>(id);
        let (mut state, mut version) = (A::default(), 0);
        loop {
            let page = self.log().read_stream(&stream, version, PAGE).await?;
            let full = i64::try_from(page.len()) == Ok(PAGE);
            for recorded in page {
                let passed = match at {
                    At::Position(position) => recorded.position > position,
                    At::Moment(moment) => recorded.recorded_at > moment,
                    At::Version(wanted) => recorded.version > wanted,
                };
                if passed {
                    return Ok(snapshot(state, version));
                }
                state = evolve::<A>(state, &recorded)?;
                version = recorded.version;
            }
            if !full {
                return Ok(snapshot(state, version));
            }
        }
    }

    /// Continues each stream from its cached state; reads a page at a time, so that a long stream is never in memory as a whole.
    pub(crate) async fn read_states<A: Decider>(&self, streams: &[StreamId]) -> Result<Vec<Versioned>, Error> {
        let looked = self.cache().looked();
        let mut states: Vec<(i64, Arc<A>)> = Vec::with_capacity(streams.len());
        for stream in streams {
            states.push(match self.cache().durable(stream) {
                Some(entry) => (entry.version, downcast(&entry)),
                None if A::LAST_EVENT_IS_SNAPSHOT => {
                    ((self.log().version_of(stream).await? - 1).max(0), Arc::default())
                }
                None => (0, Arc::default()),
            });
        }
        let mut open: Vec<usize> = (0..streams.len()).collect();
        while !open.is_empty() {
            let wanted = open.iter().map(|&index| (streams[index].clone(), states[index].0)).collect();
            let pages = self.reader().read(wanted).await?;
            for (&index, page) in open.iter().zip(&pages) {
                let (version, state) = &mut states[index];
                for recorded in page.iter() {
                    *state = Arc::new(evolve::<A>(Arc::unwrap_or_clone(std::mem::take(state)), recorded)?);
                    *version = recorded.version;
                }
            }
            let mut pages = pages.iter();
            open.retain(|_| pages.next().is_some_and(|page| i64::try_from(page.len()) == Ok(PAGE)));
        }
        let versioned = streams.iter().zip(states).map(|(stream, (version, state))| {
            let versioned = Versioned { version, state: state as AnyState, made_by: None };
            // Missing aggregates are not cached, because clients can request any number of unknown ids; singletons are the exception.
            if version > 0 || A::SINGLETON {
                self.cache().put_durable(stream, &versioned, looked);
            }
            versioned
        });
        Ok(versioned.collect())
    }
}

fn snapshot<A>(state: A, version: i64) -> Option<Snapshot<A>> {
    (version > 0).then(|| Snapshot { version, state: Arc::new(state) })
}

fn evolve<A: Decider>(state: A, recorded: &Recorded) -> Result<A, Error> {
    let event = codec::decode(&recorded.event_type, recorded.schema, &recorded.data)
        .map_err(|source| StoreError::Unreadable { position: recorded.position, source })?;
    Ok(state.evolve(&event))
}
