//! Processes: what follows from what happened. Pure: an event in, reactions out; the runner carries them out.
//!
//! A step that is carried out twice changes nothing the second time, as each aggregate sees that it is done.
//! A step that is refused is final too: [`Process::when_refused`] says what to do instead, mostly nothing.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::AnyEvent;
use crate::rejected::Rejected;

mod errand;
pub mod forget_person;
pub mod notify;
pub mod schedule_products;
pub mod settle_order;

/// What follows from an event; `S` is the step of the process.
#[derive(Debug, Clone, PartialEq)]
pub enum Reaction<S> {
    /// Carry out a step now.
    Now(S),
    /// Carry out a step later: a durable timer. Another timer with the same key replaces it.
    SetTimer {
        /// When.
        at: DateTime<Utc>,
        /// Tells the timers of the process apart.
        key: String,
        /// The step.
        step: S,
    },
    /// Clear a timer, if it is still there.
    ClearTimer {
        /// Its key.
        key: String,
    },
}

/// A process: from what happened to what is to be done.
pub trait Process {
    /// Its name: of its checkpoint, its timers and its actor.
    const NAME: &'static str;
    /// The categories it reads; events of others are not shown to it.
    const READS: &'static [&'static str];
    /// Whether somebody waits for what it does, as a buyer for the order to be paid: then it looks more often.
    const WAITED_FOR: bool = false;
    /// What it does. Timers hold steps as JSON, perhaps from an earlier version: a stored form stays readable for ever.
    type Step: Serialize + DeserializeOwned + Debug + Send + Sync + 'static;

    /// What follows from an event. No memory and no clock: what needs memory is an aggregate.
    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Self::Step>>;

    /// The step to carry out in place of one that was refused.
    fn when_refused(_step: &Self::Step, _rejected: &Rejected) -> Option<Self::Step> {
        None
    }
}
