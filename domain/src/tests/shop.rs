//! A small shop in memory: states, the log, and appends over several streams that happen whole or not at all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

use super::acts::{Act, Turn};
use super::disputes::Case;
use super::goods::Goods;
use super::manual::hold_book;
use super::parts::hold_sellers;
use super::provider::Provider;
use super::runner::Runner;
use super::stored::hold_values;
use crate::AnyEvent;
use crate::any::Context;
use crate::credit_note::CreditNote;
use crate::decider::{Actor, Asked, Decider as _};
use crate::dispute::Dispute;
use crate::ids::{
    CreditNoteId, DisputeId, Id, OrderId, PaymentId, ReturnId, SeriesId, ShipmentId, StoredValueId, UsageId, VariantId,
};
use crate::order::Order;
use crate::payment::Payment;
use crate::rejected::Rejected;
use crate::returns::Return;
use crate::series::{Series, of_credit_notes, of_invoices};
use crate::shipment::Shipment;
use crate::stock::{self, StockLevel};
use crate::stored_value::StoredValue;
use crate::testing::{id, noon, pieces, text};
use crate::usage::Usage;
use crate::work::{self, Work};

/// The variants of the shop; the last one is not shipped.
pub const VARIANTS: u128 = 4;
/// How deep other commands may interleave while one waits for the provider.
const DEPTH_MAX: usize = 3;

/// The rejection of a command.
pub type Refused = Rejected;

#[derive(Clone, Default)]
pub struct States {
    pub orders: BTreeMap<OrderId, Order>,
    pub payments: BTreeMap<PaymentId, Payment>,
    pub stocks: BTreeMap<VariantId, StockLevel>,
    pub shipments: BTreeMap<ShipmentId, Shipment>,
    pub returns: BTreeMap<ReturnId, Return>,
    pub notes: BTreeMap<CreditNoteId, CreditNote>,
    pub usages: BTreeMap<UsageId, Usage>,
    pub series: BTreeMap<SeriesId, Series>,
    pub values: BTreeMap<StoredValueId, StoredValue>,
    pub disputes: BTreeMap<DisputeId, Dispute>,
}

/// An aggregate that takes part.
pub trait Kept: Context {
    fn all(states: &mut States) -> &mut BTreeMap<Self::Id, Self>;
}

macro_rules! kept {
    ($($state:ty, $field:ident, $variant:ident;)*) => {$(
        impl Kept for $state {
            fn all(states: &mut States) -> &mut BTreeMap<Self::Id, Self> {
                &mut states.$field
            }
        }
    )*

        impl States {
            /// Adds all states to a decision.
            fn hold_all(&self, work: &mut Work) {
                $(self.$field.iter().for_each(|(id, state)| work.hold::<$state>(*id, Arc::new(state.clone())));)*
            }

            fn evolve(&mut self, event: &AnyEvent) {
                $(if let AnyEvent::$variant(id, event) = event {
                    let state = self.$field.remove(id).unwrap_or_default();
                    self.$field.insert(*id, state.evolve(event));
                })*
            }
        }
    };
}

kept! {
    Order, orders, Order;
    Payment, payments, Payment;
    StockLevel, stocks, Stock;
    Shipment, shipments, Shipment;
    Return, returns, Return;
    CreditNote, notes, CreditNote;
    Usage, usages, Usage;
    Series, series, Series;
    StoredValue, values, StoredValue;
    Dispute, disputes, Dispute;
}

pub struct Logged {
    pub event: AnyEvent,
    pub at: DateTime<Utc>,
    /// The chain of causes, which the process carries out one after the other.
    pub chain: usize,
}

pub struct Shop {
    pub states: States,
    pub log: Vec<Logged>,
    pub provider: Provider,
    /// What is on the account of the shop for each payment: received, and not sent back.
    pub bank: BTreeMap<PaymentId, i64>,
    /// The disputes in the books of the provider and of the bank.
    pub cases: BTreeMap<DisputeId, Case>,
    pub goods: Goods,
    pub runner: Runner,
    pub now: DateTime<Utc>,
    /// The number of the program's life: a crash ends it, with everything in progress.
    pub life: usize,
    turns: VecDeque<Turn>,
    depth: usize,
    chains: usize,
    ids: Arc<AtomicU64>,
}

