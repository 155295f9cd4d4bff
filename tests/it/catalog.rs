//! The catalog over HTTP: what is sold, at which prices, and how it is found.

mod prices;
