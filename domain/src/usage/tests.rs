//! Rules of what is counted.

use super::*;
use crate::testing::{given, golden, id, well_said};

fn claim(order: u128, limit: Option<u32>) -> Command {
    Command::Claim { order: id(order), promotion: Some(id(1)), limit }
}

fn claimed(order: u128) -> Event {
    Event::Claimed { order: id(order), promotion: Some(id(1)) }
}

fn released(order: u128) -> Event {
    Event::Released { order: id(order), promotion: Some(id(1)) }
}

#[test]
fn it_is_used_up_to_its_limit() {
    given::<Usage>([]).when(&claim(7, Some(1))).then([claimed(7)]);
    given::<Usage>([claimed(7)]).when(&claim(8, Some(1))).then_refused(Rejection::UsedUp { limit: 1 });
    given::<Usage>([claimed(7)]).when(&claim(8, Some(2))).then([claimed(8)]);
    given::<Usage>([claimed(7)]).when(&claim(8, None)).then([claimed(8)]);
    given::<Usage>([]).when(&claim(8, Some(0))).then_refused(Rejection::UsedUp { limit: 0 });
}

#[test]
fn what_is_given_back_can_be_used_again() {
    let history = [claimed(7), released(7)];
    given::<Usage>(history).when(&claim(8, Some(1))).then([claimed(8)]);
    given::<Usage>([claimed(7)]).when(&Command::Release { order: id(7) }).then([released(7)]);
    given::<Usage>([]).when(&Command::Release { order: id(7) }).then_nothing();
}

#[test]
fn customers_and_promotions_are_counted_apart() {
    let (one, other) = (Customer::account(id(1)), Customer::email("00ff"));
    let ids = [
        of_promotion(id(1)),
        of_promotion(id(2)),
        by_customer(id(1), &one),
        by_customer(id(1), &other),
        by_customer(id(2), &one),
        orders_of(&one),
        orders_of(&other),
    ];
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len());
}

#[test]
fn every_stored_form_is_golden() {
    let order = Event::Claimed { order: id(7), promotion: None };
    golden(include_str!("golden.json"), &[claimed(7), order, released(7)]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::UsedUp { limit: 1 }]);
}
