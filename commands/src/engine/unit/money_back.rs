//! What a unit of work gives back of payments.

use std::collections::BTreeMap;

use byteshop_domain::codec;
use byteshop_domain::credit_note::{self, CreditNote};
use byteshop_domain::decider::Decider as _;
use byteshop_domain::ids::{Id as _, OrderId, PaymentId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::order::Order;
use byteshop_domain::payment::{self, Payment};

use super::Unit;
use crate::engine::error::Error;

/// What a unit refunds.
struct Refunding {
    /// The payments of which it requests refunds.
    payments: Vec<PaymentId>,
    /// The refunds for which it issues credit notes, each with its order and amount.
    notes: Vec<(OrderId, RefundId, Money)>,
}

impl Unit {
    /// Of each payment that this unit refunds some of, what is given back of it by now: several small refunds of one payment are
    /// as much as a large one.
    pub async fn money_back(&self) -> Result<Vec<Money>, Error> {
        let Refunding { payments, notes } = self.refunding()?;
        let mut back: BTreeMap<PaymentId, i64> = payments.into_iter().map(|payment| (payment, 0)).collect();
        for (order, refund, amount) in notes {
            let payment = self.load::<Order>(order).await?.state.live()?.placement.payment;
            // The refund of a whole order is requested later, by a process.
            if refund == payment::whole(payment) {
                *back.entry(payment).or_default() += amount.amount;
            }
        }
        let mut given = Vec::with_capacity(back.len());
        for (payment, later) in back {
            let before = self.load::<Payment>(payment).await?.state.live()?.given_back();
            given.push(Money { amount: before.amount + later, ..before });
        }
        Ok(given)
    }

    /// What this unit refunds.
    fn refunding(&self) -> Result<Refunding, Error> {
        let (mut payments, mut notes) = (Vec::new(), Vec::new());
        for event in &self.work().events {
            let category = event.stream.category.as_ref();
            if category == CreditNote::CATEGORY {
                let credit_note::Event::Issued(note) = codec::decode(&event.event_type, event.schema, &event.data)?;
                notes.extend(note.order.zip(note.refund).map(|(order, refund)| (order, refund, note.total)));
            } else if category == Payment::CATEGORY {
                let decided = codec::decode::<payment::Event>(&event.event_type, event.schema, &event.data)?;
                if let payment::Event::RefundRequested { .. } = decided {
                    payments.push(PaymentId::from_uuid(event.stream.id));
                }
            }
        }
        Ok(Refunding { payments, notes })
    }
}
