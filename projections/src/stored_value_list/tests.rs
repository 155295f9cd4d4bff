//! Folds of stored_value_list.

use byteshop_domain::Currency;
use byteshop_domain::ids::Id;
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows, text};

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn fold(events: &[Event]) -> Row {
    let rows = rows::<StoredValueList>(events.iter().map(|it| event::<StoredValue>(7, it)).collect());
    rows.into_values().next().unwrap()
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn issued() -> Event {
    Event::Issued { amount: eur(5_000), expires_at: Some(noon()), reason: text("a gift") }
}

#[test]
fn a_row_shows_what_the_gift_card_itself_does() {
    let row = fold(&[issued()]);
    let shown = (row.kind, row.account, row.value, row.balance, row.expires_at, row.blocked);
    assert_eq!(shown, (Kind::GiftCard, None, Some(eur(5_000)), eur(5_000), Some(noon()), false));
    let held = Event::Held { order: id(1), amount: eur(2_000) };
    let row = fold(&[issued(), held.clone()]);
    assert_eq!((row.balance, row.held), (eur(5_000), BTreeMap::from([(id(1), eur(2_000))])));
    let redeemed = Event::Redeemed { order: id(1), amount: eur(2_000) };
    let blocked = Event::Blocked { reason: text("stolen") };
    let row = fold(&[issued(), held, redeemed, blocked]);
    assert_eq!((row.value, row.balance, row.held, row.blocked), (Some(eur(5_000)), eur(3_000), BTreeMap::new(), true));
}

#[test]
fn store_credit_is_of_its_account() {
    let granted = Event::Granted { account: id(5), amount: eur(900), reason: text("sorry") };
    let row = fold(&[granted, Event::Withdrawn { amount: eur(400), reason: text("a typo") }]);
    assert_eq!((row.kind, row.account, row.value, row.balance), (Kind::StoreCredit, Some(id(5)), None, eur(500)));
}
