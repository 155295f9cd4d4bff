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
//! Pure: a [task](Task) and a payment in, [moves](Move) out. Between a request and its answer the payment may change and refuse
//! what the answer leads to. Asking twice is harmless, as each charge and each refund has its own key at the provider.

use chrono::{DateTime, TimeDelta, Utc};

use crate::Kind;
use crate::digital_delivery;
use crate::dispute::{self, Dispute};
use crate::gift_card_delivery::{self, Cards};
use crate::ids::{Id as _, OrderId, PaymentId, RefundId};
use crate::key_delivery;
use crate::money::Money;
use crate::order::{self, Order, PaymentStatus, Placed, Status};
use crate::payment::{
    self, Authorization, CaptureMode, Choice, Command, Method, Opened, Payment, ProviderOutcome, ProviderReference,
    Refund, RefundCause, RefundOutcome, Registration, Reversal, Stage, VoidReason,
};
use crate::payment_book::{self, PaymentBook};
use crate::rejected::Rejected;
use crate::stock;
use crate::subscribers::Buyer;
use crate::text::{Link, Reference, Slug};
use crate::usage::{self, Usage};
use crate::work::{Refused, Work};

mod cover;
mod direct;
mod invoices;

pub use cover::{cover, settle_value, uncover};
pub use direct::{direct, only_seller};
pub use invoices::series_of_invoices;

/// How long after a charge without an answer its outcome is looked up.
const LOOK_AFTER: TimeDelta = TimeDelta::seconds(1);
/// How often a task is decided again because the state of the payment changed in the meantime.
pub const LOOKS_MAX: u32 = 4;

/// The next step for a payment.
#[derive(Debug, Clone, PartialEq)]
pub enum Move {
    /// The payment decides a command.
    Decide(Command),
    /// The payment decides several commands in one append.
    DecideAll(Vec<Command>),
    /// The provider is asked; [`answered`] says what comes after that.
    Ask(Request),
}

/// A request to the provider, and its purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Look up the attempt in progress, and carry it out if the buyer has approved it.
    LookUp(ProviderReference),
    /// Look up the attempt in progress, whose void is requested: what the buyer approved is not carried out any more.
    LookUpVoided(ProviderReference),
    /// Capture the authorized amount.
    Capture(ProviderReference),
    /// Release the authorized amount.
    Release {
        /// The attempt.
        reference: ProviderReference,
        /// The reason.
        reason: VoidReason,
    },
    /// Refund an amount.
    Refund {
        /// The attempt that was captured.
        reference: ProviderReference,
        /// The key of the refund.
        refund: RefundId,
        /// The amount.
        amount: Money,
    },
    /// Look up whether a declined attempt succeeded after all.
    LookUpAgain(ProviderReference),
    /// Look up an orphaned attempt, which no payment waits for.
    LookUpOrphaned(ProviderReference),
    /// Release the amount of an orphaned attempt.
    ReleaseOrphaned(ProviderReference),
}

