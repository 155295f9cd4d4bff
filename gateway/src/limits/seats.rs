//! How many of something may be open at a time, of all visitors and of each: so nobody holds all of them.

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
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// A seat, free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    visitor: IpAddr,
}

/// A body that keeps a seat taken until it was sent, or nobody wants it any more.
#[derive(Debug)]
struct Seated {
    body: Body,
    _seat: Seat,
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
        Self { all, each, taken: Arc::default() }
    }

    /// How many there are.
    pub fn all(&self) -> usize {
        self.all
    }

    /// Takes a seat, if one is left.
    pub fn take(&self, visitor: IpAddr) -> Result<Seat, Full> {
        let visitor = crate::actor::network(visitor);
        let mut taken = self.taken();
        if taken.all >= self.all {
            return Err(Full::All);
        }
        let own = taken.each.entry(visitor).or_default();
        if *own >= self.each {
            return Err(Full::Each);
        }
        *own += 1;
        taken.all += 1;
        Ok(Seat { seats: self.clone(), visitor })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Stays taken for as long as this body is there.
    pub fn until_sent(self, body: Body) -> Body {
        Body::new(Seated { body, _seat: self })
    }
}

impl http_body::Body for Seated {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
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
        taken.all = taken.all.saturating_sub(1);
        if let Some(own) = taken.each.get_mut(&self.visitor) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                taken.each.remove(&self.visitor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
}
