//! Whether what is read now comes from outside: its texts are held to more than those that the log has from earlier days.

use std::cell::Cell;

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Reads something from outside: every text in it is new, and held to what new ones must be.
///
/// The types are those of the log too, and it has texts from before there was a rule, which must stay readable. So not the
/// type says that a text is new, but the place where it comes in.
pub fn fresh<T>(read: impl FnOnce() -> T) -> T {
    let _before = Before(ASKED.replace(true));
    read()
}

/// Whether a text that is read now is new.
pub(crate) fn is_asked() -> bool {
    ASKED.get()
}

/// How it was before; so it is again, whatever becomes of the reader.
struct Before(bool);

impl Drop for Before {
    fn drop(&mut self) {
        ASKED.set(self.0);
    }
}
