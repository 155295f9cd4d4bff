//! Pages as everybody sees them, in memory until the index changes: a popular page is made once for all who ask for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::found::Found;
use super::query::Query;

/// Bytes of pages in memory at most.
const MAX_BYTES: usize = 16 << 20;

/// The pages, the least recently used of which leave first.
#[derive(Debug)]
pub(super) struct PageCache(Mutex<Pages>);

#[derive(Debug)]
struct Pages {
    /// Counts the changes of the index: a page that was begun before one may lack it.
    generation: u64,
    bytes: usize,
    found: LruCache<Query, Arc<Found>>,
}

impl Default for PageCache {
    fn default() -> Self {
        Self(Mutex::new(Pages { generation: 0, bytes: 0, found: LruCache::unbounded() }))
    }
}

impl PageCache {
    fn lock(&self) -> MutexGuard<'_, Pages> {
        // No code that holds the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation with which a page that is made from now on may be [put](Self::put).
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// The page that answers a query, if it is in memory.
    pub fn get(&self, query: &Query) -> Option<Arc<Found>> {
        self.lock().found.get(query).map(Arc::clone)
    }

    /// Remembers a page that was made in a generation, if it is still that.
    pub fn put(&self, generation: u64, query: &Query, found: &Arc<Found>) {
        let bytes = weight(query, found);
        let mut all = self.lock();
        if all.generation != generation {
            return;
        }
        all.bytes += bytes;
        if let Some((query, found)) = all.found.push(query.clone(), Arc::clone(found)) {
            // Two made it at the same time.
            all.bytes -= weight(&query, &found);
        }
        while all.bytes > MAX_BYTES {
            let Some((query, found)) = all.found.pop_lru() else { break };
            all.bytes -= weight(&query, &found);
        }
    }

    /// Forgets all pages, because the index has changed.
    pub fn clear(&self) {
        let mut all = self.lock();
        *all = Pages { generation: all.generation + 1, bytes: 0, found: LruCache::unbounded() };
    }
}

fn weight(query: &Query, found: &Found) -> usize {
    query.size() + found.size()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::{Ask, Page};

    fn query(limit: u32) -> Query {
        let mut query = Query::default();
        query.ask.limit = Some(limit);
        query
    }

    fn found(total: u64, row: String) -> Arc<Found> {
        let page = Page::of(vec![row], &Ask::default(), &Query::default().list(), |row| ((), row));
        Arc::new(Found::new(page.unwrap(), total, None))
    }

    #[test]
    fn a_page_is_remembered_until_the_index_changes() {
        let cache = PageCache::default();
        cache.put(cache.generation(), &query(1), &found(1, String::new()));
        cache.put(cache.generation(), &query(1), &found(2, String::new()));
        cache.put(cache.generation(), &query(2), &found(3, String::new()));
        let total = |limit| cache.get(&query(limit)).map(|found| found.total);
        assert_eq!((total(1), total(2), total(3)), (Some(2), Some(3), None));
        assert_eq!(cache.lock().bytes, weight(&query(1), &found(2, String::new())) * 2);
        cache.clear();
        assert_eq!((cache.get(&query(1)).is_none(), cache.lock().bytes), (true, 0));
    }

    #[test]
    fn a_page_that_was_begun_before_a_change_is_not_remembered_after_it() {
        let cache = PageCache::default();
        let before = cache.generation();
        cache.clear();
        cache.put(before, &query(1), &found(1, String::new()));
        assert!(cache.get(&query(1)).is_none());
    }

    #[test]
    fn the_pages_in_memory_are_bounded() {
        let cache = PageCache::default();
        for limit in 1..=40 {
            cache.put(0, &query(limit), &found(0, "x".repeat(1 << 20)));
            cache.get(&query(1));
        }
        assert!(cache.lock().bytes <= MAX_BYTES);
        assert_eq!((cache.get(&query(1)).is_some(), cache.get(&query(2)).is_some()), (true, false));
    }
}
