//! Orders after checkout: cancelled in whole or in part, fulfilled, and the notes that staff writes on them.
//!
//! The domain decides ([`byteshop_domain::aftersales`]); here is loaded what it looks at. A cancellation concerns the order, its
//! payment, the stock and a credit note at once, and is appended whole or not at all.

use byteshop_domain::aftersales;
use byteshop_domain::ids::VariantId;
use byteshop_domain::order::{CancelReason, Command, Order};
use byteshop_domain::payment::Payment;
use byteshop_domain::quantity::Demand;
use byteshop_domain::text::NoteText;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

pub use byteshop_domain::aftersales::ShippingBack;

/// Cancels an order; see [`aftersales::cancel`].
pub async fn cancel(unit: &Unit, order: &mut Loaded<Order>, reason: CancelReason, restock: bool) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(order);
    if let Ok(placed) = order.state.live() {
        if placed.is_paid() {
            together.load::<Payment>(&[placed.placement.payment]).await?;
        }
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

/// Records that all goods of an order were handed over.
pub fn fulfil(unit: &Unit, order: &mut Loaded<Order>) -> Result<(), Error> {
    unit.decide(order, &Command::Fulfil {})
}

/// Adds an internal note to an order, encrypted with the key of its buyer.
pub async fn note(unit: &Unit, order: &mut Loaded<Order>, note: &NoteText) -> Result<(), Error> {
    let subject = order.state.live()?.subject(order.id);
    let note = unit.commands().vault().seal(subject, note).await?;
    unit.decide(order, &Command::Note { note })
}

fn names(lines: &[Demand], variant: VariantId) -> bool {
    lines.iter().any(|line| line.variant == variant)
}
