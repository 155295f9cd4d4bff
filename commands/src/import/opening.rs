//! The opening balance of each code: its first price, and the smallest stock with which its history never falls below
//! zero.

use byteshop_domain::money::Price;

use super::history::History;
use super::row::Kind;

/// The opening balance of a code.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// The stock before the first document.
    pub stock: i64,
    /// The first price above zero that it was sold at.
    pub price: Option<Price>,
}

/// Goes through the documents that are to be imported once.
pub fn openings(history: &History, places: impl Iterator<Item = usize>) -> Vec<Opening> {
    let mut openings = vec![Opening::default(); history.codes.len()];
    let mut on_hand = vec![0i64; history.codes.len()];
    for place in places {
        let invoice = &history.invoices[place];
        for line in &invoice.lines {
            let code = line.code as usize;
            // A sale, a loss and a return differ in sign alone: what came back is negative in a credit note.
            on_hand[code] += match invoice.kind {
                Kind::Sale => -i64::from(line.quantity.unsigned_abs()),
                Kind::CreditNote => i64::from(line.quantity.unsigned_abs()),
            };
            let opening = &mut openings[code];
            opening.stock = opening.stock.max(-on_hand[code]);
            let price = history.price_of(line).unit;
            if invoice.kind == Kind::Sale && line.quantity > 0 && price.money().amount > 0 {
                opening.price.get_or_insert(price);
            }
        }
    }
    openings
}