/// A request as the provider gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// The outcome of an attempt that is in progress: what the buyer has approved is carried out.
    LookUp(&'a ProviderReference),
    /// The outcome of an attempt that no payment waits for: what the buyer has approved is not carried out any more.
    Find(&'a ProviderReference),
    /// Capture the authorized amount.
    Capture(&'a ProviderReference),
    /// Release it, or refund it if it is captured.
    Release(&'a ProviderReference),
    /// Refund an amount of it, under the key of the refund.
    Refund(&'a ProviderReference, RefundId, Money),
}

/// The provider's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The outcome of an attempt.
    Outcome(ProviderOutcome),
    /// The request was carried out.
    Done {
        /// What the provider keeps of the attempt as its fee in all, if it says so.
        fee: Option<Money>,
    },
    /// The request was refused.
    Refused,
    /// There was no answer in time.
    Silence,
}

impl Request {
    /// The attempt that it is about.
    fn reference(&self) -> &ProviderReference {
        match self {
            Self::LookUp(reference)
            | Self::LookUpVoided(reference)
            | Self::Capture(reference)
            | Self::Release { reference, .. }
            | Self::Refund { reference, .. }
            | Self::LookUpAgain(reference)
            | Self::LookUpOrphaned(reference)
            | Self::ReleaseOrphaned(reference) => reference,
        }
    }

    /// The request as the provider gets it.
    pub fn question(&self) -> Question<'_> {
        match self {
            Self::LookUp(reference) => Question::LookUp(reference),
            // Only an attempt with a timer of its own is carried out, so that its amount is not forgotten after a crash.
            Self::LookUpVoided(reference) | Self::LookUpAgain(reference) | Self::LookUpOrphaned(reference) => {
                Question::Find(reference)
            }
            Self::Capture(reference) => Question::Capture(reference),
            Self::Release { reference, .. } | Self::ReleaseOrphaned(reference) => Question::Release(reference),
            Self::Refund { reference, refund, amount } => Question::Refund(reference, *refund, *amount),
        }
    }
}

/// A task for a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task<'a> {
    /// Whatever is next: look up the attempt, capture, release or refund.
    Settle,
    /// The same, because of a timer of this attempt; nothing if another attempt has replaced it, which has a timer of its own.
    SettleAttempt(&'a ProviderReference),
    /// Capture the authorized amount.
    Capture,
    /// Void the payment, or refund it.
    Void(VoidReason),
    /// Release an authorization that was not captured in time.
    Expire,
    /// Look up an attempt that a notification of the provider names. The notification itself is not believed: the provider is
    /// asked.
    Hear(&'a ProviderReference),
}

impl<'a> Task<'a> {
    /// To settle a payment, perhaps because of a timer of an attempt.
    pub fn settle(attempt: Option<&'a ProviderReference>) -> Self {
        attempt.map_or(Self::Settle, Self::SettleAttempt)
    }
}

/// The next steps of a task, for the state of the payment at a time.
pub fn moves(task: Task<'_>, payment: PaymentId, opened: &Opened, at: DateTime<Utc>) -> Vec<Move> {
    match task {
        Task::Settle => settle(opened),
        Task::SettleAttempt(reference) if opened.is_last(reference) => settle(opened),
        Task::SettleAttempt(_) => vec![],
        Task::Capture => capture(opened),
        Task::Void(reason) => void(payment, opened, reason),
        Task::Expire => match opened.expires_at() {
            Some(until) if until <= at => vec![Move::Decide(Command::RequestVoid { reason: VoidReason::Expired })],
            Some(_) | None => vec![],
        },
        Task::Hear(reference) => hear(opened, reference),
    }
}

/// Whether a payment refused a step because its state changed in the meantime, such as by another answer of the provider: then
/// the task is decided again, so that what was authorized is released, and what was captured is refunded.
pub fn was_overtaken(rejected: &Rejected) -> bool {
    let overtaken =
        [payment::Rejection::AlreadyAuthorized, payment::Rejection::Captured, payment::Rejection::OtherAttempt];
    overtaken.iter().any(|rejection| rejected.is::<Payment>(rejection))
}

/// Whether a refusal of what a provider said is final, as the shop knows better: it has recorded that already, or it is about nothing at
/// this provider. Any other refusal can end, with a dispute that is decided, a step that comes first, or a better version of the shop:
/// then the provider is asked again.
pub fn is_known_better(rejected: &Rejected) -> bool {
    let (status, amount) = (dispute::Status::Lost, Money::zero(crate::Currency::EUR));
    let otherwise = dispute::Rejection::LostOtherwise { amount, fee: None };
    let recorded = [dispute::Rejection::Exists, dispute::Rejection::Ended { status }, otherwise];
    recorded.iter().any(|rejection| rejected.is::<Dispute>(rejection))
        || rejected.is::<Payment>(&payment::Rejection::PaidElsewhere)
}

fn settle(opened: &Opened) -> Vec<Move> {
    match opened.stage {
        Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
            let is_to_be_voided = opened.void_of_attempt().is_some();
            ask(opened, if is_to_be_voided { Request::LookUpVoided } else { Request::LookUp })
        }
        Stage::Authorized(Authorization::Voiding { reason }) => {
            ask(opened, |reference| Request::Release { reference, reason })
        }
        Stage::Authorized(Authorization::Capturing) => ask(opened, Request::Capture),
        Stage::Authorized(Authorization::Held { .. })
        | Stage::Open
        | Stage::OnDelivery
        | Stage::Captured
        | Stage::Refunded
        | Stage::Failed { .. }
        | Stage::Cancelled
        | Stage::Voided { .. } => {
            let refund = |(refund, piece): (RefundId, &Refund)| {
                ask(opened, |reference| Request::Refund { reference, refund, amount: piece.amount })
            };
            opened.pending_refunds().filter(|(_, piece)| !piece.manual && piece.to.is_none()).flat_map(refund).collect()
        }
    }
}

/// A capture is recorded as requested before the provider is asked.
fn capture(opened: &Opened) -> Vec<Move> {
    let asked = ask(opened, Request::Capture);
    match opened.stage {
        Stage::Authorized(Authorization::Held { .. }) => {
            [Move::Decide(Command::RequestCapture {})].into_iter().chain(asked).collect()
        }
        Stage::Authorized(Authorization::Capturing) => asked,
        // No request is needed: the payment is captured, or refuses the capture with its reason.
        Stage::Authorized(Authorization::Voiding { .. })
        | Stage::Open
        | Stage::OnDelivery
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
    let next = match opened.reversal() {
        Reversal::Nothing => return vec![],
        Reversal::Void => Move::Decide(Command::Void { reason }),
        Reversal::RequestVoid => Move::Decide(Command::RequestVoid { reason }),
        Reversal::Release { reference } => Move::Ask(Request::Release { reference, reason }),
        Reversal::Refund => {
            let (refund, cause) = (payment::whole(payment), RefundCause::OrderCancelled);
            Move::Decide(Command::RequestRefund { refund, amount: None, cause, to: None })
        }
    };
    vec![next]
}

fn hear(opened: &Opened, reference: &ProviderReference) -> Vec<Move> {
    if opened.is_last(reference) {
        return match opened.stage {
            // The attempt was unknown or declined: the provider may have another answer now.
            Stage::Open => vec![Move::Ask(Request::LookUpAgain(reference.clone()))],
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } | Stage::Captured => settle(opened),
            // An order that is paid on delivery waits for no provider any more.
            Stage::OnDelivery | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => {
                vec![Move::Ask(Request::LookUpOrphaned(reference.clone()))]
            }
            Stage::Authorized(_) | Stage::Refunded => vec![],
        };
    }
    // The amount of an orphaned attempt is released: no payment waits for it any more.
    let is_orphaned = opened.earlier.contains(reference);
    is_orphaned.then(|| Move::Ask(Request::LookUpOrphaned(reference.clone()))).into_iter().collect()
}

fn ask(opened: &Opened, request: impl Fn(ProviderReference) -> Request) -> Vec<Move> {
    opened.at_provider().map(|reference| Move::Ask(request(reference.clone()))).into_iter().collect()
}

/// The steps that follow an answer. `opened` is the payment as it was when the provider was asked.
pub fn answered(opened: &Opened, request: &Request, answer: Answer, at: DateTime<Utc>) -> Vec<Move> {
    let check_at = at + opened.patience();
    let command = match request {
        Request::LookUp(reference) | Request::LookUpVoided(reference) => {
            Command::RecordOutcome { reference: reference.clone(), outcome: outcome_of(answer, check_at) }
        }
        Request::Capture(_) => match answer {
            Answer::Done { .. } => Command::Capture {},
            Answer::Outcome(_) | Answer::Refused | Answer::Silence => Command::RecordNoAnswer { check_at },
        },
        Request::Release { reason, .. } => match answer {
            Answer::Done { .. } => Command::RecordReleased { reason: *reason },
            Answer::Outcome(_) | Answer::Refused | Answer::Silence => Command::RecordNoAnswer { check_at },
        },
        Request::Refund { refund, .. } => {
            let outcome = match answer {
                Answer::Done { .. } => RefundOutcome::Done,
                Answer::Refused => RefundOutcome::Refused,
                Answer::Outcome(_) | Answer::Silence => RefundOutcome::Unknown { check_at },
            };
            Command::RecordRefundOutcome { refund: *refund, outcome }
        }
        Request::LookUpAgain(reference) => match answer {
            Answer::Outcome(outcome @ ProviderOutcome::Authorized) => {
                Command::RecordOutcome { reference: reference.clone(), outcome }
            }
            Answer::Outcome(_) => return vec![],
            Answer::Done { .. } | Answer::Refused | Answer::Silence => later(reference, check_at),
        },
        Request::LookUpOrphaned(reference) => match answer {
            Answer::Outcome(ProviderOutcome::Authorized) => {
                return vec![Move::Ask(Request::ReleaseOrphaned(reference.clone()))];
            }
            Answer::Outcome(_) => return vec![],
            Answer::Done { .. } | Answer::Refused | Answer::Silence => later(reference, check_at),
        },
        Request::ReleaseOrphaned(reference) => match answer {
            Answer::Done { .. } => Command::ReleaseOrphaned { reference: reference.clone() },
            Answer::Outcome(_) | Answer::Refused | Answer::Silence => later(reference, check_at),
        },
    };
    let Answer::Done { fee: Some(total) } = answer else { return vec![Move::Decide(command)] };
    let reference = request.reference().clone();
    vec![Move::DecideAll(vec![command, Command::RecordFee { reference, total }])]
}

fn outcome_of(answer: Answer, check_at: DateTime<Utc>) -> ProviderOutcome {
    match answer {
        Answer::Outcome(outcome) => outcome,
        Answer::Done { .. } | Answer::Refused | Answer::Silence => ProviderOutcome::Unknown { check_at },
    }
}

/// An orphaned attempt that may have succeeded is looked up until the provider answers.
fn later(reference: &ProviderReference, check_at: DateTime<Utc>) -> Command {
    Command::RecordNoAnswerOrphaned { reference: reference.clone(), check_at }
}

/// How a buyer pays.
#[derive(Debug, Clone, Copy)]
pub struct Payer<'a> {
    /// The method: a provider's.
    pub method: Method,
    /// The reference of the attempt.
    pub reference: &'a ProviderReference,
    /// When the payment is captured.
    pub capture: CaptureMode,
    /// Where the buyer returns to from the provider's page.
    pub return_url: Option<&'a Link>,
}

/// Refuses an order that does not wait for its payment.
fn ensure_awaiting(placed: &Placed) -> Result<(), Refused> {
    match placed.progress.status {
        Status::Cancelled | Status::Expired => return Err(order::Rejection::Cancelled.into()),
        Status::Open | Status::Completed => {}
    }
    match placed.progress.payment_status {
        PaymentStatus::Awaiting => Ok(()),
        PaymentStatus::OnDelivery => Err(payment::Rejection::OnDelivery.into()),
        PaymentStatus::Authorized
        | PaymentStatus::Paid
        | PaymentStatus::PartlyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::RefundDue
        | PaymentStatus::Voided => Err(order::Rejection::AlreadyPaid.into()),
    }
}

/// Records that the buyer chose a method that staff settles by hand, with what they were told; returns the payment. The payment
/// window of the order becomes that of the method, if this is longer. An order that is paid on delivery is released, and its stock
/// committed: its goods leave before the money is there.
pub fn choose(work: &mut Work, order: OrderId, method: &Slug) -> Result<PaymentId, Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    ensure_awaiting(placed)?;
    let book = work.get::<PaymentBook>(payment_book::id())?;
    let placement = &placed.placement;
    let method = book.method(method, placed.sale())?;
    let on_delivery = method.kind.is_on_delivery();
    let pay_by = placed.pay_by_within(order, method.days, work.asked().at).filter(|_| !on_delivery);
    let reference = Reference::new(&order::Number::of(order.uuid()).to_string());
    let reference = reference.map_err(|error| Refused::because("order.number", Kind::Invalid, error.to_string()))?;
    let (kind, title, instructions) = (method.kind, method.title.clone(), method.instructions.clone());
    let (method, amount) = (method.method.clone(), work.get::<Payment>(placement.payment)?.live()?.in_money());
    let choice = Box::new(Choice { method, kind, title, instructions, amount, reference, pay_by });
    work.decide::<Payment>(placement.payment, &Command::ChooseMethod { choice })?;
    if on_delivery {
        work.decide::<Order>(order, &order::Command::Release { payment: placement.payment })?;
        work.move_stock(&placed.stock_to_move(), |_| stock::Command::Commit { order })?;
    } else if let Some(pay_by) = pay_by {
        work.decide::<Order>(order, &order::Command::ExtendPaymentWindow { pay_by })?;
    }
    Ok(placement.payment)
}

