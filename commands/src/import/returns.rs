//! Which order a returned line was bought with: the customer's most recent earlier one that has enough of it left.

use std::collections::{HashMap, HashSet};

use super::history::{History, Invoice};
use super::row::Kind;

/// For each line of a credit note the order that it belongs to, where there is one; both by their places in the history.
#[derive(Debug, Default)]
pub struct Returns {
    orders: HashMap<(usize, usize), usize>,
    /// The orders from which something comes back.
    pub touched: HashSet<usize>,
}

/// The pieces of a code that can still be returned from one order.
struct Left {
    order: usize,
    quantity: i64,
}

impl Returns {
    /// Looks through the whole history once.
    pub fn of(history: &History) -> Self {
        // Only what comes back at all is worth remembering.
        let wanted: HashSet<(&str, u32)> = history
            .invoices
            .iter()
            .filter(|invoice| invoice.kind == Kind::CreditNote)
            .flat_map(|invoice| invoice.lines.iter().filter_map(|line| Some((customer(invoice)?, line.code))))
            .collect();
        let mut bought: HashMap<(&str, u32), Vec<Left>> = HashMap::new();
        let mut room: HashMap<usize, i128> = HashMap::new();
        let mut returns = Self::default();
        for (place, invoice) in history.invoices.iter().enumerate() {
            let Some(customer) = customer(invoice) else { continue };
            for (number, line) in invoice.lines.iter().enumerate() {
                let key = (customer, line.code);
                let quantity = i64::from(line.quantity);
                let amount = history.amount_of(line);
                match invoice.kind {
                    Kind::Sale if quantity > 0 => {
                        *room.entry(place).or_default() += amount;
                        if wanted.contains(&key) {
                            remember(bought.entry(key).or_default(), place, quantity);
                        }
                    }
                    // A loss has no customer.
                    Kind::Sale => {}
                    Kind::CreditNote => {
                        let enough = |left: &&mut Left| {
                            left.quantity >= -quantity && room.get(&left.order).is_some_and(|room| *room >= -amount)
                        };
                        let found = bought.get_mut(&key).and_then(|orders| orders.iter_mut().rev().find(enough));
                        if let Some(left) = found {
                            left.quantity += quantity;
                            *room.entry(left.order).or_default() += amount;
                            returns.orders.insert((place, number), left.order);
                            returns.touched.insert(left.order);
                        }
                    }
                }
            }
        }
        returns
    }

    /// The order that a line of a credit note belongs to.
    pub fn order_of(&self, credit_note: usize, line: usize) -> Option<usize> {
        self.orders.get(&(credit_note, line)).copied()
    }
}

fn customer(invoice: &Invoice) -> Option<&str> {
    invoice.customer.as_ref().map(byteshop_domain::text::Reference::as_str)
}

fn remember(orders: &mut Vec<Left>, order: usize, quantity: i64) {
    match orders.last_mut() {
        Some(last) if last.order == order => last.quantity += quantity,
        Some(_) | None => orders.push(Left { order, quantity }),
    }
}
