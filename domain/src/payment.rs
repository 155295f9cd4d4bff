//! The payment of one order: attempts at a provider until one succeeds, then the capture, or the void or refund.
//!
//! ```text
//! (missing) ──opened──▶ open ──attempted──▶ attempted ◀─▶ pending, unresolved (asked again at their time)
//!                        ▲ │                   │
//!                        │ │   ┌───────────────┤
//!                        │ │ declined      authorized
//!                        │ │   │               │
//!                        └─┼───┤ (too often:   ├──captured──▶ captured ──refunded, all of it──▶ refunded
//!                          │   └──▶ failed)    │               ▲  └── refund requested ──┐
//!                          └──voided──▶ voided ◀┘              └── refunded in part, failed ┘
//!
//! authorized   held ──capture requested──▶ capturing   (at once, unless the capture is manual)
//!               └──────────void requested──▶ voiding ◀── void requested ── capturing
//! ```
//!
//! An attempt is recorded before the provider is asked, so nothing is ever charged without a record; the same holds for
//! refunds. While an attempt is in progress the payment cannot be voided; a void is only requested, and the outcome of the
//! attempt is not captured. Failed, voided and refunded are final, and so is cancelled, which only older payments are.
//!
//! A provider that has ids of its own registers an attempt: `registered` holds its id, and the page where the buyer approves it.
//!
//! An attempt that the buyer leaves, or that the provider cannot continue, is declined too: the order can be paid within its
//! payment window by another one. An attempt that waits for a person at the provider's page is replaced by the next attempt:
//! the provider cancels it first. Should it succeed after all, it is accepted if there is no other attempt, and released
//! otherwise.
//!
//! Without a provider, staff records what was received (`manual.rs`): the receipts that make up the amount capture the payment, and
//! staff settles its refunds.
//!
//! A buyer may pay on delivery, where that is offered: the stage is then `on_delivery` until staff has recorded all of the money, or
//! the order is cancelled. No attempt is made any more.
//!
//! Gift cards and store credit cover some of the amount, or all of it (`cover.rs`): the rest is paid by one of the other ways.
//!
//! A dispute holds some of the captured amount (`dispute.rs`): it is not refunded while it is open, and is refunded by the provider, or
//! the bank, if it is lost.
//!
//! A provider may give money back without being asked by the shop (`elsewhere.rs`): this is a refund that it made.
//!
//! A provider may pay the account of a seller, and the house its fee (`direct.rs`): what is due and refunded is the same.
//!
//! A provider keeps a fee of what it captures (`fee.rs`). The house bears it: it changes nothing of what is due or refunded.
//!
//! captured = refundable + refunds in progress + disputed + refunded. An authorization that is held expires after [`AUTHORIZED_FOR`] and
//! is voided. Of a capture and a void, the one that is requested first is carried out; `delayed` records that the provider did
//! not answer.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::decider::{Asked, Decider};
use crate::ids::{DisputeId, OrderId, PaymentId, ReceiptId, RefundId};
use crate::money::Money;
use crate::stored_value::Cover;
use crate::text::{Link, Reference};

mod attempt;
mod commands;
mod cover;
mod direct;
mod dispute;
mod elsewhere;
mod events;
mod fee;
mod given_back;
mod manual;
mod method;
mod outcomes;
mod reasons;
mod refund;
mod rejections;
mod stage;

pub use commands::{Command, NewReceipt};
pub use events::{Direct, Event, ProviderReference, RefundCause, Registration};
pub use given_back::{GivenBack, MadeElsewhere, refund_at};
pub use method::{CaptureMode, Choice, Method};
pub use outcomes::{ProviderOutcome, RefundOutcome};
pub use reasons::{DeclineReason, FailureReason, VoidReason};
pub use rejections::{
    ATTEMPTS_MAX, CARDS_MAX, CHOICES_MAX, DAYS_AGO_MAX, DISPUTES_MAX, RECEIPTS_MAX, RECEIVED_MAX, Rejection,
};
pub use stage::{Authorization, OnHold, Receipt, Refund, RefundStage, Reversal, Settled, Stage, whole};

