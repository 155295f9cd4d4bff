//! Rules of access tokens from the command line.

use super::*;
use crate::testing::{given, golden, id, well_said};

fn minted() -> Event {
    Event::Minted { account: id(7), role: Role::Admin, lifetime_s: 28_800 }
}

#[test]
fn it_is_minted_once() {
    let mint = Command::Mint { account: id(7), role: Role::Admin, lifetime_s: 28_800 };
    given::<AccessToken>([]).when(&mint).then([minted()]);
    given::<AccessToken>([minted()]).when(&mint).then_refused(Rejection::Exists);
}

#[test]
fn every_stored_form_is_golden() {
    golden(include_str!("golden.json"), &[minted()]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Exists]);
}
