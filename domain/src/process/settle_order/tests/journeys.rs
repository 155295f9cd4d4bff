//! Orders, payments, stock, timers and a provider in any interleaving, with a runner that dies at the worst moments.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::super::*;
use super::{id, noon, pieces, text};
use crate::cart::Destination;
use crate::order::{Buyer, Line, Order, Placement};
use crate::payment::{
    CaptureMode, DeclineReason, Payment, ProviderOutcome, ProviderReference, RefundCause, RefundOutcome, Undo,
};
use crate::quantity::Demand;
use crate::stock::{self, StockLevel};
use crate::testing::{cents, price};
use crate::{Actor, Asked, Rejection};

/// How many buyers take part.
const BUYERS: usize = 3;
/// What there is to sell: fewer than they all want.
const STOCK: i64 = 5;

/// What the provider knows of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AtProvider {
    Pending,
    Authorized,
    Captured,
    Voided,
    Refunded,
    Declined,
}

/// A stream's events that the process has not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stream {
    Order(usize),
    Payment(usize),
}

#[derive(Debug, Clone)]
enum Act {
    Place { buyer: usize, pieces: i64 },
    Attempt { buyer: usize, outcome: Option<AtProvider>, dies: bool },
    Cancel { buyer: usize },
    CancelPayment { buyer: usize },
    Fulfil { buyer: usize },
    React { nth: usize, dies: bool },
    Ring { nth: usize, resolves: bool },
}

#[derive(Default)]
struct World {
    stock: StockLevel,
    orders: [Order; BUYERS],
    payments: [Payment; BUYERS],
    provider: BTreeMap<ProviderReference, AtProvider>,
    unseen: BTreeMap<Stream, VecDeque<(usize, AnyEvent)>>,
    timers: BTreeMap<String, Step>,
    /// The runner's receipts of the steps that no aggregate sees as done.
    taken: BTreeSet<(Stream, usize)>,
    written: usize,
    attempts: usize,
    sold: i64,
    returned: i64,
    resolves: bool,
}

fn asked() -> Asked {
    Asked { at: noon(), by: Actor::System { name: "test".to_owned() } }
}

fn index(order: OrderId) -> usize {
    use crate::ids::Id as _;
    usize::try_from(order.uuid().as_u128()).unwrap()
}

fn payment_index(payment: PaymentId) -> usize {
    use crate::ids::Id as _;
    usize::try_from(payment.uuid().as_u128()).unwrap()
}

impl World {
    fn new() -> Self {
        let events = [
            stock::Event::Opened { product: id(1), sku: text("L-1") },
            stock::Event::Received { quantity: pieces(STOCK), reason: None },
        ];
        Self { stock: crate::fold(&events), ..Self::default() }
    }

    fn stock(&mut self, command: &stock::Command) -> Result<(), stock::Rejection> {
        for event in self.stock.decide(command, &asked())? {
            match &event {
                stock::Event::Committed { quantity, .. } => self.sold += quantity.get(),
                stock::Event::Returned { quantity, .. } => self.returned += quantity.get(),
                stock::Event::Opened { .. }
                | stock::Event::Received { .. }
                | stock::Event::Lost { .. }
                | stock::Event::LostInTransit { .. }
                | stock::Event::FoundInTransit { .. }
                | stock::Event::Replaced { .. }
                | stock::Event::Counted { .. }
                | stock::Event::Reserved { .. }
                | stock::Event::Released { .. } => {}
            }
            self.stock = std::mem::take(&mut self.stock).evolve(&event);
        }
        assert!(0 <= self.stock.reserved && self.stock.reserved <= self.stock.on_hand);
        assert_eq!(self.stock.on_hand + self.sold - self.returned, STOCK);
        Ok(())
    }

    fn order(&mut self, buyer: usize, command: &order::Command) -> Result<(), order::Rejection> {
        for event in self.orders[buyer].decide(command, &asked())? {
            if matches!(event, order::Event::Paid { .. }) {
                assert_eq!(self.orders[buyer].placed().unwrap().status, order::Status::Open);
            }
            self.orders[buyer] = std::mem::take(&mut self.orders[buyer]).evolve(&event);
            self.write(Stream::Order(buyer), AnyEvent::Order(id(buyer as u128), event));
        }
        Ok(())
    }

