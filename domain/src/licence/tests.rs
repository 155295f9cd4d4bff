//! The rules of a licence: a machine counts once, and no more machines than the limit.

use super::*;
use crate::testing::{given, golden, id as number, noon, pieces, text, well_said};

fn key() -> KeyNumber {
    KeyNumber { variant: number(3), batch: 1, number: 5 }
}

fn activated(machine: &str) -> Event {
    Event::Activated { key: key(), machine: text(machine), at: noon() }
}

fn deactivated(machine: &str) -> Event {
    Event::Deactivated { machine: text(machine), at: noon() }
}

fn activate(machine: &str, limit: Option<i64>) -> Command {
    Command::Activate { key: key(), machine: text(machine), limit: limit.map(pieces) }
}

#[test]
fn a_key_is_active_on_no_more_machines_than_its_limit() {
    given::<Licence>([]).when(&activate("a", Some(2))).then([activated("a")]);
    given::<Licence>([activated("a")]).when(&activate("b", Some(2))).then([activated("b")]);
    let both = [activated("a"), activated("b")];
    let full = Rejection::TooManyMachines { limit: 2 };
    given::<Licence>(both.clone()).when(&activate("c", Some(2))).then_refused(full);
    given::<Licence>(both.clone()).when(&activate("b", Some(2))).then_nothing();
    // A limit that was lowered later takes no machine away.
    given::<Licence>(both.clone()).when(&activate("a", Some(1))).then_nothing();
    let off = Command::Deactivate { machine: text("a") };
    given::<Licence>(both.clone()).when(&off).then([deactivated("a")]);
    let one = [&both[..], &[deactivated("a")]].concat();
    given::<Licence>(one.clone()).when(&off).then_nothing();
    given::<Licence>(one).when(&activate("c", Some(2))).then([activated("c")]);
}

#[test]
fn a_key_without_a_limit_has_not_endless_machines() {
    let machines = (0..MACHINES_MAX).map(|machine| activated(&machine.to_string()));
    let full = Rejection::TooManyMachines { limit: MACHINES_MAX };
    given::<Licence>(machines.collect::<Vec<_>>()).when(&activate("next", None)).then_refused(full);
}

#[test]
fn each_key_has_a_licence_of_its_own() {
    let others = [
        KeyNumber { variant: number(4), ..key() },
        KeyNumber { batch: 2, ..key() },
        KeyNumber { number: 6, ..key() },
        KeyNumber { batch: 15, number: 0, ..key() },
    ];
    assert!(others.iter().all(|other| id(*other) != id(key())));
    assert_eq!(id(key()), id(key()));
}

#[test]
fn events_are_golden() {
    golden(include_str!("golden.json"), &[activated("machine"), deactivated("machine")]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Unknown, Rejection::Revoked, Rejection::TooManyMachines { limit: 3 }]);
}
