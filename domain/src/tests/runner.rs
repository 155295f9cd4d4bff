//! The process and what asks the provider: steps in the order of their chains, timers, crashes and repetitions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use super::provider::NewCharge;
use super::shop::{Kept, Refused, Shop};
use crate::ids::{OrderId, PaymentId, VariantId};
use crate::order;
use crate::order::Order;
use crate::payment::{
    self, Authorization, CaptureMode, Opened, Payment, ProviderOutcome, ProviderReference, RefundCause, RefundOutcome,
    Stage, Undo, VoidReason,
};
use crate::process::settle_order::SettleOrder;
use crate::process::{Process as _, Step};
use crate::quantity::Demand;
use crate::returns::{self, Return};
use crate::stock::{self, StockLevel};
use crate::usage::{self, Usage};

/// Rounds in which everything must have come to rest.
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
    /// How far it is written down; what lies between is reacted to again after a crash.
    flushed: usize,
    timers: BTreeMap<String, Timer>,
    /// Timers that are not written down yet.
    changes: BTreeMap<String, Option<Timer>>,
    /// Steps that no aggregate can see as done.
    receipts: BTreeSet<(usize, &'static str)>,
    running: bool,
}

impl Shop {
    /// The process reacts to what happened next. `seed` says which of the chains goes first.
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
            for step in SettleOrder::react(&logged.event, logged.at) {
                if let Step::Wake { at, key, step } = step {
                    changes.insert(key, Some(Timer { at, step: *step, position }));
                } else if let Step::Forget { key } = step {
                    changes.insert(key, None);
                } else {
                    chains.entry(logged.chain).or_default().push_back((position, step));
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

    /// What is due is carried out.
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

    /// The program dies: what it had under way is gone, and what it had not written down it does again.
    pub fn crash(&mut self) {
        self.life += 1;
        self.runner.position = self.runner.flushed;
        self.runner.changes.clear();
    }

    /// Everything goes on until nothing is left to do: the provider answers, and time passes.
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
            let Some(next) = self.runner.timers.values().map(|timer| timer.at).min() else { return };
            self.pass((next - self.now).max(TimeDelta::zero()));
            self.fire();
        }
        panic!("the shop never comes to rest: {:?}", self.runner.timers);
    }

    fn step(&mut self, chain: usize, position: usize, step: Step) {
        let mut step = step;
        while let Err(code) = self.step_once(chain, position, &step) {
            match step.when_refused(&code) {
                Some(next) => step = next,
                None => return,
            }
        }
    }

    fn step_once(&mut self, chain: usize, position: usize, step: &Step) -> Result<(), Refused> {
        match step {
            Step::MarkPaid { order, payment } => self.one::<Order>(
                chain,
                *order,
                &order::Command::MarkPaid { payment: *payment, invoice: None, seller: None },
            ),
            Step::MarkAuthorized { order, payment } => {
                self.one::<Order>(chain, *order, &order::Command::MarkAuthorized { payment: *payment })
            }
            Step::MarkRefunded { order, payment, refund, amount } => {
                let command = order::Command::MarkRefunded { payment: *payment, refund: *refund, amount: *amount };
                self.one::<Order>(chain, *order, &command)
            }
            Step::MarkReturnRefunded { return_id, refund } => {
                self.one::<Return>(chain, *return_id, &returns::Command::MarkRefunded { refund: *refund })
            }
            Step::CancelOrder { order, reason } => self.cancel(chain, *order, *reason),
            Step::CommitStock { order, lines } => {
                self.each::<StockLevel>(chain, lines, |_| stock::Command::Commit { order: *order })
            }
            Step::ReleaseStock { order, lines } => {
                self.each::<StockLevel>(chain, lines, |_| stock::Command::Release { order: *order, reason: None })
            }
            Step::ReturnStock { order, lines } => {
                if self.runner.receipts.insert((position, "return_stock")) {
                    let order = Some(*order);
                    let back = |line: &Demand| stock::Command::Return { quantity: line.quantity, order, reason: None };
                    self.each::<StockLevel>(chain, lines, back)?;
                }
                Ok(())
            }
            Step::ReleaseClaims { order } => self.release_claims(chain, position, *order),
            Step::CapturePayment { payment } => self.capture_payment(chain, *payment),
            Step::VoidPayment { payment } => self.void_payment(chain, *payment, VoidReason::OrderCancelled),
            Step::SettlePayment { payment } => self.settle_payment(chain, *payment),
            Step::ExpireAuthorization { payment } => self.expire_authorization(chain, *payment),
            Step::ReleaseStray { payment, reference } => self.hear_of_charge(chain, *payment, reference),
            // The carrier's news are turns of their own.
            Step::TrackShipment { .. } => Ok(()),
            Step::ForgetPerson { .. }
            | Step::Notify(_)
            | Step::PublishProduct { .. }
            | Step::UnpublishProduct { .. }
            | Step::Wake { .. }
            | Step::Forget { .. } => panic!("{step:?} moves neither goods nor money"),
        }
    }

