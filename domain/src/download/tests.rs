//! The rules of downloads: a ticket counts once, and no good is downloaded more often, or longer, than its limits.

use super::*;
use crate::decider::Actor;
use crate::testing::{given, golden, id as number, noon, well_said};

fn granted(days: Option<u32>, downloads: Option<u32>) -> Event {
    Event::Granted { order: number(1), variant: number(2), limits: Limits { days, downloads }, at: noon() }
}

fn until() -> DateTime<Utc> {
    noon() + TimeDelta::hours(12)
}

fn started(ticket: u128) -> Event {
    Event::started(Uuid::from_u128(ticket), Item::Link, until(), noon())
}

fn start(ticket: u128, pieces: i64) -> Command {
    Command::Start { ticket: Uuid::from_u128(ticket), item: Item::Link, until: until(), pieces }
}

fn file(version: u32) -> Item {
    Item::File { file: number(7), version }
}

fn started_file(ticket: u128, version: u32) -> Event {
    Event::started(Uuid::from_u128(ticket), file(version), until(), noon())
}

fn start_file(ticket: u128, version: u32) -> Command {
    Command::Start { ticket: Uuid::from_u128(ticket), item: file(version), until: until(), pieces: 1 }
}

#[test]
fn the_link_and_each_file_are_counted_for_themselves_and_versions_together() {
    let one = vec![granted(None, Some(1)), started(9)];
    given::<Download>(one.clone()).when(&start_file(8, 1)).then([started_file(8, 1)]);
    let both = [one, vec![started_file(8, 1)]].concat();
    given::<Download>(both.clone()).when(&start_file(8, 1)).then_nothing();
    given::<Download>(both.clone()).when(&start_file(7, 2)).then_refused(Rejection::UsedUp { limit: 1 });
    let state: Download = crate::fold(&both);
    assert_eq!((state.count(Item::Link), state.count(file(1)), state.count(file(2))), (1, 1, 1));
}

fn asked(at: DateTime<Utc>) -> Asked {
    Asked { at, by: Actor::System { name: "test".to_owned() } }
}

#[test]
fn downloads_are_granted_once_with_the_limits_of_that_time() {
    let grant = |downloads| Command::Grant {
        order: number(1),
        variant: number(2),
        limits: Limits { days: None, downloads: Some(downloads) },
    };
    given::<Download>([]).when(&grant(2)).then([granted(None, Some(2))]);
    given::<Download>([granted(None, Some(2))]).when(&grant(9)).then_nothing();
    given::<Download>([]).when(&start(9, 1)).then_refused(Rejection::Missing);
}

#[test]
fn a_ticket_counts_when_it_is_used_first_and_then_no_more() {
    given::<Download>([granted(None, Some(1))]).when(&start(9, 1)).then([started(9)]);
    given::<Download>([granted(None, Some(1)), started(9)]).when(&start(9, 1)).then_nothing();
    let used_up = Rejection::UsedUp { limit: 1 };
    given::<Download>([granted(None, Some(1)), started(9)]).when(&start(8, 1)).then_refused(used_up);
}

#[test]
fn each_piece_brings_its_downloads() {
    let two = [granted(None, Some(1)), started(8)];
    given::<Download>(two.clone()).when(&start(9, 2)).then([started(9)]);
    given::<Download>(two).when(&start(8, 0)).then_refused(Rejection::Revoked);
    let state: Download = crate::fold(&[granted(None, None)]);
    assert_eq!(state.limit(3), 3 * i64::from(DOWNLOADS_MAX));
}

#[test]
fn downloads_end_with_their_days_and_a_ticket_with_its_time() {
    let state: Download = crate::fold(&[granted(Some(1), None), started(9)]);
    let day = noon() + TimeDelta::days(1);
    let (ticket, item) = (Uuid::from_u128(9), Item::Link);
    let at_the_end = Command::Start { ticket, item, until: day + TimeDelta::hours(1), pieces: 1 };
    assert_eq!(state.decide(&at_the_end, &asked(day)), Err(Rejection::Over));
    assert_eq!(state.decide(&start(9, 1), &asked(until())), Err(Rejection::Expired));
    assert_eq!(state.decide(&start(9, 1), &asked(until() - TimeDelta::seconds(1))), Ok(vec![]));
    let endless: Download = crate::fold(&[granted(None, None)]);
    assert_eq!((endless.until(), state.until()), (None, Some(day)));
}

#[test]
fn expired_tickets_are_forgotten_and_still_count() {
    let later = Event::started(Uuid::from_u128(7), Item::Link, until() + TimeDelta::days(1), until());
    let state: Download = crate::fold(&[granted(None, None), started(8), started(9), later]);
    assert_eq!((state.links, state.tickets.len()), (3, 1));
}

#[test]
fn each_order_and_variant_has_downloads_of_its_own() {
    assert_eq!(id(number(1), number(2)), id(number(1), number(2)));
    assert!([id(number(2), number(1)), id(number(1), number(3))].iter().all(|it| *it != id(number(1), number(2))));
}

#[test]
fn events_are_golden() {
    golden(
        include_str!("golden.json"),
        &[granted(Some(30), Some(2)), granted(None, None), started(9), started_file(9, 2)],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[R::Missing, R::Unpaid, R::Revoked, R::Over, R::UsedUp { limit: 3 }, R::Expired]);
}
