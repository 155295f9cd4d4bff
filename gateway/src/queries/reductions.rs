//! The lowest prices before the reductions of products, in memory: they follow from a product's events, so they are right for as
//! long as the product has the same version.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use byteshop_domain::Currency;
use byteshop_domain::ids::{ProductId, VariantId};
use byteshop_domain::money::Price;
use lru::LruCache;

/// Products that are remembered: those with a reduction that are looked at, a few hundred bytes each.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("a positive number");

/// The lowest prices before reductions, by variant and currency.
pub type LowestBefore = HashMap<(VariantId, Currency), Price>;

type Known = LruCache<ProductId, (i64, Arc<LowestBefore>)>;

/// The products, the least recently used of which leave first. Clones share everything.
#[derive(Debug, Clone)]
pub struct Reductions(Arc<Mutex<Known>>);

impl Default for Reductions {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(REMEMBERED))))
    }
}

impl Reductions {
    /// Those of a product at a version.
    pub fn get(&self, product: ProductId, version: i64) -> Option<Arc<LowestBefore>> {
        let mut known = self.known();
        known.get(&product).filter(|(of, _)| *of == version).map(|(_, lowest)| Arc::clone(lowest))
    }

    /// Remembers those of a product at a version.
    pub fn put(&self, product: ProductId, version: i64, lowest: &Arc<LowestBefore>) {
        self.known().put(product, (version, Arc::clone(lowest)));
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Every holder of the lock added or read whole entries.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use byteshop_domain::ids::Id as _;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn they_are_known_for_the_version_that_they_were_found_for() {
        let (reductions, product) = (Reductions::default(), ProductId::from_uuid(Uuid::nil()));
        reductions.put(product, 3, &Arc::default());
        assert!(reductions.get(product, 3).is_some());
        assert!(reductions.get(product, 4).is_none() && reductions.get(product, 2).is_none());
    }
}
