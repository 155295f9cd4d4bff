//! The entries of payouts: each follows from one event of a payout.
//!
//! ```text
//! payout requested     debit seller payable                  credit payouts in transit
//! payout paid          debit payouts in transit              credit clearing, or bank
//! payout failed        debit payouts in transit              credit seller payable
//! payout returned      debit clearing, or bank               credit seller payable
//! ```

use super::{Account, Entry, Kind, Lines};
use crate::ids::{PayoutId, SellerId};
use crate::money::Money;
use crate::payout;
use crate::payout_account::Means;
use crate::text::Reference;

/// The account from which a payout is paid.
fn money(means: Means) -> Account {
    match means {
        Means::Sepa => Account::Bank,
        Means::Paypal => Account::Clearing,
    }
}

fn moved(amount: Money, from: Account, to: Account) -> Lines {
    Lines::new(amount).debit(from, amount.amount).credit(to, amount.amount)
}

impl Entry {
    /// The entry of an event of a payout. None if it moved no money. Its document is the reference of PayPal or the bank, and the id of
    /// the payout until that is known.
    pub fn of_payout(id: PayoutId, event: &payout::Event) -> Option<Self> {
        let named = |reference: Option<&Reference>| reference.cloned().or_else(|| Reference::new(&id.to_string()).ok());
        match event {
            payout::Event::Requested { seller, amount, .. } => {
                let lines = moved(*amount, Account::SellerPayable(*seller), Account::PayoutsInTransit);
                lines.entry(Kind::Payout, None, named(None))
            }
            payout::Event::Paid { amount, means, reference, .. } => {
                let lines = moved(*amount, Account::PayoutsInTransit, money(*means));
                lines.entry(Kind::PayoutPaid, None, named(reference.as_ref()))
            }
            payout::Event::Failed { seller, amount, reference, .. } => {
                let lines = moved(*amount, Account::PayoutsInTransit, Account::SellerPayable(*seller));
                lines.entry(Kind::PayoutFailed, None, named(reference.as_ref()))
            }
            payout::Event::Returned { seller, amount, means, reference, .. } => {
                let lines = moved(*amount, money(*means), Account::SellerPayable(*seller));
                lines.entry(Kind::PayoutReturned, None, named(reference.as_ref()))
            }
            payout::Event::Exported { .. }
            | payout::Event::Submitted { .. }
            | payout::Event::Waited { .. }
            | payout::Event::Unresolved {} => None,
        }
    }

    /// What the entry adds to what the house owes each seller; negative if it takes back of that.
    pub fn owed_to_sellers(&self) -> Vec<(SellerId, Money)> {
        let of_seller = |account: &str| account.strip_prefix(Account::SELLER_PAYABLE)?.strip_prefix('/')?.parse().ok();
        let owed = self.lines.iter().filter_map(|line| {
            let seller = of_seller(&line.account)?;
            Some((seller, Money { amount: line.credit.amount - line.debit.amount, ..line.credit }))
        });
        owed.collect()
    }
}
