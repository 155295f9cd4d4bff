//! The rules of a pool of keys.

use super::*;
use crate::testing::{cents, given, golden, id as number, pieces, text, well_said};

fn opened() -> Event {
    Event::Opened { product: number(4), sku: text("K-1") }
}

fn started(batch: u32) -> Event {
    Event::ImportStarted { batch }
}

fn imported(batch: u32, count: i64) -> Event {
    Event::Imported { batch, count: pieces(count) }
}

fn range(batch: u32, first: u32, count: u32) -> KeyRange {
    KeyRange { batch, first, count }
}

fn assigned(order: u128, keys: &[KeyRange]) -> Event {
    Event::Assigned { order: number(order), keys: keys.to_vec() }
}

fn assign(order: u128, quantity: i64) -> Command {
    Command::Assign { order: number(order), quantity: pieces(quantity) }
}

fn withdraw(batch: u32, quantity: i64) -> Command {
    Command::Withdraw { batch, quantity: pieces(quantity), reason: None }
}

fn withdrawn(batch: u32, first: u32, count: u32) -> Event {
    Event::Withdrawn { keys: range(batch, first, count), reason: None }
}

/// A pool with two batches of three and two keys.
fn five() -> Vec<Event> {
    vec![opened(), started(1), imported(1, 3), started(2), imported(2, 2)]
}

#[test]
fn it_is_opened_once() {
    let open = Command::Open { product: number(4), sku: text("K-1") };
    given::<KeyPool>([]).when(&open).then([opened()]);
    given::<KeyPool>([opened()]).when(&open).then_nothing();
    given::<KeyPool>([]).when(&assign(1, 1)).then_refused(Rejection::Missing);
}

#[test]
fn only_the_import_that_began_last_can_end() {
    let import = |batch| Command::Import { batch, count: pieces(3) };
    given::<KeyPool>([opened()]).when(&Command::StartImport {}).then([started(1)]);
    given::<KeyPool>([opened(), started(1)]).when(&import(1)).then([imported(1, 3)]);
    given::<KeyPool>([opened(), started(1)]).when(&Command::StartImport {}).then([started(2)]);
    given::<KeyPool>([opened(), started(1), started(2)]).when(&import(1)).then_refused(Rejection::Overtaken);
    given::<KeyPool>([opened(), started(1), imported(1, 3)]).when(&import(1)).then_refused(Rejection::Overtaken);
    let state: KeyPool = crate::fold(&[opened(), started(1), started(2), imported(2, 1), started(3)]);
    assert_eq!(state.unfinished(), [1, 3]);
}

#[test]
fn the_oldest_keys_are_assigned_first_and_each_of_them_once() {
    given::<KeyPool>(five()).when(&assign(1, 2)).then([assigned(1, &[range(1, 0, 2)])]);
    let after = [five(), vec![assigned(1, &[range(1, 0, 2)])]].concat();
    let across = assigned(2, &[range(1, 2, 1), range(2, 0, 2)]);
    given::<KeyPool>(after.clone()).when(&assign(2, 3)).then([across]);
    given::<KeyPool>(after).when(&assign(2, 4)).then_refused(Rejection::Empty { left: 3 });
}

#[test]
fn the_last_keys_of_a_batch_are_withdrawn_and_never_assigned() {
    given::<KeyPool>(five()).when(&withdraw(1, 2)).then([withdrawn(1, 1, 2)]);
    let after = [five(), vec![withdrawn(1, 1, 2)]].concat();
    given::<KeyPool>(after.clone()).when(&assign(1, 2)).then([assigned(1, &[range(1, 0, 1), range(2, 0, 1)])]);
    given::<KeyPool>(after.clone()).when(&withdraw(1, 2)).then_refused(Rejection::NotEnough { left: 1 });
    given::<KeyPool>(after.clone()).when(&withdraw(3, 1)).then_refused(Rejection::NoSuchBatch);
    let state: KeyPool = crate::fold(&after);
    let counts = state.counts;
    assert_eq!((counts.imported, counts.left(), counts.withdrawn, counts.assigned), (5, 3, 2, 0));
}