impl Shop {
    pub fn new(turns: Vec<Turn>) -> Self {
        let mut shop = Self {
            states: States::default(),
            log: vec![],
            provider: Provider::default(),
            bank: BTreeMap::new(),
            cases: BTreeMap::new(),
            goods: Goods::default(),
            runner: Runner::default(),
            now: noon(),
            life: 0,
            turns: turns.into(),
            depth: 0,
            chains: 0,
            ids: Arc::new(AtomicU64::new(1_000)),
        };
        for number in 1..=VARIANTS {
            let open = stock::Command::Open { product: id(number * 10), sku: text(&format!("V-{number}")) };
            shop.alone::<StockLevel>(id(number), &open).unwrap();
            let receive = stock::Command::Receive { quantity: pieces(12), reason: None };
            shop.alone::<StockLevel>(id(number), &receive).unwrap();
        }
        shop
    }

    /// Runs one step; false when nothing is left to do.
    pub fn go_on(&mut self) -> bool {
        let Some(turn) = self.turns.pop_front() else { return false };
        self.act(turn.act);
        true
    }

    /// Other commands interleave while one waits for the provider.
    pub fn wait(&mut self) {
        while self.depth < DEPTH_MAX
            && let Some(turn) = self.turns.pop_front_if(|turn| turn.breaks_in)
        {
            self.depth += 1;
            self.act(turn.act);
            self.depth -= 1;
        }
    }

    fn act(&mut self, act: Act) {
        let chain = self.new_chain();
        // What is refused changes nothing; that is a good answer.
        let _ = self.carry_out_act(chain, act);
    }

    pub fn new_chain(&mut self) -> usize {
        self.chains += 1;
        self.chains
    }

    pub fn new_id<I: Id>(&mut self) -> I {
        next(&self.ids)
    }

    pub fn get<A: Kept>(&mut self, id: A::Id) -> A {
        A::all(&mut self.states).get(&id).cloned().unwrap_or_default()
    }

    /// Makes a decision on all states, and appends it over as many streams as it needs.
    pub fn together<T>(
        &mut self,
        chain: usize,
        decision: impl FnOnce(&mut Work) -> Result<T, work::Refused>,
    ) -> Result<T, Refused> {
        let asked = Asked { at: self.now, by: Actor::System { name: "test".to_owned() } };
        let ids = Arc::clone(&self.ids);
        let mut work = Work::new(asked, None, move || next::<OrderId>(&ids).uuid());
        for supplier in [None, Some(id(61))] {
            for series in [of_invoices(supplier, self.now.year()), of_credit_notes(supplier, self.now.year())] {
                work.hold::<Series>(series, Arc::default());
            }
        }
        hold_sellers(&mut work);
        hold_book(&mut work);
        hold_values(&mut work);
        self.states.hold_all(&mut work);
        let done = decision(&mut work).map_err(|refused| match refused {
            work::Refused::Rejected(rejected) | work::Refused::NotYet(rejected) => rejected,
        })?;
        let events = work.decided().events;
        for event in &events {
            self.goods.see(&self.states, event);
        }
        for event in events {
            self.states.evolve(&event);
            self.log.push(Logged { event, at: self.now, chain });
        }
        Ok(done)
    }

    /// One command to one aggregate.
    pub fn one<A: Kept>(&mut self, chain: usize, id: A::Id, command: &A::Command) -> Result<(), Refused> {
        self.together(chain, |work| {
            if work.get::<A>(id).is_err() {
                work.begin::<A>(id);
            }
            work.decide::<A>(id, command).map(drop)
        })
    }

    pub fn alone<A: Kept>(&mut self, id: A::Id, command: &A::Command) -> Result<(), Refused> {
        let chain = self.new_chain();
        self.one::<A>(chain, id, command)
    }

    pub fn pass(&mut self, time: TimeDelta) {
        self.now += time;
        self.provider.arrive(self.now);
    }
}

fn next<I: Id>(ids: &AtomicU64) -> I {
    id(u128::from(ids.fetch_add(1, Ordering::Relaxed)) + 1)
}
