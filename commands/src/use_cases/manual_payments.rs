//! Payments without a provider: the buyer chooses how to pay, staff records what was received and what went back.

use byteshop_domain::ids::{OrderId, ReceiptId, RefundId};
use byteshop_domain::money::Money;
use byteshop_domain::order::Order;
use byteshop_domain::payment::{Command, NewReceipt, Payment};
use byteshop_domain::payment_book::{self, ManualKind, PaymentBook};
use byteshop_domain::settlement;
use byteshop_domain::text::{NoteText, Reason, Reference, Slug};
use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::execute::Done;
use crate::engine::intent::Intent;
use crate::engine::unit::{Loaded, Unit};

/// Money that staff saw on the account, in the till or elsewhere.
#[derive(Debug, Clone)]
pub struct Received<'a> {
    /// How the money reached the shop; by default as the buyer chose.
    pub kind: Option<ManualKind>,
    /// The amount.
    pub amount: Money,
    /// The reference of the money.
    pub reference: &'a Reference,
    /// The day on which it was received.
    pub received_on: NaiveDate,
    /// A note for staff.
    pub note: Option<&'a NoteText>,
    /// Whether it may be more than what is due.
    pub surplus: bool,
}

impl Commands {
    /// Records that the buyer of an order chose a manual method; see [`settlement::choose`].
    ///
    /// An attempt that waits at the provider's page is cancelled there first, as a buyer who chooses another way has left it.
    /// `allowed` refuses orders of other people; `answer` makes the answer from the payment.
    pub async fn choose_method<T, P, R>(
        &self,
        intent: &Intent,
        order: OrderId,
        method: &Slug,
        allowed: P,
        answer: R,
    ) -> Result<Done<T>, Error>
    where
        T: Serialize + DeserializeOwned + Send,
        P: Fn(&Order) -> Result<(), Error> + Send + Sync,
        R: Fn(&Loaded<Payment>) -> T + Send + Sync,
    {
        self.open()?;
        let _running = self.enter(intent)?;
        if let Some(key) = &intent.key
            && let Some(done) = self.first_answer(key).await?
        {
            return Ok(done);
        }
        // Whatever else is in the way, such as that the order is not theirs, is said first.
        let known = self.get::<Order>(order).await?.ok_or_else(|| Rejected::missing("order"))?;
        allowed(&known.state)?;
        self.cancel_waiting_attempt(intent, order).await?;
        let (allowed, answer) = (&allowed, &answer);
        self.run_entered(intent, |unit| async move {
            let order = unit.load::<Order>(order).await?.exists()?;
            allowed(&order.state)?;
            unit.check_version(&order)?;
            let mut together = unit.together();
            together.hold(&order);
            together.load::<Payment>(&[order.state.live()?.placement.payment]).await?;
            let book = unit.load::<PaymentBook>(payment_book::id()).await?;
            together.hold(&book);
            if book.state.methods.get(method).is_some_and(|it| it.kind.is_on_delivery()) {
                together.load_stock(&order.state.live()?.stock_to_move()).await?;
            }
            // The order is expected to stay as it is, so a choice and a cancellation cannot both be first.
            let payment = together.decide(|work| settlement::choose(work, order.id, method))?;
            Ok(answer(&unit.load::<Payment>(payment).await?))
        })
        .await
    }
}

/// Records money that was received. Returns the amount at stake: all of the payment, if this captures it.
pub async fn record_receipt(
    unit: &Unit,
    payment: &mut Loaded<Payment>,
    received: Received<'_>,
) -> Result<Money, Error> {
    unit.commands().open()?;
    let Received { kind, amount, reference, received_on, note, surplus } = received;
    let before = payment.state.live()?;
    let (order, was_captured) = (before.order, before.was_captured());
    let note = match note {
        Some(note) => {
            let subject = unit.peek::<Order>(order).await?.state.live()?.subject(order);
            Some(unit.commands().vault().seal(subject, note).await?)
        }
        None => None,
    };
    let (receipt, reference) = (unit.new_id(), reference.clone());
    let new = NewReceipt { receipt, kind, amount, reference, received_on, note, surplus };
    unit.decide(payment, &Command::RecordReceipt(Box::new(new)))?;
    let after = payment.state.live()?;
    let captured = if was_captured { Money::zero(amount.currency) } else { after.captured() };
    Ok(if captured.amount > amount.amount { captured } else { amount })
}

/// Records that a receipt was a mistake.
pub fn void_receipt(
    unit: &Unit,
    payment: &mut Loaded<Payment>,
    receipt: ReceiptId,
    reason: &Reason,
) -> Result<(), Error> {
    unit.decide(payment, &Command::VoidReceipt { receipt, reason: reason.clone() })
}

/// Records that staff made a refund outside the shop. Returns its amount.
pub fn settle_refund(
    unit: &Unit,
    payment: &mut Loaded<Payment>,
    refund: RefundId,
    reference: &Reference,
    settled_on: NaiveDate,
) -> Result<Money, Error> {
    unit.decide(payment, &Command::SettleRefund { refund, reference: reference.clone(), settled_on })?;
    let settled = payment.state.live()?;
    let nothing = Money::zero(settled.amount.currency);
    Ok(settled.refunds.get(&refund).map_or(nothing, |refund| refund.amount))
}
