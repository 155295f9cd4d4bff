//! The tax rates of all countries, in one book.

use byteshop_domain::tax_book::{Command, CountryTax, Rounding, TaxBook};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Replaces the tax rates of all countries; the rounding stays if it is absent.
pub fn set(
    unit: &Unit,
    book: &mut Loaded<TaxBook>,
    countries: Vec<CountryTax>,
    rounding: Option<Rounding>,
) -> Result<(), Error> {
    unit.decide(book, &Command::Set { countries, rounding })
}
