//! The shipping zones with their services and prices, in one book.

use byteshop_domain::shipping_book::{Command, ShippingBook, Zone};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Replaces all shipping zones.
pub fn set(unit: &Unit, book: &mut Loaded<ShippingBook>, zones: Vec<Zone>) -> Result<(), Error> {
    unit.decide(book, &Command::Set { zones })
}
