//! Payouts: what is available of a balance is taken from it and sent to the seller, once.
//!
//! The balance and the payout are in one append when it is requested, and again when it ends. Nothing is sent before the first one:
//! the id of the payout is the id under which PayPal, or the bank, carries it out once.

mod files;
mod paypal;
mod rules;

use byteshop_domain::balance::{self, Balance};
use byteshop_domain::ids::{PayoutId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::payout::{Command, Known, Outcome, Payout};
use byteshop_domain::payout_account::{self, Chosen, Means, PayoutAccount};
use byteshop_domain::seller::{self, Seller};
use byteshop_domain::text::{Reason, Reference};
use byteshop_domain::{Currency, Decider as _};
use chrono::{DateTime, Utc};

use crate::Commands;
use crate::engine::error::{Error, Rejected};
use crate::engine::intent::Intent;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::PaymentProvider as _;

pub use files::{ForFile, Transfers, create_file};
pub use rules::PayoutRules;

/// What is to be paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// This amount.
    Amount(Money),
    /// All that is available in a currency.
    All(Currency),
}

impl Wanted {
    fn currency(self) -> Currency {
        match self {
            Self::Amount(amount) => amount.currency,
            Self::All(currency) => currency,
        }
    }
}

/// Requests a payout of a seller. It is refused while the seller is suspended: the house may have a reason to keep the money.
pub async fn request(unit: &Unit, seller: &Loaded<Seller>, wanted: Wanted) -> Result<Loaded<Payout>, Error> {
    unit.commands().open()?;
    require_payable(seller)?;
    let account = unit.load::<PayoutAccount>(payout_account::id(seller.id)).await?;
    let Chosen { destination, means, .. } = account.state.usable(unit.now())?.clone();
    let currency = wanted.currency();
    require_means(unit.commands(), means, currency)?;
    let mut balance = unit.load::<Balance>(balance::id(seller.id, currency)).await?;
    let mut payout = unit.start::<Payout>(unit.new_id());
    let minimum = unit.commands().payout_rules().minimum_in(currency);
    let before = balance.state.at(unit.now());
    let amount = match wanted {
        Wanted::Amount(amount) => Some(amount),
        Wanted::All(_) => None,
    };
    unit.decide(&mut balance, &balance::Command::PayOut { payout: payout.id, amount, minimum })?;
    let taken = amount.unwrap_or(Money::new(before.available, currency));
    if let (Means::Paypal, Some(paypal)) = (means, &unit.commands().connected().paypal) {
        paypal.accepts(taken).map_err(|_| payout_account::Rejection::NotInCurrency)?;
    }
    unit.decide(&mut payout, &Command::Request { seller: seller.id, amount: taken, means, destination })?;
    Ok(payout)
}

/// Refuses payouts to sellers that were never approved, or are suspended. A seller that is closed still gets what it has earned.
fn require_payable(seller: &Loaded<Seller>) -> Result<(), seller::Rejection> {
    let known = seller.state.live()?;
    let is_payable = match known.status {
        seller::Status::Approved => true,
        seller::Status::Closed => known.since.is_some(),
        seller::Status::Applied | seller::Status::Rejected | seller::Status::Suspended => false,
    };
    if is_payable { Ok(()) } else { Err(seller::Rejection::NotActive) }
}

/// Refuses currencies in which a destination cannot be paid, and PayPal where the shop is not connected to it.
fn require_means(commands: &Commands, means: Means, currency: Currency) -> Result<(), Error> {
    match means {
        Means::Sepa if currency == Currency::EUR => Ok(()),
        Means::Sepa => Err(payout_account::Rejection::NotInCurrency.into()),
        Means::Paypal if commands.connected().paypal.is_some() => Ok(()),
        Means::Paypal => Err(Error::NoProvider { provider: Provider::Paypal.as_str() }),
    }
}

/// What staff knows of a payout that it settles.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// What became of it.
    pub outcome: Outcome,
    /// What the bank calls the transfer.
    pub reference: Option<Reference>,
    /// The reason, if it failed or came back.
    pub because: Option<Reason>,
}

/// Records what staff knows of a payout.
pub async fn settle(unit: &Unit, payout: &mut Loaded<Payout>, settlement: &Settlement) -> Result<(), Error> {
    let Settlement { outcome, reference, because } = settlement.clone();
    conclude(unit, payout, &Command::Settle { outcome, reference, because }).await
}

/// Decides a command that may end a payout: then the balance changes in the same append.
async fn conclude(unit: &Unit, payout: &mut Loaded<Payout>, command: &Command) -> Result<(), Error> {
    let before = payout.state.live()?.status;
    unit.decide(payout, command)?;
    let known = payout.state.live()?;
    let Some(then) = known.change_of_balance(payout.id, before) else { return Ok(()) };
    let mut balance = unit.load::<Balance>(balance::id(known.seller, known.amount.currency)).await?;
    unit.decide(&mut balance, &then)
}

/// A payout of a seller, for its members. To others it is missing.
pub fn of_seller(payout: &Payout, seller: SellerId) -> Result<&Known, Error> {
    let known = payout.live().ok().filter(|known| known.seller == seller);
    known.ok_or_else(|| Rejected::missing(Payout::CATEGORY).into())
}

impl Commands {
    /// Requests the payouts of a schedule, in each currency with enough, and notes that they were. A payout that is refused is not made:
    /// the next one has more.
    pub(crate) async fn run_schedule(
        &self,
        intent: &Intent,
        seller: SellerId,
        due: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(account) = self.get::<PayoutAccount>(payout_account::id(seller)).await? else { return Ok(()) };
        // Of a schedule that has run, or was changed, nothing is due.
        if account.state.next_run != Some(due) {
            return Ok(());
        }
        for currency in &account.state.currencies {
            let requested = self.run(intent, |unit| async move {
                let seller = unit.load::<Seller>(seller).await?.exists()?;
                // The append expects that the schedule has not run, so that two programs do not both make its payouts.
                let account = unit.load::<PayoutAccount>(payout_account::id(seller.id)).await?;
                if account.state.next_run != Some(due) {
                    return Ok(());
                }
                request(&unit, &seller, Wanted::All(*currency)).await.map(drop)
            });
            match requested.await {
                Ok(_) | Err(Error::Rejected(_) | Error::NoProvider { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        self.run(intent, |unit| async move {
            let mut account = unit.load::<PayoutAccount>(payout_account::id(seller)).await?;
            unit.decide(&mut account, &payout_account::Command::Run { due })
        })
        .await?;
        Ok(())
    }

    /// The amounts and ids of payouts, for a file of the bank.
    pub(crate) async fn payout_known(&self, id: PayoutId) -> Result<Option<Known>, Error> {
        let found = self.get::<Payout>(id).await?;
        Ok(found.and_then(|found| found.state.live().ok().cloned()))
    }
}
