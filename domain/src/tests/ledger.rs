//! The general ledger of a history: its entries balance, and its accounts agree with the books of the provider and of the orders.

use std::collections::BTreeMap;

use serde_json::json;

use super::manual::on_account;
use super::provider::Charge;
use super::shop::Shop;
use super::stored;
use crate::commission_book::{self, CommissionBook};
use crate::ids::{OrderId, PaymentId, SellerId};
use crate::ledger::{Account, Entry};
use crate::order::Placed;
use crate::testing::id;
use crate::text::Reference;
use crate::{AnyEvent, fold, order, payment};

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
    if let AnyEvent::Dispute(_, event) = event {
        return Entry::of_dispute(event);
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

/// One seller is charged by the price, and every other one a fixed amount: both with tax, and more than some lines cost.
pub fn commissions() -> CommissionBook {
    let rule = |json: serde_json::Value| commission_book::Event::RuleSet(serde_json::from_value(json).unwrap());
    let euros = |amount: i64| json!([{"amount": amount, "currency": "EUR"}]);
    let of_price = json!({"rule": "price", "seller": id::<SellerId>(61), "rate_ppm": 88_750, "minimum": euros(60)});
    let fixed = json!({"rule": "all", "fixed": euros(33), "maximum": euros(30)});
    fold(&[rule(fixed), rule(of_price), commission_book::Event::TaxSet { tax_ppm: 190_000 }])
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
    let with_sellers: i64 = shop.provider.charges.values().map(Charge::with_seller).sum();
    let fees = fees(shop);
    let has = kept - with_sellers - fees;
    assert_eq!(balance(&all, &Account::Clearing), has, "the clearing account is not what the provider has");
    assert_eq!(balance(&all, &Account::ProviderFees), fees);
    let account: i64 = shop.bank.values().sum();
    assert_eq!(
        balance(&all, &Account::Bank),
        account,
        "the account of the bank is not what staff received and returned"
    );
    assert_eq!(balance(&all, &Account::Disputes), 0, "disputes that have ended hold something");
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
        let charges = shop.provider.charges.values().filter(|charge| charge.payment == placed.placement.payment);
        sellers(*id, placed, was_sold > 0, charges.map(Charge::with_seller).sum(), &own);
    }
    assert!(by_order.is_empty(), "entries of orders that do not exist: {by_order:?}");
    let revenue: i64 = all.iter().filter(|(account, _)| is_of_sales(account)).map(|(_, sum)| sum).sum();
    assert_eq!(
        with_sellers - revenue,
        sold,
        "sales, sellers, commissions and taxes are not what the orders count as sold"
    );
    let tax: i64 = all.iter().filter(|(account, _)| account.starts_with("sales_tax/")).map(|(_, sum)| sum).sum();
    assert!(tax <= 0, "more tax was credited than was invoiced: {all:?}");
}

/// The fees that the shop knows of: each is what the provider keeps of its charge, whether that was given back or not. An answer that was
/// lost, or a charge that was captured with its first answer, has told none.
fn fees(shop: &Shop) -> i64 {
    let known = shop.states.payments.values().filter_map(|it| it.live().ok()).flat_map(|it| &it.fees);
    known
        .map(|(reference, fee)| {
            assert_eq!(shop.provider.charges[reference].fee(), Some(*fee), "{reference}");
            fee.amount
        })
        .sum()
}

/// Whether an account says what became of the sales.
fn is_of_sales(account: &str) -> bool {
    ["sales", "seller_payable/", "commission"].iter().any(|start| account.starts_with(start))
}

/// Each seller is owed what is kept of its part, without tax and commission: nothing of a part that is refunded in full. The house
/// keeps all commissions, and the sales of its own part.
/// What the only seller of an order has at the provider is not owed any more.
fn sellers(id: OrderId, placed: &Placed, is_sold: bool, has: i64, own: &Balances) {
    let credited = |start: &str| -> i64 {
        -own.iter().filter(|(account, _)| account.starts_with(start)).map(|(_, sum)| sum).sum::<i64>()
    };
    let of_sellers = placed.kept.shares();
    for share in &of_sellers {
        let expected = if is_sold { share.owed().amount } else { 0 } - has;
        let account = Account::SellerPayable(share.seller).to_string();
        assert_eq!(credited(&account), expected, "{id}: what a seller is owed: {own:?} of {placed:?}");
        let (_, part) = placed.parts.of_seller(share.seller).unwrap();
        assert!(part.left().amount > 0 || credited(&account) == -has, "{id}: {own:?} of {placed:?}");
    }
    if !is_sold {
        return;
    }
    let sum = |of: &dyn Fn(&order::SellerShare) -> i64| of_sellers.iter().map(of).sum::<i64>();
    assert_eq!(credited("commission"), sum(&|it| it.commission.amount + it.tax_on_commission()), "{id}: {own:?}");
    if placed.kept.is_shared() {
        let left: i64 = placed.parts.all().iter().filter(|it| it.seller.is_none()).map(|it| it.left().amount).sum();
        let tax = placed.kept.taxed().iter().map(|it| it.tax.amount).sum::<i64>() - sum(&|it| it.tax.amount);
        assert_eq!(credited("sales") - credited("sales_tax/"), left - tax, "{id}: what the house sold: {own:?}");
        let owed: i64 = placed.kept.taxed_by(None).iter().map(|it| it.tax.amount).sum();
        assert_eq!(credited("sales_tax/"), owed, "{id}: the tax that the house owes: {own:?} of {placed:?}");
    }
}
