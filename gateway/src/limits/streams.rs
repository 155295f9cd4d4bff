//! How many streams of changes may be open: each is kept alive and looks for news, so nobody holds all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use crate::problem::Problem;

/// Streams of one process at a time.
const ALL: usize = 1_000;
/// Streams of one visitor at a time: an office that waits for its orders.
pub const EACH: usize = 50;
/// Seconds after which whoever was told to come back does.
const COME_BACK_S: u32 = 5;

/// The streams that are open. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Streams(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    all: usize,
    each: HashMap<IpAddr, usize>,
}

/// A place among the streams, free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    streams: Streams,
    visitor: IpAddr,
}

impl Streams {
    /// Takes a place, if one is left.
    pub fn take(&self, visitor: IpAddr) -> Result<Seat, Problem> {
        let visitor = crate::actor::network(visitor);
        let mut open = self.open();
        if open.all >= ALL {
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "server.busy", "too many streams are open");
            return Err(problem.retry_after(COME_BACK_S));
        }
        let own = open.each.entry(visitor).or_default();
        if *own >= EACH {
            let detail = format!("one address may follow {EACH} orders at a time");
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "request.too_many", detail);
            return Err(problem.retry_after(COME_BACK_S));
        }
        *own += 1;
        open.all += 1;
        Ok(Seat { streams: self.clone(), visitor })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        open.all = open.all.saturating_sub(1);
        if let Some(own) = open.each.get_mut(&self.visitor) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.each.remove(&self.visitor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_the_seats_and_a_seat_that_is_left_is_free() {
        let streams = Streams::default();
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let mut seats: Vec<Seat> = (0..EACH).map(|_| streams.take(one).unwrap()).collect();
        let refused = streams.take(one).unwrap_err();
        assert_eq!((refused.status(), refused.code()), (StatusCode::TOO_MANY_REQUESTS, "request.too_many"));
        assert!(streams.take(two).is_ok());
        seats.pop();
        assert!(streams.take(one).is_ok());
        drop(seats);
        assert!(streams.open().each.is_empty() && streams.open().all == 0);
        let crowd: Vec<Seat> =
            (0..ALL).map(|n| streams.take(IpAddr::V4(u32::try_from(n).unwrap().into())).unwrap()).collect();
        assert_eq!(streams.take(one).unwrap_err().code(), "server.busy");
        drop(crowd);
    }
}
