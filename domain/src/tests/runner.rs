//! The process and its requests to the provider: steps in the order of their chains, timers, crashes and repetitions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::parts;
use super::provider::NewCharge;
use super::shop::{Refused, Shop};
use crate::ids::{Id as _, OrderId, PaymentId};
use crate::order::Order;
use crate::payment::{self, CaptureMode, Direct, Method, Opened, Payment, Registration, VoidReason};
use crate::process::settle_order::{SettleOrder, Step, carry_out};
use crate::process::{Process as _, Reaction};
use crate::settlement::{self, Move, Payer, Task};

/// The rounds after which everything must be at rest.
const ROUNDS_MAX: usize = 2_000;

#[derive(Debug, Clone)]
struct Timer {
    at: DateTime<Utc>,
    step: Step,
    position: usize,
}

#[derive(Default)]
pub struct Runner {
    position: usize,
    /// How far the log is handled and recorded; events after that are handled again after a crash.
    flushed: usize,
    timers: BTreeMap<String, Timer>,
    /// Timers that are not stored yet.
    changes: BTreeMap<String, Option<Timer>>,
    /// Steps that no aggregate can recognize as done.
    receipts: BTreeSet<(usize, &'static str)>,
    running: bool,
}

impl Shop {
    /// The process reacts to the next events. `seed` chooses the chain that comes first.
    pub fn react(&mut self, events: usize, seed: u64) {
        if self.runner.running {
            return;
        }
        self.runner.running = true;
        let life = self.life;
        let upto = self.log.len().min(self.runner.position + events);
        let (mut chains, mut changes) = (BTreeMap::<usize, VecDeque<(usize, Step)>>::new(), BTreeMap::new());
        for position in self.runner.position..upto {
            let logged = &self.log[position];
            for reaction in SettleOrder::react(&logged.event, logged.at) {
                match reaction {
                    Reaction::Now(step) => chains.entry(logged.chain).or_default().push_back((position, step)),
                    Reaction::SetTimer { at, key, step } => {
                        changes.insert(key, Some(Timer { at, step, position }));
                    }
                    Reaction::ClearTimer { key } => {
                        changes.insert(key, None);
                    }
                }
            }
        }
        let mut seed = seed;
        while !chains.is_empty() && self.life == life {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let chosen = usize::try_from(seed >> 33).unwrap() % chains.len();
            let chain = *chains.keys().nth(chosen).unwrap();
            let steps = chains.get_mut(&chain).unwrap();
            let (position, step) = steps.pop_front().unwrap();
            if steps.is_empty() {
                chains.remove(&chain);
            }
            self.step(chain, position, step);
        }
        if self.life == life {
            self.runner.changes.extend(changes);
            self.runner.position = upto;
        }
        self.runner.running = false;
    }

    pub fn flush(&mut self) {
        for (key, change) in std::mem::take(&mut self.runner.changes) {
            match change {
                Some(timer) => drop(self.runner.timers.insert(key, timer)),
                None => drop(self.runner.timers.remove(&key)),
            }
        }
        self.runner.flushed = self.runner.position;
    }

    /// Carries out the timers that are due.
    pub fn fire(&mut self) {
        if self.runner.running {
            return;
        }
        self.runner.running = true;
        let life = self.life;
        self.flush();
        let now = self.now;
        let due: Vec<String> =
            self.runner.timers.iter().filter(|(_, timer)| timer.at <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            let timer = self.runner.timers[&key].clone();
            let chain = self.log[timer.position].chain;
            self.step(chain, timer.position, timer.step);
            if self.life != life {
                break;
            }
            self.runner.timers.remove(&key);
        }
        self.runner.running = false;
    }

    /// The program dies: unfinished work is lost, and what was not stored is done again.
    pub fn crash(&mut self) {
        self.life += 1;
        self.runner.position = self.runner.flushed;
        self.runner.changes.clear();
    }

    /// Runs until nothing is left to do: the provider answers, and time passes.
    pub fn come_to_rest(&mut self) {
        self.provider.silent = false;
        self.provider.refuses = false;
        self.pass(TimeDelta::minutes(10));
        for _ in 0..ROUNDS_MAX {
            self.react(usize::MAX >> 1, 0);
            self.flush();
            if self.runner.position < self.log.len() {
                continue;
            }
            if self.settle_all() || self.collect_all() || self.settle_cases() {
                continue;
            }
            let Some(next) = self.runner.timers.values().map(|timer| timer.at).min() else { return };
            self.pass((next - self.now).max(TimeDelta::zero()));
            self.fire();
        }
        panic!("the shop never comes to rest: {:?}", self.runner.timers);
    }

    fn step(&mut self, chain: usize, position: usize, step: Step) {
        let mut step = step;
        while let Err(rejected) = self.step_once(chain, position, &step) {
            match SettleOrder::when_refused(&step, &rejected) {
                Some(next) => step = next,
                None => return,
            }
        }
    }