    fn payment(&mut self, buyer: usize, command: &payment::Command) -> Result<(), payment::Rejection> {
        for event in self.payments[buyer].decide(command, &asked())? {
            self.payments[buyer] = std::mem::take(&mut self.payments[buyer]).evolve(&event);
            self.write(Stream::Payment(buyer), AnyEvent::Payment(id(buyer as u128), event));
        }
        Ok(())
    }

    fn write(&mut self, stream: Stream, event: AnyEvent) {
        self.written += 1;
        self.unseen.entry(stream).or_default().push_back((self.written, event));
    }

    fn act(&mut self, act: &Act) {
        // What is refused is refused; the checks are elsewhere.
        match *act {
            Act::Place { buyer, pieces: number } => self.place(buyer, number),
            Act::Attempt { buyer, outcome, dies } => self.attempt(buyer, outcome, dies),
            Act::Cancel { buyer } => {
                let _ = self.order(
                    buyer,
                    &order::Command::Cancel { reason: CancelReason::BuyerRequest, credit_note: None, restock: true },
                );
            }
            Act::CancelPayment { buyer } => {
                let _ = self.payment(buyer, &payment::Command::Void { reason: VoidReason::BuyerRequest });
            }
            Act::Fulfil { buyer } => {
                let _ = self.order(buyer, &order::Command::Fulfil {});
            }
            Act::React { nth, dies } => self.react(nth, dies),
            Act::Ring { nth, resolves } => self.ring(nth, resolves),
        }
    }

    fn place(&mut self, buyer: usize, number: i64) {
        let (order, quantity) = (id(buyer as u128), pieces(number));
        let reserve = stock::Command::Reserve { order, quantity, expires_at: None };
        if self.orders[buyer].placed().is_ok() || self.stock(&reserve).is_err() {
            return;
        }
        let total = cents(number * 100);
        let line = Line {
            variant: id(1),
            product: id(1),
            sku: text("L-1"),
            title: text("Lamp"),
            quantity,
            unit_price: price(100),
            exact_price: None,
            digital: false,
            amount: total,
            discount: None,
            tax: None,
        };
        let placement = Placement {
            buyer: Buyer::default(),
            cart: None,
            access_hash: None,
            destination: Destination::to(text("DE")),
            lines: vec![line],
            total,
            payment: id(buyer as u128),
            pay_by: Some(noon()),
            reference: None,
            imported: false,
            tax_rounding: crate::tax_book::Rounding::Line,
            discounts: vec![],
            shipping: None,
            claims: vec![],
        };
        self.order(buyer, &order::Command::Place(Box::new(placement))).unwrap();
        self.payment(buyer, &payment::Command::Open { order, amount: total }).unwrap();
    }

    /// What the shop does for a buyer who pays: write, ask, write. It may die after each.
    fn attempt(&mut self, buyer: usize, outcome: Option<AtProvider>, dies: bool) {
        self.attempts += 1;
        let reference: ProviderReference = text(&self.attempts.to_string());
        let attempt = payment::Command::Attempt {
            method: Method::Test,
            reference: reference.clone(),
            capture: CaptureMode::Automatic,
            return_url: None,
        };
        if self.payment(buyer, &attempt).is_err() {
            return;
        }
        let Some(outcome) = outcome else { return };
        self.provider.insert(reference.clone(), outcome);
        if !dies {
            self.conclude(buyer, reference);
        }
    }

    fn conclude(&mut self, buyer: usize, reference: ProviderReference) {
        let outcome = match self.provider.get(&reference) {
            None => ProviderOutcome::NotFound,
            Some(AtProvider::Pending) => ProviderOutcome::Pending { check_at: noon() },
            Some(AtProvider::Declined) => ProviderOutcome::Declined { reason: DeclineReason::Declined },
            Some(AtProvider::Authorized | AtProvider::Captured | AtProvider::Voided | AtProvider::Refunded) => {
                ProviderOutcome::Authorized
            }
        };
        let _ = self.payment(buyer, &payment::Command::Conclude { reference, outcome });
    }

    /// The process sees the next event of one stream. When the runner dies, it sees it again later.
    fn react(&mut self, nth: usize, dies: bool) {
        let waiting: Vec<_> = self.unseen.iter().filter(|(_, events)| !events.is_empty()).map(|(it, _)| *it).collect();
        if waiting.is_empty() {
            return;
        }
        let stream = waiting[nth % waiting.len()];
        let (number, event) = self.unseen[&stream][0].clone();
        for step in SettleOrder::react(&event, noon()) {
            self.take(stream, number, step, dies);
        }
        if !dies {
            self.unseen.get_mut(&stream).unwrap().pop_front();
        }
    }