#[test]
fn staff_is_told_once_that_few_keys_are_left() {
    let set = |below| Command::SetAlert { below: Some(pieces(below)) };
    let below = |below| Event::AlertSet { below: Some(pieces(below)) };
    given::<KeyPool>(five()).when(&set(5)).then([below(5)]);
    given::<KeyPool>(five()).when(&set(6)).then([below(6), Event::RanLow { left: 5 }]);
    let watched = [five(), vec![below(5)]].concat();
    given::<KeyPool>(watched.clone()).when(&set(5)).then_nothing();
    let one = assigned(1, &[range(1, 0, 1)]);
    given::<KeyPool>(watched.clone()).when(&assign(1, 1)).then([one.clone(), Event::RanLow { left: 4 }]);
    let low = [watched, vec![one, Event::RanLow { left: 4 }]].concat();
    let next = assigned(2, &[range(1, 1, 1)]);
    given::<KeyPool>(low.clone()).when(&assign(2, 1)).then([next]);
    let full = [low, vec![started(3), imported(3, 1)]].concat();
    let again = assigned(2, &[range(1, 1, 1)]);
    given::<KeyPool>(full).when(&assign(2, 1)).then([again, Event::RanLow { left: 4 }]);
}

#[test]
fn keys_that_were_given_back_stay_assigned() {
    let keys = vec![range(1, 1, 2)];
    let revoke = Command::Revoke { order: number(1), count: pieces(2), revealed: 1, keys: keys.clone() };
    let revoked = Event::Revoked { order: number(1), count: pieces(2), revealed: 1, keys };
    let history = [five(), vec![assigned(1, &[range(1, 0, 3)])]].concat();
    given::<KeyPool>(history.clone()).when(&revoke).then([revoked.clone()]);
    let state: KeyPool = crate::fold(&[history, vec![revoked]].concat());
    let counts = state.counts;
    assert_eq!((counts.assigned, counts.left(), counts.revoked, counts.revoked_revealed), (3, 2, 2, 1));
}

fn set(pattern: &str) -> Event {
    Event::PatternSet { pattern: Pattern::new(pattern).unwrap() }
}

fn generate(pattern: &str) -> Command {
    Command::SetPattern { pattern: Pattern::new(pattern).unwrap() }
}

#[test]
fn keys_of_a_pattern_are_numbered_and_never_run_out() {
    let pattern = "ACME-{16}";
    given::<KeyPool>([]).when(&generate(pattern)).then_refused(Rejection::Missing);
    given::<KeyPool>(five()).when(&generate(pattern)).then_refused(Rejection::KeysLeft { left: 5 });
    given::<KeyPool>([opened()]).when(&generate(pattern)).then([set(pattern)]);
    let history = vec![opened(), set(pattern)];
    given::<KeyPool>(history.clone()).when(&generate(pattern)).then_nothing();
    given::<KeyPool>(history.clone()).when(&generate("{20}")).then([set("{20}")]);
    given::<KeyPool>(history.clone()).when(&Command::StartImport {}).then_refused(Rejection::Generated);
    let first = assigned(1, &[range(GENERATED, 0, 2)]);
    given::<KeyPool>(history.clone()).when(&assign(1, 2)).then([first.clone()]);
    let after = [history, vec![first]].concat();
    given::<KeyPool>(after.clone()).when(&assign(2, 3)).then([assigned(2, &[range(GENERATED, 2, 3)])]);
    let counts = crate::fold::<KeyPool>(&after).counts;
    assert_eq!((counts.imported, counts.generated, counts.assigned, counts.left()), (0, 2, 2, 0));
    given::<KeyPool>(after).when(&withdraw(GENERATED, 1)).then_refused(Rejection::NoSuchBatch);
}

#[test]
fn a_pool_that_generates_does_not_run_low_and_takes_no_import_that_was_under_way() {
    let below = Event::AlertSet { below: Some(pieces(5)) };
    let sold = assigned(1, &[range(1, 0, 3), range(2, 0, 2)]);
    let history = [five(), vec![below, sold, Event::RanLow { left: 0 }, started(3), set("{16}")]].concat();
    let state: KeyPool = crate::fold(&history);
    assert_eq!((state.counts.alert_below, state.counts.low), (None, false));
    let import = Command::Import { batch: 3, count: pieces(1) };
    given::<KeyPool>(history.clone()).when(&import).then_refused(Rejection::Generated);
    let alert = |below| Command::SetAlert { below };
    given::<KeyPool>(history.clone()).when(&alert(Some(pieces(1)))).then_refused(Rejection::Generated);
    given::<KeyPool>(history).when(&alert(None)).then_nothing();
}

