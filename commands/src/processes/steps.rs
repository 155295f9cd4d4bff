//! One step of a process: a command like any other, asked by the process because of an event.

mod balances;
mod cause;

use byteshop_domain::decider::Decider;
use byteshop_domain::dispute::{self, Dispute};
use byteshop_domain::ids::{OrderId, PaymentId, ProductId, VariantId};
use byteshop_domain::order::Order;
use byteshop_domain::payment::{Payment, VoidReason};
use byteshop_domain::process::Process;
use byteshop_domain::process::follow_disputes::{self, FollowDisputes};
use byteshop_domain::process::forget_person::{self, ForgetPerson};
use byteshop_domain::process::notify::{self, NotificationTask, Notify, SendNotifications, Sending};
use byteshop_domain::process::post_balances::{self, PostBalances};
use byteshop_domain::process::schedule_products::{self, ScheduleProducts};
use byteshop_domain::process::send_payouts::{self, SendPayouts};
use byteshop_domain::process::settle_order::{self, SettleOrder, Step};
use byteshop_domain::product::{self, Product};
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::Return;
use byteshop_domain::stock::StockLevel;
use byteshop_domain::stored_value::{Cover, StoredValue};
use byteshop_domain::text::{Label, REASON_MAX, Reason};
use byteshop_domain::usage::Usage;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::{Intent, Key};
use crate::notify::{command_of, command_of_sending};
use crate::use_cases::{orders, products};

pub use cause::Cause;
use cause::intent;

/// A step while it is carried out.
pub type Running<'a> = BoxFuture<'a, Result<(), Error>>;

/// A process whose steps the runner can carry out.
pub trait CarryOut: Process {
    /// Carries out a step once, because of an event.
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a Self::Step) -> Running<'a>;
}

/// Carries out a step. What the domain refuses is final: the process says what follows from that.
pub async fn carry_out<P: CarryOut>(commands: &Commands, cause: &Cause, mut step: P::Step) -> Result<(), Error> {
    loop {
        let outcome = P::carry_out(commands, cause, &step).await;
        // A refusal that was written down before the last crash is the same refusal.
        let outcome = match outcome {
            Err(Error::Replayed(first)) => Err(*first),
            other => other,
        };
        match outcome {
            Err(Error::Rejected(rejected)) => {
                tracing::debug!(
                    process = cause.process,
                    position = cause.position,
                    code = rejected.code,
                    "a step was refused"
                );
                match P::when_refused(&step, &rejected) {
                    Some(next) => step = next,
                    None => return Ok(()),
                }
            }
            outcome => return outcome,
        }
    }
}

impl CarryOut for SettleOrder {
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a Step) -> Running<'a> {
        Box::pin(settle(commands, cause, step))
    }
}

impl CarryOut for Notify {
    fn carry_out<'a>(
        commands: &'a Commands,
        cause: &'a Cause,
        step: &'a notify::Step<NotificationTask>,
    ) -> Running<'a> {
        let notify::Step::Notify(task) = step;
        Box::pin(async move { commands.run_notification_task(&intent(commands, cause, command_of(task)), task).await })
    }
}

impl CarryOut for SendNotifications {
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a notify::Step<Sending>) -> Running<'a> {
        let notify::Step::Notify(sending) = step;
        let command = command_of_sending(sending);
        Box::pin(async move { commands.run_sending(&intent(commands, cause, command), sending).await })
    }
}

impl CarryOut for ForgetPerson {
    fn carry_out<'a>(commands: &'a Commands, _cause: &'a Cause, step: &'a forget_person::Step) -> Running<'a> {
        Box::pin(forget(commands, step))
    }
}

impl CarryOut for ScheduleProducts {
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a schedule_products::Step) -> Running<'a> {
        Box::pin(schedule(commands, cause, step))
    }
}

impl CarryOut for PostBalances {
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a post_balances::Step) -> Running<'a> {
        Box::pin(balances::post(commands, cause, step))
    }
}