    fn ring(&mut self, nth: usize, resolves: bool) {
        let Some(key) = self.timers.keys().nth(nth % self.timers.len().max(1)).cloned() else { return };
        let step = self.timers.remove(&key).unwrap();
        self.resolves = resolves;
        self.take(Stream::Order(usize::MAX), 0, step, false);
    }

    fn take(&mut self, stream: Stream, number: usize, step: Step, dies: bool) {
        let again = step.clone();
        let refused = match step {
            Step::MarkPaid { order, payment } => self
                .order(index(order), &order::Command::MarkPaid { payment, invoice: None, seller: None })
                .err()
                .map(|it| code("order", &it)),
            Step::MarkRefunded { order, payment, refund, amount } => {
                let command = order::Command::MarkRefunded { payment, refund, amount };
                self.order(index(order), &command).err().map(|it| code("order", &it))
            }
            Step::CancelOrder { order, reason } => self
                .order(index(order), &order::Command::Cancel { reason, credit_note: None, restock: true })
                .err()
                .map(|it| code("order", &it)),
            Step::CommitStock { order, .. } => {
                self.stock(&stock::Command::Commit { order }).unwrap();
                None
            }
            Step::ReleaseStock { order, .. } => {
                self.stock(&stock::Command::Release { order, reason: None }).unwrap();
                None
            }
            Step::ReturnStock { order, lines } => {
                if self.taken.insert((stream, number)) {
                    for Demand { quantity, .. } in lines {
                        self.stock(&stock::Command::Return { quantity, order: Some(order), reason: None }).unwrap();
                    }
                }
                None
            }
            // These orders claim nothing.
            Step::ReleaseClaims { .. } => None,
            Step::CapturePayment { payment } => self.capture(payment_index(payment), dies),
            Step::VoidPayment { payment } => {
                self.undo(payment_index(payment), dies);
                None
            }
            Step::SettlePayment { payment } => {
                self.settle(payment_index(payment), dies);
                None
            }
            // Here every charge is taken at once, whatever reached the provider is known, and nothing travels.
            Step::MarkAuthorized { .. }
            | Step::ExpireAuthorization { .. }
            | Step::MarkReturnRefunded { .. }
            | Step::TrackShipment { .. } => panic!("{again:?}"),
            Step::ReleaseStray { .. } => None,
            Step::Notify(_) => panic!("settling tells nobody anything"),
            Step::Wake { key, step, .. } => {
                self.timers.insert(key, *step);
                None
            }
            Step::Forget { key } => {
                self.timers.remove(&key);
                None
            }
            Step::ForgetPerson { .. } => unreachable!("settling an order forgets nobody"),
            Step::PublishProduct { .. } | Step::UnpublishProduct { .. } => None,
        };
        if let Some(instead) = refused.and_then(|code| again.when_refused(&code)) {
            self.take(stream, number, instead, dies);
        }
    }

    fn capture(&mut self, buyer: usize, dies: bool) -> Option<String> {
        match self.payments[buyer].decide(&payment::Command::Capture {}, &asked()) {
            Err(rejection) => return Some(code("payment", &rejection)),
            Ok(events) if events.is_empty() => return None,
            Ok(_) => {}
        }
        let reference = self.reference(buyer).unwrap();
        let known = self.provider.get_mut(&reference).unwrap();
        if *known == AtProvider::Authorized {
            *known = AtProvider::Captured;
        }
        if *known == AtProvider::Captured && !dies {
            self.payment(buyer, &payment::Command::Capture {}).unwrap();
        }
        None
    }

    fn undo(&mut self, buyer: usize, dies: bool) {
        let reason = VoidReason::OrderCancelled;
        let Ok(opened) = self.payments[buyer].opened() else { return };
        let command = match opened.undo() {
            Undo::Nothing => return,
            Undo::Void => payment::Command::Void { reason },
            Undo::RequestVoid => payment::Command::RequestVoid { reason },
            Undo::Release { reference } => {
                // What was captured meanwhile is given back.
                self.provider.insert(reference, AtProvider::Voided);
                payment::Command::NoteReleased { reason }
            }
            Undo::Refund => payment::Command::RequestRefund {
                refund: payment::whole(id(buyer as u128)),
                amount: None,
                cause: RefundCause::OrderCancelled,
            },
        };
        if !dies {
            self.payment(buyer, &command).unwrap();
        }
    }

