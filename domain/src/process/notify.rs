//! Tells people what happened: from an event to the task of queueing a notification, and from that to sending it.
//!
//! ```text
//! account, order, payment, parcel, return, seller event ─▶ tell ─▶ notification queued
//! order placed ─▶ timer ─▶ tell, unless it was paid or cancelled by then
//! stock came in, price set ─▶ tell the watchers ─▶ notifications queued
//! new version of a file ─▶ tell its buyers ─▶ notifications queued
//! few keys left, keys revoked ─▶ tell the members of their seller ─▶ notifications queued
//! dispute opened, due or ended ─▶ tell the owners of the sellers with a part of its order ─▶ notifications queued
//! payout destination chosen, payout paid, failed or returned ─▶ tell the owners of the seller ─▶ notifications queued
//! ```
//! and in a process of its own, so that a slow mail server holds up nothing but mail ([`SendNotifications`]):
//! ```text
//! queued, revived ─▶ send ─▶ attempted ─▶ timer: give up ─▶ died, as its outcome is unknown
//!                                └─▶ sent, died, skipped: clear the timer
//!                                └─▶ failed ─▶ timer at retry_at ─▶ send
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use super::notification_task::{KeyNews, NotificationTask, Sending};
use super::{Process, Reaction};
use crate::account::{self, Account};
use crate::digital_good::{self, DigitalGood};
use crate::dispute::Dispute;
use crate::ids::{AccountId, OrderId, ProductId, ReturnId, ShipmentId, VariantId};
use crate::key_pool::{self, KeyPool};
use crate::money::Money;
use crate::notification::{self, CancelledBy, Message, Notification};
use crate::order::{self, CancelReason, Order};
use crate::payment::{self, Payment, RefundCause};
use crate::payout::Payout;
use crate::payout_account::{self, PayoutAccount};
use crate::product::{self, Product};
use crate::returns::{self, Return};
use crate::seller::Seller;
use crate::shipment::{self, Carrier, Shipment};
use crate::stock::{self, StockLevel};
use crate::{AnyEvent, Reads};

mod sellers;
#[cfg(test)]
mod tests;

use sellers::{of_destination, of_dispute, of_keys, of_payout, of_seller};

/// How long an attempt may go without an outcome: longer than any carrier may take, so that only an attempt whose maker
/// died is given up.
pub const ATTEMPT_GRACE: TimeDelta = TimeDelta::seconds(45);

/// How long an order waits for its payment before its buyer hears that it was placed: a card is charged within it, and one
/// mail says both.
pub const PLACED_GRACE: TimeDelta = TimeDelta::seconds(5);

/// A step of one of the two processes: its task, which a timer stores beside the word `notify`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Step<E> {
    /// Carry out a task.
    Notify(E),
}

/// The process that queues.
#[derive(Debug, Clone, Copy)]
pub struct Notify;

impl Process for Notify {
    const NAME: &'static str = "notify";
    const READS: &'static [Reads] = &[
        Reads::only::<Account>(&[
            "confirmation_requested",
            "password_reset_requested",
            "email_change_requested",
            "registration_repeated",
            "password_changed",
            "totp_confirmed",
            "totp_removed",
        ]),
        Reads::only::<DigitalGood>(&["version_added"]),
        Reads::only::<Dispute>(&["opened", "reminded", "won", "lost"]),
        Reads::only::<KeyPool>(&["revoked", "ran_low"]),
        Reads::only::<Order>(&["placed", "paid", "fulfilled", "completed", "cancelled", "lines_cancelled", "refunded"]),
        Reads::only::<Payment>(&["method_chosen", "refunded"]),
        Reads::only::<Payout>(&["paid", "failed", "returned"]),
        Reads::only::<PayoutAccount>(&["destination_chosen"]),
        Reads::only::<Product>(&["price_set", "published"]),
        Reads::only::<Return>(&["approved", "rejected"]),
        Reads::only::<Seller>(&["member_invited"]),
        Reads::only::<Shipment>(&["handed_over", "attempt_failed", "returning_to_sender", "lost"]),
        Reads::only::<StockLevel>(&["received", "returned", "counted", "released", "unlimited", "sale_resumed"]),
    ];
    type Step = Step<NotificationTask>;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Self::Step>> {
        let task = if let AnyEvent::Order(id, event) = event {
            return reactions_to_order(*id, event, recorded_at);
        } else if let AnyEvent::Account(id, event) = event {
            return of_account(*id, event).into_iter().map(now).collect();
        } else if let AnyEvent::Dispute(id, event) = event {
            return of_dispute(*id, event).into_iter().map(now).collect();
        } else if let AnyEvent::Payment(_, event) = event {
            of_payment(event)
        } else if let AnyEvent::Shipment(id, event) = event {
            of_shipment(*id, event)
        } else if let AnyEvent::Return(id, event) = event {
            of_return(*id, event)
        } else if let AnyEvent::Product(id, event) = event {
            of_product(*id, event)
        } else if let AnyEvent::Stock(id, event) = event {
            of_stock(*id, event)
        } else if let AnyEvent::Seller(id, event) = event {
            of_seller(*id, event)
        } else if let AnyEvent::KeyPool(id, event) = event {
            of_keys(key_pool::variant(*id), event)
        } else if let AnyEvent::Payout(id, event) = event {
            of_payout(*id, event)
        } else if let AnyEvent::PayoutAccount(id, event) = event {
            of_destination(payout_account::seller(*id), event)
        } else if let AnyEvent::DigitalGood(id, event) = event {
            of_good(digital_good::variant(*id), event)
        } else {
            None
        };
        task.map(now).into_iter().collect()
    }
}