/// Records an attempt to pay an order before the provider is asked; returns the payment and the amount.
pub fn attempt(work: &mut Work, order: OrderId, by: Payer<'_>) -> Result<(PaymentId, Money), Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    ensure_awaiting(placed)?;
    let payment = placed.placement.payment;
    let (reference, capture, return_url) = (by.reference.clone(), by.capture, by.return_url.cloned());
    let method = by.method;
    work.decide::<Payment>(payment, &Command::Attempt { method, reference, capture, return_url })?;
    let amount = work.get::<Payment>(payment)?.live()?.in_money();
    Ok((payment, amount))
}

/// Records what the provider calls an attempt, if it said so, and the outcome. An automatic one was authorized and captured at once;
/// a provider with ids of its own is still asked for the capture, as only this says what it keeps of it.
pub fn record_outcome(
    work: &mut Work,
    payment: PaymentId,
    reference: &ProviderReference,
    registration: Option<&Registration>,
    outcome: ProviderOutcome,
) -> Result<(), Refused> {
    if let Some(registration) = registration.cloned() {
        let reference = reference.clone();
        work.decide::<Payment>(payment, &Command::RecordRegistration { reference, registration })?;
    }
    work.decide::<Payment>(payment, &Command::RecordOutcome { reference: reference.clone(), outcome })?;
    let after = work.get::<Payment>(payment)?;
    let is_granted_at_once =
        after.live().is_ok_and(|it| it.is_granted_at_once() && it.registration(reference).is_none());
    if outcome == ProviderOutcome::Authorized && is_granted_at_once {
        work.decide::<Payment>(payment, &Command::Capture {})?;
    }
    Ok(())
}