    fn step_once(&mut self, chain: usize, position: usize, step: &Step) -> Result<(), Refused> {
        match step {
            Step::CapturePayment { payment } => self.pursue(chain, *payment, Task::Capture),
            Step::VoidPayment { payment } => self.pursue(chain, *payment, Task::Void(VoidReason::OrderCancelled)),
            Step::SettlePayment { payment, attempt } => self.pursue(chain, *payment, Task::settle(attempt.as_ref())),
            Step::ExpireAuthorization { payment } => self.pursue(chain, *payment, Task::Expire),
            Step::ReleaseStray { payment, reference } => self.pursue(chain, *payment, Task::Hear(reference)),
            // The carrier's news are turns of their own.
            Step::TrackShipment { .. } => Ok(()),
            Step::ReturnStock { .. } if !self.runner.receipts.insert((position, "return_stock")) => Ok(()),
            Step::ReleaseClaims { .. } if !self.runner.receipts.insert((position, "release_claims")) => Ok(()),
            Step::MarkPaid { .. }
            | Step::CancelOrder { .. }
            | Step::MarkAuthorized { .. }
            | Step::MarkRefunded { .. }
            | Step::MarkReturnRefunded { .. }
            | Step::CommitStock { .. }
            | Step::ReleaseStock { .. }
            | Step::ReturnStock { .. }
            | Step::SettleValue { .. }
            | Step::ExpireValue { .. }
            | Step::ReleaseClaims { .. } => self.together(chain, |work| carry_out(work, step)),
        }
    }

    fn opened(&mut self, payment: PaymentId) -> Opened {
        self.get::<Payment>(payment).live().unwrap().clone()
    }

    /// Pays; `dies` after the attempt is recorded, or after the provider was asked.
    pub fn pay(&mut self, chain: usize, order: OrderId, new: &NewCharge, dies: Dies) -> Result<(), Refused> {
        let reference = &new.reference;
        let capture = if new.automatic { CaptureMode::Automatic } else { CaptureMode::Manual };
        let by = Payer { method: Method::Test, reference, capture, return_url: None };
        let (payment, amount) = self.together(chain, |work| settlement::attempt(work, order, by))?;
        let direct = self.direct(order, payment);
        if direct.is_some() {
            // The provider's page is known before the buyer approves the charge there.
            let registration = Registration { id: reference.clone(), amount, page: None, direct: direct.clone() };
            let command = payment::Command::RecordRegistration { reference: reference.clone(), registration };
            self.one::<Payment>(chain, payment, &command)?;
        }
        let new = NewCharge { payment, amount: amount.amount, direct, ..new.clone() };
        let life = self.life;
        match dies {
            Dies::AfterAttempt => return Ok(()),
            Dies::WithTheChargeOnItsWay => {
                self.provider.delay(new, self.now);
                return Ok(());
            }
            Dies::AfterCharge | Dies::Not => self.wait(),
        }
        let answer = self.provider.authorize(&new, self.now);
        self.wait();
        if dies == Dies::AfterCharge || self.life != life {
            return Ok(());
        }
        let outcome = answer.unwrap_or(settlement::unanswered(self.now));
        self.together(chain, |work| settlement::record_outcome(work, payment, reference, None, outcome))
    }

    /// The seller to whose account a payment goes: every other one of those that may.
    fn direct(&mut self, order: OrderId, payment: PaymentId) -> Option<Direct> {
        if payment.uuid().as_u128().is_multiple_of(2) {
            return None;
        }
        let (placed, opened) = (self.get::<Order>(order), self.opened(payment));
        let placed = placed.live().ok()?;
        let seller = settlement::only_seller(placed)?;
        settlement::direct(placed, &opened, seller, parts::seller(seller).live().ok()?, 1)
    }

    /// Carries out the next steps of a task for a payment, as production does: again when the state of the payment changed in
    /// the meantime.
    pub fn pursue(&mut self, chain: usize, payment: PaymentId, task: Task<'_>) -> Result<(), Refused> {
        for _ in 1..settlement::LOOKS_MAX {
            match self.pursue_once(chain, payment, task) {
                Err(rejected) if settlement::was_overtaken(&rejected) => {}
                done => return done,
            }
        }
        self.pursue_once(chain, payment, task)
    }

    fn pursue_once(&mut self, chain: usize, payment: PaymentId, task: Task<'_>) -> Result<(), Refused> {
        let (opened, life) = (self.opened(payment), self.life);
        let mut moves = VecDeque::from(settlement::moves(task, payment, &opened, self.now));
        while let Some(next) = moves.pop_front() {
            // While the provider was asked the program may have died.
            if self.life != life {
                return Ok(());
            }
            match next {
                Move::Decide(command) => self.one::<Payment>(chain, payment, &command)?,
                Move::DecideAll(commands) => self.together(chain, |work| {
                    commands.iter().try_for_each(|command| work.decide::<Payment>(payment, command).map(drop))
                })?,
                Move::Ask(request) => {
                    self.wait();
                    let answer = self.provider.answer(&request, self.now);
                    self.wait();
                    for then in settlement::answered(&opened, &request, answer, self.now).into_iter().rev() {
                        moves.push_front(then);
                    }
                }
            }
        }
        Ok(())
    }
}

/// When the program dies during a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dies {
    Not,
    AfterAttempt,
    AfterCharge,
    WithTheChargeOnItsWay,
}
