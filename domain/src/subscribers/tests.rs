//! The rules of subscriptions: each buyer once, none after they have unsubscribed, and no payment is refused.

use super::*;
use crate::testing::{given, golden, id as number, well_said};

fn ada() -> Buyer {
    Buyer::Account(number(1))
}

fn subscribed(buyer: Buyer, order: u128) -> Event {
    Event::Subscribed { buyer, order: number(order), variant: number(3) }
}

fn subscribe(buyer: Buyer, order: u128) -> Command {
    Command::Subscribe { buyer, order: number(order), variant: number(3) }
}

#[test]
fn a_buyer_is_subscribed_with_each_order_and_told_once() {
    given::<Subscribers>([]).when(&subscribe(ada(), 2)).then([subscribed(ada(), 2)]);
    given::<Subscribers>([subscribed(ada(), 2)]).when(&subscribe(ada(), 2)).then_nothing();
    given::<Subscribers>([subscribed(ada(), 2)]).when(&subscribe(ada(), 4)).then([subscribed(ada(), 4)]);
    let state: Subscribers = crate::fold(&[subscribed(ada(), 2), subscribed(ada(), 4)]);
    assert_eq!((state.buyers.len(), state.buyers[&ada()].len()), (1, 2));
}

#[test]
fn who_has_unsubscribed_is_not_subscribed_by_buying_again() {
    let leave = Command::Unsubscribe { buyer: ada() };
    let left = Event::Unsubscribed { buyer: ada() };
    given::<Subscribers>([subscribed(ada(), 2)]).when(&leave).then([left.clone()]);
    let history = [subscribed(ada(), 2), left];
    given::<Subscribers>(history.clone()).when(&leave).then_nothing();
    given::<Subscribers>(history.clone()).when(&subscribe(ada(), 4)).then_nothing();
    assert!(crate::fold::<Subscribers>(&history).buyers.is_empty());
}

#[test]
fn a_full_part_refuses_no_payment() {
    let all = (1..).take(SUBSCRIBERS_MAX).map(|it| subscribed(Buyer::Account(number(it)), it));
    let full: Vec<Event> = all.collect();
    given::<Subscribers>(full.clone()).when(&subscribe(Buyer::Account(number(1 << 40)), 9)).then_nothing();
    given::<Subscribers>(full).when(&subscribe(ada(), 99)).then([subscribed(ada(), 99)]);
}

#[test]
fn of_many_orders_the_first_and_the_last_ones_are_known() {
    let orders = (1..).take(ORDERS_MAX + 5).map(|order| subscribed(ada(), order));
    let state: Subscribers = crate::fold(&orders.collect::<Vec<_>>());
    let known = &state.buyers[&ada()];
    assert_eq!((known.len(), known[0], known[ORDERS_MAX - 1]), (ORDERS_MAX, number(1), number(15)));
}

#[test]
fn a_buyer_belongs_to_one_part_of_each_good() {
    assert_eq!(part_of(number(3), ada()), part(number(3), 1));
    assert_ne!(part_of(number(3), ada()), part_of(number(4), ada()));
    assert_ne!(part_of(number(3), ada()), part_of(number(3), Buyer::Account(number(2))));
}

#[test]
fn events_are_golden() {
    let guest = Buyer::Mailbox(number(1));
    let left = Event::Unsubscribed { buyer: Buyer::Order(number(2)) };
    golden(include_str!("golden.json"), &[subscribed(ada(), 2), subscribed(guest, 2), left]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Missing]);
}
