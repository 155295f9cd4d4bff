//! Rules of what is counted.

use super::*;
use crate::decider::fold;
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
fn the_orders_of_a_customer_are_known_until_they_are_cancelled_and_the_list_can_be_closed() {
    let ordered = |order| Event::Claimed { order: id(order), promotion: None };
    let off = Event::Released { order: id(7), promotion: None };
    let order = Command::Claim { order: id(9), promotion: None, limit: None };
    let both: Usage = fold(&[ordered(7), ordered(8)]);
    assert_eq!((both.used, both.orders), (2, vec![id(7), id(8)]));
    assert_eq!(fold::<Usage>(&[ordered(7), ordered(8), off.clone()]).orders, [id(8)]);
    assert_eq!(fold::<Usage>(&[claimed(7), claimed(8)]).orders, [], "a promotion is everybody's");

    given::<Usage>([ordered(7)]).when(&Command::Close {}).then([Event::Closed {}]);
    given::<Usage>([ordered(7), Event::Closed {}]).when(&Command::Close {}).then_nothing();
    given::<Usage>([ordered(7), Event::Closed {}]).when(&order).then_refused(Rejection::Closed);
    given::<Usage>([ordered(7), Event::Closed {}]).when(&Command::Release { order: id(7) }).then([off]);
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
    golden(include_str!("golden.json"), &[claimed(7), order, released(7), Event::Closed {}]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::UsedUp { limit: 1 }, Rejection::Closed]);
}
