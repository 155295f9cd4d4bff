//! What comes after an order is placed: parts of it cancelled, money refunded, goods taken back.
//!
//! The domain decides ([`byteshop_domain::aftersales`]); here is loaded what it looks at. Each of these concerns the order, its
//! payment, the stock and a credit note at once, and is appended whole or not at all.

use byteshop_domain::Personal;
use byteshop_domain::aftersales;
use byteshop_domain::credit_note::CreditNote;
use byteshop_domain::ids::{RefundId, VariantId};
use byteshop_domain::money::Money;
use byteshop_domain::order::{CancelReason, Order, Placed};
use byteshop_domain::payment::Payment;
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::{self, Received, Return};
use byteshop_domain::series::{Series, of_credit_notes};
use byteshop_domain::text::{Comment, Reason};
use chrono::{DateTime, Datelike as _, Utc};

use crate::engine::error::Error;
use crate::engine::together::Together;
use crate::engine::unit::{Loaded, Unit};

pub use byteshop_domain::aftersales::ShippingBack;

/// Cancels an order; see [`aftersales::cancel`].
pub async fn cancel(unit: &Unit, order: &mut Loaded<Order>, reason: CancelReason, restock: bool) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(order);
    if let Ok(placed) = order.state.live() {
        together.load_documents(unit, placed).await?;
        together.load_stock(&placed.released_by_cancelling(restock)).await?;
    }
    together.decide(|work| aftersales::cancel(work, order.id, reason, restock))?;
    unit.refresh(order);
    Ok(())
}

/// Cancels some of an order, or all that is left of it; see [`aftersales::cancel_lines`].
pub async fn cancel_lines(
    unit: &Unit,
    order: &mut Loaded<Order>,
    lines: &[Demand],
    reason: CancelReason,
    restock: bool,
    shipping: Option<ShippingBack>,
) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(order);
    if let Ok(placed) = order.state.live() {
        together.load::<Payment>(&[placed.placement.payment]).await?;
        together.load_documents(unit, placed).await?;
        let named: Vec<Demand> = placed.demands().into_iter().filter(|it| names(lines, it.variant)).collect();
        together.load_stock(&named).await?;
    }
    together.decide(|work| aftersales::cancel_lines(work, order.id, lines, reason, restock, shipping))?;
    unit.refresh(order);
    Ok(())
}

/// Asks to send goods of an order back; see [`aftersales::request_return`].
pub fn request_return(
    unit: &Unit,
    order: &mut Loaded<Order>,
    lines: &[Demand],
    why: returns::Why,
    comment: Option<Personal<Comment>>,
    since: DateTime<Utc>,
) -> Result<Loaded<Return>, Error> {
    let mut together = unit.together();
    together.hold(order);
    let id = together.decide(|work| aftersales::request_return(work, order.id, lines, why, comment, since))?;
    unit.refresh(order);
    Ok(unit.begun(id))
}

/// Ends a return of which nothing comes: `command` rejects or withdraws it.
pub async fn close_return(unit: &Unit, it: &mut Loaded<Return>, command: &returns::Command) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(it);
    if let Ok(requested) = it.state.live() {
        together.load::<Order>(&[requested.order]).await?;
    }
    together.decide(|work| aftersales::close_return(work, it.id, command))?;
    unit.refresh(it);
    Ok(())
}

/// Takes in what came back; see [`aftersales::receive_return`].
pub async fn receive_return(
    unit: &Unit,
    it: &mut Loaded<Return>,
    lines: &[Received],
    shipping: Option<ShippingBack>,
) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(it);
    if let Ok(requested) = it.state.live() {
        let order = unit.load::<Order>(requested.order).await?;
        together.hold(&order);
        if let Ok(placed) = order.state.live() {
            together.load::<Payment>(&[placed.placement.payment]).await?;
            together.load_documents(unit, placed).await?;
            let whole = |it: &&Received| it.restock && placed.bought(it.variant) > 0;
            let demand = |it: &Received| Demand { variant: it.variant, quantity: it.quantity };
            together.load_stock(&lines.iter().filter(whole).map(demand).collect::<Vec<_>>()).await?;
        }
    }
    together.decide(|work| aftersales::receive_return(work, it.id, lines, shipping))?;
    unit.refresh(it);
    Ok(())
}

/// Retries a refund that the provider refused; see [`aftersales::retry_refund`].
pub fn retry_refund(unit: &Unit, payment: &mut Loaded<Payment>, failed: RefundId) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(payment);
    together.decide(|work| aftersales::retry_refund(work, payment.id, failed))?;
    unit.refresh(payment);
    Ok(())
}

/// Refunds a part of a payment because the shop wants it so; see [`aftersales::refund`].
pub async fn refund(unit: &Unit, payment: &mut Loaded<Payment>, amount: Money, reason: &Reason) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(payment);
    let order = unit.load::<Order>(payment.state.live()?.order).await?;
    together.hold(&order);
    if let Ok(placed) = order.state.live() {
        together.load_documents(unit, placed).await?;
    }
    together.decide(|work| aftersales::refund(work, payment.id, amount, reason))?;
    unit.refresh(payment);
    Ok(())
}

impl Together<'_> {
    /// The credit notes of an order, and the series of the next one where there can be one.
    pub(crate) async fn load_documents(&mut self, unit: &Unit, order: &Placed) -> Result<(), Error> {
        self.load::<CreditNote>(&order.credit_notes).await?;
        if order.is_paid() {
            self.load::<Series>(&[of_credit_notes(unit.asked().at.year())]).await?;
        }
        Ok(())
    }
}

fn names(lines: &[Demand], variant: VariantId) -> bool {
    lines.iter().any(|line| line.variant == variant)
}
