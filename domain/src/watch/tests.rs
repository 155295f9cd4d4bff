//! The rules of watching a product.

use super::*;
use crate::testing::{given, golden, id as number, price, well_said};

fn account(which: u128) -> AccountId {
    number(which)
}

fn prices(amount: i64) -> BTreeMap<VariantId, Price> {
    BTreeMap::from([(number(9), price(amount))])
}

fn stock_watched(which: u128) -> Event {
    Event::StockWatched { account: account(which) }
}

fn price_watched(amount: i64) -> Event {
    Event::PriceWatched { account: account(1), prices: prices(amount) }
}

fn told(accounts: &[u128]) -> Event {
    Event::StockTold { accounts: accounts.iter().copied().map(account).collect(), variant: number(9) }
}

fn price_told(amount: i64) -> Event {
    Event::PriceTold { accounts: vec![account(1)], variant: number(9), price: price(amount) }
}

#[test]
fn one_waits_for_what_is_not_there() {
    let watch = |available| Command::WatchStock { account: account(1), available };
    given::<Watch>([]).when(&watch(false)).then([stock_watched(1)]);
    given::<Watch>([stock_watched(1)]).when(&watch(false)).then_nothing();
    given::<Watch>([]).when(&watch(true)).then_refused(Rejection::InStock);
}

#[test]
fn one_who_watches_again_is_told_of_what_is_lower_than_it_was_then() {
    let watch = |amount| Command::WatchPrice { account: account(1), prices: prices(amount) };
    given::<Watch>([]).when(&watch(500)).then([price_watched(500)]);
    given::<Watch>([price_watched(500)]).when(&watch(500)).then_nothing();
    given::<Watch>([price_watched(500)]).when(&watch(400)).then([price_watched(400)]);
}

#[test]
fn who_was_told_of_stock_waits_no_more() {
    let state: Watch = crate::fold::<Watch>([&stock_watched(1), &stock_watched(2), &told(&[1])]);
    assert_eq!(state.waiting_for_stock(), [account(2)]);
    given::<Watch>([]).when(&Command::TellStock { accounts: vec![], variant: number(9) }).then_nothing();
}

#[test]
fn one_hears_of_a_price_only_when_it_is_lower_than_what_one_heard() {
    let state = |events: &[Event]| crate::fold::<Watch>(events);
    let watched = state(&[price_watched(500)]);
    assert_eq!(watched.waiting_for_price(number(9), price(500)), []);
    assert_eq!(watched.waiting_for_price(number(9), price(600)), []);
    assert_eq!(watched.waiting_for_price(number(8), price(100)), []);
    assert_eq!(watched.waiting_for_price(number(9), price(400)), [(account(1), price(500))]);
    let dollars = Price::new(crate::money::Money::new(1, crate::Currency::USD)).unwrap();
    assert_eq!(watched.waiting_for_price(number(9), dollars), []);
    let told = state(&[price_watched(500), price_told(400)]);
    assert_eq!(told.waiting_for_price(number(9), price(450)), []);
    assert_eq!(told.waiting_for_price(number(9), price(399)), [(account(1), price(400))]);
}

#[test]
fn one_stops_watching_altogether() {
    let unwatch = Command::Unwatch { account: account(1) };
    given::<Watch>([]).when(&unwatch).then_nothing();
    let history = || [stock_watched(1), price_watched(500)];
    given::<Watch>(history()).when(&unwatch).then([Event::Unwatched { account: account(1) }]);
    let [one, other] = history();
    let state: Watch = crate::fold::<Watch>([&one, &other, &Event::Unwatched { account: account(1) }]);
    assert_eq!(state, Watch::default());
}

#[test]
fn no_more_watch_than_can_be_read() {
    let crowd: Vec<Event> = (0..WATCHERS_MAX as u128).map(|which| stock_watched(which + 10)).collect();
    let watch = Command::WatchStock { account: account(1), available: false };
    given::<Watch>(crowd).when(&watch).then_refused(Rejection::TooMany);
}

#[test]
fn stored_forms_stay_readable() {
    let gone = Event::Unwatched { account: account(1) };
    golden(include_str!("golden.json"), &[stock_watched(1), price_watched(500), gone, told(&[1]), price_told(400)]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::InStock, Rejection::TooMany]);
}

#[test]
fn each_price_that_fell_meanwhile_is_found_in_its_own_currency() {
    let variant = |which: u128| number::<VariantId>(which);
    let known = BTreeMap::from([(variant(9), price(1_000)), (variant(8), price(500))]);
    let watched = Event::PriceWatched { account: account(1), prices: known };
    let state: Watch = crate::fold::<Watch>([&watched]);
    let fallen = |which: u128, was: i64, now: i64| Fallen { variant: variant(which), was: price(was), now: price(now) };
    let now = |list: &[(u128, i64)]| -> Vec<(VariantId, Price)> {
        list.iter().map(|(which, amount)| (variant(*which), price(*amount))).collect()
    };
    assert_eq!(state.waiting_for_prices(&now(&[(9, 1_000), (8, 600), (7, 1)])), []);
    let found = state.waiting_for_prices(&now(&[(9, 900), (8, 400)]));
    assert_eq!(found, [(account(1), vec![fallen(9, 1_000, 900), fallen(8, 500, 400)])]);
    let told = Event::PriceTold { accounts: vec![account(1)], variant: variant(9), price: price(900) };
    let state: Watch = crate::fold::<Watch>([&watched, &told]);
    assert_eq!(state.waiting_for_prices(&now(&[(9, 900), (8, 500)])), []);
}
