//! Rows as everybody sees them in lists, in memory beside the index, until the index learns that they have changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use byteshop_domain::Currency;
use byteshop_domain::ids::ProductId;
use lru::LruCache;

/// Bytes of rows in memory at most: some 20,000 products.
const MAX_BYTES: usize = 32 << 20;
/// The size of an entry without its texts.
const ENTRY: usize = 128;

/// The JSON of a product with its prices in each currency that was asked for.
type Shown = Vec<(Option<Currency>, Arc<str>)>;

/// The rows, the least recently used of which leave first.
#[derive(Debug)]
pub(super) struct RowCache(Mutex<Rows>);

#[derive(Debug)]
struct Rows {
    /// Counts the changes of the index: what was read before one may be what it changed.
    generation: u64,
    bytes: usize,
    products: LruCache<ProductId, Shown>,
}

impl Default for RowCache {
    fn default() -> Self {
        Self(Mutex::new(Rows { generation: 0, bytes: 0, products: LruCache::unbounded() }))
    }
}

impl RowCache {
    fn lock(&self) -> MutexGuard<'_, Rows> {
        // No code that holds the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation with which rows that are read from now on may be [put](Self::put).
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// The rows of some products that are in memory.
    pub fn get(&self, products: &[ProductId], currency: Option<Currency>) -> Vec<Option<Arc<str>>> {
        let mut rows = self.lock();
        let mut row = |product: &ProductId| {
            let shown = rows.products.get(product)?;
            shown.iter().find(|(of, _)| *of == currency).map(|(_, row)| Arc::clone(row))
        };
        products.iter().map(&mut row).collect()
    }

    /// Remembers rows that were read in a generation, if it is still that.
    pub fn put(&self, generation: u64, currency: Option<Currency>, read: &[(ProductId, Arc<str>)]) {
        let mut rows = self.lock();
        if rows.generation != generation {
            return;
        }
        for (product, row) in read {
            rows.bytes += weight(row);
            let shown = rows.products.get_or_insert_mut(*product, Vec::new);
            match shown.iter_mut().find(|(of, _)| *of == currency) {
                // Two read it at the same time.
                Some((_, known)) => {
                    let known = std::mem::replace(known, Arc::clone(row));
                    rows.bytes -= weight(&known);
                }
                None => shown.push((currency, Arc::clone(row))),
            }
        }
        while rows.bytes > MAX_BYTES {
            let Some((_, shown)) = rows.products.pop_lru() else { break };
            rows.bytes -= shown.iter().map(|(_, row)| weight(row)).sum::<usize>();
        }
    }

    /// Forgets products that have changed.
    pub fn forget(&self, changed: impl Iterator<Item = ProductId>) {
        let mut rows = self.lock();
        rows.generation += 1;
        for product in changed {
            let shown = rows.products.pop(&product).unwrap_or_default();
            rows.bytes -= shown.iter().map(|(_, row)| weight(row)).sum::<usize>();
        }
    }

    /// Forgets all of them.
    pub fn clear(&self) {
        let mut rows = self.lock();
        *rows = Rows { generation: rows.generation + 1, bytes: 0, products: LruCache::unbounded() };
    }
}

fn weight(row: &str) -> usize {
    ENTRY + row.len()
}

#[cfg(test)]
mod tests {
    use byteshop_domain::ids::Id as _;
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> ProductId {
        ProductId::from_uuid(Uuid::from_u128(number))
    }

    fn row(text: &str) -> Arc<str> {
        Arc::from(text)
    }

    #[test]
    fn a_row_is_kept_for_each_currency_until_its_product_changes() {
        let (cache, euro) = (RowCache::default(), Currency::from_code("EUR"));
        cache.put(0, None, &[(id(1), row("one")), (id(2), row("two"))]);
        cache.put(0, euro, &[(id(1), row("one in euro"))]);
        cache.put(0, euro, &[(id(1), row("one in euro"))]);
        assert_eq!(cache.get(&[id(2), id(1), id(3)], None), [Some(row("two")), Some(row("one")), None]);
        assert_eq!(cache.get(&[id(1), id(2)], euro), [Some(row("one in euro")), None]);
        cache.forget([id(1), id(9)].into_iter());
        assert_eq!((cache.get(&[id(1)], None), cache.get(&[id(1)], euro)), (vec![None], vec![None]));
        assert_eq!(cache.get(&[id(2)], None), [Some(row("two"))]);
        assert_eq!(cache.lock().bytes, weight("two"));
        cache.clear();
        assert_eq!((cache.get(&[id(2)], None), cache.lock().bytes), (vec![None], 0));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let cache = RowCache::default();
        let before = cache.generation();
        cache.forget([id(1)].into_iter());
        cache.put(before, None, &[(id(1), row("old"))]);
        assert_eq!(cache.get(&[id(1)], None), [None]);
        cache.put(cache.generation(), None, &[(id(1), row("new"))]);
        assert_eq!(cache.get(&[id(1)], None), [Some(row("new"))]);
    }

    #[test]
    fn the_rows_in_memory_are_bounded() {
        let (cache, large) = (RowCache::default(), "x".repeat(1 << 20));
        for number in 1..=40 {
            cache.put(0, None, &[(id(number), row(&large))]);
            cache.get(&[id(1)], None);
        }
        assert!(cache.lock().bytes <= MAX_BYTES);
        assert_eq!(cache.get(&[id(1), id(2)], None).iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    }
}
