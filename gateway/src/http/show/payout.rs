//! Balances and payouts of sellers as callers see them.

use byteshop_domain::balance::Figures;
use byteshop_domain::ids::{PayoutFileId, PayoutId, SellerId};
use byteshop_domain::money::Money;
use byteshop_domain::payout::{Failure, Known, Status};
use byteshop_domain::payout_account::{self, Chosen, Destination, Means, Schedule};
use byteshop_domain::payout_file::Content;
use byteshop_domain::text::{Reason, Reference};
use byteshop_domain::{Currency, Personal};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;

/// The balance of a seller in one currency.
#[derive(Serialize, ToSchema)]
pub struct SellerBalance {
    currency: Currency,
    /// What the house owes: pending, reserved, available and disputed.
    owed: Money,
    /// Sold, and not yet delivered or still within the hold.
    pending: Money,
    /// Held longer, as the seller was new when it sold.
    reserved: Money,
    /// Can be paid out. Negative if refunds took more than there was.
    available: Money,
    /// Kept back for open disputes.
    disputed: Money,
    /// Taken for payouts that have not reached the seller yet.
    in_transit: Money,
    /// Paid out and not returned.
    paid_out: Money,
}

impl SellerBalance {
    /// The figures of a balance.
    pub fn of(currency: Currency, it: Figures) -> Self {
        let money = |amount| Money { amount, currency };
        Self {
            currency,
            owed: money(it.owed()),
            pending: money(it.pending),
            reserved: money(it.reserved),
            available: money(it.available),
            disputed: money(it.disputed),
            in_transit: money(it.in_transit),
            paid_out: money(it.paid_out),
        }
    }
}

/// The balances of a seller.
#[derive(Serialize, ToSchema)]
pub struct SellerBalances {
    /// By currency; empty if it never sold anything.
    items: Vec<SellerBalance>,
}

impl SellerBalances {
    /// These balances.
    pub fn of(items: Vec<SellerBalance>) -> Self {
        Self { items }
    }
}

/// A payout to a seller.
#[derive(Serialize, ToSchema)]
pub struct Payout<'a> {
    id: PayoutId,
    seller: SellerId,
    amount: Money,
    means: Means,
    status: Status,
    /// Where it goes; null for members who are no owners, in lists, and once the person was erased.
    destination: Option<&'a Personal<Destination>>,
    /// The file for the bank that it is in; null if it is in none.
    file: Option<PayoutFileId>,
    /// What PayPal or the bank calls the transfer; null until it ends, or if it has none.
    reference: Option<&'a Reference>,
    /// What the bank calls the transfer that brought it back; null if it did not come back, or has none.
    return_reference: Option<&'a Reference>,
    /// Why it failed or came back; null otherwise.
    failure: Option<Failure>,
    /// The reason in the words of staff; null if there is none.
    reason: Option<&'a Reason>,
    requested_at: DateTime<Utc>,
}

impl<'a> Payout<'a> {
    /// A payout, with where it goes for those who may see that.
    pub fn of(id: PayoutId, it: &'a Known, with_destination: bool) -> Self {
        Self {
            id,
            seller: it.seller,
            amount: it.amount,
            means: it.means,
            status: it.status,
            destination: with_destination.then_some(&it.destination),
            file: it.file,
            reference: it.reference.as_ref(),
            return_reference: it.return_reference.as_ref(),
            failure: it.failure,
            reason: it.because.as_ref(),
            requested_at: it.requested_at,
        }
    }
}

/// A destination that an owner chose.
#[derive(Serialize, ToSchema)]
pub struct UsedDestination<'a> {
    means: Means,
    /// Null for members who are no owners, and once the person was erased.
    destination: Option<&'a Personal<Destination>>,
    chosen_at: DateTime<Utc>,
    /// From when on payouts go there.
    usable_from: DateTime<Utc>,
}

impl<'a> UsedDestination<'a> {
    fn of(it: &'a Chosen, with_destination: bool) -> Self {
        let destination = with_destination.then_some(&it.destination);
        Self { means: it.means, destination, chosen_at: it.chosen_at, usable_from: it.usable_from }
    }
}

/// How a seller is paid.
#[derive(Serialize, ToSchema)]
pub struct PayoutAccount<'a> {
    /// Where payouts go now; null if nowhere yet.
    current: Option<UsedDestination<'a>>,
    /// Where they will go; null if no change is coming.
    coming: Option<UsedDestination<'a>>,
    schedule: Schedule,
    /// When the next payouts are made without being asked for; null if never.
    next_payout_at: Option<DateTime<Utc>>,
}

impl<'a> PayoutAccount<'a> {
    /// How a seller is paid at a moment, with the destinations for those who may see them.
    pub fn of(it: &'a payout_account::PayoutAccount, now: DateTime<Utc>, with_destinations: bool) -> Self {
        let shown = |chosen| UsedDestination::of(chosen, with_destinations);
        Self {
            current: it.in_use(now).map(shown),
            coming: it.waiting(now).map(shown),
            schedule: it.schedule,
            next_payout_at: it.next_run,
        }
    }
}

/// A file of payouts for the bank.
#[derive(Serialize, ToSchema)]
pub struct PayoutFile<'a> {
    id: PayoutFileId,
    /// The payouts in it.
    payouts: &'a [PayoutId],
    total: Money,
    /// The day on which the bank is to carry the transfers out.
    execute_on: NaiveDate,
    created_at: DateTime<Utc>,
}

impl<'a> PayoutFile<'a> {
    /// A file as it is.
    pub fn of(id: PayoutFileId, it: &'a Content) -> Self {
        let Content { payouts, total, execute_on, created_at, debtor: _ } = it;
        Self { id, payouts, total: *total, execute_on: *execute_on, created_at: *created_at }
    }
}
