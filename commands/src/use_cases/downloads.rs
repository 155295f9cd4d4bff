//! Downloads of what was bought: the signed URLs of a buyer, and what happens when one of them is followed.

use std::sync::Arc;

use byteshop_domain::digital_good::{self, DigitalGood, File, FileVersion};
use byteshop_domain::download::{self, Command, Download, Item, Rejection};
use byteshop_domain::ids::{FileId, OrderId, VariantId, made_at};
use byteshop_domain::order::{Order, Placed};
use byteshop_domain::subscribers::{self, Buyer, Subscribers};
use byteshop_domain::text::Link;
use byteshop_domain::{Actor, Personal};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
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
    /// What is downloaded.
    pub item: Item,
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
    /// The good.
    pub good: Arc<DigitalGood>,
    /// Its downloads so far.
    pub download: Download,
}

/// What is behind a URL.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Content {
    /// A link, still sealed.
    Link(Personal<Link>),
    /// A version of a file, whose address is still sealed.
    File(FileVersion),
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
            good: good.map(|good| good.state).unwrap_or_default(),
            download: download.map(|it| (*it.state).clone()).unwrap_or_default(),
        }))
    }

    /// A new URL for a download of an order, as far as one can begin.
    pub async fn download_url(&self, held: &Held, item: Item) -> Result<Option<links::Link>, Error> {
        let now = self.clock().now();
        if held.content(item).is_err() || held.download.check(item, held.pieces, now).is_err() {
            return Ok(None);
        }
        let ticket = self.clock().new_id();
        let target = Target::Download { order: held.order, variant: held.variant, item, ticket };
        Ok(Some(self.link_until(target, now + URL_VALID).await?))
    }
}

impl Held {
    /// What a ticket leads to, if it can be used now.
    pub fn check(&self, ticket: Ticket, now: DateTime<Utc>) -> Result<Content, Error> {
        let content = self.content(ticket.item)?;
        if let Some(refused) = &self.refused {
            return Err(refused.clone().into());
        }
        self.download.would_count(ticket.number, ticket.item, ticket.until, self.pieces, now)?;
        Ok(content)
    }

    /// The files that the order has, the oldest first.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &File)> {
        let placed_at = made_at(self.order).filter(|_| self.download.granted_at.is_some());
        self.good.files.iter().filter(move |(_, it)| it.is_for(placed_at)).map(|(id, it)| (*id, it))
    }

    fn content(&self, item: Item) -> Result<Content, Rejection> {
        match item {
            Item::Link => self.good.link.clone().map(Content::Link).ok_or(Rejection::Missing),
            Item::File { file, version } => {
                let found = self.files().find(|(id, _)| *id == file).and_then(|(_, it)| it.version(version));
                found.cloned().map(Content::File).ok_or(Rejection::Missing)
            }
        }
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

/// Follows a URL: a ticket that is used for the first time counts. Gives what is behind it, still sealed.
///
/// The append expects the order to be unchanged, so that what is given back at this moment is followed before, or not at all.
pub async fn follow(unit: &Unit, ticket: Ticket) -> Result<Content, Error> {
    let order = unit.load::<Order>(ticket.order).await?;
    let placed = order.state.live().map_err(|_| Rejected::missing("order"))?;
    let good = unit.peek::<DigitalGood>(digital_good::id(ticket.variant)).await?;
    placed.check_downloads()?;
    let mut download = unit.load::<Download>(download::id(ticket.order, ticket.variant)).await?;
    let Ticket { order, variant, item, number, until } = ticket;
    let (pieces, so_far) = (placed.downloads_left(variant), (*download.state).clone());
    let content = Held { order, variant, pieces, refused: None, good: good.state, download: so_far }.content(item)?;
    unit.decide(&mut download, &Command::Start { ticket: number, item, until, pieces })?;
    Ok(content)
}

/// Unsubscribes the buyer of an order from the messages about new versions of what a variant delivers.
pub async fn unsubscribe(unit: &Unit, order: OrderId, variant: VariantId) -> Result<(), Error> {
    let found = unit.peek::<Order>(order).await?;
    let placed = found.state.live()?;
    if !placed.is_downloadable(variant) {
        return Err(subscribers::Rejection::Missing.into());
    }
    let buyer = Buyer::of(order, placed);
    let mut part = unit.load::<Subscribers>(subscribers::part_of(variant, buyer)).await?;
    unit.decide(&mut part, &subscribers::Command::Unsubscribe { buyer })
}
