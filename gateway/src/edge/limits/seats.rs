//! Bounds on what may be open or held in memory at a time, in total and for each visitor: connections, streams, requests
//! under way, and the bytes of responses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// The seats that are taken. Clones share everything.
#[derive(Debug, Clone)]
pub struct Seats {
    all: usize,
    each: usize,
    reserve: Reserve,
    taken: Arc<Mutex<Taken>>,
}

/// Seats that only visitors with few of them may take, so that a few greedy visitors never take all.
#[derive(Debug, Clone, Copy, Default)]
struct Reserve {
    seats: usize,
    few: usize,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// Some seats of one visitor, free again when this is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    visitor: IpAddr,
    weight: usize,
}

/// A response body that keeps the seat of its request until it was sent or dropped, and counts the bytes that it holds.
#[derive(Debug)]
struct Seated {
    body: Body,
    bytes: Held,
    _request: Option<Seat>,
}

/// How the bytes of a body are counted.
#[derive(Debug)]
pub enum Held {
    /// They are not: the body is empty, or lies in the program's own memory.
    Free,
    /// All at once, before the first is sent.
    Whole(Arc<Seat>),
    /// As they are made, since nothing says how many there will be.
    Each(Seats, IpAddr),
}

/// Bytes that count for as long as anything refers to them, such as the write queue of a connection.
struct Counted {
    bytes: Bytes,
    _seat: Arc<Seat>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All are taken.
    All,
    /// The visitor has as many as anybody may.
    Each,
}

impl Seats {
    /// So many for all, and so many of them for each visitor.
    pub fn new(all: usize, each: usize) -> Self {
        Self { all, each, reserve: Reserve::default(), taken: Arc::default() }
    }

    /// Reserves so many seats for visitors who have fewer than `few`.
    pub fn reserving(self, seats: usize, few: usize) -> Self {
        Self { reserve: Reserve { seats, few }, ..self }
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.all
    }

    /// Takes a seat, if one is left.
    pub fn take(&self, visitor: IpAddr) -> Result<Seat, Full> {
        self.take_many(visitor, 1)
    }

    /// Takes as many seats as something weighs. A visitor who has none may exceed the share of one visitor with a single
    /// heavy thing, or nobody could ever have it.
    pub fn take_many(&self, visitor: IpAddr, weight: usize) -> Result<Seat, Full> {
        let visitor = crate::edge::proxies::network(visitor);
        let mut taken = self.taken();
        let own = taken.each.get(&visitor).copied().unwrap_or_default();
        if own > 0 && own.saturating_add(weight) > self.each {
            return Err(Full::Each);
        }
        let reserved = if own < self.reserve.few { 0 } else { self.reserve.seats };
        if taken.all > 0 && taken.all.saturating_add(weight).saturating_add(reserved) > self.all {
            return Err(if reserved > 0 { Full::Each } else { Full::All });
        }
        Ok(self.seat(&mut taken, visitor, weight))
    }

    /// Takes them whether or not they are left: for what is in memory already and cannot be refused any more.
    pub fn take_anyway(&self, visitor: IpAddr, weight: usize) -> Seat {
        self.seat(&mut self.taken(), crate::edge::proxies::network(visitor), weight)
    }

    /// How many a visitor has.
    #[cfg(test)]
    pub(crate) fn held_by(&self, visitor: IpAddr) -> usize {
        self.taken().each.get(&crate::edge::proxies::network(visitor)).copied().unwrap_or_default()
    }

    /// Whether a visitor could take one more.
    pub fn has_room_for(&self, visitor: IpAddr) -> Result<(), Full> {
        let taken = self.taken();
        let own = taken.each.get(&crate::edge::proxies::network(visitor)).copied().unwrap_or_default();
        if own >= self.each {
            return Err(Full::Each);
        }
        if taken.all >= self.all { Err(Full::All) } else { Ok(()) }
    }