/// The maximum number of declined attempts: enough for a mistyped card, too few to try stolen ones.
pub const REFUSALS_MAX: u8 = 5;
/// How long an authorization is held that is not captured at once: card schemes release it after about a week.
pub const AUTHORIZED_FOR: TimeDelta = TimeDelta::days(6);
/// The pause before a provider that did not answer once is asked again.
const PATIENCE: TimeDelta = TimeDelta::seconds(1);
/// How often the pause is doubled: up to about a quarter of an hour.
const PATIENCE_DOUBLINGS: u32 = 10;
/// The reference of a payment of zero, in place of a provider's.
const FREE: &str = "free";

/// The state of a payment.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Payment {
    /// The payment does not exist.
    #[default]
    Missing,
    /// The payment exists.
    Opened(Box<Opened>),
}

/// A payment that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opened {
    /// The stage of the payment.
    #[serde(flatten)]
    pub stage: Stage,
    /// The order that it pays.
    pub order: OrderId,
    /// The amount.
    pub amount: Money,
    /// The number of attempts.
    pub attempts: u8,
    /// The number of declined attempts.
    pub refusals: u8,
    /// The last attempt.
    pub attempt: Option<Attempt>,
    /// The earlier attempts: one of them may still turn out to have succeeded.
    pub earlier: Vec<ProviderReference>,
    /// What the provider calls its attempts, where it has ids of its own.
    #[serde(skip_serializing_if = "Registrations::is_empty")]
    pub registrations: Box<Registrations>,
    /// Why the last attempt was declined, if it was.
    pub declined: Option<DeclineReason>,
    /// How often in a row the provider did not answer.
    pub silences: u32,
    /// The manual method that the buyer chose last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Box<Choice>>,
    /// How often a manual method was chosen.
    #[serde(skip_serializing_if = "is_zero")]
    pub choices: u8,
    /// The receipts that staff recorded, oldest first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub receipts: BTreeMap<ReceiptId, Receipt>,
    /// What gift cards and store credit pay of it, in the order in which they were applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<Cover>,
    /// The refunded part of the captured amount.
    pub refunded: Money,
    /// The refunds, whether done or not.
    pub refunds: BTreeMap<RefundId, Refund>,
    /// What open disputes hold of the captured amount.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub disputes: BTreeMap<DisputeId, OnHold>,
    /// What providers keep of the attempts as their fees.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fees: BTreeMap<ProviderReference, Money>,
    /// What a seller has of the captured amount at the provider.
    #[serde(skip_serializing_if = "Money::is_zero")]
    pub with_seller: Money,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// What the provider calls the attempts of a payment, by their references; most payments have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Registrations(BTreeMap<ProviderReference, Registration>);

impl Registrations {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The attempt that the provider calls so.
    pub fn named(&self, id: &str) -> Option<&ProviderReference> {
        let named = self.0.iter().find(|(_, registration)| registration.id.as_str() == id);
        named.map(|(reference, _)| reference)
    }
}

