//! The access log: lines that a thread of its own writes to stderr, many of them with one system call.
//!
//! A line waits [`WAIT`] at most. A program that stops writes what waits; one that is killed loses it.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a line may wait for others: short for who reads along, long enough for hundreds of lines of a busy shop.
const WAIT: Duration = Duration::from_millis(100);
/// Bytes of lines that wait for no more: what a pipe of Linux takes at once.
const FULL: usize = 64 << 10;

/// The lines that this program has yet to write; not set while the access log is off.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Lines that wait to be written.
#[derive(Default)]
struct Lines {
    waiting: Mutex<Vec<u8>>,
    /// Wakes the thread for the first line that waits.
    first: Condvar,
}

/// Turns the log on; once per process.
///
/// # Errors
/// When the system lets this process have no other thread.
pub fn start() -> io::Result<()> {
    thread::Builder::new().name("access-log".to_owned()).spawn(|| LINES.get_or_init(Lines::default).keep_writing())?;
    LINES.get_or_init(Lines::default);
    Ok(())
}

/// Whether the log is on.
pub fn is_on() -> bool {
    LINES.get().is_some()
}

/// Adds a line, with its end.
pub fn add(line: &[u8]) {
    if let Some(lines) = LINES.get() {
        lines.add(line, &mut io::stderr());
    }
}

/// Writes what waits: nothing is lost when the program ends after this.
pub fn flush() {
    if let Some(lines) = LINES.get() {
        lines.flush(&mut io::stderr());
    }
}

impl Lines {
    fn waiting(&self) -> MutexGuard<'_, Vec<u8>> {
        // Every holder of the lock added a whole line, or wrote all of them.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_writing(&self) -> ! {
        loop {
            let waiting = self.first.wait_while(self.waiting(), |waiting| waiting.is_empty());
            drop(waiting);
            thread::sleep(WAIT);
            self.flush(&mut io::stderr());
        }
    }

    /// Who adds the line that fills the memory writes it out: a reader that is too slow slows down requests, and loses no line.
    fn add(&self, line: &[u8], out: &mut impl Write) {
        let mut waiting = self.waiting();
        let is_first = waiting.is_empty();
        waiting.extend_from_slice(line);
        if waiting.len() >= FULL {
            write(&mut waiting, out);
        } else if is_first {
            self.first.notify_one();
        }
    }

    fn flush(&self, out: &mut impl Write) {
        write(&mut self.waiting(), out);
    }
}

fn write(waiting: &mut Vec<u8>, out: &mut impl Write) {
    // A closed stderr has no reader, and the requests go on.
    let _ = out.write_all(waiting);
    waiting.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_together_and_in_order() {
        let (lines, mut out) = (Lines::default(), Vec::new());
        lines.add(b"one\n", &mut out);
        lines.add(b"two\n", &mut out);
        assert!(out.is_empty());
        lines.flush(&mut out);
        lines.flush(&mut out);
        assert_eq!(out, b"one\ntwo\n");
    }

    #[test]
    fn the_memory_of_lines_that_wait_is_bounded() {
        let (lines, mut out) = (Lines::default(), Vec::new());
        let line = [b'x'; 1_000];
        for _ in 0..200 {
            lines.add(&line, &mut out);
            assert!(lines.waiting().len() < FULL);
        }
        assert!(out.len() > 100_000);
        lines.flush(&mut out);
        assert_eq!(out.len(), 200_000);
    }
}
