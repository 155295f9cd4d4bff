//! Posts the lines of the ledger that are of sellers to their balances, and starts the holds of what is delivered.
//!
//! ```text
//! order paid ─▶ post what each seller has of the sale
//! credit note issued ─▶ post what is taken back of each seller
//! order paid, goods delivered, order fulfilled, lines cancelled ─▶ start the holds of the parts that are delivered
//! ```
//!
//! A hold starts when nothing of a seller's part is left to ship and all that was shipped has arrived: with the payment, if it is of
//! keys alone. It starts once for each order and seller.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::credit_note::{self, CreditNote};
use crate::ids::{OrderId, SellerId};
use crate::ledger::Entry;
use crate::money::Money;
use crate::order::{self, Order};
use crate::{AnyEvent, Reads};

/// A step of the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step {
    /// Post what each seller has of an order that was paid: its entry follows from the order as it was then.
    PostSale {
        /// The order.
        order: OrderId,
    },
    /// Post amounts that are taken back of sellers.
    Post {
        /// The order, if it is known.
        order: Option<OrderId>,
        /// The amounts.
        amounts: Vec<(SellerId, Money)>,
    },
    /// Start the holds of the sellers whose parts are delivered.
    StartHolds {
        /// The order.
        order: OrderId,
        /// When the last of them was.
        delivered_at: DateTime<Utc>,
    },
}

/// The process.
#[derive(Debug, Clone, Copy)]
pub struct PostBalances;

impl Process for PostBalances {
    const NAME: &'static str = "post_balances";
    const READS: &'static [Reads] =
        &[Reads::only::<Order>(&["paid", "delivered", "fulfilled", "lines_cancelled"]), Reads::all::<CreditNote>()];
    type Step = Step;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        if let AnyEvent::CreditNote(_, event) = event {
            return taken_back(event);
        }
        let AnyEvent::Order(id, event) = event else { return vec![] };
        order_moved(*id, event, recorded_at)
    }
}

fn taken_back(event: &credit_note::Event) -> Vec<Reaction<Step>> {
    let Some(entry) = Entry::of_credit_note(event) else { return vec![] };
    let amounts = entry.owed_to_sellers();
    if amounts.is_empty() { vec![] } else { vec![Reaction::Now(Step::Post { order: entry.order, amounts })] }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn order_moved(order: OrderId, event: &order::Event, recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
    let start = |delivered_at| Reaction::Now(Step::StartHolds { order, delivered_at });
    match event {
        order::Event::Paid { .. } => vec![Reaction::Now(Step::PostSale { order }), start(recorded_at)],
        order::Event::Delivered { .. } | order::Event::Fulfilled { .. } | order::Event::LinesCancelled { .. } => {
            vec![start(recorded_at)]
        }
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Demand;
    use crate::testing::{id, noon, pieces};

    fn reactions(event: order::Event) -> Vec<Reaction<Step>> {
        PostBalances::react(&AnyEvent::Order(id(1), event), noon())
    }

    #[test]
    fn a_hold_may_start_with_whatever_completes_the_part_of_a_seller() {
        for event in [
            order::Event::Delivered { shipment: id(5), at: noon() },
            order::Event::Fulfilled { completed: true, at: None },
        ] {
            let start = Reaction::Now(Step::StartHolds { order: id(1), delivered_at: noon() });
            assert_eq!(reactions(event), [start]);
        }
        let lines = vec![Demand { variant: id(2), quantity: pieces(1) }];
        assert_eq!(reactions(order::Event::ParcelPrepared { shipment: id(5), lines }), []);
    }
}
