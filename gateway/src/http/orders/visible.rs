//! Orders that a caller may know of: their own, and all of them for staff. To all others there is no such order.

use byteshop_commands::links::Target;
use byteshop_commands::{Error, Loaded, Rejected, Snapshot, Unit};
use byteshop_domain::ids::OrderId;
use byteshop_domain::order::{Order, Placed};
use byteshop_eventstore::Recorded;
use chrono::{DateTime, Utc};
use http::HeaderMap;

use crate::app::App;
use crate::edge::actor::{Caller, Who};
use crate::edge::ask::Ask;
use crate::edge::by_link::ByLink;
use crate::edge::past::Then;
use crate::edge::problem::Problem;

/// An order that the caller may know of; to all others there is no such order.
pub(in crate::http) async fn own<T: Send + Sync>(
    unit: &Unit,
    id: OrderId,
    ask: &Ask<Caller, T>,
) -> Result<Loaded<Order>, Error> {
    let order = unit.load::<Order>(id).await?.exists()?;
    check(&ask.who, order.state.live()?)?;
    unit.check_version(&order)?;
    Ok(order)
}

/// The request with the cart that the order was, if a guest acts on their order: the log names the guest as it did at checkout.
pub(in crate::http) async fn on_order<T>(
    app: &App,
    ask: Ask<Caller, T>,
    id: impl Into<Option<OrderId>>,
) -> Result<Ask<Caller, T>, Error> {
    let Some(id) = id.into().filter(|_| ask.who.is_guest()) else { return Ok(ask) };
    let order = app.commands.seen::<Order>(id).await?;
    let placed = order.as_ref().and_then(|order| order.live().ok());
    let cart = placed.filter(|placed| check(&ask.who, placed).is_ok()).and_then(|placed| placed.placement.cart);
    Ok(match cart {
        Some(cart) => ask.on_cart(cart),
        None => ask,
    })
}

/// Refuses an order that is not the caller's.
pub(in crate::http) fn check(caller: &impl Who, placed: &Placed) -> Result<(), Error> {
    let (caller, placement) = (caller.caller(), &placed.placement);
    if caller.is_staff() || caller.owns(placement.buyer.account, placement.access_hash.as_ref()) {
        return Ok(());
    }
    Err(Rejected::missing("order").into())
}

impl App {
    /// An order that the caller may know of, as it is or was; to all others there is no such order.
    pub(in crate::http) async fn seen_order(
        &self,
        caller: &Caller,
        id: OrderId,
        then: &Then,
        headers: &HeaderMap,
    ) -> Result<Snapshot<Order>, Problem> {
        let may_see = |order: &Order| Ok(check(caller, order.live()?)?);
        self.snapshot_for(id, then, headers, may_see).await
    }

    /// An order that a link to one of these opens, or else that the caller may know of.
    pub(in crate::http) async fn opened_order(
        &self,
        caller: &Caller,
        id: OrderId,
        (link, targets): (&ByLink, &[Target]),
        then: &Then,
        headers: &HeaderMap,
    ) -> Result<Snapshot<Order>, Problem> {
        match link.opens(self, targets).await? {
            None => self.seen_order(caller, id, then, headers).await,
            Some(opened) => {
                opened?;
                self.snapshot::<Order>(id, then, headers).await
            }
        }
    }

    /// Refuses a thing that belongs to an order of others, as if there were no such thing.
    pub(in crate::http) async fn check_part(
        &self,
        caller: &Caller,
        of: OrderId,
        thing: &'static str,
    ) -> Result<(), Problem> {
        let order = self.commands.get::<Order>(of).await?.ok_or_else(|| Problem::missing(thing))?;
        check(caller, order.state.live()?).map_err(|_| Problem::missing(thing))
    }
}

/// When an order was placed and paid, and which version the payment made it.
pub(in crate::http) struct Moments {
    pub(in crate::http) placed: Option<DateTime<Utc>>,
    pub(in crate::http) paid: Option<DateTime<Utc>>,
    pub(in crate::http) paid_version: Option<i64>,
}

impl Moments {
    pub(in crate::http) async fn of(app: &App, id: OrderId) -> Result<Self, Problem> {
        let events = app.commands.beginning::<Order>(id).await?;
        let event = |wanted: &str| events.iter().find(|event| event.event_type == wanted);
        let (placed, paid) = (event("placed").map(Recorded::occurred_at), event("paid"));
        Ok(Self { placed, paid: paid.map(Recorded::occurred_at), paid_version: paid.map(|paid| paid.version) })
    }
}
