//! Returns: goods that buyers send back, from the request to the refund.
//!
//! The domain decides ([`byteshop_domain::aftersales`]); here is loaded what it looks at. What comes back concerns the order, its
//! payment, the stock and a credit note at once, and is appended whole or not at all.

use byteshop_domain::aftersales::{self, ShippingBack};
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::{Command, Received, Return, Why};
use byteshop_domain::text::{Comment, Reason};
use chrono::{DateTime, Utc};

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Requests a return of goods of an order; see [`aftersales::request_return`]. The buyer's comment is encrypted with their key.
pub async fn request(
    unit: &Unit,
    order: &mut Loaded<Order>,
    lines: &[Demand],
    why: Why,
    comment: Option<&Comment>,
    since: DateTime<Utc>,
) -> Result<Loaded<Return>, Error> {
    let comment = match comment {
        Some(comment) => {
            let subject = order.state.live()?.subject(order.id);
            Some(unit.commands().vault().seal(subject, comment).await?)
        }
        None => None,
    };
    let mut together = unit.together();
    together.hold(order);
    let id = together.decide(|work| aftersales::request_return(work, order.id, lines, why, comment, since))?;
    unit.refresh(order);
    Ok(unit.begun(id))
}

/// Approves a return: the buyer may send the goods.
pub fn approve(unit: &Unit, it: &mut Loaded<Return>) -> Result<(), Error> {
    unit.decide(it, &Command::Approve {})
}

/// Rejects a return, for a reason that its buyer is told.
pub async fn reject(unit: &Unit, it: &mut Loaded<Return>, reason: Reason) -> Result<(), Error> {
    close(unit, it, &Command::Reject { reason }).await
}

/// Withdraws a return, as its buyer wishes.
pub async fn withdraw(unit: &Unit, it: &mut Loaded<Return>) -> Result<(), Error> {
    close(unit, it, &Command::Withdraw {}).await
}

/// Ends a return of which nothing comes; see [`aftersales::close_return`].
async fn close(unit: &Unit, it: &mut Loaded<Return>, command: &Command) -> Result<(), Error> {
    let mut together = unit.together();
    together.hold(it);
    if let Ok(requested) = it.state.live() {
        together.load::<Order>(&[requested.order]).await?;
    }
    together.decide(|work| aftersales::close_return(work, it.id, command))?;
    unit.refresh(it);
    Ok(())
}

/// Records the receipt of returned goods, and refunds them; see [`aftersales::receive_return`].
pub async fn receive(
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
            let has_keys = |it: &&Received| placed.keys.contains_key(&it.variant);
            together.load_pools(&lines.iter().filter(has_keys).map(demand).collect::<Vec<_>>()).await?;
        }
    }
    together.decide(|work| aftersales::receive_return(work, it.id, lines, shipping))?;
    unit.refresh(it);
    Ok(())
}
