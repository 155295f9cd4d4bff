//! An order: what somebody bought, on three separate axes: its status, its payment and its fulfilment.
//!
//! ```text
//! status       open ──────paid and fulfilled──────▶ completed
//!               └──cancelled (not once fulfilled)──▶ cancelled
//! payment      awaiting ──paid──▶ paid ──returned──▶ partly refunded ──▶ refunded
//!               │                  └──cancelled──▶ refund due ──refunded──▶ refunded
//!               └──cancelled──▶ voided
//! fulfilment   unfulfilled ──fulfilled──▶ fulfilled ──returned──▶ partly returned ──▶ returned
//! ```
//!
//! A cancelled order is never marked paid: money that arrives too late is refused here with [`Rejection::Cancelled`],
//! and [`process`](crate::process) then gives it back. What was bought is written down whole, so no later change of a
//! product, a price or a cart reaches it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{CreditNoteId, OrderId, PaymentId, VariantId};
use crate::money::Money;
use crate::quantity::{Demand, summed};

mod message;
mod rejection;

pub use message::{Buyer, CancelReason, Command, Event, Line, Placement, ReturnLine};
pub use rejection::Rejection;

/// Most lines of an order: a wholesaler's invoices reach some hundreds, and one event must stay small enough to deliver.
pub const LINES_MAX: usize = 2_000;

/// An order as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Order {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    Placed(Box<Placed>),
}

/// What is known of an order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Placed {
    /// Whether it goes on.
    pub status: Status,
    /// What became of the money.
    pub payment_status: PaymentStatus,
    /// What became of the goods.
    pub fulfilment: Fulfilment,
    /// Why it is off; nothing while it is not.
    pub cancelled: Option<CancelReason>,
    /// What was paid back for returned goods.
    pub refunded: Money,
    /// What came back, per variant.
    pub returned: BTreeMap<VariantId, i64>,
    /// The credit notes for it.
    pub credit_notes: Vec<CreditNoteId>,
    /// What was bought.
    #[serde(flatten)]
    pub placement: Placement,
}

/// Whether an order goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Something is still to do.
    Open,
    /// It is paid for and handed over.
    Completed,
    /// It is off.
    Cancelled,
}

/// What became of an order's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// It is to be paid.
    Awaiting,
    /// It is paid.
    Paid,
    /// Some of it was paid back.
    PartlyRefunded,
    /// All of it was paid back.
    Refunded,
    /// The order is off, and all of it is to be paid back.
    RefundDue,
    /// The order is off, and nothing was paid.
    Voided,
}

/// What became of an order's goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fulfilment {
    /// They are here.
    Unfulfilled,
    /// They are handed over.
    Fulfilled,
    /// Some of them came back.
    PartlyReturned,
    /// All of them came back.
    Returned,
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Order {
    const CATEGORY: &'static str = "order";
    type Id = OrderId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::Place(placement) => match self {
                Self::Missing => place(placement),
                // The same again: already done.
                Self::Placed(placed) if placed.placement == **placement => Ok(vec![]),
                Self::Placed(_) => Err(Rejection::Exists),
            },
            Command::MarkPaid { payment } => self.placed()?.mark_paid(*payment),
            Command::Fulfil {} => self.placed()?.fulfil(),
            Command::Cancel { reason } => self.placed()?.cancel(*reason),
            Command::MarkRefunded { payment } => self.placed()?.mark_refunded(*payment),
            Command::Return { credit_note, lines, amount, restock } => {
                self.placed()?.give_back(*credit_note, lines, *amount, *restock)
            }
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Placed(placement) => Self::Placed(Box::new(Placed {
                status: Status::Open,
                payment_status: PaymentStatus::Awaiting,
                fulfilment: Fulfilment::Unfulfilled,
                cancelled: None,
                refunded: Money::zero(placement.total.currency),
                returned: BTreeMap::new(),
                credit_notes: vec![],
                placement: placement.clone(),
            })),
            Event::Paid { .. } => self.with(|it| it.payment_status = PaymentStatus::Paid),
            Event::Fulfilled {} => self.with(|it| {
                it.status = Status::Completed;
                it.fulfilment = Fulfilment::Fulfilled;
            }),
            Event::Cancelled { reason, was_paid, .. } => self.with(|it| {
                it.status = Status::Cancelled;
                it.cancelled = Some(*reason);
                it.payment_status = if *was_paid { PaymentStatus::RefundDue } else { PaymentStatus::Voided };
            }),
            Event::Refunded { .. } => self.with(|it| {
                it.payment_status = PaymentStatus::Refunded;
                it.refunded = it.placement.total;
            }),
            Event::Returned { credit_note, lines, amount, .. } => {
                self.with(|it| it.take_back(*credit_note, lines, *amount))
            }
        }
    }
}

