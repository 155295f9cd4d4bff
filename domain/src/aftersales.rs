//! What follows after an order is placed: cancellations, refunds and returns.
//!
//! ```text
//! order:       cancel     cancel lines     credit       return
//! payment:                reduce, refund   refund       refund
//! stock:       release what is reserved, return what had left the stock
//! credit note: issue, with the next number of its series
//! ```
//!
//! Pure: each is decided on states that were loaded before, and appended whole or not at all. The provider is only asked later,
//! by the process that reads these events.

use chrono::{DateTime, Utc};

use crate::ids::{OrderId, ReturnId};
use crate::key_delivery;
use crate::money::Money;
use crate::order::{self, CancelReason, Order, Placed};
use crate::payment::{self, Payment, RefundCause};
use crate::quantity::{Demand, Quantity};
use crate::returns::{self, Received, Return};
use crate::settlement::ensure_payment_recorded;
use crate::stock::{self, StockLevel};
use crate::text::Comment;
use crate::work::{Refused, Work};
use crate::{Kind, Personal};

mod credit;
mod disputes;
mod elsewhere;
mod money;

use credit::{Back, issue, left_to_credit, merged, most, uncounted};
pub use disputes::{Claim, Verdict, accept_dispute, conclude_dispute, open_dispute};
pub use elsewhere::record_made_elsewhere;
use money::give_shipping_back;
pub use money::{ShippingBack, Wanted, refund, retry_refund};

/// Cancels an order: what is left of its payment is refunded with a credit note, or the payment is voided. The reservation is
/// released; `restock` says whether pieces that had left the stock are put back in it.
pub fn cancel(work: &mut Work, order: OrderId, reason: CancelReason, restock: bool) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let before = state.live()?;
    ensure_undisputed(work, before)?;
    let to_credit = left_to_credit(work, before)?;
    let total = to_credit.total().map_err(uncounted)?;
    // A refund that is still to be made has a credit note already.
    let left = before.left_of_payment();
    let left = Money { amount: left.amount.min(total.amount), ..left };
    let due = if before.is_paid() { credit::by_supplier(before, left) } else { vec![] };
    let backs: Vec<Back> = due.iter().map(|it| Back::of_cancelled(work, before, it)).collect();
    let credit_notes = backs.iter().map(|back| back.credit_note).collect();
    if !work.decide::<Order>(order, &order::Command::Cancel { reason, credit_notes, restock })? {
        return Ok(());
    }
    let released = before.released_by_cancelling(restock);
    if before.has_left_stock() {
        work.put_back(order, &released)?;
    } else {
        work.move_stock(&released, |_| stock::Command::Release { order, reason: None })?;
    }
    for (back, due) in backs.iter().zip(&due) {
        issue(work, (before, order), &to_credit, &due.lines, back)?;
    }
    Ok(())
}

/// Cancels lines of an order, or all that is left of it: the payment for them is refunded, and their reservation is released.
///
/// `restock` says whether pieces that had left the stock are put back in it. The shipping price is refunded with the last piece
/// that is shipped, and not before, unless `shipping` says otherwise; of an unpaid order that part is no longer due.
pub fn cancel_lines(
    work: &mut Work,
    order: OrderId,
    lines: &[Demand],
    reason: CancelReason,
    restock: bool,
    shipping: Option<ShippingBack>,
) -> Result<(), Refused> {
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    let lines = merged(lines)?;
    if placed.is_all_that_is_left(&lines) {
        if let Some(ShippingBack::Some(_) | ShippingBack::Nothing) = shipping {
            let said = "nothing would be left of the order, so all of its shipping is refunded: omit `shipping`";
            return Err(Refused::because("order.all_goes_back", Kind::Invalid, said));
        }
        return cancel(work, order, reason, restock);
    }
    ensure_payment_recorded(work, order)?;
    ensure_undisputed(work, placed)?;
    if !placed.is_paid() {
        // What is no longer due is not refunded; and if nothing is shipped, shipping is not charged.
        if let Some(ShippingBack::Some(_) | ShippingBack::Nothing) = shipping {
            return Err(order::Rejection::NotPaid.into());
        }
        if shipping.is_some() && !placed.shipping_falls_with(&lines) {
            return Err(order::Rejection::NotPaid.into());
        }
        return cancel_unpaid(work, (placed, order), &lines, reason, restock);
    }
    let payment = placed.placement.payment;
    let left = left_to_credit(work, placed)?;
    let most = most(work, &left, placed, &lines)?;
    let valued = placed.valued(&lines, most);
    let back = Back::of(work, placed, &valued)?;
    let back = if shipping.is_none() { back.with_shipping(work, placed, &lines, most) } else { back };
    // A free order, or one that was refunded before, takes no number.
    let credit_note = back.refund.map(|_| back.credit_note);
    let (lines_off, refund) = (valued.clone(), back.refund);
    let cancel =
        order::Command::CancelLines { lines: lines_off, shipping: back.shipping, reason, refund, credit_note, restock };
    work.decide::<Order>(order, &cancel)?;
    if credit_note.is_some() {
        back.request(work, payment, RefundCause::LinesCancelled)?;
        issue(work, (placed, order), &left, &valued, &back)?;
    }
    give_shipping_back(work, order, &lines, shipping)?;
    // Pieces that were lost in transit do not come back.
    let here = if restock { placed.at_hand(&lines) } else { vec![] };
    work.put_back(order, &here)
}

