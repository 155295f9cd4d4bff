//! Rules of unique names.

use super::*;
use crate::testing::{given, golden, text, well_said};

fn claim(owner: &str) -> Command {
    Command::Claim { kind: NameKind::Sku, text: text("85123A"), owner: owner.to_owned() }
}

fn claimed(owner: &str) -> Event {
    Event::Claimed { kind: NameKind::Sku, text: text("85123A"), owner: owner.to_owned() }
}

fn released() -> Event {
    Event::Released { kind: NameKind::Sku, text: text("85123A") }
}

#[test]
fn the_first_one_holds_it() {
    given::<UniqueName>([]).when(&claim("var_a")).then([claimed("var_a")]);
    given::<UniqueName>([claimed("var_a")]).when(&claim("var_a")).then_nothing();
    let taken = Rejection::Taken { kind: NameKind::Sku, text: text("85123A") };
    given::<UniqueName>([claimed("var_a")]).when(&claim("var_b")).then_refused(taken);
}

#[test]
fn a_released_name_is_free_again() {
    given::<UniqueName>([]).when(&Command::Release {}).then_nothing();
    given::<UniqueName>([claimed("var_a")]).when(&Command::Release {}).then([released()]);
    given::<UniqueName>([claimed("var_a"), released()]).when(&claim("var_b")).then([claimed("var_b")]);
}

#[test]
fn kinds_and_capitals_never_meet() {
    let ids = [id(NameKind::Sku, "a"), id(NameKind::Sku, "A"), id(NameKind::CategorySlug, "a")];
    assert!(ids[0] != ids[1] && ids[0] != ids[2]);
    assert_eq!(ids[0], id(NameKind::Sku, "a"));
}

/// The ids of names are in the log: they can never be computed otherwise.
#[test]
fn the_id_of_a_name_never_changes() {
    assert_eq!(id(NameKind::Sku, "85123A").to_string(), "name_3qfrkctfzcax49psdqsj5nzk19");
    assert_eq!(id(NameKind::CategorySlug, "knives").to_string(), "name_2jfneh16k7bgt81rpkp4g31r57");
}

#[test]
fn every_stored_form_is_golden() {
    let slug = Event::Claimed { kind: NameKind::CategorySlug, text: text("knives"), owner: "cat_a".to_owned() };
    let number = Event::Claimed { kind: NameKind::Reference, text: text("489434"), owner: "ord_a".to_owned() };
    let handle =
        Event::Claimed { kind: NameKind::SellerHandle, text: text("copper-kettles"), owner: "sel_a".to_owned() };
    golden(include_str!("golden.json"), &[claimed("var_a"), slug, number, handle, released()]);
}

#[test]
fn rejections_are_well_said() {
    use NameKind::{Cart, CategorySlug, Coupon, Email, Reference, SellerHandle, Sku};
    let taken = |kind| Rejection::Taken { kind, text: text("knives") };
    well_said(&[Sku, CategorySlug, Reference, Email, Coupon, Cart, SellerHandle].map(taken));
}
