//! The mailbox of a guest: limits how many mails it gets before an order of it is paid.
//!
//! ```text
//! unproven ──written──▶ unproven, up to UNPROVEN_MAX an hour ──proven──▶ proven (final): no limit
//! ```
//!
//! A guest's address is not confirmed, so without a limit the shop could be used to send mails to strangers. A paid order is
//! proof enough. The stream is named after the keyed hash of the address; the address itself is not in it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, MailboxId};
use crate::notification::{CancelledBy, Message};
use crate::order::{PaymentStatus, Placed};

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x8e64_1b0d_53f7_4c92_a1e8_7d39_f0c5_2b46);
/// Mails about unpaid orders in one [`WINDOW`]: a person places one order, or two when the first was wrong.
pub const UNPROVEN_MAX: usize = 3;
/// The time in which mails are counted.
pub const WINDOW: TimeDelta = TimeDelta::hours(1);

/// The stream of a mailbox, by the keyed hash of its address (UUID version 5: RFC 9562, section 5.5).
pub fn id(hash: &str) -> MailboxId {
    MailboxId::from_uuid(Uuid::new_v5(&NAMESPACE, hash.as_bytes()))
}

/// How a mail about a guest's order is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It is sent, and the mailbox is proven, as the order was paid.
    Write,
    /// It is sent if the mailbox has not reached its limit.
    Count,
    /// It is not sent.
    Omit,
}

/// How a mail about an order without an account is treated.
pub fn treatment(placed: &Placed, message: &Message) -> Treatment {
    match placed.progress.payment_status {
        PaymentStatus::Authorized
        | PaymentStatus::Paid
        | PaymentStatus::PartlyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::RefundDue => return Treatment::Write,
        // Goods that are paid on delivery may be sent to a stranger.
        PaymentStatus::Awaiting | PaymentStatus::OnDelivery | PaymentStatus::Voided => {}
    }
    match message {
        // The buyer does not know the shop's decision. Otherwise the guest cancelled or did not pay, and knows it.
        Message::OrderCancelled { by: CancelledBy::Shop, .. } => Treatment::Count,
        Message::OrderCancelled { .. } => Treatment::Omit,
        Message::ConfirmEmail { .. }
        | Message::ResetPassword { .. }
        | Message::ConfirmNewEmail { .. }
        | Message::EmailChangeRequested {}
        | Message::AlreadyRegistered {}
        | Message::PasswordChanged {}
        | Message::SecondFactorSetUp {}
        | Message::SecondFactorRemoved {}
        | Message::OrderPlaced { .. }
        | Message::PaymentInstructions { .. }
        | Message::OrderPaid { .. }
        | Message::OrderLinesCancelled { .. }
        | Message::OrderRefunded { .. }
        | Message::OrderShipped { .. }
        | Message::ReturnApproved { .. }
        | Message::ReturnRejected { .. }
        | Message::OrderDelivered { .. }
        | Message::DeliveryFailed { .. }
        | Message::DeliveryReturning { .. }
        | Message::DeliveryLost { .. }
        | Message::BackInStock { .. }
        | Message::PriceDropped { .. }
        | Message::SellerInvitation { .. }
        | Message::FileUpdated { .. }
        | Message::KeysRanLow { .. }
        | Message::KeysRevoked { .. }
        | Message::PayoutDestinationChosen { .. }
        | Message::PayoutSent { .. }
        | Message::PayoutFailed { .. }
        | Message::DisputeOpened { .. }
        | Message::DisputeDue { .. }
        | Message::DisputeEnded { .. }
        | Message::DisputeForStaff { .. } => Treatment::Count,
    }
}

/// What happened to a mailbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A mail about an unpaid order was queued for it.
    Written {
        /// The time.
        at: DateTime<Utc>,
    },
    /// An order of the mailbox was paid.
    Proven {},
}

impl crate::Event for Event {}

/// The commands of a mailbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Accept a mail about an unpaid order.
    Write {},
    /// Record that an order of the mailbox was paid.
    Prove {},
}

/// The state of a mailbox.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Mailbox {
    /// Whether an order of it was paid.
    pub proven: bool,
    /// When the last [`UNPROVEN_MAX`] mails were queued, the oldest first.
    pub written: Vec<DateTime<Utc>>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Rejection {
        TooMany => Conflict: "an address without a paid order gets at most {UNPROVEN_MAX} mails an hour";
    }
}

impl Decider for Mailbox {
    const CATEGORY: &'static str = "mailbox";
    type Id = MailboxId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Write {} | Command::Prove {} if self.proven => Ok(vec![]),
            Command::Write {} if !self.accepts(asked.at) => Err(Rejection::TooMany),
            Command::Write {} => Ok(vec![Event::Written { at: asked.at }]),
            Command::Prove {} => Ok(vec![Event::Proven {}]),
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Written { at } => {
                self.written.push(*at);
                let superfluous = self.written.len().saturating_sub(UNPROVEN_MAX);
                self.written.drain(..superfluous);
            }
            Event::Proven {} => self = Self { proven: true, written: Vec::new() },
        }
        self
    }
}

impl Mailbox {
    /// Whether another mail about an unpaid order may be written at a moment.
    pub fn accepts(&self, at: DateTime<Utc>) -> bool {
        let lately = self.written.iter().filter(|written| **written + WINDOW > at).count();
        self.proven || lately < UNPROVEN_MAX
    }
}

#[cfg(test)]
mod tests;
