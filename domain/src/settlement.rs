//! Settling a payment: what its provider is asked next, and what follows from the answer.
//!
//! ```text
//! attempt in progress ─▶ how did it go? ─▶ recorded
//! capture requested ─▶ capture ─▶ captured         silent ─▶ recorded with a time, then asked again
//! void requested ─▶ release ─▶ voided
//! refund requested ─▶ refund ─▶ refunded, or refused
//! attempt that was given up ─▶ did it go through after all? ─▶ recorded, or released
//! ```
//!
//! Pure: a [task](Task) and a payment in, [moves](Move) out. Between a question and its answer anything may happen, so what is decided then the
//! payment may refuse. To ask twice is harmless, as each charge and each refund has its own key at the provider.

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::{OrderId, PaymentId, RefundId};
use crate::money::Money;
use crate::order::{self, Order, PaymentStatus, Status};
use crate::payment::{
    self, Authorization, CaptureMode, Command, Method, Opened, Payment, ProviderOutcome, ProviderReference, Refund,
    RefundCause, RefundOutcome, Stage, Undo, VoidReason,
};
use crate::rejected::Rejected;
use crate::series::Document;
use crate::text::Link;
use crate::usage::{self, Usage};
use crate::work::{Refused, Work};

/// How long after a charge without an answer its outcome is looked up.
const LOOK_AFTER: TimeDelta = TimeDelta::seconds(1);
/// How often a task is looked at, while the provider answers others.
pub const LOOKS_MAX: u32 = 4;

/// What comes next of a payment.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// The payment decides a command.
    Decide(Command),
    /// The provider is asked; [`answered`] says what comes after that.
    Ask(Request),
}

/// What the provider is asked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// How the attempt in progress went.
    LookUp(ProviderReference),
    /// To capture the authorized amount.
    Capture(ProviderReference),
    /// To release it.
    Release {
        /// The attempt.
        reference: ProviderReference,
        /// Why.
        reason: VoidReason,
    },
    /// To give money back.
    Refund {
        /// The attempt that was captured.
        reference: ProviderReference,
        /// The key of the refund.
        refund: RefundId,
        /// How much.
        amount: Money,
    },
    /// Whether an attempt that came to nothing went through after all.
    LookUpAgain(ProviderReference),
    /// The same of one that no payment waits for.
    LookUpStray(ProviderReference),
    /// To release what such an attempt holds.
    ReleaseStray(ProviderReference),
}