    fn seat(&self, taken: &mut Taken, visitor: IpAddr, weight: usize) -> Seat {
        *taken.each.entry(visitor).or_default() += weight;
        taken.all += weight;
        Seat { seats: self.clone(), visitor, weight }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the seat of a request taken, and the bytes counted, for as long as the body or any of its bytes is there.
pub fn until_sent(body: Body, request: Option<Seat>, bytes: Held) -> Body {
    if request.is_none() && matches!(bytes, Held::Free) {
        return body;
    }
    Body::new(Seated { body, bytes, _request: request })
}

impl Held {
    fn count(&self, bytes: Bytes) -> Bytes {
        let seat = match self {
            Self::Free => return bytes,
            Self::Whole(seat) => Arc::clone(seat),
            Self::Each(seats, visitor) => Arc::new(seats.take_anyway(*visitor, bytes.len())),
        };
        if bytes.is_empty() { bytes } else { Bytes::from_owner(Counted { bytes, _seat: seat }) }
    }
}

impl http_body::Body for Seated {
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

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken();
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
    fn nobody_takes_all_the_seats_and_a_seat_that_is_left_is_free() {
        let seats = Seats::new(5, 2);
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let mut own: Vec<Seat> = (0..2).map(|_| seats.take(one).unwrap()).collect();
        assert_eq!(seats.take(one).unwrap_err(), Full::Each);
        assert!(seats.take(two).is_ok());
        own.pop();
        assert!(seats.take(one).is_ok());
        drop(own);
        assert!(seats.taken().each.is_empty() && seats.taken().all == 0);
        let crowd: Vec<Seat> = (0..5).map(|n| seats.take(IpAddr::V4(n.into())).unwrap()).collect();
        assert_eq!(seats.take(one).unwrap_err(), Full::All);
        drop(crowd);
    }

    #[test]
    fn a_heavy_thing_fits_when_it_is_the_only_one_of_its_visitor() {
        let bytes = Seats::new(100, 10);
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let heavy = bytes.take_many(one, 30).unwrap();
        assert_eq!(bytes.take_many(one, 1).unwrap_err(), Full::Each);
        assert_eq!(bytes.has_room_for(one), Err(Full::Each));
        let _other = bytes.take_many(two, 10).unwrap();
        drop(heavy);
        assert!(bytes.take_many(one, 10).is_ok());
        let _all = bytes.take_anyway(one, 100);
        assert_eq!(bytes.take_many("192.0.2.3".parse().unwrap(), 1).unwrap_err(), Full::All);
    }

    #[test]
    fn visitors_with_few_seats_find_one_when_others_have_taken_all_they_may() {
        let seats = Seats::new(10, 5).reserving(4, 2);
        let visitor = |number: u32| IpAddr::V4(number.into());
        let greedy: Vec<Seat> = (0..20).filter_map(|n| seats.take(visitor(n % 2)).ok()).collect();
        assert_eq!(greedy.len(), 6, "the reserve is kept from those who have many");
        let few: Vec<Seat> = (2..20).filter_map(|n| seats.take(visitor(n)).ok()).collect();
        assert_eq!(few.len(), 4);
        assert_eq!(seats.take(visitor(30)).unwrap_err(), Full::All);
    }

    #[tokio::test]
    async fn bytes_count_until_the_last_reference_to_them_is_gone() {
        let seats = Seats::new(1_000, 100);
        let visitor = IpAddr::V4(1.into());
        let whole = Held::Whole(Arc::new(seats.take_many(visitor, 6).unwrap()));
        for held in [whole, Held::Each(seats.clone(), visitor)] {
            let mut body = until_sent(Body::from("unread"), None, held);
            let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
            let mut queued = frame.unwrap().unwrap().into_data().unwrap();
            drop(body);
            assert_eq!(seats.taken().all, 6);
            let tail = queued.split_off(3);
            drop(queued);
            assert_eq!((seats.taken().all, tail.as_ref()), (6, b"ead".as_slice()));
            drop(tail);
            assert_eq!(seats.taken().all, 0);
        }
    }
}
