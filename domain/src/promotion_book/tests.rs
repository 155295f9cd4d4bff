//! Rules of the book of promotions.

use super::*;
use crate::testing::{given, golden, id, well_said};

fn terms(label: &str) -> Terms {
    let json = serde_json::json!({"label": label, "benefit": {"kind": "percent", "percent_bps": 1000}});
    serde_json::from_value(json).unwrap()
}

fn list(promotion: u128, label: &str) -> Command {
    Command::List { promotion: id(promotion), version: 1, terms: Box::new(terms(label)) }
}

fn listed(promotion: u128) -> Event {
    Event::Listed { promotion: id(promotion), version: 1, terms: Box::new(terms("Spring")) }
}

#[test]
fn a_promotion_is_listed_and_unlisted_once() {
    let gone = Event::Unlisted { promotion: id(1) };
    given::<PromotionBook>([]).when(&list(1, "Spring")).then([listed(1)]);
    given::<PromotionBook>([listed(1)]).when(&list(1, "Spring")).then_nothing();
    given::<PromotionBook>([listed(1)]).when(&Command::Unlist { promotion: id(1) }).then([gone.clone()]);
    given::<PromotionBook>([listed(1), gone]).when(&Command::Unlist { promotion: id(1) }).then_nothing();
}

#[test]
fn there_are_not_endless_many() {
    let full: Vec<_> = (0..LISTED_MAX).map(|number| listed(number as u128)).collect();
    given::<PromotionBook>(full.clone()).when(&list(1_000, "Spring")).then_refused(Rejection::TooMany);
    let other = Event::Listed { promotion: id(1), version: 1, terms: Box::new(terms("Summer")) };
    given::<PromotionBook>(full).when(&list(1, "Summer")).then([other]);
}

#[test]
fn every_stored_form_is_golden() {
    golden(include_str!("golden.json"), &[listed(1), Event::Unlisted { promotion: id(1) }]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::TooMany]);
}
