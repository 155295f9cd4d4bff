//! Closing an account, and forgetting a guest: what was ordered, and what is sold, comes to an end first.

use byteshop_domain::Subject;
use byteshop_domain::account::{self, Account};
use byteshop_domain::ids::{AccountId, OrderId, PaymentId, SellerId};
use byteshop_domain::order::{self, CancelReason, Order, Placed};
use byteshop_domain::payment::{Opened, Payment};
use byteshop_domain::seller::{self, Seller};
use byteshop_domain::session::Reason;
use byteshop_domain::usage::{self, Customer, Usage};
use serde::{Deserialize, Serialize};

use super::grants::{Revoke, Standing, granted, settle};
use super::{email_of, log_out_all};
use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::orders;

/// The orders that were in progress when an account was closed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Unfinished {
    /// Orders that were cancelled with it; payments for them are refunded automatically.
    pub cancelled: Vec<OrderId>,
    /// Paid orders that continue, although their address can no longer be read.
    pub left: Vec<OrderId>,
    /// The access of programs that the account gave.
    #[serde(default)]
    pub grants: Vec<Standing>,
}

/// Closes an account: log-ins are refused, and its address becomes available. The person is to be erased afterwards by
/// the process `forget_person`.
///
/// Unpaid orders are cancelled. Orders that are paid and not delivered prevent the closing; with `force` they are
/// cancelled too if nothing of them is packed, and the others continue. Disputes about payments prevent it, too, unless `force` gives
/// up their evidence. So do sellers of which the account is the only owner: with `force` they are closed. Its other memberships end.
/// The account's grants to programs stay in force, unless they are to be
/// revoked with it.
pub async fn erase(
    unit: &Unit,
    account: &mut Loaded<Account>,
    force: bool,
    revoke: Revoke,
) -> Result<Unfinished, Error> {
    let (mut unfinished, mut owned, mut disputed) = (Unfinished::default(), Vec::new(), Vec::new());
    if account.state.live().is_ok() {
        unfinished = end_orders(unit, account.id, force).await?;
        disputed = if force { vec![] } else { disputed_orders(unit, account.id).await? };
        owned = leave_sellers(unit, account, force).await?;
        if let Some(name) = email_of(unit, account).await? {
            name.release(unit, account.id, None).await?;
        }
        log_out_all(unit, account, Reason::Erased, None).await?;
    }
    let granted = granted(account);
    let waiting = if force { vec![] } else { unfinished.left.clone() };
    unit.decide(account, &account::Command::Erase { waiting, owned, disputed })?;
    unfinished.grants = settle(unit, account.id, &granted, revoke).await?;
    Ok(unfinished)
}

/// Ends the memberships of an account; returns the sellers that would lose their only owner, unless `force` closes them. A seller
/// that the account joins at this moment changes the account, so that this append or the other one is decided again.
async fn leave_sellers(unit: &Unit, account: &Loaded<Account>, force: bool) -> Result<Vec<SellerId>, Error> {
    let sellers: Vec<SellerId> = account.state.live()?.sellers.iter().copied().collect();
    let mut owned = Vec::new();
    for mut seller in unit.load_all::<Seller>(&sellers).await? {
        if !force && seller.state.live().is_ok_and(|known| known.is_last_owner(account.id)) {
            owned.push(seller.id);
        } else {
            unit.decide(&mut seller, &seller::Command::Forget { account: account.id })?;
        }
    }
    Ok(owned)
}

/// A guest who is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// The subject whose key is to be destroyed.
    pub subject: Subject,
    /// Whether the order was cancelled.
    #[serde(rename = "called_off")]
    pub is_cancelled: bool,
}

/// Records that the guest who placed an order is erased: the caller destroys their key, and the process `forget_person`
/// does it if the caller cannot.
///
/// An unpaid order is cancelled. An order that is paid and not delivered prevents the erasure; with `force` it is
/// cancelled too if nothing of it is packed, and continues otherwise. A dispute about its payment prevents it, too, unless `force` gives
/// up the evidence.
pub async fn forget_buyer(
    unit: &Unit,
    order: &mut Loaded<Order>,
    reason: CancelReason,
    force: bool,
) -> Result<Forgotten, Error> {
    let placed = order.state.live()?;
    let (mut is_cancelled, subject, payment) = (false, placed.subject(order.id), placed.placement.payment);
    let of_guest = placed.placement.buyer == order::Buyer::default() && !placed.forgotten;
    if of_guest && (placed.is_unpaid() || force && placed.is_waited_for()) {
        is_cancelled = cancel(unit, order, reason).await?;
    }
    let disputed = unit.load::<Payment>(payment).await?.state.live().is_ok_and(Opened::is_disputed);
    unit.decide(order, &order::Command::ForgetBuyer { subject, force, disputed })?;
    Ok(Forgotten { subject, is_cancelled })
}

/// Cancels an order, unless it is packed or handed over; says whether it was cancelled.
async fn cancel(unit: &Unit, order: &mut Loaded<Order>, reason: CancelReason) -> Result<bool, Error> {
    match orders::cancel(unit, order, reason, true).await {
        Ok(()) => Ok(true),
        Err(Error::Rejected(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Lets no order come any more, and ends those that can be ended. A checkout counts its order in the same append, so one that
/// is under way is seen here or refused.
async fn end_orders(unit: &Unit, account: AccountId, force: bool) -> Result<Unfinished, Error> {
    let mut counted = unit.load::<Usage>(usage::orders_of(&Customer::account(account))).await?;
    unit.decide(&mut counted, &usage::Command::Close {})?;
    // What is over stays over, so that only the others are held to what they are; one that cannot be seen is being written at
    // this moment, and then this is decided once more.
    let seen = unit.peek_all::<Order>(&counted.state.orders).await?;
    let is_over = |it: &Loaded<Order>| it.state.live().is_ok_and(|it| it.progress.status != order::Status::Open);
    let open: Vec<OrderId> = seen.iter().filter(|it| !is_over(it)).map(|it| it.id).collect();
    let own = unit.asked().by.account() == Some(account);
    let reason = if own { CancelReason::BuyerRequest } else { CancelReason::StaffRequest };
    let mut unfinished = Unfinished::default();
    for mut order in unit.load_all::<Order>(&open).await? {
        let is = |what: fn(&Placed) -> bool| order.state.live().is_ok_and(what);
        let (waited_for, unpaid) = (is(Placed::is_waited_for), is(Placed::is_unpaid));
        if waited_for && !force {
            unfinished.left.push(order.id);
        } else if waited_for || unpaid {
            let is_cancelled = cancel(unit, &mut order, reason).await?;
            if is_cancelled { unfinished.cancelled.push(order.id) } else { unfinished.left.push(order.id) }
        }
    }
    Ok(unfinished)
}

/// The orders of an account with a payment that is disputed: completed ones, too, as disputes come months later.
async fn disputed_orders(unit: &Unit, account: AccountId) -> Result<Vec<OrderId>, Error> {
    let counted = unit.load::<Usage>(usage::orders_of(&Customer::account(account))).await?;
    let seen = unit.peek_all::<Order>(&counted.state.orders).await?;
    // The payment of an order never changes.
    let payments: Vec<PaymentId> =
        seen.iter().filter_map(|order| order.state.live().ok()).map(|placed| placed.placement.payment).collect();
    let payments = unit.load_all::<Payment>(&payments).await?;
    let opened = payments.iter().filter_map(|payment| payment.state.live().ok());
    Ok(opened.filter(|opened| opened.is_disputed()).map(|opened| opened.order).collect())
}
