//! Checkout: a cart becomes an order with its payment, its reservations and everything limited that it uses, in one append.

use byteshop_domain::cart::Cart;
use byteshop_domain::checkout::{self, Basis, Charges, Ids};
use byteshop_domain::ids::{self, OrderId};
use byteshop_domain::order::Order;
use byteshop_domain::payment::Payment;
use byteshop_domain::payment_book::{self, PaymentBook};
use byteshop_domain::stock::StockLevel;
use byteshop_domain::usage::{self, Customer, Usage};
use chrono::TimeDelta;

use crate::engine::error::Error;
use crate::engine::unit::{Loaded, Unit};
use crate::use_cases::cart_total::Agreed;
use crate::use_cases::commission_book::charging;
use crate::use_cases::price::{Priced, Reading, price};

/// How long goods are reserved for an unpaid order, and for how many orders of a buyer at a time.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// How long an order waits for its payment.
    pub pay_within: TimeDelta,
    /// How many orders of one account may wait at once; 0 for any number.
    pub unpaid_orders: u32,
}

/// Turns a cart into an order: cart closed, order placed, payment opened, every line reserved and everything that is limited
/// claimed in one append.
///
/// `agreed` is the total that the buyer wants to be held to. Without, it is the one that the cart last showed to its owner.
pub async fn checkout(unit: &Unit, mut cart: Loaded<Cart>, hold: Hold, agreed: Agreed) -> Result<Loaded<Order>, Error> {
    let at = unit.asked().at;
    let open = cart.state.open(at)?.clone();
    let Priced { offers, quote, .. } = price(Reading::Deciding(unit), &open, at).await?;
    let charging = charging(unit, &open, &offers).await?;
    let charges = Charges { book: &charging.book, categories: &charging.categories };
    let ids = Ids { cart: cart.id, order: unit.new_id(), payment: unit.new_id() };
    // Whole seconds are enough for people, and shorter to read in the log.
    let pay_by = byteshop_eventstore::clock::whole_seconds(unit.now()) + hold.pay_within;
    let Agreed { expected, seen } = agreed;
    let basis = Basis { cart: &cart.state, offers: &offers, quote: &quote, charges, at, pay_by, expected, seen };
    let placed = checkout::checkout(&basis, ids)?;
    unit.decide(&mut cart, &placed.cart)?;
    let mut order = unit.start::<Order>(ids.order);
    unit.decide(&mut order, &placed.order)?;
    let mut payment = unit.start::<Payment>(ids.payment);
    unit.decide(&mut payment, &placed.payment)?;
    for (variant, command) in &placed.stock {
        let mut stock = unit.load::<StockLevel>(*variant).await?;
        unit.decide(&mut stock, command)?;
    }
    // Guests give the address of whomever they like, so orders that wait count for accounts alone.
    let of_account = open.owner.map(|owner| usage::orders_of(&Customer::account(owner)));
    for (id, command) in &placed.usages {
        let mut usage = unit.load::<Usage>(*id).await?;
        if Some(*id) == of_account {
            check_unpaid(unit, &usage.state.orders, hold).await?;
        }
        unit.decide(&mut usage, command)?;
    }
    Ok(order)
}

/// Refuses one more order of a customer, of whose these are, while too many of them wait for their payment.
///
/// Only the youngest orders can be unpaid, because an order that is not paid in time is cancelled; those that are paid on delivery are
/// counted for as long as the longest time to pay. So this rarely reads anything.
async fn check_unpaid(unit: &Unit, orders: &[OrderId], hold: Hold) -> Result<(), Error> {
    let most = usize::try_from(hold.unpaid_orders).unwrap_or(usize::MAX);
    if most == 0 || orders.len() < most {
        return Ok(());
    }
    // An order whose buyer chose such a method can be unpaid for longer.
    let longest = unit.peek::<PaymentBook>(payment_book::id()).await?.state.longest_days();
    let since = unit.now() - hold.pay_within.max(TimeDelta::days(i64::from(longest)));
    let young = |order: &&OrderId| ids::made_at(**order).is_none_or(|made_at| made_at >= since);
    let young: Vec<OrderId> = orders.iter().rev().take_while(young).copied().collect();
    // One that cannot be seen is being written at this moment.
    let waits = |order: &&Loaded<Order>| order.state.live().map_or(true, |it| it.is_unpaid() || it.is_on_delivery());
    let too_many = |orders: &[Loaded<Order>]| orders.iter().filter(waits).count() >= most;
    if young.len() < most || !too_many(&unit.peek_all::<Order>(&young).await?) {
        return Ok(());
    }
    // A refusal has to hold, so now the versions count.
    if too_many(&unit.load_all::<Order>(&young).await?) {
        return Err(checkout::Rejection::TooManyUnpaid { most: hold.unpaid_orders }.into());
    }
    Ok(())
}
