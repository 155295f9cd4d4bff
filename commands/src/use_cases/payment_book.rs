//! The methods of payment that staff settles by hand, and where providers are offered, in one book.

use byteshop_domain::payment_book::{Command, ManualMethod, PaymentBook, ProviderLimit};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Replaces all methods and all limits of providers. What buyers chose before stays as they were told.
pub fn set(
    unit: &Unit,
    book: &mut Loaded<PaymentBook>,
    methods: Vec<ManualMethod>,
    providers: Vec<ProviderLimit>,
) -> Result<(), Error> {
    unit.decide(book, &Command::Set { methods, providers })
}
