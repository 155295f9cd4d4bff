//! Files for the bank: payouts by SEPA credit transfer that the bank carries out together.

use std::collections::BTreeSet;

use byteshop_domain::ids::{PayoutFileId, PayoutId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payout::{Command, Known, Payout};
use byteshop_domain::payout_account::Destination;
use byteshop_domain::payout_file::{self, Content, PayoutFile};
use byteshop_domain::seller::{self, Seller};
use chrono::NaiveDate;

use crate::Commands;
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::ports::pain::{Transfer, TransferFile};

/// A file with its transfers, as the bank gets it.
pub type Transfers = TransferFile;

/// The payouts that a file is to have.
#[derive(Debug, Clone, Copy)]
pub enum ForFile<'a> {
    /// These, all of them.
    Named(&'a [PayoutId]),
    /// Those of these that are still due, and whose seller is not suspended.
    Due(&'a [PayoutId]),
}

/// Creates a file of payouts, in one append with them: each is in one file. Payouts of suspended sellers wait until their seller is
/// reinstated or staff settles them as failed.
pub async fn create_file(unit: &Unit, wanted: ForFile<'_>, execute_on: NaiveDate) -> Result<Loaded<PayoutFile>, Error> {
    unit.commands().open()?;
    let debtor = unit.commands().payout_rules().debtor.clone().ok_or(payout_file::Rejection::NoDebtor)?;
    let (ids, named) = match wanted {
        ForFile::Named(ids) => (ids, true),
        ForFile::Due(ids) => (ids, false),
    };
    let mut file = unit.start::<PayoutFile>(unit.new_id());
    let mut amounts: Vec<(PayoutId, Money)> = Vec::with_capacity(ids.len());
    let payouts = unit.load_all::<Payout>(ids).await?;
    let sellers: BTreeSet<SellerId> =
        payouts.iter().filter_map(|payout| payout.state.live().ok()).map(|known| known.seller).collect();
    let sellers: Vec<SellerId> = sellers.into_iter().collect();
    // Only looked at: one append does not hold the streams of so many sellers as well.
    let sellers = unit.peek_all::<Seller>(&sellers).await?.into_iter();
    let suspended: BTreeSet<SellerId> = sellers.filter(|it| it.state.is_suspended()).map(|it| it.id).collect();
    for mut payout in payouts {
        let known = payout.state.live()?;
        let is_suspended = suspended.contains(&known.seller);
        if !named && (is_suspended || !known.is_due()) {
            continue;
        }
        if is_suspended && known.is_due() {
            return Err(seller::Rejection::NotActive.into());
        }
        amounts.push((payout.id, known.amount));
        unit.decide(&mut payout, &Command::Export { file: file.id })?;
    }
    unit.decide(&mut file, &payout_file::Command::Create { payouts: amounts, debtor, execute_on })?;
    Ok(file)
}

impl Commands {
    /// A file with its transfers. Payouts whose destination was erased, or that have ended meanwhile, are left out: an erased destination
    /// cannot be paid, and what ended must not be paid again. A file with nothing left is refused: a bank reads no file
    /// without transfers.
    pub async fn transfers_of(&self, id: PayoutFileId) -> Result<Option<Transfers>, Error> {
        let Some(file) = self.get::<PayoutFile>(id).await? else { return Ok(None) };
        let Content { payouts, debtor, execute_on, created_at, .. } = file.state.live()?.clone();
        let mut transfers = Vec::with_capacity(payouts.len());
        for payout in payouts {
            let Some(known) = self.payout_known(payout).await?.filter(Known::is_open) else { continue };
            let destination = self.vault().open::<Destination>(&known.destination).await?;
            let Some(Destination::Iban { iban, holder }) = destination else { continue };
            transfers.push(Transfer { payout, amount: known.amount, iban, holder });
        }
        if transfers.is_empty() {
            return Err(payout_file::Rejection::NothingLeft.into());
        }
        Ok(Some(TransferFile { id, created_at, execute_on, debtor, transfers }))
    }
}