#[test]
fn the_number_of_machines_is_limited_and_set_free_again() {
    let limit = |limit: Option<i64>| Command::LimitActivations { limit: limit.map(pieces) };
    let limited = |limit: Option<i64>| Event::ActivationsLimited { limit: limit.map(pieces) };
    given::<KeyPool>([]).when(&limit(Some(3))).then_refused(Rejection::Missing);
    given::<KeyPool>([opened()]).when(&limit(None)).then_nothing();
    given::<KeyPool>([opened()]).when(&limit(Some(3))).then([limited(Some(3))]);
    let history = [opened(), limited(Some(3))];
    given::<KeyPool>(history.clone()).when(&limit(Some(3))).then_nothing();
    given::<KeyPool>(history).when(&limit(None)).then([limited(None)]);
}

#[test]
fn a_pool_has_not_endless_batches() {
    let mut history = vec![opened()];
    for batch in (1..).take(BATCHES_MAX) {
        history.extend([started(batch), imported(batch, 1)]);
    }
    given::<KeyPool>(history).when(&Command::StartImport {}).then_refused(Rejection::TooManyBatches);
}

#[test]
fn the_keys_of_a_pool_are_codes_of_gift_cards_from_the_start_or_never() {
    let deliver = |days| Command::SetGiftCards(GiftCards { days });
    let cards = |days| Event::GiftCardsSet(GiftCards { days });
    given::<KeyPool>([opened()]).when(&deliver(Some(365))).then([cards(Some(365))]);
    let history = vec![opened(), cards(Some(365))];
    given::<KeyPool>(history.clone()).when(&deliver(Some(365))).then_nothing();
    given::<KeyPool>(history.clone()).when(&deliver(None)).then([cards(None)]);
    for days in [0, 3_661] {
        given::<KeyPool>([opened()]).when(&deliver(Some(days))).then_refused(Rejection::WrongDays);
    }
    // Each order gets new codes.
    given::<KeyPool>(history.clone()).when(&assign(1, 2)).then([assigned(1, &[range(GENERATED, 0, 2)])]);
    given::<KeyPool>(history.clone()).when(&Command::StartImport {}).then_refused(Rejection::Generated);
    let limit = Command::LimitActivations { limit: Some(pieces(1)) };
    given::<KeyPool>(history.clone()).when(&limit).then_refused(Rejection::GiftCards);
    given::<KeyPool>(history).when(&generate("ACME-{16}")).then_refused(Rejection::GiftCards);
    // Who bought a key of the pool gets no gift card for it.
    given::<KeyPool>([opened(), started(1)]).when(&deliver(None)).then_refused(Rejection::NoGiftCards);
    given::<KeyPool>([opened(), set("ACME-{16}")]).when(&deliver(None)).then_refused(Rejection::NoGiftCards);
}

#[test]
fn events_are_golden() {
    golden(
        include_str!("golden.json"),
        &[
            opened(),
            Event::GiftCardsSet(GiftCards { days: Some(1_095) }),
            Event::GiftCardsSet(GiftCards { days: None }),
            started(1),
            imported(1, 3),
            assigned(1, &[range(1, 0, 2)]),
            withdrawn(1, 2, 1),
            Event::Withdrawn { keys: range(1, 2, 1), reason: Some(text("leaked")) },
            Event::Revoked { order: number(1), count: pieces(2), revealed: 1, keys: vec![] },
            Event::Revoked { order: number(1), count: pieces(2), revealed: 1, keys: vec![range(1, 1, 2)] },
            Event::AlertSet { below: Some(pieces(10)) },
            Event::AlertSet { below: None },
            Event::RanLow { left: 9 },
            assigned(1, &[range(GENERATED, 0, 2)]),
            set("ACME-{8}-{8}{check}"),
            Event::ActivationsLimited { limit: Some(pieces(3)) },
            Event::ActivationsLimited { limit: None },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::GiftCards,
        R::NoGiftCards,
        R::GiftCardPrice { most: cents(10_000_000) },
        R::OfSeller,
        R::WrongDays,
        R::Missing,
        R::Physical,
        R::NoSuchBatch,
        R::TooManyBatches,
        R::Overtaken,
        R::Generated,
        R::KeysLeft { left: 1 },
        R::Empty { left: 0 },
        R::NotEnough { left: 0 },
    ]);
}