    fn settle(&mut self, buyer: usize, dies: bool) {
        let Some(reference) = self.reference(buyer) else { return };
        let opened = self.payments[buyer].opened().unwrap();
        let refunds: Vec<_> = opened.pending_refunds().map(|(refund, _)| refund).collect();
        if !opened.in_flight() {
            for refund in refunds {
                self.provider.insert(reference.clone(), AtProvider::Refunded);
                if !dies {
                    let done = payment::Command::ConcludeRefund { refund, outcome: RefundOutcome::Done };
                    self.payment(buyer, &done).unwrap();
                }
            }
            return;
        }
        if let Some(known @ AtProvider::Pending) = self.provider.get_mut(&reference) {
            *known = if self.resolves { AtProvider::Authorized } else { AtProvider::Declined };
        }
        self.conclude(buyer, reference);
    }

    fn reference(&self, buyer: usize) -> Option<ProviderReference> {
        Some(self.payments[buyer].opened().ok()?.attempt.as_ref()?.reference.clone())
    }

    /// Everything that is under way comes to its end: events are seen and timers ring until there are none.
    fn settle_down(&mut self) {
        for _ in 0..1_000 {
            if self.unseen.values().any(|events| !events.is_empty()) {
                self.react(0, false);
            } else if self.timers.is_empty() {
                return;
            } else {
                self.ring(0, true);
            }
        }
        panic!("it never comes to an end");
    }

    fn check(&self) {
        let mut gone = 0;
        for buyer in 0..BUYERS {
            let taken = self.taken_by_provider(buyer);
            let Ok(placed) = self.orders[buyer].placed() else {
                assert_eq!(taken, 0);
                continue;
            };
            let total = placed.placement.total.amount;
            match placed.payment_status {
                order::PaymentStatus::Paid => {
                    assert!(matches!(placed.status, order::Status::Open | order::Status::Completed));
                    assert_eq!(taken, total);
                    gone += placed.placement.lines[0].quantity.get();
                }
                order::PaymentStatus::Voided | order::PaymentStatus::Refunded => {
                    assert!(matches!(placed.status, order::Status::Cancelled | order::Status::Expired));
                    assert_eq!(taken, 0);
                }
                order::PaymentStatus::Awaiting
                | order::PaymentStatus::Authorized
                | order::PaymentStatus::PartlyRefunded
                | order::PaymentStatus::RefundDue => panic!("an order ends as {placed:?}"),
            }
        }
        assert_eq!(self.stock.reserved, 0);
        assert_eq!(self.stock.on_hand, STOCK - gone);
        assert!(!self.provider.values().any(|known| *known == AtProvider::Authorized), "money is left set aside");
    }

    /// What the provider has taken of a buyer and not given back, by all attempts of theirs.
    fn taken_by_provider(&self, buyer: usize) -> i64 {
        let captured = |reference: &ProviderReference| self.provider.get(reference) == Some(&AtProvider::Captured);
        match (self.payments[buyer].opened(), self.reference(buyer)) {
            (Ok(opened), Some(reference)) if captured(&reference) => opened.amount.amount,
            _ => 0,
        }
    }
}

fn code(category: &str, rejection: &impl Rejection) -> String {
    format!("{category}.{}", rejection.code())
}

fn any_act() -> impl Strategy<Value = Act> {
    let buyer = || 0..BUYERS;
    let outcome = prop_oneof![
        1 => Just(None),
        1 => Just(Some(AtProvider::Pending)),
        1 => Just(Some(AtProvider::Declined)),
        3 => Just(Some(AtProvider::Authorized)),
    ];
    prop_oneof![
        4 => (buyer(), 1..4i64).prop_map(|(buyer, pieces)| Act::Place { buyer, pieces }),
        6 => (buyer(), outcome, any::<bool>())
            .prop_map(|(buyer, outcome, dies)| Act::Attempt { buyer, outcome, dies }),
        1 => buyer().prop_map(|buyer| Act::Cancel { buyer }),
        1 => buyer().prop_map(|buyer| Act::CancelPayment { buyer }),
        1 => buyer().prop_map(|buyer| Act::Fulfil { buyer }),
        12 => (0..8usize, proptest::bool::weighted(0.2)).prop_map(|(nth, dies)| Act::React { nth, dies }),
        3 => (0..8usize, any::<bool>()).prop_map(|(nth, resolves)| Act::Ring { nth, resolves }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn stock_and_money_are_conserved_whatever_happens_first(acts in proptest::collection::vec(any_act(), 1..80)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        world.settle_down();
        world.check();
    }
}
