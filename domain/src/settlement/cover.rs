//! Gift cards and store credit that pay an order: held in the append that covers, and brought in step with the payment later.

use super::ensure_awaiting;
use crate::ids::{OrderId, PaymentId};
use crate::money::Money;
use crate::order::Order;
use crate::payment::{Command, Payment, RefundOutcome};
use crate::stored_value::{self, Cover, Means, StoredValue};
use crate::work::{Refused, Work};

/// Pays as much of an order as a gift card or store credit has, at most `most`: it holds the amount in the same append, so that
/// nothing is spent twice. Returns the payment, which is captured if nothing is left to pay.
pub fn cover(work: &mut Work, order: OrderId, means: Means, most: Option<Money>) -> Result<PaymentId, Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    ensure_awaiting(placed)?;
    if means.is_card() && placed.sells_gift_cards() {
        return Err(stored_value::Rejection::ForGiftCards.into());
    }
    let payment = placed.placement.payment;
    let coverable = work.get::<Payment>(payment)?.live()?.coverable(means);
    let id = means.value(coverable.currency);
    let state = work.get::<StoredValue>(id)?;
    let value = state.live()?;
    value.ensure_usable(coverable.currency, work.asked().at)?;
    let usable = value.available().amount + value.held_for(order).amount;
    if usable <= 0 {
        return Err(stored_value::Rejection::NothingLeft.into());
    }
    let amount = most.unwrap_or(Money { amount: usable.min(coverable.amount), ..coverable });
    if amount.amount > usable && amount.currency == coverable.currency {
        let left = Money { amount: usable, ..coverable };
        return Err(stored_value::Rejection::NotEnough { left }.into());
    }
    // The payment checks the amount, before it is held.
    work.decide::<Payment>(payment, &Command::Cover { cover: Cover { means, amount } })?;
    work.decide::<StoredValue>(id, &stored_value::Command::Hold { order, amount })?;
    Ok(payment)
}

/// Pays nothing of an order with a gift card or store credit any more: what it held is released in the same append.
pub fn uncover(work: &mut Work, payment: PaymentId, means: Means) -> Result<(), Refused> {
    let state = work.get::<Payment>(payment)?;
    let opened = state.live()?;
    let (order, nothing) = (opened.order, Money::zero(opened.amount.currency));
    work.decide::<Payment>(payment, &Command::Uncover { means })?;
    let release = stored_value::Command::Hold { order, amount: nothing };
    work.decide::<StoredValue>(means.value(nothing.currency), &release).map(drop)
}

/// Brings a stored value in step with a payment: its hold is redeemed if the payment is captured, and otherwise as large as what it
/// covers; and refunds that go to it are credited. Doing it again changes nothing.
pub fn settle_value(work: &mut Work, payment: PaymentId, means: Means) -> Result<(), Refused> {
    let state = work.get::<Payment>(payment)?;
    let opened = state.live()?;
    let (order, covered) = (opened.order, opened.covered_by(means));
    let id = means.value(covered.currency);
    let exists = work.get::<StoredValue>(id)?.live().is_ok();
    if exists && opened.was_captured() {
        work.decide::<StoredValue>(id, &stored_value::Command::Redeem { order, amount: covered })?;
    } else if exists {
        work.decide::<StoredValue>(id, &stored_value::Command::Hold { order, amount: covered })?;
    }
    let account = match means {
        Means::GiftCard { .. } => None,
        Means::StoreCredit { account } => Some(account),
    };
    for (refund, part) in opened.pending_refunds().filter(|(_, part)| part.to == Some(means)) {
        let amount = part.amount;
        work.decide::<StoredValue>(id, &stored_value::Command::Credit { order, refund, amount, account })?;
        let outcome = RefundOutcome::Done;
        work.decide::<Payment>(payment, &Command::RecordRefundOutcome { refund, outcome })?;
    }
    Ok(())
}
