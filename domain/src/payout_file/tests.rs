//! Rules of files for the bank.

use super::*;
use crate::Currency;
use crate::decider::Actor;
use crate::testing::{cents, given, golden, id as number, noon, text, well_said};

fn debtor() -> Debtor {
    Debtor { name: text("ByteShop GmbH"), iban: text("DE89370400440532013000") }
}

fn create(amounts: &[i64]) -> Command {
    let payouts = (1..).zip(amounts).map(|(payout, amount)| (number(payout), cents(*amount))).collect();
    Command::Create { payouts, debtor: debtor(), execute_on: noon().date_naive() }
}

fn created(payouts: Vec<PayoutId>, total: i64) -> Event {
    Event::Created { payouts, total: cents(total), debtor: debtor(), execute_on: noon().date_naive(), at: noon() }
}

fn asked() -> Asked {
    Asked { at: noon(), by: Actor::System { name: "test".into() } }
}

#[test]
fn it_is_created_once_with_the_sum_of_its_payouts() {
    let made = created(vec![number(1), number(2)], 3_000);
    given::<PayoutFile>([]).when(&create(&[1_000, 2_000])).then([made.clone()]);
    given::<PayoutFile>([made]).when(&create(&[1_000, 2_000])).then_nothing();
}

#[test]
fn it_has_payouts_of_one_currency_and_not_too_many() {
    given::<PayoutFile>([]).when(&create(&[])).then_refused(Rejection::NothingDue);
    given::<PayoutFile>([]).when(&create(&[1; PAYOUTS_MAX + 1])).then_refused(Rejection::TooMany);
    given::<PayoutFile>([]).when(&create(&[i64::MAX, 1])).then_refused(Rejection::OutOfRange);
    let payouts = vec![(number(1), cents(1)), (number(2), Money::new(1, Currency::USD))];
    let mixed = Command::Create { payouts, debtor: debtor(), execute_on: noon().date_naive() };
    given::<PayoutFile>([]).when(&mixed).then_refused(Rejection::OutOfRange);
    let yesterday = noon().date_naive().pred_opt().unwrap();
    let late = Command::Create { payouts: vec![(number(1), cents(1))], debtor: debtor(), execute_on: yesterday };
    given::<PayoutFile>([]).when(&late).then_refused(Rejection::InThePast);
    let on = |days| {
        let execute_on = noon().date_naive() + Days::new(days);
        Command::Create { payouts: vec![(number(1), cents(1))], debtor: debtor(), execute_on }
    };
    given::<PayoutFile>([]).when(&on(DAYS_AHEAD_MAX + 1)).then_refused(Rejection::TooFarAhead);
    let Ok(events) = PayoutFile::default().decide(&on(DAYS_AHEAD_MAX), &asked()) else { panic!("refused") };
    assert_eq!(events.len(), 1);
}

#[test]
fn events_keep_their_stored_form() {
    golden(include_str!("golden.json"), &[created(vec![number(1), number(2)], 3_000)]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[
        Rejection::Missing,
        Rejection::NothingLeft,
        Rejection::NothingDue,
        Rejection::NoDebtor,
        Rejection::TooMany,
        Rejection::InThePast,
        Rejection::TooFarAhead,
        Rejection::OutOfRange,
    ]);
}
