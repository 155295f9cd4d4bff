//! Rules of pools and stock together: a piece on hand is a key, each key is delivered once, and none is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::decider::{Actor, Asked};
use crate::fold;
use crate::product;
use crate::testing::{id, noon, pieces, price, text};

const VARIANT: u128 = 3;

fn variant_id() -> VariantId {
    id(VARIANT)
}

fn of(physical: bool) -> Product {
    priced(physical, 500, None)
}

/// A product with a variant at these prices in euros and dollars.
fn priced(physical: bool, euros: i64, dollars: Option<i64>) -> Product {
    let other_prices = dollars.map(|dollars| Price::new(Money::new(dollars, crate::Currency::USD)).unwrap());
    let details = product::Variant {
        physical,
        other_prices: other_prices.map(product::Listed::plain).into_iter().collect(),
        ..product::Variant::new(text("K-1"), text("Key"), price(euros), product::Options::default())
    };
    let created = product::Event::Created {
        title: text("Key"),
        description: text(""),
        category: None,
        attributes: BTreeMap::new(),
        seller: None,
    };
    fold(&[created, product::Event::VariantAdded { variant: variant_id(), details }])
}

/// A variant with an open stock, and no pool yet.
fn work(physical: bool) -> Work {
    let asked = Asked { at: noon(), by: Actor::System { name: "test".to_owned() } };
    let mut work = Work::new(asked, None, Uuid::nil);
    work.hold::<Product>(id(4), Arc::new(of(physical)));
    let opened = stock::Event::Opened { product: id(4), sku: text("K-1") };
    work.hold::<StockLevel>(variant_id(), Arc::new(fold(&[opened])));
    work.begin::<KeyPool>(key_pool::id(variant_id()));
    work
}

fn imported(count: i64) -> Work {
    let mut work = work(false);
    add(&mut work, count).unwrap();
    work
}

fn add(work: &mut Work, count: i64) -> Result<(), Refused> {
    let batch = start_import(work, id(4), variant_id())?;
    import(work, variant_id(), batch, pieces(count))
}

fn reserve(work: &mut Work, order: u128, quantity: i64) -> Result<bool, Refused> {
    let reserve = stock::Command::Reserve { order: id(order), quantity: pieces(quantity), expires_at: None };
    work.decide::<StockLevel>(variant_id(), &reserve)
}

fn numbers(work: &Work) -> (i64, i64, i64) {
    let stock = work.get::<StockLevel>(variant_id()).unwrap();
    let pool = work.get::<KeyPool>(key_pool::id(variant_id())).unwrap();
    (stock.on_hand, stock.reserved, pool.counts.left())
}

#[test]
fn imported_keys_are_on_hand() {
    let mut work = imported(3);
    assert_eq!(numbers(&work), (3, 0, 3));
    add(&mut work, 2).unwrap();
    assert_eq!(numbers(&work), (5, 0, 5));
}

#[test]
fn physical_items_and_pieces_without_keys_have_no_pool() {
    let mut physical = work(true);
    assert_eq!(start_import(&mut physical, id(4), variant_id()), Err(Rejection::Physical.into()));
    let mut counted = work(false);
    counted.decide::<StockLevel>(variant_id(), &stock::Command::Count { on_hand: 1 }).unwrap();
    assert_eq!(start_import(&mut counted, id(4), variant_id()), Err(stock::Rejection::NotEmpty.into()));
    let import = stock::Command::ImportKeys { quantity: pieces(1) };
    assert_eq!(counted.decide::<StockLevel>(variant_id(), &import), Err(stock::Rejection::NoKeyPool.into()));
}

#[test]
fn keys_are_moved_by_hand_only_through_the_pool() {
    let mut work = imported(3);
    for command in [
        stock::Command::Receive { quantity: pieces(1), reason: None },
        stock::Command::Lose { quantity: pieces(1), reason: None },
        stock::Command::Return { quantity: pieces(1), order: None, reason: None },
        stock::Command::Return { quantity: pieces(1), order: Some(id(1)), reason: None },
        stock::Command::Count { on_hand: 9 },
    ] {
        assert_eq!(work.decide::<StockLevel>(variant_id(), &command), Err(stock::Rejection::KeysPooled.into()));
    }
}

#[test]
fn what_is_reserved_is_not_withdrawn() {
    let mut work = imported(3);
    reserve(&mut work, 1, 2).unwrap();
    let wanted = withdraw(&mut work, variant_id(), 1, Some(pieces(2)), None);
    assert_eq!(wanted, Err(stock::Rejection::Reserved { reserved: 2 }.into()));
    withdraw(&mut work, variant_id(), 1, None, None).unwrap();
    assert_eq!(numbers(&work), (2, 2, 2));
    let more = withdraw(&mut work, variant_id(), 1, None, None);
    assert_eq!(more, Err(stock::Rejection::NotEnough { available: 0 }.into()));
    assert_eq!(withdraw(&mut work, variant_id(), 2, None, None), Err(Rejection::NoSuchBatch.into()));
}

