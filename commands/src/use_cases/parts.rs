//! Parts of orders: what the members of a seller do with its part, and which parcels and returns are of it.
//!
//! A member acts on paid orders although the seller is suspended, or closed: the buyer waits for the goods. To an account that is
//! no member, and for an order without a part of the seller, there is no such thing.

use byteshop_domain::Decider as _;
use byteshop_domain::ids::{AccountId, OrderId, ReturnId, SellerId, ShipmentId};
use byteshop_domain::order::{self, CancelReason, Order, Part, Placed};
use byteshop_domain::quantity::Demand;
use byteshop_domain::returns::Return;
use byteshop_domain::seller::{self, Seller};
use byteshop_domain::shipment::{Carrier, Shipment};

use crate::engine::error::{Error, Rejected};
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::sellers::ActsFor;
use crate::use_cases::{orders, sellers, shipments};

/// An order with a part of a seller, for a command of staff or of the members of the seller, at the version that the caller
/// expects. The append expects the seller and the account of a member to be unchanged.
pub async fn for_change(
    unit: &Unit,
    seller: SellerId,
    order: OrderId,
    acts_for: ActsFor,
) -> Result<Loaded<Order>, Error> {
    match acts_for {
        ActsFor::House => drop(unit.load::<Seller>(seller).await?.exists()?),
        ActsFor::Sellers(account) => drop(sellers::for_member(unit, seller, account).await?),
    }
    let order = unit.load::<Order>(order).await?.exists()?;
    part_of(order.state.live()?, seller)?;
    unit.check_version(&order)?;
    Ok(order)
}

/// The part of a seller.
fn part_of(placed: &Placed, seller: SellerId) -> Result<&Part, order::Rejection> {
    placed.parts.of_seller(seller).map(|(_, part)| part).ok_or(order::Rejection::Missing)
}

/// Puts some of the part of a seller in a parcel, or everything of it that is left to ship.
pub async fn prepare(
    unit: &Unit,
    order: &Loaded<Order>,
    seller: SellerId,
    lines: Option<Vec<Demand>>,
    carrier: &Carrier,
) -> Result<Loaded<Shipment>, Error> {
    let placed = order.state.live()?;
    let part = part_of(placed, seller)?;
    let lines = lines.unwrap_or_else(|| placed.left_to_ship_of(part));
    if let Some(line) = lines.iter().find(|line| !part.has(line.variant)) {
        return Err(order::Rejection::TooManyShipped { variant: line.variant, left: 0 }.into());
    }
    shipments::prepare(unit, order.id, Some(&lines), carrier).await
}

/// Cancels some of the part of a seller, or everything of it that is not packed: the buyer is refunded for it.
pub async fn cancel(
    unit: &Unit,
    order: &mut Loaded<Order>,
    seller: SellerId,
    lines: Option<Vec<Demand>>,
    restock: bool,
) -> Result<(), Error> {
    let placed = order.state.live()?;
    let part = part_of(placed, seller)?;
    let lines = match lines {
        Some(lines) => lines,
        None => left_to_cancel(placed, part)?,
    };
    if let Some(line) = lines.iter().find(|line| !part.has(line.variant)) {
        return Err(order::Rejection::TooManyCancelled { variant: line.variant, left: 0 }.into());
    }
    orders::cancel_lines(unit, order, &lines, CancelReason::StaffRequest, restock, None).await
}

/// Everything of a part that can still be cancelled; refuses a part with nothing of it.
fn left_to_cancel(placed: &Placed, part: &Part) -> Result<Vec<Demand>, order::Rejection> {
    let left = placed.left_to_cancel_of(part);
    if left.is_empty() { Err(order::Rejection::NothingToSend) } else { Ok(left) }
}

/// Everything that can still be cancelled of the part of an order with this number.
pub fn numbered(placed: &Placed, number: u16) -> Result<Vec<Demand>, order::Rejection> {
    left_to_cancel(placed, placed.parts.number(number).ok_or(order::Rejection::NoSuchPart)?)
}

/// A parcel for a command of staff, or of the members of the seller whose part of the order is in it, at the version that the
/// caller expects.
pub async fn parcel(unit: &Unit, id: ShipmentId, acts_for: ActsFor) -> Result<Loaded<Shipment>, Error> {
    let it = unit.load::<Shipment>(id).await?.exists()?;
    if let ActsFor::Sellers(account) = acts_for {
        let order = unit.load::<Order>(it.state.live()?.order).await?;
        let part = order.state.live()?.part_of_parcel(id);
        if !is_for(unit, part, account).await? {
            return Err(Rejected::missing(Shipment::CATEGORY).into());
        }
    }
    unit.check_version(&it)?;
    Ok(it)
}

/// A return for a command of staff, or of the members of the seller whose part of the order comes back, at the version that the
/// caller expects.
pub async fn returned(unit: &Unit, id: ReturnId, acts_for: ActsFor) -> Result<Loaded<Return>, Error> {
    let it = unit.load::<Return>(id).await?.exists()?;
    if let ActsFor::Sellers(account) = acts_for {
        let order = unit.load::<Order>(it.state.live()?.order).await?;
        let part = order.state.live()?.parts.all().iter().find(|part| part.returns.contains(&id));
        if !is_for(unit, part, account).await? {
            return Err(Rejected::missing(Return::CATEGORY).into());
        }
    }
    unit.check_version(&it)?;
    Ok(it)
}

/// Whether a part is of a seller of which an account is a member. A member whose account cannot be used is refused.
async fn is_for(unit: &Unit, part: Option<&Part>, account: AccountId) -> Result<bool, Error> {
    let Some(seller) = part.and_then(|part| part.seller) else { return Ok(false) };
    let known = unit.load::<Seller>(seller).await?;
    if known.state.live().and_then(|known: &seller::Known| known.role_of(account)).is_err() {
        return Ok(false);
    }
    sellers::for_member(unit, seller, account).await?;
    Ok(true)
}
