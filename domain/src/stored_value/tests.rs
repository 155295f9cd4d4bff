//! The rules of a stored value: nothing is spent twice, nothing that is held is lost.

use chrono::TimeDelta;

use super::*;
use crate::testing::{cents, given, golden, id, noon, text, well_said};

fn issued(amount: i64, days: Option<i64>) -> Event {
    let expires_at = days.map(|days| noon() + TimeDelta::days(days));
    Event::Issued { amount: cents(amount), expires_at, reason: text("a gift") }
}

/// A card that has expired by noon.
fn expired(amount: i64) -> Event {
    Event::Issued { amount: cents(amount), expires_at: Some(noon()), reason: text("a gift") }
}

fn sold(amount: i64) -> Event {
    let expires_at = Some(noon() + TimeDelta::days(365));
    Event::Sold { order: id(1), variant: id(3), amount: cents(amount), expires_at }
}

fn taken_back(amount: i64) -> Event {
    Event::TakenBack { order: id(1), amount: cents(amount) }
}

fn granted(amount: i64) -> Event {
    Event::Granted { account: id(5), amount: cents(amount), reason: text("sorry") }
}

fn withdrawn(amount: i64) -> Event {
    Event::Withdrawn { amount: cents(amount), reason: text("a typo") }
}

fn held(order: u128, amount: i64) -> Event {
    Event::Held { order: id(order), amount: cents(amount) }
}

fn released(order: u128, amount: i64) -> Event {
    Event::Released { order: id(order), amount: cents(amount), expires_at: None }
}

fn redeemed(order: u128, amount: i64) -> Event {
    Event::Redeemed { order: id(order), amount: cents(amount) }
}

fn credited(amount: i64, account: Option<AccountId>, expires_at: Option<DateTime<Utc>>) -> Event {
    Event::Credited { order: id(1), refund: id(7), amount: cents(amount), account, expires_at }
}

fn blocked() -> Event {
    Event::Blocked { reason: text("stolen") }
}

fn unblocked() -> Event {
    Event::Unblocked { reason: text("found") }
}

fn issue(amount: i64, days: Option<i64>) -> Command {
    let expires_at = days.map(|days| noon() + TimeDelta::days(days));
    Command::Issue { amount: cents(amount), expires_at, reason: text("a gift") }
}

fn hold(order: u128, amount: i64) -> Command {
    Command::Hold { order: id(order), amount: cents(amount) }
}

fn redeem(order: u128, amount: i64) -> Command {
    Command::Redeem { order: id(order), amount: cents(amount) }
}

fn credit(amount: i64, account: Option<AccountId>) -> Command {
    Command::Credit { order: id(1), refund: id(7), amount: cents(amount), account }
}

#[test]
fn a_card_is_issued_once_for_a_believable_amount_and_time() {
    given::<StoredValue>([]).when(&issue(5_000, Some(365))).then([issued(5_000, Some(365))]);
    given::<StoredValue>([]).when(&issue(5_000, None)).then([issued(5_000, None)]);
    given::<StoredValue>([issued(5_000, None)]).when(&issue(5_000, None)).then_refused(Rejection::Exists);
    for amount in [0, -1] {
        given::<StoredValue>([]).when(&issue(amount, None)).then_refused(Rejection::NotAnAmount);
    }
    let too_much = Rejection::TooMuch { most: cents(AMOUNT_MAX) };
    given::<StoredValue>([]).when(&issue(AMOUNT_MAX + 1, None)).then_refused(too_much);
    given::<StoredValue>([]).when(&issue(1, Some(0))).then_refused(Rejection::ExpiryInPast);
    given::<StoredValue>([]).when(&issue(1, Some(VALID_DAYS_MAX + 1))).then_refused(Rejection::ExpiryTooLate);
}

#[test]
fn what_is_held_cannot_be_used_again() {
    given::<StoredValue>([issued(100, None)]).when(&hold(1, 60)).then([held(1, 60)]);
    let one = [issued(100, None), held(1, 60)];
    given::<StoredValue>(one.clone()).when(&hold(2, 41)).then_refused(Rejection::NotEnough { left: cents(40) });
    given::<StoredValue>(one.clone()).when(&hold(2, 40)).then([held(2, 40)]);
    // The amount of one order is changed to exactly what is wanted.
    given::<StoredValue>(one.clone()).when(&hold(1, 60)).then_nothing();
    given::<StoredValue>(one.clone()).when(&hold(1, 100)).then([held(1, 40)]);
    given::<StoredValue>(one.clone()).when(&hold(1, 25)).then([released(1, 35)]);
    given::<StoredValue>(one.clone()).when(&hold(1, 0)).then([released(1, 60)]);
    given::<StoredValue>(one.clone()).when(&hold(1, -1)).then_refused(Rejection::NotAnAmount);
    let over = [&one[..], &[redeemed(1, 60)]].concat();
    given::<StoredValue>(one.clone()).when(&redeem(1, 45)).then([released(1, 15), redeemed(1, 45)]);
    given::<StoredValue>(one).when(&redeem(1, 60)).then([redeemed(1, 60)]);
    given::<StoredValue>(over.clone()).when(&redeem(1, 60)).then_nothing();
    given::<StoredValue>(over).when(&hold(2, 41)).then_refused(Rejection::NotEnough { left: cents(40) });
}

