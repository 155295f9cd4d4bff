//! Posts the lines of the ledger that are of sellers to their balances, and starts the holds of what is delivered.
//!
//! ```text
//! order paid ─▶ post what each seller has of the sale
//! credit note issued ─▶ post what is taken back of each seller
//! seller paid, seller charged by a provider ─▶ post it
//! dispute opened ─▶ keep back what each seller has of it · won, lost ─▶ end that, with the credit note if there is one
//! order paid, goods delivered, order fulfilled, lines cancelled ─▶ start the holds of the parts that are delivered
//! ```
//!
//! A hold starts when nothing of a seller's part is left to ship and all that was shipped has arrived: with the payment, if it is of
//! keys alone. It starts once for each order and seller.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Process, Reaction};
use crate::credit_note::{self, CreditNote};
use crate::dispute::{self, Dispute};
use crate::ids::{DisputeId, OrderId, SellerId};
use crate::ledger::Entry;
use crate::money::Money;
use crate::order::{self, Order};
use crate::payment::{self, Payment};
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
        /// The dispute that was lost with them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dispute: Option<DisputeId>,
    },
    /// Post what a provider paid a seller itself, or took from it.
    PostDirect {
        /// The order.
        order: OrderId,
        /// The seller.
        seller: SellerId,
        /// The amount: negative if the provider paid it.
        amount: Money,
    },
    /// Keep back what sellers have of a disputed amount.
    Withhold {
        /// The dispute.
        dispute: DisputeId,
        /// The order.
        order: OrderId,
        /// The amounts.
        amounts: Vec<(SellerId, Money)>,
    },
    /// Keep nothing back for a dispute any more.
    EndDispute {
        /// The dispute.
        dispute: DisputeId,
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
    const READS: &'static [Reads] = &[
        Reads::only::<Order>(&["paid", "delivered", "fulfilled", "lines_cancelled"]),
        Reads::all::<CreditNote>(),
        Reads::only::<Payment>(&["seller_paid", "seller_charged"]),
        Reads::only::<Dispute>(&["opened", "won", "lost"]),
    ];
    type Step = Step;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Step>> {
        if let AnyEvent::CreditNote(_, event) = event {
            return taken_back(event);
        }
        if let AnyEvent::Payment(_, event) = event {
            return direct(event).map(Reaction::Now).into_iter().collect();
        }
        if let AnyEvent::Dispute(id, event) = event {
            return dispute_moved(*id, event).map(Reaction::Now).into_iter().collect();
        }
        let AnyEvent::Order(id, event) = event else { return vec![] };
        order_moved(*id, event, recorded_at)
    }
}

fn taken_back(event: &credit_note::Event) -> Vec<Reaction<Step>> {
    let Some(entry) = Entry::of_credit_note(event) else { return vec![] };
    let credit_note::Event::Issued(content) = event;
    let (amounts, dispute) = (entry.owed_to_sellers(), content.dispute);
    if amounts.is_empty() && dispute.is_none() {
        return vec![];
    }
    vec![Reaction::Now(Step::Post { order: entry.order, amounts, dispute })]
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn direct(event: &payment::Event) -> Option<Step> {
    let (order, seller, amount) = match event {
        payment::Event::SellerPaid { order, seller, amount, .. } => {
            (*order, *seller, Money { amount: -amount.amount, ..*amount })
        }
        payment::Event::SellerCharged { order, seller, amount, .. } => (*order, *seller, *amount),
        _ => return None,
    };
    Some(Step::PostDirect { order, seller, amount })
}

/// What is lost with a credit note is posted with it.
#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn dispute_moved(dispute: DisputeId, event: &dispute::Event) -> Option<Step> {
    match event {
        dispute::Event::Opened { content, .. } => {
            let shares = content.shares.iter().filter(|share| share.amount.amount > 0);
            let amounts: Vec<_> = shares.map(|share| (share.seller, share.amount)).collect();
            (!amounts.is_empty()).then_some(Step::Withhold { dispute, order: content.order, amounts })
        }
        dispute::Event::Won { .. } | dispute::Event::Lost { credit_note: None, .. } => {
            Some(Step::EndDispute { dispute })
        }
        _ => None,
    }
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
    fn what_is_disputed_is_withheld_until_there_is_an_outcome() {
        use crate::dispute::{Cause, Opening, Share};
        use crate::testing::{cents, text};
        let react = |event| PostBalances::react(&AnyEvent::Dispute(id(8), event), noon());
        let opened = |shares| dispute::Event::Opened {
            content: Box::new(Opening {
                payment: id(3),
                order: id(1),
                provider: None,
                reference: text("recall"),
                cause: Cause::Other,
                amount: cents(500),
                held: cents(500),
                shares,
                respond_by: None,
            }),
            at: noon(),
        };
        let share = |seller, amount| Share { seller: id(seller), amount: cents(amount) };
        let withhold = Step::Withhold { dispute: id(8), order: id(1), amounts: vec![(id(71), cents(300))] };
        assert_eq!(react(opened(vec![share(71, 300), share(72, 0)])), [Reaction::Now(withhold)]);
        assert_eq!(react(opened(vec![])), []);
        let end = Reaction::Now(Step::EndDispute { dispute: id(8) });
        assert_eq!(react(dispute::Event::Won { order: id(1), sellers: vec![] }), std::slice::from_ref(&end));
        let lost = |credit_note| dispute::Event::Lost {
            order: id(1),
            sellers: vec![],
            amount: cents(500),
            named: None,
            shares: vec![],
            beyond: None,
            fee: None,
            by_hand: false,
            credit_note,
        };
        // With a credit note it ends in the append that posts that.
        assert_eq!((react(lost(None)), react(lost(Some(id(5))))), (vec![end], vec![]));
    }

    #[test]
    fn what_a_provider_pays_a_seller_and_takes_from_it_is_posted() {
        use crate::testing::{cents, text};
        let react = |event| PostBalances::react(&AnyEvent::Payment(id(3), event), noon());
        let step = |amount| Reaction::Now(Step::PostDirect { order: id(1), seller: id(71), amount: cents(amount) });
        let (order, seller) = (id(1), id(71));
        let paid = payment::Event::SellerPaid { order, seller, reference: text("pay-1"), amount: cents(900) };
        assert_eq!(react(paid), [step(-900)]);
        let charged = payment::Event::SellerCharged { order, seller, refund: id(4), amount: cents(450) };
        assert_eq!(react(charged), [step(450)]);
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
