//! Decisions over several aggregates: what one looks at is loaded, then the domain decides, then all of it is part of one append.

use std::collections::BTreeMap;
use std::sync::Arc;

use byteshop_domain::Decider;
use byteshop_domain::digital_good::{self, DigitalGood};
use byteshop_domain::download::{self, Download};
use byteshop_domain::ids::{Id as _, OrderId, VariantId};
use byteshop_domain::key_pool::{self, KeyPool};
use byteshop_domain::order::Placed;
use byteshop_domain::quantity::Demand;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::subscribers::{self, Buyer, Subscribers};
use byteshop_domain::work::{Refused, Stream, Work};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// A decision over several aggregates, while what it looks at is loaded.
pub(crate) struct Together<'a> {
    unit: &'a Unit,
    work: Work,
    versions: BTreeMap<Stream, i64>,
}

impl Unit {
    /// Begins a decision over several aggregates.
    pub(crate) fn together(&self) -> Together<'_> {
        let clock = self.commands().clock();
        let work = Work::new(self.asked(), self.commands().issuer().cloned(), move || clock.new_id());
        Together { unit: self, work, versions: BTreeMap::new() }
    }
}

impl Together<'_> {
    /// The decision looks at an aggregate that is loaded already.
    pub fn hold<A: Decider>(&mut self, loaded: &Loaded<A>) {
        self.versions.insert((A::CATEGORY, loaded.id.uuid()), loaded.version);
        self.work.hold::<A>(loaded.id, Arc::clone(&loaded.state));
    }

    /// The decision looks at what is known of an aggregate and never changes: the append does not expect the rest to stay.
    pub fn know<A: Decider>(&mut self, id: A::Id, state: &Arc<A>) {
        self.work.hold::<A>(id, Arc::clone(state));
    }

    /// Loads aggregates of a kind, in at most one round trip: the append expects them to stay as they are.
    pub async fn load<A: Decider>(&mut self, ids: &[A::Id]) -> Result<(), Error> {
        if !ids.is_empty() {
            for loaded in self.unit.load_all::<A>(ids).await? {
                self.hold(&loaded);
            }
        }
        Ok(())
    }

    /// Loads the stock of lines.
    pub async fn load_stock(&mut self, lines: &[Demand]) -> Result<(), Error> {
        let mut variants: Vec<VariantId> = lines.iter().map(|line| line.variant).collect();
        variants.sort_unstable();
        variants.dedup();
        self.load::<StockLevel>(&variants).await
    }

    /// Loads the pools of keys of lines.
    pub async fn load_pools(&mut self, lines: &[Demand]) -> Result<(), Error> {
        let mut pools: Vec<_> = lines.iter().map(|line| key_pool::id(line.variant)).collect();
        pools.sort_unstable();
        pools.dedup();
        self.load::<KeyPool>(&pools).await
    }

    /// Loads the digital goods of an order, its downloads of them, and where its buyer is subscribed.
    pub async fn load_goods(&mut self, order: OrderId, placed: &Placed) -> Result<(), Error> {
        let lines = placed.downloadable();
        let buyer = Buyer::of(order, placed);
        let parts: Vec<_> = lines.iter().map(|line| subscribers::part_of(line.variant, buyer)).collect();
        self.load::<Subscribers>(&parts).await?;
        let goods: Vec<_> = lines.iter().map(|line| digital_good::id(line.variant)).collect();
        self.load::<DigitalGood>(&goods).await?;
        let downloads: Vec<_> = lines.iter().map(|line| download::id(order, line.variant)).collect();
        self.load::<Download>(&downloads).await
    }

    /// Looks at what is loaded, to find out what else the decision needs.
    pub fn look<T>(&self, at: impl FnOnce(&Work) -> Result<T, Refused>) -> Result<T, Error> {
        Ok(at(&self.work)?)
    }

    /// Decides: what happens is part of the unit's append.
    pub fn decide<T>(self, decision: impl FnOnce(&mut Work) -> Result<T, Refused>) -> Result<T, Error> {
        let Self { unit, mut work, versions } = self;
        let done = decision(&mut work)?;
        unit.record(&work.decided(), &versions)?;
        Ok(done)
    }
}