/// What a request is to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// How an attempt went.
    LookUp(&'a ProviderReference),
    /// To capture what it authorized.
    Capture(&'a ProviderReference),
    /// To release it, or give it back.
    Release(&'a ProviderReference),
    /// To give so much of it back, under a key.
    Refund(&'a ProviderReference, RefundId, Money),
}

/// What the provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// How an attempt went.
    Outcome(ProviderOutcome),
    /// It did what it was asked.
    Done,
    /// It will not do it.
    Refused,
    /// Nothing, in time.
    Silence,
}

impl Request {
    /// What the provider is asked.
    pub fn question(&self) -> Question<'_> {
        match self {
            Self::LookUp(reference) | Self::LookUpAgain(reference) | Self::LookUpStray(reference) => {
                Question::LookUp(reference)
            }
            Self::Capture(reference) => Question::Capture(reference),
            Self::Release { reference, .. } | Self::ReleaseStray(reference) => Question::Release(reference),
            Self::Refund { reference, refund, amount } => Question::Refund(reference, *refund, *amount),
        }
    }
}

/// What is to be done with a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// Whatever is next: how its attempt went, to capture, to release, to refund.
    Settle,
    /// To capture what is authorized.
    Capture,
    /// To see to it that nothing is kept.
    Void(VoidReason),
    /// To release an authorization that was not captured in time.
    Expire,
    /// To find out about an attempt that somebody said something of. What was said counts for nothing: the provider is asked.
    Hear(&'a ProviderReference),
}

/// What comes next of a payment for a task, as the payment is at a moment.
pub fn moves(task: Task<'_>, payment: PaymentId, opened: &Opened, at: DateTime<Utc>) -> Vec<Move> {
    match task {
        Task::Settle => settle(opened),
        Task::Capture => capture(opened),
        Task::Void(reason) => void(payment, opened, reason),
        Task::Expire => match opened.expires_at() {
            Some(until) if until <= at => vec![Move::Decide(Command::RequestVoid { reason: VoidReason::Expired })],
            Some(_) | None => vec![],
        },
        Task::Hear(reference) => hear(opened, reference),
    }
}

/// Whether a payment refused a move because its provider answered somebody else meanwhile: then the task is looked at again, so that
/// what was granted a moment ago is released, and what was captured a moment ago is given back.
pub fn was_overtaken(rejected: &Rejected) -> bool {
    let overtaken = [payment::Rejection::AlreadyAuthorized, payment::Rejection::Captured];
    overtaken.iter().any(|rejection| rejected.is::<Payment>(rejection))
}

fn settle(opened: &Opened) -> Vec<Move> {
    match opened.stage {
        Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => ask(opened, Request::LookUp),
        Stage::Authorized(Authorization::Voiding { reason }) => {
            ask(opened, |reference| Request::Release { reference, reason })
        }
        Stage::Authorized(Authorization::Capturing) => ask(opened, Request::Capture),
        Stage::Authorized(Authorization::Held { .. })
        | Stage::Open
        | Stage::Captured
        | Stage::Refunded
        | Stage::Failed { .. }
        | Stage::Cancelled
        | Stage::Voided { .. } => {
            let refund = |(refund, piece): (RefundId, &Refund)| {
                ask(opened, |reference| Request::Refund { reference, refund, amount: piece.amount })
            };
            opened.pending_refunds().flat_map(refund).collect()
        }
    }
}

/// That it is to be captured is written down before the provider is asked.
fn capture(opened: &Opened) -> Vec<Move> {
    let asked = ask(opened, Request::Capture);
    match opened.stage {
        Stage::Authorized(Authorization::Held { .. }) => {
            [Move::Decide(Command::RequestCapture {})].into_iter().chain(asked).collect()
        }
        Stage::Authorized(Authorization::Capturing) => asked,
        // Nothing is asked of the provider: the payment is captured, or says why it cannot be.
        Stage::Authorized(Authorization::Voiding { .. })
        | Stage::Open
        | Stage::Attempted
        | Stage::Pending { .. }
        | Stage::Unresolved { .. }
        | Stage::Captured
        | Stage::Refunded
        | Stage::Failed { .. }
        | Stage::Cancelled
        | Stage::Voided { .. } => vec![Move::Decide(Command::Capture {})],
    }
}

fn void(payment: PaymentId, opened: &Opened, reason: VoidReason) -> Vec<Move> {
    let next = match opened.undo() {
        Undo::Nothing => return vec![],
        Undo::Void => Move::Decide(Command::Void { reason }),
        Undo::RequestVoid => Move::Decide(Command::RequestVoid { reason }),
        Undo::Release { reference } => Move::Ask(Request::Release { reference, reason }),
        Undo::Refund => {
            let (refund, cause) = (payment::whole(payment), RefundCause::OrderCancelled);
            Move::Decide(Command::RequestRefund { refund, amount: None, cause })
        }
    };
    vec![next]
}

fn hear(opened: &Opened, reference: &ProviderReference) -> Vec<Move> {
    if opened.attempt.as_ref().is_some_and(|attempt| attempt.reference == *reference) {
        return match opened.stage {
            // It did not know the attempt, or refused it: perhaps it has changed its mind.
            Stage::Open => vec![Move::Ask(Request::LookUpAgain(reference.clone()))],
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } | Stage::Captured => settle(opened),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => {
                vec![Move::Ask(Request::LookUpStray(reference.clone()))]
            }
            Stage::Authorized(_) | Stage::Refunded => vec![],
        };
    }
    // Money of an earlier attempt is released: no payment waits for it any more.
    let is_stray = opened.earlier.contains(reference);
    is_stray.then(|| Move::Ask(Request::LookUpStray(reference.clone()))).into_iter().collect()
}

fn ask(opened: &Opened, request: impl Fn(ProviderReference) -> Request) -> Vec<Move> {
    let reference = opened.attempt.as_ref().map(|attempt| attempt.reference.clone());
    reference.map(|reference| Move::Ask(request(reference))).into_iter().collect()
}

/// What comes after the provider answered. `opened` is the payment as it was when the provider was asked.
pub fn answered(opened: &Opened, request: &Request, answer: Answer, at: DateTime<Utc>) -> Vec<Move> {
    let check_at = at + opened.patience();
    let command = match request {
        Request::LookUp(reference) => {
            Command::Conclude { reference: reference.clone(), outcome: outcome_of(answer, check_at) }
        }
        Request::Capture(_) => match answer {
            Answer::Done => Command::Capture {},
            Answer::Outcome(_) | Answer::Refused | Answer::Silence => Command::RecordNoAnswer { check_at },
        },
        Request::Release { reason, .. } => match answer {
            Answer::Done => Command::NoteReleased { reason: *reason },
            Answer::Outcome(_) | Answer::Refused | Answer::Silence => Command::RecordNoAnswer { check_at },
        },
        Request::Refund { refund, .. } => {
            let outcome = match answer {
                Answer::Done => RefundOutcome::Done,
                Answer::Refused => RefundOutcome::Refused,
                Answer::Outcome(_) | Answer::Silence => RefundOutcome::Unknown { check_at },
            };
            Command::ConcludeRefund { refund: *refund, outcome }
        }
        Request::LookUpAgain(reference) => match answer {
            Answer::Outcome(outcome @ ProviderOutcome::Authorized) => {
                Command::Conclude { reference: reference.clone(), outcome }
            }
            Answer::Outcome(_) => return vec![],
            Answer::Done | Answer::Refused | Answer::Silence => later(reference, check_at),
        },
        Request::LookUpStray(reference) => match answer {
            Answer::Outcome(ProviderOutcome::Authorized) => {
                return vec![Move::Ask(Request::ReleaseStray(reference.clone()))];
            }
            Answer::Outcome(_) => return vec![],
            Answer::Done | Answer::Refused | Answer::Silence => later(reference, check_at),
        },
        Request::ReleaseStray(reference) => match answer {
            Answer::Done => Command::ReleaseStray { reference: reference.clone() },
            Answer::Outcome(_) | Answer::Refused | Answer::Silence => later(reference, check_at),
        },
    };
    vec![Move::Decide(command)]
}

