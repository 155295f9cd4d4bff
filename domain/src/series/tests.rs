//! Rules of series.

use super::*;
use crate::decider::fold;
use crate::testing::{given, golden, id, text, well_said};

fn invoice(order: u128) -> Document {
    Document::Invoice { order: id(order), seller: None }
}

fn issue(document: Document) -> Command {
    Command::Issue { document, year: 2026, handle: None }
}

fn issued(number: i64, reference: &str, document: Document) -> Event {
    Event::Issued { number, reference: text(reference), document }
}

#[test]
fn each_document_takes_the_next_number() {
    let first = issued(1, "INV-2026-000001", invoice(1));
    given::<Series>([]).when(&issue(invoice(1))).then([first.clone()]);
    given::<Series>([first]).when(&issue(invoice(2))).then([issued(2, "INV-2026-000002", invoice(2))]);
    let note = Document::CreditNote { credit_note: id(3), seller: None };
    given::<Series>([]).when(&issue(note)).then([issued(1, "CN-2026-000001", note)]);
}

#[test]
fn a_number_that_has_more_digits_is_longer() {
    let many = issued(999_999, "INV-2026-999999", invoice(1));
    given::<Series>([many]).when(&issue(invoice(2))).then([issued(1_000_000, "INV-2026-1000000", invoice(2))]);
    let last = issued(NUMBER_MAX, "INV-2026-999999999", invoice(1));
    given::<Series>([last]).when(&issue(invoice(2))).then_refused(Rejection::Exhausted);
}

fn skip(to: i64) -> Command {
    Command::Skip { to, reason: text("backup of 3 May restored") }
}

fn skipped(from: i64, to: i64) -> Event {
    Event::Skipped { from, to, reason: text("backup of 3 May restored") }
}

#[test]
fn numbers_are_left_out_with_a_reason_and_the_next_document_comes_after_them() {
    let first = issued(1, "INV-2026-000001", invoice(1));
    given::<Series>([first.clone()]).when(&skip(50)).then([skipped(2, 50)]);
    let after = issued(51, "INV-2026-000051", invoice(2));
    given::<Series>([first.clone(), skipped(2, 50)]).when(&issue(invoice(2))).then([after]);
    given::<Series>([first, skipped(2, 50)]).when(&skip(60)).then([skipped(51, 60)]);
    given::<Series>([]).when(&skip(7)).then([skipped(1, 7)]);
}

#[test]
fn numbers_that_are_given_are_not_left_out() {
    let history = || [issued(1, "INV-2026-000001", invoice(1)), skipped(2, 50)];
    given::<Series>(history()).when(&skip(50)).then_nothing();
    given::<Series>([issued(3, "INV-2026-000003", invoice(1))]).when(&skip(3)).then_nothing();
    for to in [49, 1, 0, -1, i64::MIN] {
        given::<Series>(history()).when(&skip(to)).then_refused(Rejection::NotAbove { last: 50 });
    }
}

#[test]
fn a_slip_of_the_finger_does_not_end_a_series() {
    given::<Series>([]).when(&skip(SKIP_MAX)).then([skipped(1, SKIP_MAX)]);
    for to in [SKIP_MAX + 1, NUMBER_MAX, i64::MAX] {
        given::<Series>([]).when(&skip(to)).then_refused(Rejection::TooFar { last: 0 });
    }
    let late = issued(NUMBER_MAX - 5, "INV-2026-999999994", invoice(1));
    given::<Series>([late]).when(&skip(NUMBER_MAX)).then_refused(Rejection::Exhausted);
}

#[test]
fn the_last_event_says_everything() {
    let all: Vec<Event> = (1..=3).map(|number| issued(number, &format!("INV-2026-{number:06}"), invoice(1))).collect();
    assert_eq!(fold::<Series>(&all), fold::<Series>(&all[2..]));
    let gap = [all[0].clone(), skipped(2, 9)];
    assert_eq!(fold::<Series>(&gap), fold::<Series>(&gap[1..]));
}

#[test]
fn kinds_and_years_have_series_of_their_own() {
    let note = Document::CreditNote { credit_note: id(1), seller: None };
    let all = [invoice(1).series(2026), invoice(1).series(2027), note.series(2026)];
    assert!(all[0] != all[1] && all[0] != all[2] && all[1] != all[2]);
    assert_eq!(invoice(1).series(2026), invoice(2).series(2026));
    assert_eq!(all, [of_invoices(None, 2026), of_invoices(None, 2027), of_credit_notes(None, 2026)]);
}

#[test]
fn every_stored_form_is_golden() {
    let note = Document::CreditNote { credit_note: id(2), seller: None };
    let of_seller = Document::Invoice { order: id(1), seller: Some(id(7)) };
    let note_of_seller = Document::CreditNote { credit_note: id(2), seller: Some(id(7)) };
    let samples = [
        issued(42, "INV-2026-000042", invoice(1)),
        issued(7, "CN-2026-000007", note),
        skipped(43, 60),
        issued(42, "INV-KETTLES-2026-000042", of_seller),
        issued(7, "CN-KETTLES-2026-000007", note_of_seller),
    ];
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[R::Exhausted, R::NotAbove { last: 1 }, R::TooFar { last: 1 }]);
}

#[test]
fn a_seller_has_series_of_its_own() {
    let (kettles, handle) = (id::<SellerId>(7), Some(text::<Handle>("copper-kettles")));
    let invoice = Document::Invoice { order: id(1), seller: Some(kettles) };
    let issue = Command::Issue { document: invoice, year: 2026, handle };
    let first = issued(1, "INV-COPPER-KETTLES-2026-000001", invoice);
    given::<Series>([]).when(&issue).then([first]);
    let note = Document::CreditNote { credit_note: id(2), seller: Some(kettles) };
    let all = [invoice.series(2026), note.series(2026), of_invoices(None, 2026), of_invoices(Some(id(8)), 2026)];
    assert_eq!(all[..2], [of_invoices(Some(kettles), 2026), of_credit_notes(Some(kettles), 2026)]);
    assert!((1..4).all(|at| !all[..at].contains(&all[at])), "{all:?}");
    let read = Printed::read("inv-copper-kettles-2026-000042").unwrap();
    assert_eq!((read.handle.as_ref().map(Handle::as_str), read.year, read.number), (Some("copper-kettles"), 2026, 42));
    assert_eq!(read.series(Some(kettles)), of_invoices(Some(kettles), 2026));
    // The longest handle and the largest number fit a reference.
    let (long, last) = ("h".repeat(crate::text::HANDLE_MAX), NUMBER_MAX - 1);
    let issue = Command::Issue { document: invoice, year: 2026, handle: Some(text(&long)) };
    let before = Event::Skipped { from: 1, to: last, reason: text("a test") };
    assert_eq!(given::<Series>([before]).when(&issue).events().len(), 1);
}

#[test]
fn a_printed_number_is_read_back() {
    let read = |text: &str| Printed::read(text).map(|printed| (printed.series(None), printed.year, printed.number));
    assert_eq!(read("INV-2026-000042"), Some((of_invoices(None, 2026), 2026, 42)));
    assert_eq!(read(" cn-2027-1000000 "), Some((of_credit_notes(None, 2027), 2027, 1_000_000)));
    for wrong in
        ["42", "INV-2026", "INV-26-000042", "INV-2026-42", "XY-2026-000042", "INV-2026-00004x", "INV-2026-+00042"]
    {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
