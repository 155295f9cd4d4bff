//! Going on after an abandoned payment: the lines of an order that was never paid are put into an open cart again.

use byteshop_domain::Subject;
use byteshop_domain::cart::{self, Cart, Destination};
use byteshop_domain::ids::{CartId, Id as _};
use byteshop_domain::order::{self, CancelReason, Order, PaymentStatus, Placed};
use byteshop_domain::payment::Payment;
use byteshop_domain::pricing::PartShipping;
use byteshop_domain::promotion::CouponCode;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::settlement::ensure_payment_recorded;

use super::{open_cart, open_cart_of_guest};
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::orders;

/// Cancels an unpaid order and moves its lines, codes, address and shipping service into an open cart: the one of its
/// account in that currency, or a new one with the guest's token. An order that expired or was cancelled unpaid can be
/// moved as well. Repeating this returns the same cart.
///
/// # Errors
/// `order.already_paid` once the payment is captured or authorized.
pub async fn move_to_cart(unit: &Unit, order: &mut Loaded<Order>, days: u16) -> Result<Loaded<Cart>, Error> {
    let placed = order.state.live()?.clone();
    if let Some(cart) = placed.moved_to {
        return unit.load::<Cart>(cart).await?.exists();
    }
    // The payment is expected to stay as it is, so an attempt and this cannot both be first.
    let mut together = unit.together();
    together.hold(order);
    together.load::<Payment>(&[placed.placement.payment]).await?;
    together.decide(|work| ensure_payment_recorded(work, order.id))?;
    if placed.progress.payment_status == PaymentStatus::Awaiting {
        // Its stock is free in the same append, so that the cart can be bought at once.
        orders::cancel(unit, order, CancelReason::BuyerRequest, true).await?;
    }
    let owner = placed.placement.buyer.account;
    let mut cart = if let Some(account) = owner {
        open_cart(unit, account, placed.placement.total.currency, days).await?.0
    } else {
        let (token_hash, currency) = (placed.placement.access_hash.clone(), placed.placement.total.currency);
        open_cart_of_guest(unit, token_hash, currency, days)?
    };
    unit.decide(order, &order::Command::MoveToCart { cart: cart.id })?;
    fill(unit, &mut cart, &placed, order).await?;
    Ok(cart)
}

/// Adds the lines of the order to the cart, without pieces that were cancelled.
async fn fill(unit: &Unit, cart: &mut Loaded<Cart>, placed: &Placed, order: &Loaded<Order>) -> Result<(), Error> {
    let placement = &placed.placement;
    let line = |line: &order::Line| {
        let quantity = Quantity::new(line.quantity.get() - placed.off(line.variant)).ok()?;
        Some(cart::Line {
            variant: line.variant,
            product: line.product,
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity,
            unit_price: line.unit_price,
        })
    };
    let from = placement.cart.unwrap_or(CartId::from_uuid(order.id.uuid()));
    let codes: Vec<CouponCode> =
        unit.peek::<Cart>(from).await?.state.live().map(|cart| cart.coupons.clone()).unwrap_or_default();
    let lines = placement.lines.iter().filter_map(line).collect();
    unit.decide(cart, &cart::Command::Merge { from, lines, codes })?;
    let (has_destination, has_service) =
        cart.state.live().map_or((true, true), |it| (it.destination.is_some(), it.service.is_some()));
    if !has_destination && let Some(destination) = destination(unit, cart.id, placed).await? {
        unit.decide(cart, &cart::Command::SetDestination { destination })?;
    }
    if !has_service && let Some(shipping) = &placement.shipping {
        unit.decide(cart, &cart::Command::ChooseShipping { service: shipping.service.clone(), seller: None })?;
    }
    for PartShipping { seller, shipping } in &placement.part_shipping {
        let is_open = cart.state.live().is_ok_and(|it| it.service_of(Some(*seller)).is_none());
        if is_open {
            let (service, seller) = (shipping.service.clone(), Some(*seller));
            unit.decide(cart, &cart::Command::ChooseShipping { service, seller })?;
        }
    }
    Ok(())
}

/// Where the order was to go, sealed for the cart: what a guest wrote has a key of its own for each order, so that forgetting
/// one does not take the other's address. None when the buyer was forgotten.
async fn destination(unit: &Unit, cart: CartId, placed: &Placed) -> Result<Option<Destination>, Error> {
    let destination = &placed.placement.destination;
    // Before addresses were sealed a name of a country could stand here, which carts do not accept any more.
    let Some(sealed) = &destination.address else {
        return Ok(Some(destination.clone()).filter(|it| it.country.is_code()));
    };
    let subject = Subject::of_cart(cart, placed.placement.buyer.account);
    let address = match unit.commands().vault().open(sealed).await? {
        Some(_) if sealed.subject() == subject => sealed.clone(),
        Some(address) => unit.commands().vault().seal(subject, &address).await?,
        None => return Ok(None),
    };
    Ok(Some(Destination { address: Some(address), ..destination.clone() }))
}
