//! The catalog over HTTP: what is sold, at which prices, and how it is found.

mod archive;
mod bulk;
mod categories;
mod found;
mod images;
mod lines;
mod matrix;
mod prices;
mod schedule;
mod search;
mod typed;