#[test]
fn a_blocked_card_pays_nothing_more_and_keeps_what_it_holds() {
    let history = [issued(100, None), held(1, 60), blocked()];
    given::<StoredValue>(history.clone()).when(&hold(2, 1)).then_refused(Rejection::Blocked);
    given::<StoredValue>(history.clone()).when(&hold(1, 0)).then([released(1, 60)]);
    given::<StoredValue>(history.clone()).when(&redeem(1, 60)).then([redeemed(1, 60)]);
    given::<StoredValue>(history.clone()).when(&credit(5, None)).then([credited(5, None, None)]);
    let (block, unblock) = (Command::Block { reason: text("stolen") }, Command::Unblock { reason: text("found") });
    given::<StoredValue>(history.clone()).when(&block).then_nothing();
    given::<StoredValue>(history.clone()).when(&unblock).then([unblocked()]);
    given::<StoredValue>([&history[..], &[unblocked()]].concat()).when(&unblock).then_nothing();
    given::<StoredValue>([issued(100, None)]).when(&block).then([blocked()]);
    for command in [block, unblock] {
        given::<StoredValue>([granted(100)]).when(&command).then_refused(Rejection::Missing);
    }
}

#[test]
fn what_is_left_of_a_card_expires_and_what_is_held_does_not() {
    let expire = Command::Expire {};
    given::<StoredValue>([issued(100, Some(1))]).when(&expire).then_nothing();
    given::<StoredValue>([issued(100, None)]).when(&expire).then_nothing();
    given::<StoredValue>([granted(100)]).when(&expire).then_nothing();
    given::<StoredValue>([expired(100)]).when(&expire).then([Event::Expired { amount: cents(100) }]);
    given::<StoredValue>([expired(100)]).when(&hold(1, 1)).then_refused(Rejection::Expired);
    let history = [expired(100), held(1, 60)];
    given::<StoredValue>(history.clone()).when(&expire).then([Event::Expired { amount: cents(40) }]);
    let over = [&history[..], &[Event::Expired { amount: cents(40) }]].concat();
    given::<StoredValue>(over.clone()).when(&expire).then_nothing();
    given::<StoredValue>(over.clone()).when(&redeem(1, 60)).then([redeemed(1, 60)]);
    // What comes back can be used again for a while.
    let until = Some(noon() + AFTER_RETURN);
    let back = Event::Released { order: id(1), amount: cents(60), expires_at: until };
    given::<StoredValue>(over.clone()).when(&hold(1, 0)).then([back.clone()]);
    given::<StoredValue>([&over[..], &[back]].concat()).when(&hold(2, 60)).then([held(2, 60)]);
    given::<StoredValue>(over.clone()).when(&credit(7, None)).then([credited(7, None, until)]);
    given::<StoredValue>([&over[..], &[credited(7, None, until)]].concat()).when(&hold(2, 7)).then([held(2, 7)]);
}

#[test]
fn store_credit_is_never_below_zero() {
    let grant = Command::Grant { account: id(5), amount: cents(100), reason: text("sorry") };
    given::<StoredValue>([]).when(&grant).then([granted(100)]);
    given::<StoredValue>([granted(100)]).when(&grant).then([granted(100)]);
    let too_much = Rejection::TooMuch { most: cents(AMOUNT_MAX) };
    given::<StoredValue>([granted(AMOUNT_MAX)]).when(&grant).then_refused(too_much);
    let withdraw = |amount| Command::Withdraw { amount: cents(amount), reason: text("a typo") };
    let history = [granted(100), held(1, 60)];
    given::<StoredValue>(history.clone()).when(&withdraw(40)).then([withdrawn(40)]);
    given::<StoredValue>(history.clone()).when(&withdraw(41)).then_refused(Rejection::NotEnough { left: cents(40) });
    given::<StoredValue>(history).when(&withdraw(0)).then_refused(Rejection::NotAnAmount);
    given::<StoredValue>([]).when(&withdraw(1)).then_refused(Rejection::Missing);
    given::<StoredValue>([issued(100, None)]).when(&withdraw(1)).then_refused(Rejection::Missing);
    // A refund may be the first that an account has, and is never refused.
    given::<StoredValue>([]).when(&credit(5, Some(id(5)))).then([credited(5, Some(id(5)), None)]);
    given::<StoredValue>([granted(AMOUNT_MAX)]).when(&credit(5, Some(id(5)))).then([credited(5, Some(id(5)), None)]);
    given::<StoredValue>([]).when(&credit(5, None)).then_refused(Rejection::Missing);
}

