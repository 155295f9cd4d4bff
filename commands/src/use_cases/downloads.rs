//! Downloads of what was bought: the signed URLs of a buyer, and what happens when one of them is followed.

use byteshop_domain::digital_good::{self, DigitalGood};
use byteshop_domain::download::{self, Command, Download, Rejection};
use byteshop_domain::ids::{OrderId, VariantId};
use byteshop_domain::order::{Order, Placed};
use byteshop_domain::text::Link;
use byteshop_domain::{Actor, Personal};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::unit::Unit;
use crate::links::{self, Target};

/// How long a URL can be followed: a large download over a slow connection, with breaks.
pub const URL_VALID: TimeDelta = TimeDelta::hours(12);

/// A signed URL, which is one download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The order.
    pub order: OrderId,
    /// The variant.
    pub variant: VariantId,
    /// Its number.
    pub number: Uuid,
    /// When it expires.
    pub until: DateTime<Utc>,
}

/// What an order has of the good of a variant.
#[derive(Debug, Clone)]
pub struct Held {
    /// The order.
    pub order: OrderId,
    /// The variant.
    pub variant: VariantId,
    /// How many pieces its buyer has left.
    pub pieces: i64,
    /// Why the order has no downloads now, if it has none.
    pub refused: Option<Rejection>,
    /// Whether the variant delivers a link now.
    pub has_link: bool,
    /// Its downloads so far.
    pub download: Download,
}

impl Commands {
    /// What an order has of the good of a variant; none if its pieces are no downloads.
    pub async fn held(&self, id: OrderId, placed: &Placed, variant: VariantId) -> Result<Option<Held>, Error> {
        if !placed.is_downloadable(variant) {
            return Ok(None);
        }
        let good = self.get::<DigitalGood>(digital_good::id(variant)).await?;
        let download = self.get::<Download>(download::id(id, variant)).await?;
        Ok(Some(Held {
            order: id,
            variant,
            pieces: placed.downloads_left(variant),
            refused: placed.check_downloads().err(),
            has_link: good.is_some_and(|good| good.state.link.is_some()),
            download: download.map(|it| (*it.state).clone()).unwrap_or_default(),
        }))
    }

    /// A new URL for a download of an order, as far as one can begin.
    pub async fn download_url(&self, held: &Held) -> Result<Option<links::Link>, Error> {
        let now = self.clock().now();
        if !held.has_link || held.download.check(held.pieces, now).is_err() {
            return Ok(None);
        }
        let number = self.clock().new_id();
        let target = Target::Download { order: held.order, variant: held.variant, ticket: number };
        Ok(Some(self.link_until(target, now + URL_VALID).await?))
    }
}

impl Held {
    /// Refuses a ticket that cannot be used now.
    pub fn check(&self, ticket: Ticket, now: DateTime<Utc>) -> Result<(), Error> {
        if !self.has_link {
            return Err(Rejection::Missing.into());
        }
        if let Some(refused) = &self.refused {
            return Err(refused.clone().into());
        }
        self.download.would_count(ticket.number, ticket.until, self.pieces, now)?;
        Ok(())
    }
}

/// The buyer of an order, as the log names them: a URL is followed without a token, and was made for them.
pub fn buyer(placed: &Placed) -> Actor {
    let placement = &placed.placement;
    match placement.buyer.account {
        Some(id) => Actor::Customer { id },
        None => Actor::Guest { cart: placement.cart },
    }
}

/// Follows a URL: a ticket that is used for the first time counts. Gives the link, still sealed.
///
/// The append expects the order to be unchanged, so that what is given back at this moment is followed before, or not at all.
pub async fn follow(unit: &Unit, ticket: Ticket) -> Result<Personal<Link>, Error> {
    let order = unit.load::<Order>(ticket.order).await?;
    let placed = order.state.live().map_err(|_| Rejected::missing("order"))?;
    let good = unit.peek::<DigitalGood>(digital_good::id(ticket.variant)).await?;
    let link = good.state.link.clone().ok_or(Rejection::Missing)?;
    placed.check_downloads()?;
    let mut download = unit.load::<Download>(download::id(ticket.order, ticket.variant)).await?;
    let (number, until, pieces) = (ticket.number, ticket.until, placed.downloads_left(ticket.variant));
    unit.decide(&mut download, &Command::Start { ticket: number, until, pieces })?;
    Ok(link)
}
