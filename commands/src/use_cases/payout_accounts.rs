//! How sellers are paid: the destinations and schedules that their owners choose.

use byteshop_domain::Subject;
use byteshop_domain::ids::{AccountId, SellerId};
use byteshop_domain::payout_account::{self, Command, Destination, PayoutAccount, Schedule};
use byteshop_domain::seller::Seller;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};

/// Chooses where the payouts of a seller go once the delay is over. It is sealed for the owner who chooses it.
pub async fn choose(
    unit: &Unit,
    seller: &Loaded<Seller>,
    by: AccountId,
    destination: &Destination,
) -> Result<Loaded<PayoutAccount>, Error> {
    destination.ensure_reachable()?;
    let mut account = of(unit, seller.id).await?;
    let sealed = unit.commands().vault().seal(Subject::from(by), destination).await?;
    let delay = unit.commands().payout_rules().destination_delay;
    unit.decide(&mut account, &Command::Choose { destination: sealed, means: destination.means(), delay })?;
    Ok(account)
}

/// Cancels the choice of a destination that is not used yet.
pub async fn cancel(unit: &Unit, seller: &Loaded<Seller>) -> Result<Loaded<PayoutAccount>, Error> {
    let mut account = of(unit, seller.id).await?;
    unit.decide(&mut account, &Command::CancelChoice {})?;
    Ok(account)
}

/// Decides when payouts are made without being asked for.
pub async fn schedule(
    unit: &Unit,
    seller: &Loaded<Seller>,
    schedule: Schedule,
) -> Result<Loaded<PayoutAccount>, Error> {
    let mut account = of(unit, seller.id).await?;
    unit.decide(&mut account, &Command::Schedule { schedule })?;
    Ok(account)
}

async fn of(unit: &Unit, seller: SellerId) -> Result<Loaded<PayoutAccount>, Error> {
    let account = unit.load::<PayoutAccount>(payout_account::id(seller)).await?;
    unit.check_version(&account)?;
    Ok(account)
}