    fn each<A: Kept<Id = VariantId>>(
        &mut self,
        chain: usize,
        lines: &[Demand],
        command: impl Fn(&Demand) -> A::Command,
    ) -> Result<(), Refused> {
        self.run(chain, |unit| lines.iter().try_for_each(|line| unit.decide::<A>(line.variant, &command(line))))
    }

    fn release_claims(&mut self, chain: usize, position: usize, order: OrderId) -> Result<(), Refused> {
        let claims = self.get::<Order>(order).placed().unwrap().placement.claims.clone();
        if !self.runner.receipts.insert((position, "release_claims")) {
            return Ok(());
        }
        self.run(chain, |unit| {
            claims.iter().try_for_each(|id| unit.decide::<Usage>(*id, &usage::Command::Release { order }))
        })
    }

    fn opened(&mut self, payment: PaymentId) -> Opened {
        self.get::<Payment>(payment).opened().unwrap().clone()
    }

    fn decide_payment(
        &mut self,
        chain: usize,
        life: usize,
        id: PaymentId,
        command: &payment::Command,
    ) -> Result<(), Refused> {
        // While the provider was asked the program may have died.
        if self.life == life { self.one::<Payment>(chain, id, command) } else { Ok(()) }
    }

    /// Pays; `dies` after the attempt is written down, or after the provider was asked.
    pub fn pay(&mut self, chain: usize, order: OrderId, new: &NewCharge, dies: Dies) -> Result<(), Refused> {
        let reference = new.reference.clone();
        let (payment, amount) = self.run(chain, |unit| {
            let state = unit.get::<Order>(order);
            let placed = state.placed().map_err(|it| it.to_string())?;
            let waits = placed.payment_status == order::PaymentStatus::Awaiting && placed.status == order::Status::Open;
            if !waits {
                return Err("order.already_paid".to_owned());
            }
            let capture = if new.automatic { CaptureMode::Automatic } else { CaptureMode::Manual };
            let attempt = payment::Command::Attempt {
                method: payment::Method::Test,
                reference: reference.clone(),
                capture,
                return_url: None,
            };
            unit.decide::<Payment>(placed.placement.payment, &attempt)?;
            Ok((placed.placement.payment, placed.payable().amount))
        })?;
        let new = NewCharge { payment, amount, ..new.clone() };
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
        let unknown = ProviderOutcome::Unknown { check_at: self.now + TimeDelta::seconds(1) };
        let outcome = answer.unwrap_or(unknown);
        self.run(chain, |unit| {
            let conclude = payment::Command::Conclude { reference: reference.clone(), outcome };
            unit.decide::<Payment>(payment, &conclude)?;
            let state = unit.get::<Payment>(payment);
            let it = state.opened().unwrap();
            if outcome == ProviderOutcome::Authorized && it.is_granted_at_once() {
                unit.decide::<Payment>(payment, &payment::Command::Capture {})?;
            }
            Ok(())
        })
    }

    fn settle_payment(&mut self, chain: usize, payment: PaymentId) -> Result<(), Refused> {
        let (opened, life) = (self.opened(payment), self.life);
        if let (true, Some(attempt)) = (opened.in_flight(), &opened.attempt) {
            self.wait();
            let unknown = ProviderOutcome::Unknown { check_at: self.now + opened.patience() };
            let outcome = self.provider.look_up(&attempt.reference, self.now).unwrap_or(unknown);
            self.wait();
            let conclude = payment::Command::Conclude { reference: attempt.reference.clone(), outcome };
            return self.decide_payment(chain, life, payment, &conclude);
        }
        if let Stage::Authorized(authorization) = opened.stage {
            return match authorization {
                Authorization::Voiding { reason } => self.void_payment(chain, payment, reason),
                Authorization::Capturing => self.capture_payment(chain, payment),
                Authorization::Held { .. } => Ok(()),
            };
        }
        for (refund, piece) in opened.pending_refunds() {
            let Some(attempt) = &opened.attempt else { break };
            self.wait();
            let outcome = match self.provider.refund(&attempt.reference, refund, piece.amount.amount) {
                Ok(true) => RefundOutcome::Done,
                Ok(false) => RefundOutcome::Refused,
                Err(_) => RefundOutcome::Unknown { check_at: self.now + opened.patience() },
            };
            self.wait();
            self.decide_payment(chain, life, payment, &payment::Command::ConcludeRefund { refund, outcome })?;
        }
        Ok(())
    }