/// The outcome of a charge that the provider did not answer: it is looked up a little later.
pub fn unanswered(at: DateTime<Utc>) -> ProviderOutcome {
    ProviderOutcome::Unknown { check_at: at + LOOK_AFTER }
}

/// Marks an order paid, gives its invoices the next numbers of their series, commits its stock, assigns the keys of its pieces, issues the
/// gift cards of which they are the codes (`cards`) and grants their downloads. An order that does not wait for this payment takes no number, no keys and no downloads.
pub fn mark_paid(work: &mut Work, order: OrderId, payment: PaymentId, cards: &Cards) -> Result<(), Refused> {
    let before = work.get::<Order>(order)?;
    let waiting = before.awaiting(payment);
    let invoices::Issued { invoice, seller, invoices } = match waiting {
        Some(placed) => invoices::issue(work, order, placed)?,
        None => invoices::Issued::default(),
    };
    let keyed = waiting.map(order::Placed::keyed).unwrap_or_default();
    let keys = key_delivery::assign(work, order, &keyed)?;
    let keys = match waiting {
        Some(placed) => gift_card_delivery::sell(work, order, placed, keys, cards)?,
        None => keys,
    };
    work.decide::<Order>(order, &order::Command::MarkPaid { payment, invoice, seller, invoices, keys })?;
    if let Some(placed) = waiting {
        digital_delivery::grant(work, order, Buyer::of(order, placed), &placed.downloadable())?;
    }
    let commit = waiting.map(order::Placed::stock_to_commit).unwrap_or_default();
    work.move_stock(&commit, |_| stock::Command::Commit { order })
}

/// Refuses a command temporarily if the payment of the order is captured and the order has not recorded that yet.
pub fn ensure_payment_recorded(work: &Work, order: OrderId) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    let payment = placed.placement.payment;
    let is_captured = work.get::<Payment>(payment)?.live()?.was_captured();
    if is_captured && placed.awaits(payment) {
        let mut not_paid = Rejected::of::<Order>(&order::Rejection::NotPaid);
        not_paid.detail = "the payment is captured, but the order is not updated yet: retry in a moment".into();
        return Err(Refused::NotYet(not_paid));
    }
    Ok(())
}

/// Releases the uses of promotions that an order claimed.
pub fn release_claims(work: &mut Work, order: OrderId) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let claims = state.live().map(|placed| placed.placement.claims.as_slice()).unwrap_or_default();
    claims.iter().try_for_each(|id| work.decide::<Usage>(*id, &usage::Command::Release { order }).map(drop))
}

#[cfg(test)]
mod tests;
