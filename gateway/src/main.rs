//! The byteshop binary.
fn main() {}