/// An attempt at a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The method.
    pub method: Method,
    /// The reference of the attempt.
    pub reference: ProviderReference,
    /// Where the buyer returns to from the provider's page.
    pub return_url: Option<Link>,
    /// When the amount that it authorizes is captured.
    pub capture: CaptureMode,
    /// Why it is not captured, if its void was requested before the outcome was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void_requested: Option<VoidReason>,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Payment {
    const CATEGORY: &'static str = "payment";
    type Id = PaymentId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        Ok(self.with_returns(self.decided(command, asked)?))
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Opened { order, amount } => Self::Opened(Box::new(Opened::new(*order, *amount))),
            Event::Attempted { method, reference, capture, return_url } => {
                let (method, reference, return_url) = (*method, reference.clone(), return_url.clone());
                let attempt = Attempt { method, reference, return_url, capture: *capture, void_requested: None };
                self.with(|it| it.note_attempt(attempt))
            }
            Event::Registered { reference, registration } => {
                self.with(|it| drop(it.registrations.0.insert(reference.clone(), registration.clone())))
            }
            Event::Authorized { expires_at, .. } => self.with(|it| {
                it.stage = Stage::Authorized(it.authorization(*expires_at));
                it.silences = 0;
            }),
            Event::Pended { check_at, .. } => self.with(|it| it.stage = Stage::Pending { check_at: *check_at }),
            Event::Unresolved { check_at, .. } => self.with(|it| {
                it.stage = Stage::Unresolved { check_at: *check_at };
                it.silences += 1;
            }),
            Event::Declined { reason, .. } => self.with(|it| {
                it.stage = Stage::Open;
                it.declined = Some(*reason);
                it.refusals += u8::from(reason.is_refusal());
            }),
            Event::Failed { reason, .. } => self.with(|it| it.stage = Stage::Failed { reason: *reason }),
            Event::Cancelled { .. } => self.with(|it| it.stage = Stage::Cancelled),
            Event::CaptureRequested { .. } => self.with(Opened::note_capture_requested),
            Event::VoidRequested { reason } => self.with(|it| it.note_void_requested(*reason)),
            Event::Voided { reason, .. } => self.with(|it| it.stage = Stage::Voided { reason: *reason }),
            Event::Captured { method, reference, .. } => self.with(|it| it.note_captured(*method, reference)),
            Event::Reduced { amount } => self.with(|it| {
                it.amount = *amount;
                it.forget_attempt();
            }),
            Event::Covered { cover, .. } => self.with(|it| it.note_covered(*cover)),
            Event::Uncovered { cover, .. } => self.with(|it| it.note_uncovered(*cover)),
            Event::StrayUnresolved { .. } => self.with(|it| it.silences += 1),
            Event::Delayed { .. } => self.with(|it| {
                it.silences += 1;
                // Older versions recorded this instead of `capture_requested`.
                if let Stage::Authorized(Authorization::Held { .. }) = it.stage {
                    it.note_capture_requested();
                }
            }),
            Event::StrayReleased { reference } => self.with(|it| it.earlier.retain(|earlier| earlier != reference)),
            Event::RefundRequested { order: _, refund, amount, cause, retries, manual, to, of } => {
                let (cause, stage, manual) = (cause.clone(), RefundStage::Requested, *manual);
                let refund_of =
                    Refund { amount: *amount, stage, cause, retried_as: None, manual, settled: None, to: *to, of: *of };
                self.with(|it| it.begin_refund(*refund, refund_of, *retries))
            }
            Event::RefundFailed { refund, .. } => self.with(|it| it.end_refund(*refund, RefundStage::Failed)),
            Event::Refunded { amount, refund, cause, .. } => {
                self.with(|it| it.note_refunded(*amount, *refund, cause.as_ref()))
            }
            Event::Disputed { .. } | Event::DisputeReleased { .. } => self.with(|it| it.note_dispute(event)),
            Event::FeeCharged { reference, amount, .. } => self.with(|it| it.note_fee(reference, *amount)),
            Event::SellerPaid { amount, .. } => self.with(|it| it.note_seller(amount.amount)),
            Event::SellerCharged { amount, .. } => self.with(|it| it.note_seller(-amount.amount)),
            Event::MethodChosen { choice, .. } => self.with(|it| it.note_choice(choice)),
            Event::ReceiptRecorded { receipt, kind, amount, reference, received_on, note, .. } => {
                let (kind, amount, received_on) = (*kind, *amount, *received_on);
                let (reference, note) = (reference.clone(), note.clone());
                let recorded = Receipt { kind, amount, reference, received_on, note, voided: None };
                self.with(|it| drop(it.receipts.insert(*receipt, recorded)))
            }
            Event::ReceiptVoided { receipt, reason, .. } => self.with(|it| it.note_receipt_voided(*receipt, reason)),
            Event::RefundSettled { refund, reference, settled_on, .. } => {
                self.with(|it| it.note_settled(*refund, reference, *settled_on))
            }
        }
    }
}

