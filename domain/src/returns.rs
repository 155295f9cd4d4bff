//! A return: goods of an order that a buyer sends back, from the request to the refund.
//!
//! ```text
//! (missing) ──requested──▶ requested ──approved──▶ approved ──received──▶ received ──refunded──▶ refunded
//!                             ├──rejected──▶ rejected      │
//!                             └──withdrawn──▶ withdrawn ◀──┘
//! ```
//!
//! The order knows the value of the goods, and the payment how much can be refunded; both take part in the append that receives
//! the goods.

use serde::{Deserialize, Serialize};

use crate::Personal;
use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, OrderId, RefundId, ReturnId};
use crate::money::Money;
use crate::quantity::{Demand, summed};
use crate::text::{Comment, Reason};

mod commands;
mod events;
mod rejections;

pub use commands::Command;
pub use events::{Condition, Event, Received, Why};
pub use rejections::Rejection;

/// The state of a return.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Return {
    /// It does not exist.
    #[default]
    Missing,
    /// It exists.
    Requested(Box<Requested>),
}

/// The state of a return that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Requested {
    /// The order.
    pub order: OrderId,
    /// The goods to be returned, summed per variant.
    pub lines: Vec<Demand>,
    /// The reason of the buyer.
    pub why: Why,
    /// The buyer's comment.
    pub comment: Option<Personal<Comment>>,
    /// The progress of the return.
    #[serde(flatten)]
    pub progress: Progress,
}

/// The progress of a return, with the data of each stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "Fields")]
pub enum Progress {
    /// The buyer requested it.
    Requested,
    /// Staff approved it: the buyer may send the goods.
    Approved,
    /// Staff rejected it.
    Rejected {
        /// The reason of staff.
        reason: Reason,
    },
    /// The buyer withdrew it.
    Withdrawn,
    /// The goods are received, and the refund is requested.
    Received(Arrival),
    /// The refund is done, or nothing was left to refund.
    Refunded(Arrival),
}

/// The received goods and their refund.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The goods.
    pub lines: Vec<Received>,
    /// The amount that is refunded for them.
    pub amount: Money,
    /// The refund; absent if nothing was left to refund.
    pub refund: Option<RefundId>,
    /// The credit note.
    pub credit_note: CreditNoteId,
}

/// The progress in the JSON of a state: a field for each fact.
#[derive(Serialize)]
struct Fields {
    status: Stage,
    rejected: Option<Reason>,
    received: Vec<Received>,
    amount: Option<Money>,
    refund: Option<RefundId>,
    credit_note: Option<CreditNoteId>,
}

impl From<Progress> for Fields {
    fn from(progress: Progress) -> Self {
        let arrival = progress.arrival();
        Self {
            status: progress.stage(),
            rejected: progress.reject_reason().cloned(),
            received: arrival.map(|it| it.lines.clone()).unwrap_or_default(),
            amount: arrival.map(|it| it.amount),
            refund: arrival.and_then(|it| it.refund),
            credit_note: arrival.map(|it| it.credit_note),
        }
    }
}

impl Progress {
    /// The stage without its data.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Requested => Stage::Requested,
            Self::Approved => Stage::Approved,
            Self::Rejected { .. } => Stage::Rejected,
            Self::Withdrawn => Stage::Withdrawn,
            Self::Received(_) => Stage::Received,
            Self::Refunded(_) => Stage::Refunded,
        }
    }

    /// Why it was rejected, if it was.
    pub fn reject_reason(&self) -> Option<&Reason> {
        match self {
            Self::Rejected { reason } => Some(reason),
            Self::Requested | Self::Approved | Self::Withdrawn | Self::Received(_) | Self::Refunded(_) => None,
        }
    }

    /// The received goods, if they are received.
    pub fn arrival(&self) -> Option<&Arrival> {
        match self {
            Self::Received(arrival) | Self::Refunded(arrival) => Some(arrival),
            Self::Requested | Self::Approved | Self::Rejected { .. } | Self::Withdrawn => None,
        }
    }

    /// The progress after a refund, which may differ from the one that was requested first, as a refused refund is retried.
    fn refunded(self, refund: RefundId) -> Self {
        match self {
            Self::Received(arrival) | Self::Refunded(arrival) => {
                Self::Refunded(Arrival { refund: Some(refund), ..arrival })
            }
            // Only what was received is refunded.
            Self::Requested | Self::Approved | Self::Rejected { .. } | Self::Withdrawn => self,
        }
    }
}

/// The stage of a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The buyer requested it.
    Requested,
    /// Staff approved it: the buyer may send the goods.
    Approved,
    /// Staff rejected it.
    Rejected,
    /// The buyer withdrew it.
    Withdrawn,
    /// The goods are received, and the refund is requested.
    Received,
    /// The refund is done, or nothing was left to refund.
    Refunded,
}

