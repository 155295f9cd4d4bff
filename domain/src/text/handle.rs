//! The length of a seller's handle.

/// Longest handle of a seller: people type it.
pub const HANDLE_MAX: usize = 40;
/// Shortest handle of a seller: shorter ones are abbreviations that many want.
pub const HANDLE_MIN: usize = 3;
