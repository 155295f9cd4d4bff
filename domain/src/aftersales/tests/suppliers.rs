//! Rules of orders of which sellers supply parts in their own name: each supplier gives back what it supplied, by credit notes of its
//! own.

use super::*;
use crate::commission::Commission;
use crate::credit_note::Content;
use crate::ids::SellerId;
use crate::issuer::Supplier;
use crate::order::SellerInvoice;
use crate::testing::parcel_at;
use crate::{Personal, Subject};

fn kettles() -> SellerId {
    id(71)
}

fn supplier() -> Supplier {
    let legal = Personal::new(Subject::from(kettles()), "legal");
    Supplier { seller: kettles(), handle: text("kettles"), legal }
}

/// A lamp of the house for 1.00 and two of a seller for 1.00 each, and 0.90 for shipping: 0.30 and 0.60.
fn of_two() -> Placement {
    let commission = Some(Commission { amount: cents(20), tax: None, rule: None });
    let lines = vec![line(VARIANT, 1, 100), Line { seller: Some(kettles()), commission, ..line(5, 2, 100) }];
    Placement { lines, shipping: Some(parcel_at(90)), total: cents(390), ..three_lamps() }
}

/// Paid, with an invoice of each.
fn paid() -> Work {
    let mut work = work_on(of_two(), true);
    let paid = order::Event::Paid {
        payment: id(PAYMENT),
        commit: vec![lamps(1), of_seller(2)],
        invoice: Some(text("INV-2026-000001")),
        seller: None,
        invoices: vec![SellerInvoice { number: text("INV-KETTLES-2026-000001"), supplier: supplier() }],
        stock_moved: true,
        keys: vec![],
        in_part: false,
    };
    work.hold::<Order>(id(ORDER), Arc::new(fold(&[order::Event::Placed(of_two()), paid])));
    work.begin::<Series>(of_credit_notes(Some(kettles()), 2026));
    work
}

fn of_seller(number: i64) -> Demand {
    Demand { variant: id(5), quantity: pieces(number) }
}

fn notes(work: Work) -> Vec<Content> {
    let of_note = |event: AnyEvent| {
        if let AnyEvent::CreditNote(_, crate::credit_note::Event::Issued(note)) = event { Some(note) } else { None }
    };
    work.decided().events.into_iter().filter_map(of_note).collect()
}

/// Number, total, refunded shipping, and what it takes back of sellers.
fn said(note: &Content) -> (&str, i64, Option<i64>, Vec<i64>) {
    let of_sellers = note.sellers.iter().map(|share| share.owed().amount);
    (note.reference.as_str(), note.total.amount, note.shipping.map(|it| it.amount), of_sellers.collect())
}

#[test]
fn a_cancelled_order_has_a_credit_note_of_each_supplier() {
    let mut work = paid();
    cancel(&mut work, id(ORDER), REASON, true).unwrap();
    let order = work.get::<Order>(id::<OrderId>(ORDER)).unwrap();
    assert_eq!(order.live().unwrap().credit_notes.len(), 2);
    let notes = notes(work);
    let own = ("CN-KETTLES-2026-000001", 260, Some(60), vec![240]);
    assert_eq!(notes.iter().map(said).collect::<Vec<_>>(), [("CN-2026-000001", 130, Some(30), vec![]), own]);
    assert_eq!((&notes[0].supplier, &notes[1].supplier), (&None, &Some(supplier())));
    assert!(notes.iter().all(|note| note.refund == Some(payment::whole(id(PAYMENT)))));
}

#[test]
fn a_refund_of_all_parts_has_a_credit_note_of_each_supplier_for_its_share() {
    let mut work = paid();
    refund(&mut work, id(PAYMENT), cents(100), &text("a scratch"), &[], None).unwrap();
    let refunds = work.get::<Payment>(id::<PaymentId>(PAYMENT)).unwrap().live().unwrap().refunds.len();
    let notes = notes(work);
    // 1.00 is split as 1.30 : 2.60.
    let shares = [("CN-2026-000001", 33, None, vec![]), ("CN-KETTLES-2026-000001", 67, None, vec![62])];
    assert_eq!(notes.iter().map(said).collect::<Vec<_>>(), shares);
    assert_eq!((refunds, notes[0].refund), (1, notes[1].refund));
}

#[test]
fn what_is_of_one_part_has_one_credit_note() {
    let mut work = paid();
    cancel_lines(&mut work, id(ORDER), &[of_seller(1)], REASON, true, None).unwrap();
    refund(&mut work, id(PAYMENT), cents(10), &text("a scratch"), &[], Some(1)).unwrap();
    refund(&mut work, id(PAYMENT), cents(10), &text("a scratch"), &[], Some(2)).unwrap();
    cancel_lines(&mut work, id(ORDER), &[of_seller(1)], REASON, true, None).unwrap();
    cancel(&mut work, id(ORDER), REASON, true).unwrap();
    let notes = notes(work);
    let totals: Vec<_> = notes.iter().map(|note| (note.reference.as_str(), note.total.amount)).collect();
    let expected = [
        ("CN-KETTLES-2026-000001", 100),
        ("CN-2026-000001", 10),
        ("CN-KETTLES-2026-000002", 10),
        ("CN-KETTLES-2026-000003", 150),
        ("CN-2026-000002", 120),
    ];
    assert_eq!(totals, expected);
}
