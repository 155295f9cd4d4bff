//! Telling the members of a seller what happened to their keys, and its owners what happened to its money.

use byteshop_domain::ids::{AccountId, SellerId, VariantId};
use byteshop_domain::key_pool::{self, KeyPool};
use byteshop_domain::notification::Message;
use byteshop_domain::process::notify::KeyNews;
use byteshop_domain::product::Product;
use byteshop_domain::seller::{Role, Seller};

use super::tell::{Reach, position, queue};
use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::unit::Unit;

impl Commands {
    /// Tells each member of the seller of a variant. For the keys of the house no one is told: its staff has the list of pools.
    pub(super) async fn tell_of_keys(&self, intent: &Intent, variant: VariantId, news: &KeyNews) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let Some((members, message)) = told(&unit, variant, news).await? else { return Ok(()) };
            for member in members {
                if let Some(reach) = Reach::account(&unit, member).await? {
                    queue(&unit, position(intent), &reach, &message).await?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Tells each owner of a seller.
    pub(super) async fn tell_owners(&self, intent: &Intent, seller: SellerId, message: &Message) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let found = unit.peek::<Seller>(seller).await?;
            let Ok(known) = found.state.live() else { return Ok(()) };
            for (member, _) in known.members.iter().filter(|(_, role)| **role == Role::Owner) {
                if let Some(reach) = Reach::account(&unit, *member).await? {
                    queue(&unit, position(intent), &reach, message).await?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(())
    }
}

/// The members, and what they are told.
async fn told(unit: &Unit, variant: VariantId, news: &KeyNews) -> Result<Option<(Vec<AccountId>, Message)>, Error> {
    let pool = unit.peek::<KeyPool>(key_pool::id(variant)).await?;
    let Some(product) = pool.state.product else { return Ok(None) };
    let found = unit.peek::<Product>(product).await?;
    let Ok(created) = found.state.live() else { return Ok(None) };
    let Some(seller) = created.seller else { return Ok(None) };
    let known = unit.peek::<Seller>(seller).await?;
    let Ok(known) = known.state.live() else { return Ok(None) };
    let (title, variant_title) =
        (created.title.clone(), created.variants.get(&variant).and_then(|it| created.told_apart(it)));
    let message = match news {
        KeyNews::RanLow { left } => Message::KeysRanLow { seller, product, variant, title, variant_title, left: *left },
        KeyNews::Revoked { keys } => {
            Message::KeysRevoked { seller, product, variant, title, variant_title, keys: keys.clone() }
        }
    };
    Ok(Some((known.members.keys().copied().collect(), message)))
}