#[derive(Debug, Clone)]
enum Step {
    Add(i64),
    Reserve(u128, i64),
    Pay(u128),
    Release(u128),
    Withdraw(u32, Option<i64>),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..6i64).prop_map(Step::Add),
        (1..40u128, 1..4i64).prop_map(|(order, quantity)| Step::Reserve(order, quantity)),
        (1..40u128).prop_map(Step::Pay),
        (1..40u128).prop_map(Step::Release),
        (1..6u32, proptest::option::of(1..4i64)).prop_map(|(batch, quantity)| Step::Withdraw(batch, quantity)),
    ]
}

/// Takes a step; gives the keys that it delivers. A refused step changes nothing.
fn take(work: &mut Work, step: &Step) -> Vec<(u32, u32)> {
    let done = match step {
        Step::Add(count) => add(work, *count),
        Step::Reserve(order, quantity) => reserve(work, *order, *quantity).map(drop),
        Step::Release(order) => {
            let release = stock::Command::Release { order: id(*order), reason: None };
            work.decide::<StockLevel>(variant_id(), &release).map(drop)
        }
        Step::Withdraw(batch, quantity) => withdraw(work, variant_id(), *batch, quantity.map(pieces), None),
        Step::Pay(order) => {
            let held = work.get::<StockLevel>(variant_id()).unwrap().reservations.get(&id(*order)).copied();
            let Some(held) = held else { return vec![] };
            let line = Demand { variant: variant_id(), quantity: held.quantity };
            // A reserved piece has a key.
            let lines = assign(work, id(*order), &[line]).unwrap();
            work.decide::<StockLevel>(variant_id(), &stock::Command::Commit { order: id(*order) }).unwrap();
            let keys: Vec<(u32, u32)> = lines
                .iter()
                .flat_map(|line| &line.keys)
                .flat_map(|range| (range.first..range.first + range.count).map(|index| (range.batch, index)))
                .collect();
            assert_eq!(i64::try_from(keys.len()).unwrap(), held.quantity.get());
            return keys;
        }
    };
    drop(done);
    vec![]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_key_is_delivered_twice_and_none_is_lost(steps in proptest::collection::vec(any_step(), 1..120)) {
        let mut work = imported(4);
        let mut delivered = BTreeSet::new();
        for step in &steps {
            for key in take(&mut work, step) {
                prop_assert!(delivered.insert(key), "{key:?} was delivered twice");
            }
            let pool = work.get::<KeyPool>(key_pool::id(variant_id())).unwrap();
            let (on_hand, reserved, left) = numbers(&work);
            prop_assert_eq!(on_hand, left);
            prop_assert!(reserved <= on_hand);
            prop_assert_eq!(pool.counts.assigned, i64::try_from(delivered.len()).unwrap());
            let of_batches = |of: fn(&key_pool::Batch) -> u32| pool.batches.iter().map(|it| i64::from(of(it))).sum::<i64>();
            prop_assert_eq!(pool.counts.imported, of_batches(|it| it.count));
            prop_assert_eq!(pool.counts.assigned, of_batches(|it| it.next));
            prop_assert_eq!(pool.counts.left(), of_batches(key_pool::Batch::left));
            prop_assert_eq!(pool.counts.withdrawn, of_batches(|it| it.count - it.end));
            for batch in &pool.batches {
                prop_assert!(batch.next <= batch.end && batch.end <= batch.count);
                let until = delivered.range((batch.batch, 0)..(batch.batch, u32::MAX)).next_back();
                prop_assert!(until.is_none_or(|(_, index)| *index < batch.next));
            }
        }
    }
}

#[test]
fn a_gift_card_costs_what_one_may_be_worth_in_each_currency() {
    let set = |euros: i64, dollars: Option<i64>| {
        let mut work = work(false);
        work.hold::<Product>(id(4), Arc::new(priced(false, euros, dollars)));
        set_gift_cards(&mut work, id(4), variant_id(), GiftCards { days: None })
    };
    let refused = |currency| Err(Rejection::GiftCardPrice { most: Money::new(AMOUNT_MAX, currency) }.into());
    for (euros, dollars) in [(1, None), (AMOUNT_MAX, Some(1)), (1, Some(AMOUNT_MAX))] {
        assert_eq!(set(euros, dollars), Ok(()), "{euros} {dollars:?}");
    }
    for euros in [0, AMOUNT_MAX + 1] {
        assert_eq!(set(euros, Some(1)), refused(crate::Currency::EUR), "{euros}");
    }
    for dollars in [0, AMOUNT_MAX + 1] {
        assert_eq!(set(1, Some(dollars)), refused(crate::Currency::USD), "{dollars}");
    }
}
