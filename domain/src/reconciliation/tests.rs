//! Rules of comparisons: a day is compared once, when it is over.

use chrono::{Days, TimeDelta};

use super::*;
use crate::testing::{cents, given, golden, id, noon, text, well_said};

fn difference() -> Difference {
    let (reference, order, ledger) = (text("paypal-1"), Some(id(1)), Some(cents(500)));
    Difference { reference, order, ledger, provider: None, ledger_fee: None, provider_fee: None }
}

/// The comparison of a day before the one of the test.
fn of(days_ago: u64, differences: usize) -> Comparison {
    let day = noon().date_naive() - Days::new(days_ago);
    let from = day.and_time(chrono::NaiveTime::MIN).and_utc();
    Comparison {
        provider: Provider::Paypal,
        day,
        from,
        until: from + TimeDelta::days(1),
        charges: 2,
        different: u64::try_from(differences).unwrap(),
        differences: vec![difference(); differences],
    }
}

fn compared(days_ago: u64) -> Event {
    Event::Compared { comparison: of(days_ago, 1) }
}

#[test]
fn a_day_is_compared_once_and_when_it_is_over() {
    let record = |days_ago| Command::Record(Box::new(of(days_ago, 1)));
    given::<Reconciliation>([]).when(&record(1)).then([compared(1)]);
    given::<Reconciliation>([compared(1)]).when(&record(1)).then_nothing();
    given::<Reconciliation>([compared(1)]).when(&record(2)).then_nothing();
    given::<Reconciliation>([compared(3)]).when(&record(1)).then([compared(1)]);
    given::<Reconciliation>([]).when(&record(0)).then_refused(Rejection::NotOver);
}

#[test]
fn the_state_keeps_the_last_days_and_the_first_differences() {
    let many = of(1, DIFFERENCES_MAX + 1);
    let asked = Asked { at: noon(), by: crate::Actor::System { name: "test".into() } };
    let events = Reconciliation::default().decide(&Command::Record(Box::new(many)), &asked).unwrap();
    let Event::Compared { comparison } = &events[0];
    let kept = comparison.differences.len();
    assert_eq!((kept, comparison.different), (DIFFERENCES_MAX, u64::try_from(DIFFERENCES_MAX).unwrap() + 1));
    let history: Vec<Event> = (1..=40).rev().map(compared).collect();
    let state: Reconciliation = crate::fold(&history);
    assert_eq!((state.last.len(), state.last[0].day), (DAYS_KEPT, of(1, 0).day));
}

#[test]
fn events_keep_their_stored_form() {
    golden(include_str!("golden.json"), &[compared(1)]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::NotOver]);
}