impl Order {
    /// What is known of it, if it exists.
    pub fn placed(&self) -> Result<&Placed, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Placed(placed) => Ok(placed),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Placed)) -> Self {
        if let Self::Placed(placed) = &mut self {
            change(placed);
        }
        self
    }
}

fn place(placement: &Placement) -> Decision {
    let Placement { lines, total, .. } = placement;
    if lines.is_empty() {
        return Err(Rejection::NoLines);
    }
    if lines.len() > LINES_MAX || summed(lines.iter().map(Line::demand)).is_err() {
        return Err(Rejection::TooManyLines);
    }
    if let Some(line) = lines.iter().position(|line| line.due() != Ok(line.amount)) {
        return Err(Rejection::WrongAmount { line });
    }
    if Money::sum(total.currency, lines.iter().map(|line| line.amount)) != Ok(*total) {
        return Err(Rejection::WrongTotal);
    }
    Ok(vec![Event::Placed(placement.clone())])
}

impl Placed {
    /// What it wants of the stock, summed per variant.
    pub fn demands(&self) -> Vec<Demand> {
        // Placing checked that the sums are quantities.
        summed(self.placement.lines.iter().map(Line::demand)).unwrap_or_default()
    }

    /// What the processes move for it: nothing for an import, which moved its stock itself.
    fn stock_to_move(&self) -> Vec<Demand> {
        if self.placement.imported { vec![] } else { self.demands() }
    }

    fn mark_paid(&self, payment: PaymentId) -> Decision {
        if payment != self.placement.payment {
            return Err(Rejection::OtherPayment);
        }
        match self.payment_status {
            PaymentStatus::Awaiting => Ok(vec![Event::Paid { payment, commit: self.stock_to_move() }]),
            PaymentStatus::RefundDue | PaymentStatus::Voided => Err(Rejection::Cancelled),
            // The same payment again: already done.
            PaymentStatus::Paid | PaymentStatus::PartlyRefunded | PaymentStatus::Refunded => Ok(vec![]),
        }
    }

    fn fulfil(&self) -> Decision {
        match self.status {
            Status::Completed => Ok(vec![]),
            Status::Cancelled => Err(Rejection::Cancelled),
            Status::Open if self.payment_status == PaymentStatus::Awaiting => Err(Rejection::NotPaid),
            Status::Open => Ok(vec![Event::Fulfilled {}]),
        }
    }

    fn cancel(&self, reason: CancelReason) -> Decision {
        match self.status {
            Status::Cancelled => Ok(vec![]),
            Status::Completed => Err(Rejection::AlreadyFulfilled),
            // The window was for paying; a timer that comes late cancels nothing that is paid for.
            Status::Open if self.is_paid() && payments_reason(reason) => Err(Rejection::AlreadyPaid),
            Status::Open => Ok(vec![Event::Cancelled {
                reason,
                payment: self.placement.payment,
                was_paid: self.is_paid(),
                release: self.stock_to_move(),
            }]),
        }
    }

