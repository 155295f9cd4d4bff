//! The window of a feed: the last events of the log, bounded by number and by size, without a gap.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::Recorded;

/// Events in the window at most: a view that is further behind reads faster from Postgres.
const MAX_EVENTS: usize = 10_000;
/// Bytes of events in the window at most.
const MAX_BYTES: usize = 16 << 20;
/// The size of an event without its texts.
const ENVELOPE: usize = 300;

/// The result of a read from the window.
pub enum Taken {
    /// These.
    Events(Vec<Arc<Recorded>>),
    /// The next one is older than the window.
    Older,
    /// The next one has not been seen yet.
    Newer,
}

/// Events up to `last`, each one position after the other.
pub struct Window {
    last: i64,
    bytes: usize,
    events: VecDeque<Arc<Recorded>>,
}

impl Window {
    /// An empty window after a position.
    pub fn after(last: i64) -> Self {
        Self { last, bytes: 0, events: VecDeque::new() }
    }

    /// The last position.
    pub fn last(&self) -> i64 {
        self.last
    }

    /// Adds an event if it is the next one; otherwise returns false.
    pub fn push(&mut self, event: Arc<Recorded>) -> bool {
        if event.position != self.last + 1 {
            return false;
        }
        self.last = event.position;
        self.bytes += weight(&event);
        self.events.push_back(event);
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= weight(&oldest);
        }
        true
    }

    /// The next events after a position.
    pub fn take(&self, after: i64, limit: usize) -> Taken {
        if after >= self.last {
            return Taken::Newer;
        }
        let first = self.events.front().map_or(self.last + 1, |event| event.position);
        match usize::try_from(after + 1 - first) {
            Ok(skipped) => Taken::Events(self.events.iter().skip(skipped).take(limit).cloned().collect()),
            Err(_) => Taken::Older,
        }
    }
}

fn weight(event: &Recorded) -> usize {
    ENVELOPE + event.data.len() + event.meta.len()
}

/// The state that the task and the readers share.
pub struct Shared {
    pub window: Mutex<Window>,
    /// The last position of the window.
    pub head: watch::Sender<i64>,
    /// There are events in Postgres that the window does not have.
    pub missing: Notify,
}

impl Shared {
    /// The state of a feed that begins after a position.
    pub fn after(position: i64) -> Self {
        let window = Mutex::new(Window::after(position));
        Self { window, head: watch::Sender::new(position), missing: Notify::new() }
    }

    /// The window.
    pub fn window(&self) -> MutexGuard<'_, Window> {
        // The window is whole after every call, whatever panicked elsewhere.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the window on by the events that follow on it, and says where it ends.
    pub fn push(&self, events: impl Iterator<Item = Arc<Recorded>>) -> i64 {
        let mut window = self.window();
        let before = window.last();
        for event in events {
            window.push(event);
        }
        let last = window.last();
        drop(window);
        if last > before {
            self.head.send_replace(last);
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::recorded as event;

    fn positions(taken: Taken) -> Option<Vec<i64>> {
        match taken {
            Taken::Events(events) => Some(events.iter().map(|event| event.position).collect()),
            Taken::Older | Taken::Newer => None,
        }
    }

    #[test]
    fn events_come_out_in_order_and_without_a_gap() {
        let mut window = Window::after(5);
        assert!(!window.push(event(5, 1)));
        assert!(window.push(event(6, 1)));
        assert!(!window.push(event(8, 1)));
        assert!(window.push(event(7, 1)));
        assert_eq!(positions(window.take(5, 10)), Some(vec![6, 7]));
        assert_eq!(positions(window.take(5, 1)), Some(vec![6]));
        assert_eq!(positions(window.take(6, 10)), Some(vec![7]));
        assert!(matches!(window.take(4, 10), Taken::Older));
        assert!(matches!(window.take(7, 10), Taken::Newer));
    }

    #[test]
    fn an_empty_window_has_nothing_older_and_nothing_yet() {
        let window = Window::after(5);
        assert_eq!(window.last(), 5);
        assert!(matches!(window.take(5, 10), Taken::Newer));
        assert!(matches!(window.take(4, 10), Taken::Older));
    }

    #[test]
    fn readers_are_woken_by_what_is_new_and_by_nothing_else() {
        let shared = Shared::after(5);
        let mut head = shared.head.subscribe();
        assert_eq!(shared.push([event(6, 1), event(7, 1)].into_iter()), 7);
        assert!(head.has_changed().unwrap());
        assert_eq!(*head.borrow_and_update(), 7);
        assert_eq!(shared.push([event(7, 1), event(9, 1)].into_iter()), 7);
        assert!(!head.has_changed().unwrap());
    }

    #[test]
    fn an_event_weighs_its_texts_and_its_envelope() {
        let with_meta = Recorded { meta: "12345".into(), ..Arc::unwrap_or_clone(event(1, 10)) };
        assert_eq!(weight(&with_meta), ENVELOPE + 15);
    }

    #[test]
    fn the_window_stays_within_its_bounds() {
        let mut window = Window::after(0);
        for position in 1..=12_000 {
            assert!(window.push(event(position, 10)));
        }
        assert_eq!(window.events.len(), MAX_EVENTS);
        for position in 12_001..=12_100 {
            assert!(window.push(event(position, 1 << 20)));
        }
        assert!(window.bytes <= MAX_BYTES);
        assert_eq!(window.bytes, window.events.iter().map(|event| weight(event)).sum::<usize>());
        assert_eq!(window.last(), 12_100);
    }
}