impl Payment {
    fn decided(&self, command: &Command, asked: &Asked) -> Decision {
        match command {
            Command::Open { order, amount } => self.open(*order, *amount),
            Command::Record { order, amount, reference } => self.record(*order, *amount, reference),
            Command::Attempt { method, reference, capture, return_url } => {
                self.live()?.attempt(*method, reference, *capture, return_url.as_ref())
            }
            Command::RecordRegistration { reference, registration } => self.live()?.register(reference, registration),
            Command::RecordOutcome { reference, outcome } => self.live()?.record_outcome(reference, *outcome, asked.at),
            Command::RequestCapture {} => self.live()?.request_capture(asked.at),
            Command::Capture {} => self.live()?.capture(),
            Command::Void { reason } => self.live()?.void(*reason),
            Command::RequestVoid { reason } => Ok(self.live()?.request_void(*reason)),
            Command::RecordReleased { reason } => self.live()?.record_released(*reason),
            Command::ReleaseOrphaned { reference } => {
                let orphaned = self.live()?.earlier.contains(reference);
                Ok(if orphaned { vec![Event::StrayReleased { reference: reference.clone() }] } else { vec![] })
            }
            Command::RecordNoAnswerOrphaned { reference, check_at } => {
                Ok(self.live()?.record_no_answer_orphaned(reference, *check_at))
            }
            Command::Reduce { amount } => self.live()?.reduce(*amount),
            Command::RecordNoAnswer { check_at } => Ok(self.live()?.record_no_answer(*check_at)),
            Command::RequestRefund { refund, amount, cause, to } => {
                self.live()?.request_refund(*refund, *amount, cause, None, *to)
            }
            Command::RetryRefund { failed, refund } => self.live()?.retry_refund(*failed, *refund),
            Command::RecordRefundOutcome { refund, outcome } => self.live()?.record_refund_outcome(*refund, *outcome),
            Command::Dispute { dispute, amount } => self.live()?.dispute(*dispute, *amount),
            Command::ReleaseDispute { dispute } => Ok(self.live()?.release_dispute(*dispute)),
            Command::LoseDispute { dispute, amount } => Ok(self.live()?.lose_dispute(*dispute, *amount)),
            Command::RecordMadeElsewhere(made) => self.live()?.record_made_elsewhere(made),
            Command::RecordFee { reference, total } => Ok(self.live()?.record_fee(reference, *total)),
            Command::Cover { cover } => self.live()?.cover(*cover),
            Command::Uncover { means } => self.live()?.uncover(*means),
            Command::ChooseMethod { choice } => self.live()?.choose(choice),
            Command::RecordReceipt(receipt) => self.live()?.record_receipt(receipt, asked.at),
            Command::VoidReceipt { receipt, reason } => self.live()?.void_receipt(*receipt, reason),
            Command::SettleRefund { refund, reference, settled_on } => {
                self.live()?.settle_refund(*refund, reference, *settled_on, asked.at)
            }
        }
    }

    /// The payment, if it exists.
    pub fn live(&self) -> Result<&Opened, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Opened(opened) => Ok(opened),
        }
    }

    fn open(&self, order: OrderId, amount: Money) -> Decision {
        match self {
            Self::Missing if amount.amount < 0 => Err(Rejection::Negative),
            Self::Missing if amount.amount == 0 => Ok(vec![Event::Opened { order, amount }, free(order, amount)?]),
            Self::Missing => Ok(vec![Event::Opened { order, amount }]),
            Self::Opened(known) if known.order == order && known.amount == amount => Ok(vec![]),
            Self::Opened(_) => Err(Rejection::Exists),
        }
    }

    fn record(&self, order: OrderId, amount: Money, reference: &ProviderReference) -> Decision {
        match self {
            Self::Missing if amount.amount < 0 => Err(Rejection::Negative),
            Self::Missing => {
                let (method, reference) = (Method::External, reference.clone());
                let captured = Event::Captured { order, amount, method, reference, covers: vec![] };
                Ok(vec![Event::Opened { order, amount }, captured])
            }
            Self::Opened(known)
                if known.order == order
                    && known.amount == amount
                    && known.is_last(reference)
                    && known.was_captured() =>
            {
                Ok(vec![])
            }
            Self::Opened(_) => Err(Rejection::Exists),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Opened)) -> Self {
        if let Self::Opened(opened) = &mut self {
            change(opened);
        }
        self
    }
}

/// The events of a payment of zero, which needs no provider.
fn free(order: OrderId, amount: Money) -> Result<Event, Rejection> {
    let reference = Reference::new(FREE).map_err(|_| Rejection::Negative)?;
    Ok(Event::Captured { order, amount, method: Method::Free, reference, covers: vec![] })
}

impl Opened {
    fn new(order: OrderId, amount: Money) -> Self {
        Self {
            stage: Stage::Open,
            order,
            amount,
            attempts: 0,
            refusals: 0,
            attempt: None,
            earlier: vec![],
            registrations: Box::default(),
            declined: None,
            silences: 0,
            choice: None,
            choices: 0,
            receipts: BTreeMap::new(),
            covers: vec![],
            refunded: Money::zero(amount.currency),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            fees: BTreeMap::new(),
            with_seller: Money::zero(amount.currency),
        }
    }