impl CarryOut for FollowDisputes {
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a follow_disputes::Step) -> Running<'a> {
        Box::pin(follow(commands, cause, step))
    }
}

impl CarryOut for SendPayouts {
    fn carry_out<'a>(commands: &'a Commands, cause: &'a Cause, step: &'a send_payouts::Step) -> Running<'a> {
        Box::pin(balances::send(commands, cause, step))
    }
}

async fn follow(commands: &Commands, cause: &Cause, step: &follow_disputes::Step) -> Result<(), Error> {
    match step {
        follow_disputes::Step::Remind { dispute } => {
            let remind = dispute::Command::Remind {};
            one::<Dispute>(commands, &intent(commands, cause, "dispute.remind"), *dispute, remind).await
        }
        follow_disputes::Step::Look { dispute } => {
            commands.look_at_dispute(&intent(commands, cause, "dispute.look"), *dispute).await
        }
    }
}

async fn forget(commands: &Commands, step: &forget_person::Step) -> Result<(), Error> {
    let forget_person::Step::ForgetPerson { subject } = step;
    Ok(commands.vault().erase(*subject).await.map(|_| ())?)
}

async fn schedule(commands: &Commands, cause: &Cause, step: &schedule_products::Step) -> Result<(), Error> {
    match step {
        schedule_products::Step::PublishProduct { product, at } => {
            publish_due(commands, &intent(commands, cause, "product.publish"), *product, *at).await
        }
        schedule_products::Step::UnpublishProduct { product, until } => {
            let command = product::Command::UnpublishDue { until: *until };
            one::<Product>(commands, &intent(commands, cause, "product.unpublish"), *product, command).await
        }
    }
}

async fn settle(commands: &Commands, cause: &Cause, step: &Step) -> Result<(), Error> {
    let intent = |command| intent(commands, cause, command);
    match step {
        Step::MarkPaid { order, payment } => commands.mark_paid(&intent("order.mark_paid"), *order, *payment).await,
        Step::MarkRefunded { order, .. } => {
            decide::<Order>(commands, &intent("order.mark_refunded"), &[*order], step).await
        }
        Step::MarkReturnRefunded { return_id, .. } => {
            decide::<Return>(commands, &intent("return.mark_refunded"), &[*return_id], step).await
        }
        Step::MarkAuthorized { order, .. } => {
            decide::<Order>(commands, &intent("order.mark_authorized"), &[*order], step).await
        }
        Step::CancelOrder { order, reason } => {
            let (order, reason, intent) = (*order, *reason, intent("order.cancel"));
            let cancelled = commands.run(&intent, |unit| async move {
                let mut order = unit.load::<Order>(order).await?;
                orders::cancel(&unit, &mut order, reason, true).await
            });
            cancelled.await.map(drop)
        }
        Step::CommitStock { lines, .. } => {
            decide::<StockLevel>(commands, &intent("stock.commit"), &variants(lines), step).await
        }
        Step::ReleaseStock { lines, .. } => {
            decide::<StockLevel>(commands, &intent("stock.release"), &variants(lines), step).await
        }
        Step::ReturnStock { order, lines } => {
            // Stock cannot see that something was returned, so the step has a receipt.
            let key = Some(once(cause, "return_stock", *order));
            let intent = Intent { key, ..intent("stock.return") };
            decide::<StockLevel>(commands, &intent, &variants(lines), step).await
        }
        Step::ReleaseClaims { order } => release_claims(commands, cause, *order, step).await,
        Step::SettleValue { payment, cover } => settle_value(commands, cause, *payment, *cover, step).await,
        Step::ExpireValue { value } => {
            decide::<StoredValue>(commands, &intent("stored_value.expire"), &[*value], step).await
        }
        Step::CapturePayment { payment } => commands.capture_payment(&intent("payment.capture"), *payment).await,
        Step::VoidPayment { payment } => {
            commands.void_payment(&intent("payment.void"), *payment, VoidReason::OrderCancelled).await
        }
        Step::ExpireAuthorization { payment } => {
            commands.expire_authorization(&intent("payment.expire"), *payment).await
        }
        Step::ReleaseStray { payment, reference } => {
            commands.hear_of_charge(&intent("payment.release_stray"), *payment, reference).await
        }
        Step::TrackShipment { shipment } => commands.track_shipment(&intent("shipment.track"), *shipment).await,
        Step::SettlePayment { payment, attempt } => {
            commands.settle_payment(&intent("payment.settle"), *payment, attempt.as_ref()).await
        }
    }
}

