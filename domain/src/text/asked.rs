//! Whether a value is being read from outside: its texts must meet stricter rules than the older texts in the log.

use std::cell::Cell;

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Reads a value from outside: every text in it is new, and must meet the rules for new texts.
///
/// The log uses the same types and holds texts from before there was a rule, which must stay readable. So it is not the type
/// that tells whether a text is new, but the place where it comes in.
pub fn fresh<T>(read: impl FnOnce() -> T) -> T {
    let _before = Before(ASKED.replace(true));
    read()
}

/// Whether a text that is read now is new.
pub(crate) fn is_asked() -> bool {
    ASKED.get()
}

/// The previous value, which is restored whatever happens to the reader.
struct Before(bool);

impl Drop for Before {
    fn drop(&mut self) {
        ASKED.set(self.0);
    }
}
