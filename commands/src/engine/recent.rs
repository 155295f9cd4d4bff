//! Recent aggregates: states in memory that a look at the log has shown to be the newest a moment ago.
//!
//! For answers that everybody may keep for longer than that, such as the page of a product. Nothing looks while nothing is
//! asked, and one looks for all who ask. What memory cannot prove is left to who asked: reading the state proves it.

use byteshop_domain::decider::Decider;
use byteshop_domain::product::Product;
use byteshop_domain::seller::Seller;
use byteshop_domain::stock::StockLevel;
use byteshop_eventstore::read::changed_ahead;
use byteshop_eventstore::{StoreError, StreamId};
use tokio::time::Instant;

use crate::Commands;
use crate::engine::cache::Versioned;
use crate::engine::state::Snapshot;
use crate::engine::unit::downcast;

/// Positions that one look covers: more than are appended between two looks of a busy shop.
const RANGE: i64 = 10_000;
/// What is looked at: all that the page of a product is made of.
const LOOKED_AT: [&str; 3] = [Product::CATEGORY, StockLevel::CATEGORY, Seller::CATEGORY];

impl Commands {
    /// An aggregate as it was a moment ago; none if memory cannot tell.
    pub async fn recent<A: Decider>(&self, id: A::Id) -> Option<Snapshot<A>> {
        let mut states = self.recent_states::<A>(&[id]).await?;
        Some(states.swap_remove(0))
    }

    /// An aggregate and those that belong to it, as they were a moment ago; none if memory cannot tell.
    pub async fn recent_with<A: Decider, B: Decider>(
        &self,
        id: A::Id,
        related: impl Fn(&A) -> Vec<B::Id> + Send,
    ) -> Option<(Snapshot<A>, Vec<Snapshot<B>>)> {
        let found = self.recent::<A>(id).await?;
        let related = related(&found.state);
        Some((found, self.recent_states::<B>(&related).await?))
    }

    async fn recent_states<A: Decider>(&self, ids: &[A::Id]) -> Option<Vec<Snapshot<A>>> {
        debug_assert!(LOOKED_AT.contains(&A::CATEGORY), "changes of {} are not looked at", A::CATEGORY);
        if !self.looks().is_recent()
            && let Err(error) = self.look().await
        {
            // Who asked reads the log in its place, and reports what is wrong.
            tracing::debug!(%error, "cannot look at the log");
            return None;
        }
        let streams: Vec<StreamId> = ids.iter().map(|id| StreamId::of::<A>(*id)).collect();
        let recent = self.cache().recent(&streams)?;
        Some(recent.iter().map(snapshot).collect())
    }

    /// Looks at what was appended since the last look.
    async fn look(&self) -> Result<(), StoreError> {
        let mut kept = self.looks().connection().await;
        // Another task has looked while this one waited for it.
        if self.looks().is_recent() {
            return Ok(());
        }
        let began = Instant::now();
        // A connection whose answer was not waited for, or that failed, is not kept.
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => self.log().connect().await?,
        };
        let looked = self.cache().looked();
        let ahead = match looked {
            Some(upto) => Some(changed_ahead(&mut connection, upto, RANGE, &LOOKED_AT).await?),
            None => None,
        };
        let went_on = |upto: i64| looked.is_some_and(|from| (from..from + RANGE).contains(&upto));
        match ahead.filter(|ahead| went_on(ahead.upto)) {
            Some(ahead) => self.cache().look_on(&ahead.streams, ahead.upto),
            // The first look, or one after a long time: what changed before it counts as unknown.
            None => self.cache().look_from(self.log().head().await?),
        }
        self.looks().set(began);
        *kept = Some(connection);
        Ok(())
    }
}

fn snapshot<A: Decider>(state: &Versioned) -> Snapshot<A> {
    Snapshot { version: state.version, state: downcast(state) }
}
