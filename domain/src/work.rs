//! Decisions over several aggregates: the states that one is made on, and everything that it decides, to be appended together.
//!
//! Pure: the caller loads the states, adds them, and takes out the events. Each aggregate still decides for itself; a decision
//! here says which commands are decided by which aggregates, in which order. Each sees what was decided before it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Datelike as _;
use uuid::Uuid;

use crate::any::Context;
use crate::decider::{Asked, Decider};
use crate::ids::{Id, OrderId};
use crate::issuer::Issuer;
use crate::quantity::Demand;
use crate::rejected::Rejected;
use crate::series::{self, Document, Series};
use crate::stock::{self, StockLevel};
use crate::text::{Handle, Reference};
use crate::{AnyEvent, Kind};

/// A state of any aggregate.
pub type AnyState = Arc<dyn Any + Send + Sync>;

/// The stream of an aggregate: its category and its id.
pub type Stream = (&'static str, Uuid);

/// Why a decision was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A rule forbids it.
    Rejected(Rejected),
    /// The obstacle is temporary: the same request succeeds in a moment.
    NotYet(Rejected),
}

impl Refused {
    /// Refuses for a reason that belongs to no single aggregate.
    pub fn because(code: &str, kind: Kind, detail: impl Into<String>) -> Self {
        Self::Rejected(Rejected { code: code.to_owned(), kind, detail: detail.into(), pointer: None })
    }
}

impl<R> From<R> for Refused
where
    Rejected: From<R>,
{
    fn from(rejection: R) -> Self {
        Self::Rejected(rejection.into())
    }
}

/// A decision over several aggregates, in progress.
pub struct Work {
    asked: Asked,
    issuer: Option<Issuer>,
    new_id: Box<dyn FnMut() -> Uuid + Send>,
    states: BTreeMap<Stream, AnyState>,
    happened: Vec<AnyEvent>,
}

/// The result of a decision.
pub struct Decided {
    /// The events, in the order in which they were decided.
    pub events: Vec<AnyEvent>,
    /// The states after the decision of all aggregates that were read.
    pub states: BTreeMap<Stream, AnyState>,
}

impl Work {
    /// Starts a decision. `issuer` is the one that documents name; `new_id` returns a new id each time.
    pub fn new(asked: Asked, issuer: Option<Issuer>, new_id: impl FnMut() -> Uuid + Send + 'static) -> Self {
        let (new_id, states, happened) = (Box::new(new_id), BTreeMap::new(), Vec::new());
        Self { asked, issuer, new_id, states, happened }
    }

    /// Adds the state of an aggregate; its default if it does not exist.
    pub fn hold<A: Decider>(&mut self, id: A::Id, state: Arc<A>) {
        self.states.insert((A::CATEGORY, id.uuid()), state);
    }

    /// Starts an aggregate under a new id.
    pub fn start<A: Decider>(&mut self) -> A::Id {
        let id = self.new_id();
        self.begin::<A>(id);
        id
    }

    /// Starts an aggregate under an id that is new.
    pub fn begin<A: Decider>(&mut self, id: A::Id) {
        self.hold::<A>(id, Arc::default());
    }

    /// The state of an aggregate. A state that was not added does not exist for this decision.
    pub fn get<A: Decider>(&self, id: A::Id) -> Result<Arc<A>, Refused> {
        let state = self.states.get(&(A::CATEGORY, id.uuid())).map(Arc::clone);
        // A category has one type of aggregate.
        let state = state.and_then(|state| state.downcast::<A>().ok());
        state.ok_or_else(|| Rejected::missing(A::CATEGORY).into())
    }

    /// Decides a command of one aggregate; returns whether it led to events, or everything was done already.
    pub fn decide<A: Context>(&mut self, id: A::Id, command: &A::Command) -> Result<bool, Refused> {
        let state = self.get::<A>(id)?;
        let events = state.decide(command, &self.asked).map_err(|rejection| Rejected::of::<A>(&rejection))?;
        if events.is_empty() {
            return Ok(false);
        }
        let state = events.iter().fold(Arc::unwrap_or_clone(state), A::evolve);
        self.hold(id, Arc::new(state));
        self.happened.extend(events.into_iter().map(|event| A::any(id, event)));
        Ok(true)
    }

    /// Decides a command on the stock of each line.
    pub fn move_stock(&mut self, lines: &[Demand], command: impl Fn(&Demand) -> stock::Command) -> Result<(), Refused> {
        lines.iter().try_for_each(|line| self.decide::<StockLevel>(line.variant, &command(line)).map(drop))
    }

    /// Puts pieces that had left with an order back in stock.
    pub fn put_back(&mut self, order: OrderId, lines: &[Demand]) -> Result<(), Refused> {
        let back = |line: &Demand| stock::Command::Return { quantity: line.quantity, order: Some(order), reason: None };
        self.move_stock(lines, back)
    }

    /// Gives a document the next number of its series. `handle` is that of the seller whose document it is.
    pub fn number(&mut self, document: Document, handle: Option<&Handle>) -> Result<Reference, Refused> {
        let year = self.asked.at.year();
        let series = document.series(year);
        self.decide::<Series>(series, &series::Command::Issue { document, year, handle: handle.cloned() })?;
        let given = self.get::<Series>(series)?.reference.clone();
        given.ok_or_else(|| series::Rejection::Exhausted.into())
    }

    /// A new id.
    pub fn new_id<I: Id>(&mut self) -> I {
        I::from_uuid((self.new_id)())
    }

    /// The actor and the time.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The issuer that documents name.
    pub fn issuer(&self) -> Option<&Issuer> {
        self.issuer.as_ref()
    }

    /// Ends the decision and returns what is to be appended.
    pub fn decided(self) -> Decided {
        Decided { events: self.happened, states: self.states }
    }
}

#[cfg(test)]
mod tests;
