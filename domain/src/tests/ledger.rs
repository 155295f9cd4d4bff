//! The general ledger of a history: its entries balance, and its accounts agree with the books of the provider and of the orders.

use std::collections::BTreeMap;

use super::manual::on_account;
use super::provider::Charge;
use super::shop::Shop;
use super::stored;
use crate::AnyEvent;
use crate::ids::{OrderId, PaymentId};
use crate::ledger::{Account, Entry};
use crate::text::Reference;
use crate::{order, payment};

/// The balances of accounts: debits minus credits.
type Balances = BTreeMap<String, i64>;

/// The entry of an event. What a sale shows does not change after its payment, so the last state of the order gives it.
fn entry(shop: &Shop, event: &AnyEvent) -> Option<Entry> {
    if let AnyEvent::Order(id, order::Event::Paid { .. }) = event {
        return Entry::of_sale(*id, shop.states.orders[id].live().unwrap());
    }
    if let AnyEvent::Payment(id, event) = event {
        return Entry::of_payment(event, settled(shop, *id, event));
    }
    if let AnyEvent::StoredValue(_, event) = event {
        return Entry::of_stored_value(event);
    }
    let AnyEvent::CreditNote(_, event) = event else { return None };
    Entry::of_credit_note(event)
}

/// The reference of the refund that an event records, if staff made it.
fn settled<'a>(shop: &'a Shop, id: PaymentId, event: &payment::Event) -> Option<&'a Reference> {
    let payment::Event::Refunded { refund: Some(refund), .. } = event else { return None };
    let refund = shop.states.payments[&id].live().unwrap().refunds.get(refund)?;
    refund.settled.as_ref().map(|settled| &settled.reference)
}

fn post(balances: &mut Balances, entry: &Entry) {
    for line in &entry.lines {
        *balances.entry(line.account.clone()).or_default() += line.debit.amount - line.credit.amount;
    }
}

/// The accounts agree with all other books.
pub fn at_rest(shop: &Shop) {
    let (mut all, mut by_order) = (Balances::new(), BTreeMap::<OrderId, Balances>::new());
    for entry in shop.log.iter().filter_map(|logged| entry(shop, &logged.event)) {
        let mut own = Balances::new();
        post(&mut own, &entry);
        assert_eq!(own.values().sum::<i64>(), 0, "an entry does not balance: {entry:?}");
        assert!(own.values().all(|sum| *sum != 0), "a line is superfluous: {entry:?}");
        post(&mut all, &entry);
        if let Some(order) = entry.order {
            post(by_order.entry(order).or_default(), &entry);
        }
    }
    let balance = |balances: &Balances, account: &Account| balances.get(&account.to_string()).copied().unwrap_or(0);
    let kept: i64 = shop.provider.charges.values().map(Charge::kept).sum();
    assert_eq!(balance(&all, &Account::Clearing), kept, "the clearing account is not what the provider has");
    let account: i64 = shop.bank.values().sum();
    assert_eq!(
        balance(&all, &Account::Bank),
        account,
        "the account of the bank is not what staff received and returned"
    );
    for (of_cards, account) in [(true, Account::GiftCards), (false, Account::StoreCredit)] {
        let balances = stored::balances(shop, of_cards);
        assert_eq!(balance(&all, &account), -balances, "{account} is not what the balances add up to");
    }
    assert_eq!(all.values().sum::<i64>(), 0, "the trial balance is not zero: {all:?}");
    let mut sold = 0;
    for (id, order) in &shop.states.orders {
        let placed = order.live().unwrap();
        let own = by_order.remove(id).unwrap_or_default();
        let charges = shop.provider.charges.values().filter(|charge| charge.payment == placed.placement.payment);
        let paid = charges.map(Charge::kept).sum::<i64>() + on_account(shop, *id) + stored::paid(shop, *id);
        let mut was_sold = 0;
        if shop.log.iter().any(|it| matches!(&it.event, AnyEvent::Order(of, order::Event::Paid { .. }) if of == id)) {
            was_sold = placed.sold.left().amount;
        }
        sold += was_sold;
        // What the buyer still owes, or is still owed.
        assert_eq!(balance(&own, &Account::Customers), was_sold - paid, "{id}: {own:?} {placed:?}");
    }
    assert!(by_order.is_empty(), "entries of orders that do not exist: {by_order:?}");
    let revenue: i64 = all.iter().filter(|(account, _)| account.starts_with("sales")).map(|(_, sum)| sum).sum();
    assert_eq!(-revenue, sold, "sales and taxes are not what the orders count as sold");
    let tax: i64 = all.iter().filter(|(account, _)| account.starts_with("sales_tax/")).map(|(_, sum)| sum).sum();
    assert!(tax <= 0, "more tax was credited than was invoiced: {all:?}");
}
