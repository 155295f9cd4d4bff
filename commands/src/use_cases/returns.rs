//! Returns: goods that buyers send back, from the request to the refund.
//!
//! The domain decides ([`byteshop_domain::aftersales`]); here is loaded what it looks at. What comes back concerns the order, its
//! payment, the stock and a credit note at once, and is appended whole or not at all.

use byteshop_domain::Personal;
use byteshop_domain::aftersales::{self, ShippingBack};
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::{self, Received, Return};
use byteshop_domain::text::Comment;
use chrono::{DateTime, Utc};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

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
    if let Ok(requested) = it.state.requested() {
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
    if let Ok(requested) = it.state.requested() {
        let order = unit.load::<Order>(requested.order).await?;
        together.hold(&order);
        if let Ok(placed) = order.state.placed() {
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