impl Stage {
    /// The stage that an event leads to.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Requested { .. } => Self::Requested,
            Event::Approved { .. } => Self::Approved,
            Event::Rejected { .. } => Self::Rejected,
            Event::Withdrawn { .. } => Self::Withdrawn,
            Event::Received { refund: Some(_), .. } => Self::Received,
            // If nothing is left to refund, receiving the goods ends the return.
            Event::Received { refund: None, .. } | Event::Refunded { .. } => Self::Refunded,
        }
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Return {
    const CATEGORY: &'static str = "return";
    type Id = ReturnId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::Request { order, lines, why, comment } => self.request(*order, lines, *why, comment.as_ref()),
            Command::Approve {} => self.live()?.approve(),
            Command::Reject { reason } => self.live()?.reject(reason),
            Command::Withdraw {} => self.live()?.withdraw(),
            Command::Receive { lines, amount, refund, credit_note } => {
                self.live()?.receive(lines, *amount, *refund, *credit_note)
            }
            Command::MarkRefunded { refund } => self.live()?.mark_refunded(*refund),
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Requested { order, lines, why, comment } => Self::Requested(Box::new(Requested {
                order: *order,
                lines: lines.clone(),
                why: *why,
                comment: comment.clone(),
                progress: Progress::Requested,
            })),
            Event::Approved { .. } => self.with(|_| Progress::Approved),
            Event::Rejected { reason, .. } => self.with(|_| Progress::Rejected { reason: reason.clone() }),
            Event::Withdrawn { .. } => self.with(|_| Progress::Withdrawn),
            Event::Received { lines, amount, refund, credit_note, .. } => self.with(|_| {
                let (lines, credit_note) = (lines.clone(), *credit_note);
                let arrival = Arrival { lines, amount: *amount, refund: *refund, credit_note };
                if Stage::of(event) == Stage::Received {
                    Progress::Received(arrival)
                } else {
                    Progress::Refunded(arrival)
                }
            }),
            Event::Refunded { refund, .. } => self.with(|progress| progress.refunded(*refund)),
        }
    }
}

impl Return {
    /// The state, if the return exists.
    pub fn live(&self) -> Result<&Requested, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Requested(requested) => Ok(requested),
        }
    }

    fn request(&self, order: OrderId, lines: &[Demand], why: Why, comment: Option<&Personal<Comment>>) -> Decision {
        let Ok(lines) = summed(lines.iter().copied()) else { return Err(Rejection::NoLines) };
        match self {
            Self::Missing if lines.is_empty() => Err(Rejection::NoLines),
            Self::Missing => Ok(vec![Event::Requested { order, lines, why, comment: comment.cloned() }]),
            Self::Requested(known) if known.order == order && known.lines == lines && known.why == why => Ok(vec![]),
            Self::Requested(_) => Err(Rejection::Exists),
        }
    }

    fn with(self, next: impl FnOnce(Progress) -> Progress) -> Self {
        match self {
            Self::Missing => Self::Missing,
            Self::Requested(it) => {
                let Requested { order, lines, why, comment, progress } = *it;
                Self::Requested(Box::new(Requested { order, lines, why, comment, progress: next(progress) }))
            }
        }
    }
}

impl Requested {
    fn approve(&self) -> Decision {
        match &self.progress {
            Progress::Requested => Ok(vec![Event::Approved { order: self.order }]),
            Progress::Approved => Ok(vec![]),
            Progress::Rejected { .. } | Progress::Withdrawn | Progress::Received(_) | Progress::Refunded(_) => {
                Err(Rejection::Decided)
            }
        }
    }

    fn reject(&self, reason: &Reason) -> Decision {
        match &self.progress {
            Progress::Requested => Ok(vec![Event::Rejected { order: self.order, reason: reason.clone() }]),
            Progress::Rejected { reason: known } if known == reason => Ok(vec![]),
            Progress::Rejected { .. }
            | Progress::Approved
            | Progress::Withdrawn
            | Progress::Received(_)
            | Progress::Refunded(_) => Err(Rejection::Decided),
        }
    }

    fn withdraw(&self) -> Decision {
        match &self.progress {
            Progress::Requested | Progress::Approved => Ok(vec![Event::Withdrawn { order: self.order }]),
            Progress::Withdrawn => Ok(vec![]),
            Progress::Received(_) | Progress::Refunded(_) => Err(Rejection::AlreadyReceived),
            Progress::Rejected { .. } => Err(Rejection::Closed),
        }
    }

    fn receive(
        &self,
        lines: &[Received],
        amount: Money,
        refund: Option<RefundId>,
        credit_note: CreditNoteId,
    ) -> Decision {
        match &self.progress {
            Progress::Approved => {}
            Progress::Received(known) | Progress::Refunded(known) if known.credit_note == credit_note => {
                return Ok(vec![]);
            }
            Progress::Received(_) | Progress::Refunded(_) => return Err(Rejection::AlreadyReceived),
            Progress::Requested => return Err(Rejection::NotApproved),
            Progress::Rejected { .. } | Progress::Withdrawn => return Err(Rejection::Closed),
        }
        let came = summed(lines.iter().map(|it| Demand { variant: it.variant, quantity: it.quantity }));
        let came = came.map_err(|_| Rejection::NoLines)?;
        if came.is_empty() {
            return Err(Rejection::NoLines);
        }
        for Demand { variant, quantity } in came {
            let left = self.lines.iter().find(|line| line.variant == variant).map_or(0, |line| line.quantity.get());
            if quantity.get() > left {
                return Err(Rejection::TooMany { variant, left });
            }
        }
        let (order, lines) = (self.order, lines.to_vec());
        Ok(vec![Event::Received { order, lines, amount, refund, credit_note }])
    }

    fn mark_refunded(&self, refund: RefundId) -> Decision {
        // It may be another one than was asked for first: what the provider refuses is tried again.
        match &self.progress {
            Progress::Received(_) => Ok(vec![Event::Refunded { order: self.order, refund }]),
            Progress::Refunded(_) => Ok(vec![]),
            Progress::Requested | Progress::Approved | Progress::Rejected { .. } | Progress::Withdrawn => {
                Err(Rejection::NotApproved)
            }
        }
    }
}

#[cfg(test)]
mod tests;
