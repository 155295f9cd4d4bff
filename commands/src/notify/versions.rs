//! Telling buyers of a new version of a file: all who still have it and are subscribed, some at a time, each once.

use byteshop_domain::digital_good::{self, DigitalGood};
use byteshop_domain::download::{self, Download};
use byteshop_domain::ids::{FileId, OrderId, VariantId, made_at};
use byteshop_domain::notification::{Message, Recipient};
use byteshop_domain::order::Order;
use byteshop_domain::product::Product;
use byteshop_domain::subscribers::{self, Buyer, PARTS, Subscribers, TOLD_AT_ONCE};

use super::tell::{Reach, position, queue, tell_guest};
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::unit::Unit;

/// A new version of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewVersion {
    pub(super) variant: VariantId,
    pub(super) file: FileId,
    pub(super) version: u32,
}

impl Commands {
    pub(super) async fn tell_of_version(&self, intent: &Intent, new: NewVersion) -> Result<(), Error> {
        for number in 0..PARTS {
            let found = self.get::<Subscribers>(subscribers::part(new.variant, number)).await?;
            let Some(found) = found else { continue };
            let buyers: Vec<(Buyer, &[OrderId])> =
                found.state.buyers.iter().map(|(buyer, orders)| (*buyer, orders.as_slice())).collect();
            // Who is told twice, as this is done again after a crash, has a notification already.
            for some in buyers.chunks(TOLD_AT_ONCE) {
                self.run(intent, |unit| async move {
                    for (buyer, orders) in some {
                        tell(&unit, intent, new, *buyer, orders).await?;
                    }
                    Ok(())
                })
                .await?;
            }
        }
        Ok(())
    }
}

/// Tells a buyer, if one of their orders has the file.
async fn tell(unit: &Unit, intent: &Intent, new: NewVersion, buyer: Buyer, orders: &[OrderId]) -> Result<(), Error> {
    let part = unit.peek::<Subscribers>(subscribers::part_of(new.variant, buyer)).await?;
    if part.state.unsubscribed.contains(&buyer) {
        return Ok(());
    }
    let mut last = None;
    for order in orders.iter().rev() {
        if last.is_none() && has(unit, *order, new).await? {
            last = Some(*order);
        }
    }
    let (Some(order), Some(first)) = (last, orders.first()) else { return Ok(()) };
    let Some(message) = message(unit, order, new).await? else { return Ok(()) };
    match buyer {
        Buyer::Account(account) => match Reach::account(unit, account).await? {
            Some(reach) => queue(unit, position(intent), &reach, &message).await,
            None => Ok(()),
        },
        Buyer::Mailbox(_) | Buyer::Order(_) => {
            let found = unit.peek::<Order>(order).await?;
            let placed = found.state.live()?;
            if placed.forgotten {
                return Ok(());
            }
            let Some(reach) = Reach::buyer(unit, order, placed).await? else { return Ok(()) };
            // The buyer goes by their first order, so that another one which is paid meanwhile makes no second mail.
            tell_guest(unit, position(intent), &reach, &Recipient::Order(*first), placed, &message).await
        }
    }
}

/// Whether an order has a file, and its buyer can still download it.
async fn has(unit: &Unit, order: OrderId, new: NewVersion) -> Result<bool, Error> {
    let found = unit.peek::<Order>(order).await?;
    let Ok(placed) = found.state.live() else { return Ok(false) };
    let good = unit.peek::<DigitalGood>(digital_good::id(new.variant)).await?;
    let download = unit.peek::<Download>(download::id(order, new.variant)).await?;
    let is_over = download.state.until().is_some_and(|until| until <= unit.now());
    let is_granted = download.state.granted_at.is_some();
    let is_for = good.state.files.get(&new.file).is_some_and(|it| it.is_for(made_at(order)));
    Ok(placed.downloads_left(new.variant) > 0 && is_granted && is_for && !is_over)
}

async fn message(unit: &Unit, order: OrderId, new: NewVersion) -> Result<Option<Message>, Error> {
    let NewVersion { variant, file, version } = new;
    let good = unit.peek::<DigitalGood>(digital_good::id(variant)).await?;
    let Some(it) = good.state.files.get(&file).and_then(|it| it.version(version)) else { return Ok(None) };
    let Some(product) = good.state.product else { return Ok(None) };
    let found = unit.peek::<Product>(product).await?;
    let Ok(created) = found.state.live() else { return Ok(None) };
    let variant_title = created.variants.get(&variant).and_then(|it| created.told_apart(it));
    let (title, name) = (created.title.clone(), it.name.clone());
    Ok(Some(Message::FileUpdated { order, product, variant, title, variant_title, name, version }))
}
