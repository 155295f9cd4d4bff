//! The methods of payment that staff settles by hand, in one book.

use byteshop_domain::payment_book::{Command, ManualMethod, PaymentBook};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Replaces all methods. What buyers chose before stays as they were told.
pub fn set(unit: &Unit, book: &mut Loaded<PaymentBook>, methods: Vec<ManualMethod>) -> Result<(), Error> {
    unit.decide(book, &Command::Set { methods })
}
