//! Concurrency limits, in total and per visitor: connections, streams, requests in progress, and the bytes of responses
//! in memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// A limit on permits, in total and per visitor. Clones share everything.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    all: usize,
    each: usize,
    reserve: Reserve,
    taken: Arc<Mutex<Taken>>,
}

/// Permits that only visitors with few of them can acquire, so that a few greedy visitors never get all.
#[derive(Debug, Clone, Copy, Default)]
struct Reserve {
    permits: usize,
    few: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// One or more permits of a visitor, released on drop.
#[derive(Debug)]
pub struct Permit {
    limit: ConcurrencyLimit,
    visitor: IpAddr,
    weight: usize,
}

/// A response body that holds the permit of its request until it was sent or dropped, and counts its bytes in memory.
#[derive(Debug)]
struct Permitted {
    body: Body,
    bytes: Held,
    _request: Option<Permit>,
}

/// How the bytes of a body are counted.
#[derive(Debug)]
pub enum Held {
    /// Not at all: the body is empty, or is part of the program.
    Free,
    /// All at once, before the first is sent.
    Whole(Arc<Permit>),
    /// As they are produced, because their number is not known before.
    Each(ConcurrencyLimit, IpAddr),
}

/// Bytes that count for as long as anything refers to them, such as the write queue of a connection.
struct Counted {
    bytes: Bytes,
    _permit: Arc<Permit>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why a permit is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All permits are in use.
    All,
    /// The visitor has the maximum per visitor.
    Each,
}

impl ConcurrencyLimit {
    /// A limit in total, and one per visitor.
    pub fn new(all: usize, each: usize) -> Self {
        Self { all, each, reserve: Reserve::default(), taken: Arc::default() }
    }

    /// Reserves permits for visitors who have fewer than `few`.
    pub fn reserving(self, permits: usize, few: usize) -> Self {
        Self { reserve: Reserve { permits, few }, ..self }
    }

    /// The total.
    pub fn all(&self) -> usize {
        self.all
    }

    /// Acquires a permit, if one is left.
    pub fn acquire(&self, visitor: IpAddr) -> Result<Permit, Full> {
        self.acquire_many(visitor, 1)
    }

    /// Acquires `weight` permits at once. A visitor who has none may exceed the limit per visitor with one such request,
    /// because it could never succeed otherwise.
    pub fn acquire_many(&self, visitor: IpAddr, weight: usize) -> Result<Permit, Full> {
        let visitor = crate::edge::proxies::network(visitor);
        let mut taken = self.taken();
        let own = taken.each.get(&visitor).copied().unwrap_or_default();
        if own > 0 && own.saturating_add(weight) > self.each {
            return Err(Full::Each);
        }
        let reserved = if own < self.reserve.few { 0 } else { self.reserve.permits };
        if taken.all > 0 && taken.all.saturating_add(weight).saturating_add(reserved) > self.all {
            return Err(if reserved > 0 { Full::Each } else { Full::All });
        }
        Ok(self.permit(&mut taken, visitor, weight))
    }

    /// Acquires permits even beyond the limit, for bytes that are in memory already and cannot be refused.
    pub fn acquire_anyway(&self, visitor: IpAddr, weight: usize) -> Permit {
        self.permit(&mut self.taken(), crate::edge::proxies::network(visitor), weight)
    }

    /// The number of permits of a visitor.
    #[cfg(test)]
    pub(crate) fn held_by(&self, visitor: IpAddr) -> usize {
        self.taken().each.get(&crate::edge::proxies::network(visitor)).copied().unwrap_or_default()
    }

    /// Whether a visitor could acquire one more.
    pub fn has_room_for(&self, visitor: IpAddr) -> Result<(), Full> {
        let taken = self.taken();
        let own = taken.each.get(&crate::edge::proxies::network(visitor)).copied().unwrap_or_default();
        if own >= self.each {
            return Err(Full::Each);
        }
        if taken.all >= self.all { Err(Full::All) } else { Ok(()) }
    }