fn now<E>(task: E) -> Reaction<Step<E>> {
    Reaction::Now(Step::Notify(task))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_account(account: AccountId, event: &account::Event) -> Vec<NotificationTask> {
    let message = match event {
        account::Event::ConfirmationRequested { code, expires_at, .. } => {
            Message::ConfirmEmail { code: code.clone(), expires_at: *expires_at }
        }
        account::Event::PasswordResetRequested { code, expires_at, .. } => {
            Message::ResetPassword { code: code.clone(), expires_at: *expires_at }
        }
        // The code goes to the other address, and the present one hears of it.
        account::Event::EmailChangeRequested { email, code, expires_at, .. } => {
            let (email, code) = (email.clone(), code.clone());
            let messages =
                [Message::ConfirmNewEmail { email, code, expires_at: *expires_at }, Message::EmailChangeRequested {}];
            return messages.map(|message| NotificationTask::TellAccount { account, message }).into();
        }
        account::Event::RegistrationRepeated { .. } => Message::AlreadyRegistered {},
        account::Event::PasswordChanged { .. } => Message::PasswordChanged {},
        account::Event::TotpConfirmed { .. } => Message::SecondFactorSetUp {},
        account::Event::TotpRemoved {} => Message::SecondFactorRemoved {},
        _ => return vec![],
    };
    vec![NotificationTask::TellAccount { account, message }]
}

/// That an order was placed is told a little later, and not at all once there is newer news of it.
fn reactions_to_order(
    order: OrderId,
    event: &order::Event,
    recorded_at: DateTime<Utc>,
) -> Vec<Reaction<Step<NotificationTask>>> {
    let (key, task) = (order.to_string(), of_order(order, event));
    if matches!(event, order::Event::Placed(_)) {
        let at = recorded_at + PLACED_GRACE;
        let later = |task| Reaction::SetTimer { at, key, step: Step::Notify(task) };
        return task.map(later).into_iter().collect();
    }
    let ends_the_wait = matches!(event, order::Event::Paid { .. } | order::Event::Cancelled { .. });
    let clear = ends_the_wait.then_some(Reaction::ClearTimer { key });
    clear.into_iter().chain(task.map(now)).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_order(order: OrderId, event: &order::Event) -> Option<NotificationTask> {
    let message = match event {
        order::Event::Placed(placement) if placement.imported => return None,
        order::Event::Placed(_) => Message::OrderPlaced { order },
        order::Event::Paid { .. } => Message::OrderPaid { order },
        // Either everything was handed over without travelling, or everything that travelled has arrived.
        order::Event::Fulfilled { completed: true, .. } | order::Event::Completed {} => {
            Message::OrderDelivered { order }
        }
        order::Event::Cancelled { reason, was_paid, due, .. } => {
            Message::OrderCancelled { order, by: cancelled_by(*reason)?, refund_due: *was_paid, amount: *due }
        }
        order::Event::LinesCancelled { lines, amount, reason, was_paid, .. } => Message::OrderLinesCancelled {
            order,
            lines: lines.clone(),
            amount: *amount,
            by: cancelled_by(*reason)?,
            refund_due: *was_paid,
        },
        // Of what was to be had for nothing, nothing comes back.
        order::Event::Refunded { amount: Some(Money { amount: 0, .. }), .. } => return None,
        order::Event::Refunded { amount, .. } => Message::OrderRefunded { order, amount: *amount },
        // Parcels and returns tell of themselves, and money of its way back.
        _ => return None,
    };
    Some(NotificationTask::TellBuyer { order, message })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_payment(event: &payment::Event) -> Option<NotificationTask> {
    match event {
        payment::Event::MethodChosen { order, choice } => {
            let message = Message::PaymentInstructions { order: *order, choice: choice.clone() };
            Some(NotificationTask::TellBuyer { order: *order, message })
        }
        // The order tells of all other refunds; it never had money that was not due.
        payment::Event::Refunded { order, amount, cause: Some(RefundCause::NotDue), .. } => {
            let message = Message::OrderRefunded { order: *order, amount: Some(*amount) };
            Some(NotificationTask::TellBuyer { order: *order, message })
        }
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_shipment(parcel: ShipmentId, event: &shipment::Event) -> Option<NotificationTask> {
    match event {
        shipment::Event::HandedOver { order, carrier, tracking, .. } => {
            let carrier = match carrier {
                Carrier::Simulated { .. } => None,
                Carrier::Other { name } => Some(name.clone()),
            };
            let (tracking, parcel) = (Some(tracking.clone()), Some(parcel));
            let message = Message::OrderShipped { order: *order, carrier, tracking, parcel };
            Some(NotificationTask::TellBuyer { order: *order, message })
        }
        shipment::Event::AttemptFailed { order, .. } => {
            Some(NotificationTask::TellBuyer { order: *order, message: Message::DeliveryFailed { order: *order } })
        }
        shipment::Event::ReturningToSender { order, .. } => {
            Some(NotificationTask::TellBuyer { order: *order, message: Message::DeliveryReturning { order: *order } })
        }
        shipment::Event::Lost { order, .. } => {
            Some(NotificationTask::TellBuyer { order: *order, message: Message::DeliveryLost { order: *order } })
        }
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_return(back: ReturnId, event: &returns::Event) -> Option<NotificationTask> {
    let (order, message) = match event {
        returns::Event::Approved { order } => (*order, Message::ReturnApproved { order: *order, back }),
        returns::Event::Rejected { order, reason } => {
            (*order, Message::ReturnRejected { order: *order, back, reason: reason.clone() })
        }
        // Who asked knows that they did, and of the money its own message tells.
        _ => return None,
    };
    Some(NotificationTask::TellBuyer { order, message })
}

/// Who called it off, as far as its buyer is to know; nothing for what lies in the past.
fn cancelled_by(reason: CancelReason) -> Option<CancelledBy> {
    match reason {
        CancelReason::BuyerRequest => Some(CancelledBy::Buyer),
        // Nothing of it was sent before the authorization expired.
        CancelReason::StaffRequest | CancelReason::AuthorizationExpired => Some(CancelledBy::Shop),
        CancelReason::PaymentFailed | CancelReason::PaymentCancelled => Some(CancelledBy::Payment),
        CancelReason::PaymentWindowPassed => Some(CancelledBy::Unpaid),
        CancelReason::Imported => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_product(product: ProductId, event: &product::Event) -> Option<NotificationTask> {
    match event {
        product::Event::PriceSet { variant, price, .. } => {
            Some(NotificationTask::TellOfPrice { product, variant: *variant, price: *price })
        }
        product::Event::Published {} => Some(NotificationTask::TellOfReturn { product }),
        _ => None,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "only the events in READS lead to something")]
fn of_stock(variant: VariantId, event: &stock::Event) -> Option<NotificationTask> {
    match event {
        stock::Event::Received { .. }
        | stock::Event::Returned { .. }
        | stock::Event::Counted { .. }
        | stock::Event::Released { .. }
        | stock::Event::SaleResumed {}
        | stock::Event::Unlimited {} => Some(NotificationTask::TellOfStock { variant }),
        _ => None,
    }
}

fn of_good(variant: VariantId, event: &digital_good::Event) -> Option<NotificationTask> {
    let digital_good::Event::VersionAdded { file, version } = event else { return None };
    Some(NotificationTask::TellOfVersion { variant, file: *file, version: version.version })
}

/// The process that sends.
#[derive(Debug, Clone, Copy)]
pub struct SendNotifications;

impl Process for SendNotifications {
    const NAME: &'static str = "send_notifications";
    const READS: &'static [Reads] = &[Reads::all::<Notification>()];
    type Step = Step<Sending>;

    fn react(event: &AnyEvent, recorded_at: DateTime<Utc>) -> Vec<Reaction<Self::Step>> {
        let AnyEvent::Notification(id, event) = event else { return vec![] };
        let (notification, key) = (*id, id.to_string());
        let later = |at, task| Reaction::SetTimer { at, key: key.clone(), step: Step::Notify(task) };
        let send = || Sending::Send { notification, attempt: None };
        match event {
            notification::Event::Queued(_) => vec![now(Sending::Send { notification, attempt: Some(1) })],
            notification::Event::Revived {} => vec![now(send())],
            notification::Event::Attempted { attempt } => {
                vec![later(recorded_at + ATTEMPT_GRACE, Sending::GiveUp { notification, attempt: *attempt })]
            }
            notification::Event::Failed { retry_at, .. } => vec![later(*retry_at, send())],
            notification::Event::Sent { .. }
            | notification::Event::Died { .. }
            | notification::Event::Skipped { .. } => vec![Reaction::ClearTimer { key }],
        }
    }
}
