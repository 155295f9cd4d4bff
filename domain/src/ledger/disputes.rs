//! The entries of disputes: what is held of the money, given back or lost, and what it cost.
//!
//! ```text
//! disputed             debit disputes                        credit clearing, or bank
//! released             debit clearing, or bank               credit disputes
//! lost                 debit customers                       credit disputes
//! fee of a loss        debit provider fees                   credit clearing, or bank
//! fee corrected        the same of the difference, or its reverse
//! loss beyond what     debit customers                       credit clearing, or bank
//!  was left to refund
//! ```
//!
//! A credit note says what a loss takes back of the sales, at the rates of its order.

use super::{Account, Entry, Kind, Lines};
use crate::dispute;
use crate::money::Money;
use crate::payment::{self, RefundCause};

/// Where the money of a payment is.
fn money(by_hand: bool) -> Account {
    if by_hand { Account::Bank } else { Account::Clearing }
}

fn moved(amount: Money, from: Account, to: Account) -> Lines {
    Lines::new(amount).debit(to, amount.amount).credit(from, amount.amount)
}

impl Entry {
    /// The entry of an event of a payment that is about a dispute; none if it is about something else, or moved no money.
    pub(super) fn of_dispute_of_payment(event: &payment::Event) -> Option<Self> {
        if let payment::Event::Disputed { order, amount, by_hand, .. } = event {
            let lines = moved(*amount, money(*by_hand), Account::Disputes);
            return lines.entry(Kind::Dispute, Some(*order), None);
        }
        if let payment::Event::DisputeReleased { order, amount, by_hand, .. } = event {
            let lines = moved(*amount, Account::Disputes, money(*by_hand));
            return lines.entry(Kind::DisputeReleased, Some(*order), None);
        }
        let payment::Event::Refunded { order, amount, cause: Some(RefundCause::Dispute { .. }), .. } = event else {
            return None;
        };
        moved(*amount, Account::Disputes, Account::Customers).entry(Kind::DisputeLost, Some(*order), None)
    }

    /// The entry of an event of a dispute: of its fee and its correction, and of what was lost beyond what was left of the payment. The payment has the
    /// others.
    pub fn of_dispute(event: &dispute::Event) -> Option<Self> {
        if let dispute::Event::FeeCorrected { order, difference, by_hand, .. } = event {
            let lines = moved(*difference, money(*by_hand), Account::ProviderFees);
            return lines.entry(Kind::DisputeFee, Some(*order), None);
        }
        let dispute::Event::Lost { order, amount, beyond, fee, by_hand, .. } = event else { return None };
        let (beyond_it, fee) = (beyond.map_or(0, |it| it.amount), fee.map_or(0, |it| it.amount));
        let kind = if beyond_it > 0 { Kind::DisputeLost } else { Kind::DisputeFee };
        let lines = Lines::new(*amount).debit(Account::Customers, beyond_it).debit(Account::ProviderFees, fee);
        lines.credit(money(*by_hand), beyond_it + fee).entry(kind, Some(*order), None)
    }
}
