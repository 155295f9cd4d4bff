//! Rules of decisions over several aggregates: what was decided is seen by what follows, and what was not loaded is not there.

use super::*;
use crate::decider::Actor;
use crate::ids::VariantId;
use crate::testing::{id, noon, pieces, text};

fn work() -> Work {
    let asked = Asked { at: noon(), by: Actor::System { name: "test".to_owned() } };
    let mut last = 100;
    Work::new(asked, None, move || {
        last += 1;
        Uuid::from_u128(last)
    })
}

#[test]
fn what_was_decided_is_seen_by_what_is_decided_next() {
    let mut work = work();
    let variant: VariantId = id(1);
    work.hold::<StockLevel>(variant, Arc::default());
    let open = stock::Command::Open { product: id(2), sku: text("L-1") };
    assert_eq!(work.decide::<StockLevel>(variant, &open), Ok(true));
    assert_eq!(work.decide::<StockLevel>(variant, &open), Ok(false));
    let receive = |_: &Demand| stock::Command::Receive { quantity: pieces(3), reason: None };
    work.move_stock(&[Demand { variant, quantity: pieces(3) }], receive).unwrap();
    assert_eq!(work.get::<StockLevel>(variant).unwrap().on_hand, 3);
    let decided = work.decided();
    assert_eq!(decided.events.len(), 2);
    assert!(decided.states.contains_key(&("stock", variant.uuid())));
}

#[test]
fn what_was_not_loaded_is_not_there() {
    let mut work = work();
    let missing = Refused::Rejected(Rejected::missing("stock"));
    assert_eq!(work.get::<StockLevel>(id(1)), Err(missing.clone()));
    let count = stock::Command::Count { on_hand: 1 };
    assert_eq!(work.decide::<StockLevel>(id(1), &count), Err(missing));
    assert!(work.decided().events.is_empty());
}

#[test]
fn a_refusal_says_what_the_aggregate_says() {
    let mut work = work();
    let variant = work.start::<StockLevel>();
    assert_eq!(variant, id(101));
    let count = stock::Command::Count { on_hand: 1 };
    assert_eq!(work.decide::<StockLevel>(variant, &count), Err(stock::Rejection::Missing.into()));
}