fn outcome_of(answer: Answer, check_at: DateTime<Utc>) -> ProviderOutcome {
    match answer {
        Answer::Outcome(outcome) => outcome,
        Answer::Done | Answer::Refused | Answer::Silence => ProviderOutcome::Unknown { check_at },
    }
}

/// What may have been charged for nobody is asked for until the provider answers.
fn later(reference: &ProviderReference, check_at: DateTime<Utc>) -> Command {
    Command::DelayStray { reference: reference.clone(), check_at }
}

/// How somebody pays.
#[derive(Debug, Clone, Copy)]
pub struct Payer<'a> {
    /// What the provider calls the attempt.
    pub reference: &'a ProviderReference,
    /// When the money is captured.
    pub capture: CaptureMode,
    /// Where the buyer goes on after the provider's page.
    pub return_url: Option<&'a Link>,
}

/// Writes an attempt to pay an order down, before the provider is asked; gives the payment and the amount.
pub fn attempt(work: &mut Work, order: OrderId, by: Payer<'_>) -> Result<(PaymentId, Money), Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    match placed.status {
        Status::Cancelled | Status::Expired => return Err(order::Rejection::Cancelled.into()),
        Status::Open | Status::Completed => {}
    }
    if placed.payment_status != PaymentStatus::Awaiting {
        return Err(order::Rejection::AlreadyPaid.into());
    }
    let payment = placed.placement.payment;
    let (reference, capture, return_url) = (by.reference.clone(), by.capture, by.return_url.cloned());
    work.decide::<Payment>(payment, &Command::Attempt { method: Method::Test, reference, capture, return_url })?;
    Ok((payment, placed.payable()))
}

/// Writes down how an attempt went. An automatic one was captured together with granting it.
pub fn conclude(
    work: &mut Work,
    payment: PaymentId,
    reference: &ProviderReference,
    outcome: ProviderOutcome,
) -> Result<(), Refused> {
    work.decide::<Payment>(payment, &Command::Conclude { reference: reference.clone(), outcome })?;
    let is_granted_at_once = work.get::<Payment>(payment)?.live().is_ok_and(Opened::is_granted_at_once);
    if outcome == ProviderOutcome::Authorized && is_granted_at_once {
        work.decide::<Payment>(payment, &Command::Capture {})?;
    }
    Ok(())
}

/// The outcome of a charge that the provider did not answer: it is looked up a little later.
pub fn unanswered(at: DateTime<Utc>) -> ProviderOutcome {
    ProviderOutcome::Unknown { check_at: at + LOOK_AFTER }
}

/// Marks an order paid, and gives its invoice the next number. An order that does not wait for the payment takes no number.
pub fn mark_paid(work: &mut Work, order: OrderId, payment: PaymentId) -> Result<(), Refused> {
    let awaits = work.get::<Order>(order)?.live().is_ok_and(|placed| placed.awaits(payment));
    let invoice = if awaits { Some(work.number(Document::Invoice { order })?) } else { None };
    let seller = work.seller().filter(|_| awaits).cloned();
    work.decide::<Order>(order, &order::Command::MarkPaid { payment, invoice, seller })?;
    Ok(())
}

/// Refuses for a moment what concerns an order whose payment is captured while the order is about to hear of that.
pub fn ensure_payment_recorded(work: &Work, order: OrderId) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    let payment = placed.placement.payment;
    let is_captured = work.get::<Payment>(payment)?.live()?.is_taken();
    if is_captured && placed.awaits(payment) {
        let mut not_paid = Rejected::of::<Order>(&order::Rejection::NotPaid);
        not_paid.detail = "the payment is captured, and the order is about to hear of it: retry in a moment".into();
        return Err(Refused::NotYet(not_paid));
    }
    Ok(())
}

/// Gives back what an order used of promotions.
pub fn release_claims(work: &mut Work, order: OrderId) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let claims = state.live().map(|placed| placed.placement.claims.as_slice()).unwrap_or_default();
    claims.iter().try_for_each(|id| work.decide::<Usage>(*id, &usage::Command::Release { order }).map(drop))
}

#[cfg(test)]
mod tests;