/// Cancels lines of an unpaid order: the amount to pay and the reservation are reduced. Pieces of an order that is paid on delivery had
/// left the stock.
fn cancel_unpaid(
    work: &mut Work,
    (before, order): (&Placed, OrderId),
    lines: &[Demand],
    reason: CancelReason,
    restock: bool,
) -> Result<(), Refused> {
    let valued = before.valued(lines, before.payable());
    let shipping =
        Some(before.shipping_left_with(lines)).filter(|it| it.amount > 0 && before.shipping_falls_with(lines));
    let (refund, credit_note) = (None, None);
    let command = order::Command::CancelLines { lines: valued, shipping, reason, refund, credit_note, restock };
    work.decide::<Order>(order, &command)?;
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    work.decide::<Payment>(placed.placement.payment, &payment::Command::Reduce { amount: placed.payable() })?;
    if before.has_left_stock() {
        // Pieces that were lost in transit do not come back.
        let here = if restock { before.at_hand(lines) } else { vec![] };
        return work.put_back(order, &here);
    }
    for Demand { variant, .. } in lines {
        let Some(held) = work.get::<StockLevel>(*variant)?.reservations.get(&order).copied() else { continue };
        // A reservation is released whole; the pieces that are kept are reserved again in the same append.
        work.decide::<StockLevel>(*variant, &stock::Command::Release { order, reason: None })?;
        if let Ok(quantity) = Quantity::new(placed.bought(*variant) - placed.off(*variant)) {
            let expires_at = held.expires_at;
            work.decide::<StockLevel>(*variant, &stock::Command::Reserve { order, quantity, expires_at })?;
        }
    }
    Ok(())
}

/// Requests a return. Goods that were handed over before `since` cannot be returned any more.
pub fn request_return(
    work: &mut Work,
    order: OrderId,
    lines: &[Demand],
    why: returns::Why,
    comment: Option<Personal<Comment>>,
    since: DateTime<Utc>,
) -> Result<ReturnId, Refused> {
    let return_id = work.start::<Return>();
    let lines = merged(lines)?;
    let ask = order::Command::RequestReturn { return_id, lines: lines.clone(), since: Some(since) };
    work.decide::<Order>(order, &ask)?;
    work.decide::<Return>(return_id, &returns::Command::Request { order, lines, why, comment })?;
    Ok(return_id)
}

/// Closes a return without a refund: `command` rejects or withdraws it.
pub fn close_return(work: &mut Work, return_id: ReturnId, command: &returns::Command) -> Result<(), Refused> {
    work.decide::<Return>(return_id, command)?;
    let order = order_of(work, return_id)?;
    work.decide::<Order>(order, &order::Command::CloseReturn { return_id })?;
    Ok(())
}

/// Receives returned goods: their share of the payment is refunded, and they are put back in stock if they can be sold again. Keys
/// and downloads never are: theirs are revoked.
/// The shipping price is not refunded unless `shipping` says otherwise.
pub fn receive_return(
    work: &mut Work,
    id: ReturnId,
    lines: &[Received],
    shipping: Option<ShippingBack>,
) -> Result<(), Refused> {
    let order = order_of(work, id)?;
    let state = work.get::<Order>(order)?;
    let placed = state.live()?;
    if !placed.is_paid() {
        return Err(order::Rejection::NotPaid.into());
    }
    ensure_undisputed(work, placed)?;
    let payment = placed.placement.payment;
    let demand = |line: &Received| Demand { variant: line.variant, quantity: line.quantity };
    let came = merged(&lines.iter().map(demand).collect::<Vec<_>>())?;
    let whole = merged(&lines.iter().filter(|line| line.restock).map(demand).collect::<Vec<_>>())?;
    let whole = placed.goods_among(whole);
    let left = left_to_credit(work, placed)?;
    let valued = placed.valued(&came, most(work, &left, placed, &came)?);
    let back = Back::of(work, placed, &valued)?;
    let (amount, refund, credit_note) = (back.amount, back.refund, back.credit_note);
    let receive = returns::Command::Receive { lines: lines.to_vec(), amount, refund, credit_note };
    work.decide::<Return>(id, &receive)?;
    let (restock, return_id) = (whole.clone(), Some(id));
    let take_back = order::Command::Return { credit_note, lines: valued.clone(), amount, restock, refund, return_id };
    work.decide::<Order>(order, &take_back)?;
    key_delivery::revoke(work, order, placed, &came)?;
    back.request(work, payment, RefundCause::Return { id })?;
    issue(work, (placed, order), &left, &valued, &back)?;
    give_shipping_back(work, order, &came, shipping)?;
    work.put_back(order, &whole)
}

/// Refuses while a dispute of a paid order is open: what is refunded beside it could go back twice.
fn ensure_undisputed(work: &Work, placed: &Placed) -> Result<(), Refused> {
    if !placed.is_paid() {
        return Ok(());
    }
    Ok(work.get::<Payment>(placed.placement.payment)?.live()?.ensure_undisputed()?)
}

fn order_of(work: &Work, return_id: ReturnId) -> Result<OrderId, Refused> {
    Ok(work.get::<Return>(return_id)?.live()?.order)
}

#[cfg(test)]
pub(crate) mod tests;
