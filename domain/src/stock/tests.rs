//! Rules of this context.