    /// The pause before a provider that did not answer is asked again: it doubles each time, up to some minutes.
    pub fn patience(&self) -> TimeDelta {
        PATIENCE * (1 << self.silences.min(PATIENCE_DOUBLINGS))
    }

    /// Whether the payment was captured, including what was refunded since.
    pub fn was_captured(&self) -> bool {
        matches!(self.stage, Stage::Captured | Stage::Refunded)
    }

    /// The captured amount.
    pub fn captured(&self) -> Money {
        if self.was_captured() { self.amount } else { Money::zero(self.amount.currency) }
    }

    pub(crate) fn is_last(&self, reference: &ProviderReference) -> bool {
        let is_theirs = |attempt: &&Attempt| !attempt.method.is_manual();
        self.attempt.as_ref().filter(is_theirs).is_some_and(|attempt| attempt.reference == *reference)
    }

    fn reduce(&self, amount: Money) -> Decision {
        match self.stage {
            Stage::Open | Stage::OnDelivery if amount == self.amount => Ok(vec![]),
            Stage::Open | Stage::OnDelivery
                if amount.amount < 0
                    || amount.currency != self.amount.currency
                    || amount.amount > self.amount.amount =>
            {
                Err(Rejection::NotAnAmount)
            }
            Stage::Open | Stage::OnDelivery => {
                let mut events = vec![Event::Reduced { amount }];
                let (covers, released) = self.covers_within(amount);
                events.extend(released);
                if amount.amount == 0 {
                    events.push(free(self.order, amount)?);
                } else if Cover::total(&covers) == amount.amount {
                    events.push(self.captured_by_covers(amount, covers)?);
                } else {
                    events.extend(self.captured_by_receipts(amount, covers));
                }
                Ok(events)
            }
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => Err(Rejection::InProgress),
            Stage::Authorized(_) | Stage::Captured | Stage::Refunded => Err(Rejection::AlreadyAuthorized),
            Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Err(Rejection::Closed),
        }
    }
}

impl Opened {
    /// What has to be done so that no money is kept: a void, a release or a refund.
    pub fn reversal(&self) -> Reversal {
        let reference = self.attempt.as_ref().map(|attempt| attempt.reference.clone());
        match self.stage {
            Stage::Open | Stage::OnDelivery | Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => {
                Reversal::Void
            }
            Stage::Authorized(Authorization::Held { .. } | Authorization::Capturing) => Reversal::RequestVoid,
            Stage::Authorized(Authorization::Voiding { .. }) => {
                reference.map_or(Reversal::Void, |reference| Reversal::Release { reference })
            }
            Stage::Captured => Reversal::Refund,
            Stage::Refunded | Stage::Failed { .. } | Stage::Cancelled | Stage::Voided { .. } => Reversal::Nothing,
        }
    }

    /// Whether an attempt is in progress.
    pub fn in_flight(&self) -> bool {
        match self.stage {
            Stage::Attempted | Stage::Pending { .. } | Stage::Unresolved { .. } => true,
            Stage::Open
            | Stage::OnDelivery
            | Stage::Authorized(_)
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => false,
        }
    }

    /// When the authorization expires unless its capture is requested before.
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        match self.stage {
            Stage::Authorized(Authorization::Held { expires_at }) => expires_at,
            Stage::Authorized(Authorization::Capturing | Authorization::Voiding { .. })
            | Stage::Open
            | Stage::OnDelivery
            | Stage::Attempted
            | Stage::Pending { .. }
            | Stage::Unresolved { .. }
            | Stage::Captured
            | Stage::Refunded
            | Stage::Failed { .. }
            | Stage::Cancelled
            | Stage::Voided { .. } => None,
        }
    }

    /// Whether the provider authorized and captured the last attempt at once, so that the capture is still to be recorded.
    pub fn is_granted_at_once(&self) -> bool {
        let is_automatic = self.attempt.as_ref().is_some_and(|attempt| attempt.capture.is_automatic());
        is_automatic && self.stage == Stage::Authorized(Authorization::Capturing)
    }
}

#[cfg(test)]
mod tests;