    pub fn capture_payment(&mut self, chain: usize, payment: PaymentId) -> Result<(), Refused> {
        let (opened, life) = (self.opened(payment), self.life);
        if let Stage::Authorized(Authorization::Held { .. }) = opened.stage {
            self.one::<Payment>(chain, payment, &payment::Command::RequestCapture {})?;
        }
        if let Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) = opened.stage
            && let Some(attempt) = &opened.attempt
        {
            self.wait();
            let answer = self.provider.capture(&attempt.reference);
            self.wait();
            if answer.is_err() {
                let delay = payment::Command::RecordNoAnswer { check_at: self.now + opened.patience() };
                return self.decide_payment(chain, life, payment, &delay);
            }
        }
        self.decide_payment(chain, life, payment, &payment::Command::Capture {})
    }

    fn void_payment(&mut self, chain: usize, payment: PaymentId, reason: VoidReason) -> Result<(), Refused> {
        let (opened, life) = (self.opened(payment), self.life);
        let command = match opened.undo() {
            Undo::Nothing => return Ok(()),
            Undo::Void => payment::Command::Void { reason },
            Undo::RequestVoid => payment::Command::RequestVoid { reason },
            Undo::Release { reference } => {
                self.wait();
                let answer = self.provider.release(&reference);
                self.wait();
                match answer {
                    Ok(()) => payment::Command::NoteReleased { reason },
                    Err(_) => payment::Command::RecordNoAnswer { check_at: self.now + opened.patience() },
                }
            }
            Undo::Refund => payment::Command::RequestRefund {
                refund: payment::whole(payment),
                amount: None,
                cause: RefundCause::OrderCancelled,
            },
        };
        self.decide_payment(chain, life, payment, &command)
    }

    fn expire_authorization(&mut self, chain: usize, payment: PaymentId) -> Result<(), Refused> {
        let opened = self.opened(payment);
        if opened.expires_at().is_some_and(|at| at <= self.now) {
            let void = payment::Command::RequestVoid { reason: VoidReason::Expired };
            self.one::<Payment>(chain, payment, &void)?;
        }
        Ok(())
    }

    pub fn hear_of_charge(
        &mut self,
        chain: usize,
        payment: PaymentId,
        reference: &ProviderReference,
    ) -> Result<(), Refused> {
        let (opened, life) = (self.opened(payment), self.life);
        if opened.attempt.as_ref().is_some_and(|attempt| attempt.reference == *reference) {
            return match opened.stage {
                Stage::Open => {
                    self.wait();
                    match self.provider.look_up(reference, self.now) {
                        Ok(outcome @ ProviderOutcome::Authorized) => {
                            self.wait();
                            let conclude = payment::Command::Conclude { reference: reference.clone(), outcome };
                            self.decide_payment(chain, life, payment, &conclude)
                        }
                        Ok(_) => Ok(()),
                        Err(_) => self.wait_for_stray(chain, life, payment, reference),
                    }
                }
                Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } | Stage::Captured => {
                    self.settle_payment(chain, payment)
                }
                Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => {
                    self.release_stray(chain, payment, reference)
                }
                Stage::Authorized(_) | Stage::Refunded => Ok(()),
            };
        }
        if opened.earlier.contains(reference) {
            self.release_stray(chain, payment, reference)?;
        }
        Ok(())
    }

    fn release_stray(
        &mut self,
        chain: usize,
        payment: PaymentId,
        reference: &ProviderReference,
    ) -> Result<(), Refused> {
        let life = self.life;
        self.wait();
        let let_go = match self.provider.look_up(reference, self.now) {
            Ok(ProviderOutcome::Authorized) => {
                self.wait();
                self.provider.release(reference)
            }
            Ok(_) => return Ok(()),
            Err(silence) => Err(silence),
        };
        self.wait();
        match let_go {
            Ok(()) => {
                let release = payment::Command::ReleaseStray { reference: reference.clone() };
                self.decide_payment(chain, life, payment, &release)
            }
            Err(_) => self.wait_for_stray(chain, life, payment, reference),
        }
    }

    fn wait_for_stray(
        &mut self,
        chain: usize,
        life: usize,
        payment: PaymentId,
        reference: &ProviderReference,
    ) -> Result<(), Refused> {
        let check_at = self.now + self.opened(payment).patience();
        let delay = payment::Command::DelayStray { reference: reference.clone(), check_at };
        self.decide_payment(chain, life, payment, &delay)
    }
}

/// When the program dies while somebody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dies {
    Not,
    AfterAttempt,
    AfterCharge,
    WithTheChargeOnItsWay,
}
