//! Compressed responses in memory, the least recently used of which leave first: compressing a response takes longer than making it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderValue, Uri};
use lru::LruCache;

/// Bytes of responses in memory at most: some 20,000 products.
const MAX_BYTES: usize = 16 << 20;
/// Bytes of a response that is kept at most, so that a few large ones do not displace all others.
const MAX_EACH: usize = MAX_BYTES / 64;
/// Bytes of an entry beside its name and its response.
const ENTRY: usize = 128;

/// What a response is known by: its address and its entity tag, which names its content.
type Name = (Box<str>, HeaderValue);

/// The responses. Clones share everything.
#[derive(Debug, Clone)]
pub struct Compressed(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    bytes: usize,
    responses: LruCache<Name, Bytes>,
}

impl Default for Compressed {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Kept { bytes: 0, responses: LruCache::unbounded() })))
    }
}

impl Compressed {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        // No code that holds the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The response at an address with this tag in gzip: from memory, or else what `compress` makes of it.
    pub(crate) fn get(&self, uri: &Uri, tag: &HeaderValue, compress: impl FnOnce() -> Option<Bytes>) -> Option<Bytes> {
        let name: Name = (uri.path_and_query().map_or("", PathAndQuery::as_str).into(), tag.clone());
        if let Some(known) = self.kept().responses.get(&name) {
            return Some(known.clone());
        }
        let compressed = compress()?;
        if compressed.len() <= MAX_EACH {
            self.kept().put(name, compressed.clone());
        }
        Some(compressed)
    }
}

impl Kept {
    fn put(&mut self, name: Name, compressed: Bytes) {
        self.bytes += weight(&name, &compressed);
        if let Some((name, compressed)) = self.responses.push(name, compressed) {
            // Two compressed it at the same time.
            self.bytes -= weight(&name, &compressed);
        }
        while self.bytes > MAX_BYTES {
            let Some((name, compressed)) = self.responses.pop_lru() else { break };
            self.bytes -= weight(&name, &compressed);
        }
    }
}

fn weight((address, tag): &Name, compressed: &Bytes) -> usize {
    ENTRY + address.len() + tag.len() + compressed.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(responses: &Compressed, uri: &str, tag: &'static str, compressed: Option<Vec<u8>>) -> Option<Bytes> {
        responses.get(&uri.parse().unwrap(), &HeaderValue::from_static(tag), || compressed.map(Bytes::from))
    }

    #[test]
    fn a_response_is_compressed_once_for_each_of_its_contents() {
        let responses = Compressed::default();
        assert_eq!(get(&responses, "/a", "1", None), None, "it did not become shorter");
        assert_eq!(get(&responses, "/a", "1", Some(b"one".to_vec())).unwrap(), "one");
        assert_eq!(get(&responses, "/a", "1", None).unwrap(), "one");
        assert_eq!(get(&responses, "/a", "2", None), None, "the content has changed");
        assert_eq!(get(&responses, "/a?b=c", "1", None), None, "another address");
    }

    #[test]
    fn the_responses_in_memory_are_bounded() {
        let responses = Compressed::default();
        get(&responses, "/large", "1", Some(vec![0; MAX_EACH + 1]));
        assert_eq!(get(&responses, "/large", "1", None), None);
        for number in 0..200 {
            get(&responses, &format!("/{number}"), "1", Some(vec![0; MAX_EACH - 1_000]));
            assert!(get(&responses, "/0", "1", None).is_some());
        }
        assert!(responses.kept().bytes <= MAX_BYTES);
        assert!(get(&responses, "/1", "1", None).is_none());
        let sum: usize = responses.kept().responses.iter().map(|(name, kept)| weight(name, kept)).sum();
        assert_eq!(responses.kept().bytes, sum);
    }
}
