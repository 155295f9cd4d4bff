//! The balances of sellers: what the ledger says that the house owes them is posted, and becomes available when its hold ends.

use byteshop_domain::Currency;
use byteshop_domain::balance::{self, Balance, Command, Hold};
use byteshop_domain::dispute::Dispute;
use byteshop_domain::ids::{DisputeId, OrderId, SellerId};
use byteshop_domain::ledger::Entry;
use byteshop_domain::money::Money;
use byteshop_domain::order::{Order, Status};
use byteshop_domain::payout_account::{self, PayoutAccount};
use byteshop_domain::seller::Seller;
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::intent::Intent;
use crate::engine::state::At;
use crate::engine::unit::Unit;

impl Commands {
    /// Whether an order has a part of a seller, which never changes: most orders are of the house alone.
    pub(crate) async fn has_sellers(&self, order: OrderId) -> Result<bool, Error> {
        let Some(known) = self.seen::<Order>(order).await? else { return Ok(false) };
        Ok(known.live().is_ok_and(|placed| placed.parts.all().iter().any(|part| part.seller.is_some())))
    }

    /// What each seller has of the sale of an order that was paid at a position.
    pub(crate) async fn sold(&self, order: OrderId, position: i64) -> Result<Vec<(SellerId, Money)>, Error> {
        let Some(then) = self.get_at::<Order>(order, At::Position(position)).await? else { return Ok(vec![]) };
        let Ok(placed) = then.state.live() else { return Ok(vec![]) };
        // Imported orders were paid outside of this shop.
        if placed.placement.imported {
            return Ok(vec![]);
        }
        Ok(Entry::of_sale(order, placed).map(|entry| entry.owed_to_sellers()).unwrap_or_default())
    }

    /// Posts amounts to the balances of sellers. The intent has a key, so that they are posted once. With what is lost by a dispute,
    /// nothing is kept back for it any more.
    pub(crate) async fn post_balances(
        &self,
        intent: &Intent,
        posting: Posting,
        amounts: &[(SellerId, Money)],
    ) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            for (seller, amount) in amounts {
                post(&unit, *seller, posting, *amount).await?;
            }
            if let Some(dispute) = posting.dispute {
                let posted: Vec<SellerId> = amounts.iter().map(|(seller, _)| *seller).collect();
                end_dispute(&unit, dispute, &posted).await?;
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Posts what a provider paid a seller itself, or took from it. The intent has a key, so that it is posted once.
    pub(crate) async fn post_direct(
        &self,
        intent: &Intent,
        position: i64,
        order: OrderId,
        (seller, amount): (SellerId, Money),
    ) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            let mut balance = unit.load::<Balance>(balance::id(seller, amount.currency)).await?;
            unit.decide(&mut balance, &Command::PostDirect { seller, position, order, amount })?;
            note_currency(&unit, seller, amount.currency).await
        })
        .await?;
        Ok(())
    }

    /// Keeps back what sellers have of a disputed amount. The balance sees that it is done.
    pub(crate) async fn withhold(
        &self,
        intent: &Intent,
        dispute: DisputeId,
        order: OrderId,
        amounts: &[(SellerId, Money)],
    ) -> Result<(), Error> {
        self.run(intent, |unit| async move {
            for (seller, amount) in amounts {
                let mut balance = unit.load::<Balance>(balance::id(*seller, amount.currency)).await?;
                unit.decide(&mut balance, &Command::Withhold { dispute, order, amount: *amount })?;
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// Keeps nothing back for a dispute any more. The balance sees that it is done.
    pub(crate) async fn end_dispute(&self, intent: &Intent, dispute: DisputeId) -> Result<(), Error> {
        self.run(intent, |unit| async move { end_dispute(&unit, dispute, &[]).await }).await?;
        Ok(())
    }

    /// The sellers whose part of an order is delivered, with the currency of the order.
    pub(crate) async fn delivered(&self, order: OrderId) -> Result<(Vec<SellerId>, Option<Currency>), Error> {
        let Some(found) = self.get::<Order>(order).await? else { return Ok((vec![], None)) };
        let Ok(placed) = found.state.live() else { return Ok((vec![], None)) };
        let delivered = |seller: &SellerId| {
            let part = placed.parts.of_seller(*seller);
            part.is_some_and(|(_, part)| part.status() == Status::Completed)
        };
        // Of other sellers nothing is ever posted.
        let sold = Entry::of_sale(order, placed).map(|entry| entry.owed_to_sellers()).unwrap_or_default();
        let sellers = sold.into_iter().map(|(seller, _)| seller).filter(delivered);
        Ok((sellers.collect(), Some(placed.placement.total.currency)))
    }

    /// Starts the hold of the part of a seller. The intent has a key, so that it starts once.
    pub(crate) async fn start_hold(
        &self,
        intent: &Intent,
        order: OrderId,
        (seller, currency): (SellerId, Currency),
        delivered_at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let rules = self.payout_rules();
        let available_at = delivered_at + rules.hold;
        let hold = Hold { available_at, reserved_until: available_at + rules.reserve_for };
        let started = self.run(intent, |unit| async move {
            let mut balance = unit.load::<Balance>(balance::id(seller, currency)).await?;
            unit.decide(&mut balance, &Command::StartHold { order, hold })
        });
        match started.await {
            // Another step starts the same hold at this moment; if that fails, the process resumes before both.
            Ok(_) | Err(Error::InFlight) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What amounts are posted for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posting {
    /// The position of the event whose ledger entry has the amounts.
    pub position: i64,
    /// The order, if it is of one.
    pub order: Option<OrderId>,
    /// The dispute that was lost with them.
    pub dispute: Option<DisputeId>,
}

/// Ends what is kept back for a dispute of all sellers but these.
async fn end_dispute(unit: &Unit, dispute: DisputeId, but: &[SellerId]) -> Result<(), Error> {
    let found = unit.load::<Dispute>(dispute).await?;
    let Ok(known) = found.state.live() else { return Ok(()) };
    let shares = known.opening.shares.iter();
    for share in shares.filter(|share| share.amount.amount > 0 && !but.contains(&share.seller)) {
        let mut balance = unit.load::<Balance>(balance::id(share.seller, share.amount.currency)).await?;
        unit.decide(&mut balance, &Command::EndDispute { dispute })?;
    }
    Ok(())
}

async fn post(unit: &Unit, seller: SellerId, posting: Posting, amount: Money) -> Result<(), Error> {
    let Posting { position, order, dispute } = posting;
    let rules = unit.commands().payout_rules();
    let known = unit.peek::<Seller>(seller).await?;
    let since = known.state.live().ok().and_then(|known| known.since);
    let is_new = since.is_none_or(|since| unit.now() < since + rules.reserve_for);
    let reserve_percent = if is_new { rules.reserve_percent } else { 0 };
    let mut balance = unit.load::<Balance>(balance::id(seller, amount.currency)).await?;
    unit.decide(&mut balance, &Command::Post { seller, position, order, amount, reserve_percent, dispute })?;
    note_currency(unit, seller, amount.currency).await
}

/// Notes a currency in which a seller has a balance.
async fn note_currency(unit: &Unit, seller: SellerId, currency: Currency) -> Result<(), Error> {
    // The append expects the account of payouts to be unchanged only when the currency is a new one.
    let id = payout_account::id(seller);
    if unit.peek::<PayoutAccount>(id).await?.state.currencies.contains(&currency) {
        return Ok(());
    }
    let mut account = unit.load::<PayoutAccount>(id).await?;
    unit.decide(&mut account, &payout_account::Command::NoteCurrency { currency })
}