    fn permit(&self, taken: &mut Taken, visitor: IpAddr, weight: usize) -> Permit {
        *taken.each.entry(visitor).or_default() += weight;
        taken.all += weight;
        Permit { limit: self.clone(), visitor, weight }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds the permit of a request, and counts its bytes, for as long as the body or any of its bytes is in memory.
pub fn hold_until_body_sent(body: Body, request: Option<Permit>, bytes: Held) -> Body {
    if request.is_none() && matches!(bytes, Held::Free) {
        return body;
    }
    Body::new(Permitted { body, bytes, _request: request })
}

impl Held {
    fn count(&self, bytes: Bytes) -> Bytes {
        let permit = match self {
            Self::Free => return bytes,
            Self::Whole(permit) => Arc::clone(permit),
            Self::Each(limit, visitor) => Arc::new(limit.acquire_anyway(*visitor, bytes.len())),
        };
        if bytes.is_empty() { bytes } else { Bytes::from_owner(Counted { bytes, _permit: permit }) }
    }
}

impl http_body::Body for Permitted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        polled.map_ok(|frame| frame.map_data(|bytes| self.bytes.count(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.limit.taken();
        taken.all = taken.all.saturating_sub(self.weight);
        if let Some(own) = taken.each.get_mut(&self.visitor) {
            *own = own.saturating_sub(self.weight);
            if *own == 0 {
                taken.each.remove(&self.visitor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    #[test]
    fn no_visitor_gets_all_permits_and_a_dropped_permit_is_free() {
        let limit = ConcurrencyLimit::new(5, 2);
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let mut own: Vec<Permit> = (0..2).map(|_| limit.acquire(one).unwrap()).collect();
        assert_eq!(limit.acquire(one).unwrap_err(), Full::Each);
        assert!(limit.acquire(two).is_ok());
        own.pop();
        assert!(limit.acquire(one).is_ok());
        drop(own);
        assert!(limit.taken().each.is_empty() && limit.taken().all == 0);
        let crowd: Vec<Permit> = (0..5).map(|n| limit.acquire(IpAddr::V4(n.into())).unwrap()).collect();
        assert_eq!(limit.acquire(one).unwrap_err(), Full::All);
        drop(crowd);
    }

    #[test]
    fn a_heavy_thing_fits_when_it_is_the_only_one_of_its_visitor() {
        let bytes = ConcurrencyLimit::new(100, 10);
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let heavy = bytes.acquire_many(one, 30).unwrap();
        assert_eq!(bytes.acquire_many(one, 1).unwrap_err(), Full::Each);
        assert_eq!(bytes.has_room_for(one), Err(Full::Each));
        let _other = bytes.acquire_many(two, 10).unwrap();
        drop(heavy);
        assert!(bytes.acquire_many(one, 10).is_ok());
        let _all = bytes.acquire_anyway(one, 100);
        assert_eq!(bytes.acquire_many("192.0.2.3".parse().unwrap(), 1).unwrap_err(), Full::All);
    }

    #[test]
    fn visitors_with_few_permits_get_one_when_others_have_reached_their_limit() {
        let limit = ConcurrencyLimit::new(10, 5).reserving(4, 2);
        let visitor = |number: u32| IpAddr::V4(number.into());
        let greedy: Vec<Permit> = (0..20).filter_map(|n| limit.acquire(visitor(n % 2)).ok()).collect();
        assert_eq!(greedy.len(), 6, "the reserve is kept from those who have many");
        let few: Vec<Permit> = (2..20).filter_map(|n| limit.acquire(visitor(n)).ok()).collect();
        assert_eq!(few.len(), 4);
        assert_eq!(limit.acquire(visitor(30)).unwrap_err(), Full::All);
    }

    #[tokio::test]
    async fn bytes_count_until_the_last_reference_to_them_is_gone() {
        let limit = ConcurrencyLimit::new(1_000, 100);
        let visitor = IpAddr::V4(1.into());
        let whole = Held::Whole(Arc::new(limit.acquire_many(visitor, 6).unwrap()));
        for held in [whole, Held::Each(limit.clone(), visitor)] {
            let mut body = hold_until_body_sent(Body::from("unread"), None, held);
            let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let mut queued = frame.unwrap().unwrap().into_data().unwrap();
            drop(body);
            assert_eq!(limit.taken().all, 6);
            let tail = queued.split_off(3);
            drop(queued);
            assert_eq!((limit.taken().all, tail.as_ref()), (6, b"ead".as_slice()));
            drop(tail);
            assert_eq!(limit.taken().all, 0);
        }
    }
}
