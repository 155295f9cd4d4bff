//! Which payments go to the account of a seller.

use crate::ids::SellerId;
use crate::money::Money;
use crate::order::{Placed, SellerShare};
use crate::payment::{Direct, Opened};
use crate::seller::Known;

/// The seller whose goods are all that an order has, shipping included; none if it has goods of the house, or of several sellers.
pub fn only_seller(placed: &Placed) -> Option<SellerId> {
    match placed.parts.all() {
        [part] => part.seller,
        _ => None,
    }
}

/// To which account of its [only seller](only_seller) an order is paid; none if the house is paid, as the seller does not sell, has no
/// account at the provider, or has nothing of the order, or if gift cards and store credit pay some of it. The fee is rounded up to `unit`, the
/// minor units in the smallest amount that the provider moves: what the seller gets less, the house owes it.
pub fn direct(placed: &Placed, opened: &Opened, seller: SellerId, known: &Known, unit: i64) -> Option<Direct> {
    let account = known.paypal.clone().filter(|_| known.is_active())?;
    let amount = opened.in_money();
    let share = placed.kept.shares().into_iter().find(|share| share.seller == seller)?;
    // Who supplies is recorded with the payment.
    let owed = SellerShare { supplies: known.legal.is_some(), ..share }.owed();
    let is_all = opened.covers.is_empty() && amount == placed.payable();
    let rest = owed.amount.checked_rem(unit)?;
    let fee = Money { amount: amount.amount - (owed.amount - rest), ..amount };
    (is_all && owed.amount > rest && fee.amount >= 0).then_some(Direct { seller, account, fee, unit })
}