#[test]
fn amounts_are_in_the_currency_of_the_balance() {
    let pounds = Money { amount: 5, currency: Currency::GBP };
    let other = Command::Hold { order: id(1), amount: pounds };
    given::<StoredValue>([issued(100, None)]).when(&other).then_refused(Rejection::NotAnAmount);
    let grant = Command::Grant { account: id(5), amount: pounds, reason: text("sorry") };
    given::<StoredValue>([granted(100)]).when(&grant).then_refused(Rejection::NotAnAmount);
    let state: StoredValue = crate::fold(&[issued(100, None)]);
    let refused = Rejection::OtherCurrency { currency: Currency::EUR };
    assert_eq!(state.live().unwrap().ensure_usable(Currency::GBP, noon()), Err(refused));
}

#[test]
fn each_account_has_one_store_credit_in_each_currency_and_each_code_one_card() {
    let (one, other) = (id::<AccountId>(1), id::<AccountId>(2));
    let eur = of_account(one, Currency::EUR);
    assert_eq!(eur, Means::StoreCredit { account: one }.value(Currency::EUR));
    assert!(eur != of_account(one, Currency::GBP) && eur != of_account(other, Currency::EUR));
    assert_eq!(of_code(&text("a")), of_code(&text("a")));
    assert_ne!(of_code(&text("a")), of_code(&text("b")));
}

#[test]
fn a_card_that_was_sold_is_used_like_any_other_and_taken_back_whole() {
    let expires_at = Some(noon() + TimeDelta::days(365));
    // What was paid is issued, whatever the limit.
    for amount in [5_000, AMOUNT_MAX + 1] {
        let sell = Command::Sell { order: id(1), variant: id(3), amount: cents(amount), expires_at };
        given::<StoredValue>([]).when(&sell).then([sold(amount)]);
        given::<StoredValue>([sold(amount)]).when(&sell).then_refused(Rejection::Exists);
    }
    let take_back = Command::TakeBack { order: id(1), imposed: false };
    given::<StoredValue>([]).when(&take_back).then_refused(Rejection::Missing);
    given::<StoredValue>([sold(5_000)]).when(&hold(2, 700)).then([held(2, 700)]);
    let pays = Rejection::Pays { held: cents(700) };
    given::<StoredValue>([sold(5_000), held(2, 700)]).when(&take_back).then_refused(pays);
    let imposed = Command::TakeBack { order: id(1), imposed: true };
    given::<StoredValue>([sold(5_000), held(2, 700)]).when(&imposed).then([taken_back(4_300)]);
    let spent = [sold(5_000), held(2, 700), redeemed(2, 700)];
    given::<StoredValue>(spent.clone()).when(&take_back).then([taken_back(4_300)]);
    given::<StoredValue>([spent.to_vec(), vec![taken_back(4_300)]].concat()).when(&take_back).then_nothing();
    given::<StoredValue>([sold(5_000), blocked()]).when(&take_back).then([taken_back(5_000)]);
}

#[test]
fn events_are_golden() {
    let until = Some(noon());
    golden(
        include_str!("golden.json"),
        &[
            issued(5_000, Some(365)),
            issued(5_000, None),
            sold(5_000),
            taken_back(4_300),
            granted(1_000),
            withdrawn(300),
            held(1, 700),
            Event::Released { order: id(1), amount: cents(700), expires_at: until },
            released(1, 700),
            redeemed(1, 700),
            credited(200, None, until),
            credited(200, Some(id(5)), None),
            blocked(),
            unblocked(),
            Event::Expired { amount: cents(4_300) },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::UnknownCode,
        R::Exists,
        R::NotAnAmount,
        R::TooMuch { most: cents(AMOUNT_MAX) },
        R::NotEnough { left: cents(40) },
        R::Pays { held: cents(40) },
        R::ForGiftCards,
        R::NothingLeft,
        R::OtherCurrency { currency: Currency::EUR },
        R::Blocked,
        R::Expired,
        R::ExpiryInPast,
        R::ExpiryTooLate,
    ]);
}