/// Shows a product whose moment has come, or notes why it cannot be shown any more.
async fn publish_due(commands: &Commands, intent: &Intent, id: ProductId, at: DateTime<Utc>) -> Result<(), Error> {
    let shown = commands.run(intent, |unit| async move {
        let mut product = unit.load::<Product>(id).await?;
        products::publish_due(&unit, &mut product, at).await
    });
    let rejected = match shown.await {
        Err(Error::Rejected(rejected)) => rejected,
        shown => return shown.map(drop),
    };
    let said: String = rejected.detail.chars().filter(|letter| !letter.is_control()).take(REASON_MAX).collect();
    let (Ok(code), Ok(because)) = (Label::new(&rejected.code), Reason::new(&said)) else {
        return Err(Error::Rejected(rejected));
    };
    one::<Product>(commands, intent, id, product::Command::RefusePublication { at, code, because }).await
}

async fn one<A: Decider>(commands: &Commands, intent: &Intent, id: A::Id, command: A::Command) -> Result<(), Error> {
    let command = &command;
    commands
        .run(intent, |unit| async move {
            let mut loaded = unit.load::<A>(id).await?;
            unit.decide(&mut loaded, command)
        })
        .await?;
    Ok(())
}

/// Carries out a step on the aggregates of one kind that it concerns.
async fn decide<A: Decider>(commands: &Commands, intent: &Intent, ids: &[A::Id], step: &Step) -> Result<(), Error> {
    let decided = commands.run(intent, |unit| async move {
        let mut together = unit.together();
        together.load::<A>(ids).await?;
        together.decide(|work| settle_order::carry_out(work, step))
    });
    decided.await.map(drop)
}

async fn settle_value(
    commands: &Commands,
    cause: &Cause,
    payment: PaymentId,
    cover: Cover,
    step: &Step,
) -> Result<(), Error> {
    let value = cover.means.value(cover.amount.currency);
    let intent = intent(commands, cause, "stored_value.settle");
    let settled = commands.run(&intent, |unit| async move {
        let mut together = unit.together();
        together.load::<Payment>(&[payment]).await?;
        together.load::<StoredValue>(&[value]).await?;
        together.decide(|work| settle_order::carry_out(work, step))
    });
    settled.await.map(drop)
}

fn variants(lines: &[Demand]) -> Vec<VariantId> {
    lines.iter().map(|line| line.variant).collect()
}

/// Gives back what an order used of promotions. What it claimed never changes, so what is known of it is enough.
async fn release_claims(commands: &Commands, cause: &Cause, order: OrderId, step: &Step) -> Result<(), Error> {
    let Some(known) = commands.seen::<Order>(order).await? else { return Ok(()) };
    let claims = known.live().map(|placed| placed.placement.claims.as_slice()).unwrap_or_default();
    if claims.is_empty() {
        return Ok(());
    }
    let intent = Intent { key: Some(once(cause, "release_claims", order)), ..intent(commands, cause, "usage.release") };
    let known = &known;
    let released = commands.run(&intent, |unit| async move {
        let mut together = unit.together();
        together.know::<Order>(order, known);
        together.load::<Usage>(claims).await?;
        together.decide(|work| settle_order::carry_out(work, step))
    });
    released.await.map(drop)
}

/// A key that makes a step once that its aggregate cannot see as done.
fn once(cause: &Cause, step: &str, order: OrderId) -> Key {
    Key {
        who: format!("process {}", cause.process),
        key: format!("{}/{step}", cause.position),
        fingerprint: order.to_string().into_bytes(),
        kept_for: None,
    }
}
