//! Carts that a caller may see or change: those of their account, and the one that their token opens. To all others there is no such cart.

use byteshop_commands::use_cases::cart_total;
use byteshop_commands::use_cases::price::{self, Priced, Reading};
use byteshop_commands::{Error, Loaded, Rejected, Snapshot, Unit};
use byteshop_domain::cart::{Cart, Created};
use byteshop_domain::ids::CartId;
use http::HeaderMap;

use crate::app::Shared;
use crate::edge::actor::Caller;
use crate::edge::ask::Ask;
use crate::edge::past::Then;
use crate::edge::problem::Problem;
use crate::edge::reply::Reply;
use crate::http::show;

/// A cart that the caller may see; to all others there is no such cart.
pub(in crate::http) async fn readable(
    app: &Shared,
    id: CartId,
    then: &Then,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Snapshot<Cart>, Problem> {
    let may_see = |cart: &Cart| {
        let cart = cart.live()?;
        let owns = caller.owns(cart.owner, cart.token_hash.as_ref());
        if owns { Ok(()) } else { Err(Problem::missing("cart")) }
    };
    app.snapshot_for(id, then, headers, may_see).await
}

/// A cart that the caller may open; to all others there is no such cart.
pub(in crate::http) async fn own<T: Send + Sync>(
    unit: &Unit,
    id: CartId,
    ask: &Ask<Caller, T>,
) -> Result<Loaded<Cart>, Error> {
    let cart = unit.load::<Cart>(id).await?.exists()?;
    let created = cart.state.live()?;
    if !ask.who.owns(created.owner, created.token_hash.as_ref()) {
        return Err(Rejected::missing("cart").into());
    }
    // Only now: a version would tell a stranger that there is a cart.
    unit.check_version(&cart)?;
    Ok(cart)
}

/// A cart with its price, from the states in this process: it is no part of the decision, so it must not delay it.
pub(in crate::http) async fn priced<'a>(
    unit: &Unit,
    cart: &'a Loaded<Cart>,
) -> Result<(&'a Created, Option<Priced>), Error> {
    let created = cart.state.live()?;
    let open = cart.state.open(unit.asked().at).is_ok();
    let priced = if open { Some(price::price(Reading::Glancing(unit), created, unit.asked().at).await?) } else { None };
    unit.shows_total(cart.id, cart_total::total_to_remember(created, priced.as_ref()));
    Ok((created, priced))
}

/// Answers a cart after a change.
pub(in crate::http) async fn shown(unit: &Unit, cart: &Loaded<Cart>) -> Result<Reply, Error> {
    let (created, priced) = priced(unit, cart).await?;
    Reply::ok(cart.version, &show::Cart::of(unit.commands(), cart.id, created, priced.as_ref()))
}
