//! Rules of series.

use super::*;
use crate::decider::fold;
use crate::testing::{given, golden, id, text, well_said};

fn invoice(order: u128) -> Document {
    Document::Invoice { order: id(order) }
}

fn issue(document: Document) -> Command {
    Command::Issue { document, year: 2026 }
}

fn issued(number: i64, reference: &str, document: Document) -> Event {
    Event::Issued { number, reference: text(reference), document }
}

#[test]
fn each_document_takes_the_next_number() {
    let first = issued(1, "INV-2026-000001", invoice(1));
    given::<Series>([]).when(&issue(invoice(1))).then([first.clone()]);
    given::<Series>([first]).when(&issue(invoice(2))).then([issued(2, "INV-2026-000002", invoice(2))]);
    let note = Document::CreditNote { credit_note: id(3) };
    given::<Series>([]).when(&issue(note)).then([issued(1, "CN-2026-000001", note)]);
}

#[test]
fn a_number_that_has_more_digits_is_longer() {
    let many = issued(999_999, "INV-2026-999999", invoice(1));
    given::<Series>([many]).when(&issue(invoice(2))).then([issued(1_000_000, "INV-2026-1000000", invoice(2))]);
    let last = issued(NUMBER_MAX, "INV-2026-999999999", invoice(1));
    given::<Series>([last]).when(&issue(invoice(2))).then_refused(Rejection::Exhausted);
}

#[test]
fn the_last_event_says_everything() {
    let all: Vec<Event> = (1..=3).map(|number| issued(number, &format!("INV-2026-{number:06}"), invoice(1))).collect();
    assert_eq!(fold::<Series>(&all), fold::<Series>(&all[2..]));
}

#[test]
fn kinds_and_years_have_series_of_their_own() {
    let note = Document::CreditNote { credit_note: id(1) };
    let all = [invoice(1).series(2026), invoice(1).series(2027), note.series(2026)];
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    assert_eq!(invoice(1).series(2026), invoice(2).series(2026));
}

#[test]
fn every_stored_form_is_golden() {
    let note = Document::CreditNote { credit_note: id(2) };
    let samples = [issued(42, "INV-2026-000042", invoice(1)), issued(7, "CN-2026-000007", note)];
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Exhausted]);
}