    fn is_paid(&self) -> bool {
        self.payment_status == PaymentStatus::Paid
    }

    fn mark_refunded(&self, payment: PaymentId) -> Decision {
        if payment != self.placement.payment {
            return Err(Rejection::OtherPayment);
        }
        match self.payment_status {
            PaymentStatus::RefundDue => Ok(vec![Event::Refunded { payment }]),
            // The money came after the order was cancelled and went straight back: the order never had it.
            PaymentStatus::Refunded | PaymentStatus::Voided => Ok(vec![]),
            PaymentStatus::Awaiting | PaymentStatus::Paid | PaymentStatus::PartlyRefunded => {
                Err(Rejection::NotCancelled)
            }
        }
    }

    fn give_back(&self, credit_note: CreditNoteId, lines: &[ReturnLine], amount: Money, restock: bool) -> Decision {
        if self.credit_notes.contains(&credit_note) {
            return Ok(vec![]);
        }
        match self.status {
            Status::Open => return Err(Rejection::NotFulfilled),
            Status::Cancelled => return Err(Rejection::Cancelled),
            Status::Completed => {}
        }
        if lines.is_empty() {
            return Err(Rejection::NoLines);
        }
        if lines.iter().any(|line| line.amount.amount < 0)
            || Money::sum(self.placement.total.currency, lines.iter().map(|line| line.amount)) != Ok(amount)
        {
            return Err(Rejection::WrongTotal);
        }
        let demand = |line: &ReturnLine| Demand { variant: line.variant, quantity: line.quantity };
        let back = summed(lines.iter().map(demand)).map_err(|_| Rejection::TooManyLines)?;
        for Demand { variant, quantity } in &back {
            let left = self.left_to_return(*variant);
            if quantity.get() > left {
                return Err(Rejection::TooManyReturned { variant: *variant, left });
            }
        }
        match self.refunded.plus(amount) {
            Ok(refunded) if refunded.amount <= self.placement.total.amount => {}
            Ok(_) | Err(_) => return Err(Rejection::TooMuchRefunded),
        }
        let restock = if restock && !self.placement.imported { back } else { vec![] };
        Ok(vec![Event::Returned { credit_note, lines: lines.to_vec(), amount, restock }])
    }

    /// How many of a variant have not come back.
    pub fn left_to_return(&self, variant: VariantId) -> i64 {
        let bought = self.placement.lines.iter().filter(|line| line.variant == variant);
        let bought: i64 = bought.map(|line| line.quantity.get()).sum();
        bought - self.returned.get(&variant).copied().unwrap_or(0)
    }

    fn take_back(&mut self, credit_note: CreditNoteId, lines: &[ReturnLine], amount: Money) {
        self.credit_notes.push(credit_note);
        for line in lines {
            *self.returned.entry(line.variant).or_default() += line.quantity.get();
        }
        // Deciding checked the sum; should it ever not add up, the fold keeps what it had.
        self.refunded = self.refunded.plus(amount).unwrap_or(self.refunded);
        // No variant comes back more often than it was bought, so equal sums mean that everything is back.
        let bought: i64 = self.placement.lines.iter().map(|line| line.quantity.get()).sum();
        let all_back = self.returned.values().sum::<i64>() == bought;
        self.fulfilment = if all_back { Fulfilment::Returned } else { Fulfilment::PartlyReturned };
        let all_refunded = self.refunded == self.placement.total;
        self.payment_status = if all_refunded { PaymentStatus::Refunded } else { PaymentStatus::PartlyRefunded };
    }
}

/// Whether an order is cancelled for this reason only while nothing is paid.
fn payments_reason(reason: CancelReason) -> bool {
    match reason {
        CancelReason::PaymentFailed | CancelReason::PaymentCancelled | CancelReason::PaymentWindowPassed => true,
        CancelReason::BuyerRequest | CancelReason::StaffRequest | CancelReason::Imported => false,
    }
}

#[cfg(test)]
mod tests;
