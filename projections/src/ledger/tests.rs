//! Folds of ledger.

use byteshop_domain::Currency;
use byteshop_domain::commission::{Commission, CommissionTax};
use byteshop_domain::ids::{ProductId, ReceiptId, RefundId, SellerId, VariantId};
use byteshop_domain::money::{Money, Price};
use byteshop_domain::order::{Buyer, CancelReason, Line as Bought, Placement, ReturnLine};
use byteshop_domain::payment::Method;
use byteshop_domain::payment_book::ManualKind;
use byteshop_domain::pricing::LineTax;
use byteshop_domain::product::TaxClass;
use byteshop_domain::quantity::Quantity;
use byteshop_domain::tax_rate::TaxRate;
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows, text};

const ORDER: u128 = 1;

fn id<I: byteshop_domain::ids::Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn euros(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

/// Three mugs at 11.90 with 19 % in the price.
fn placed() -> Recorded {
    let rate = TaxRate::new(190_000).unwrap();
    let placement = Placement {
        buyer: Buyer { account: Some(id(9)), reference: None },
        cart: None,
        access_hash: Some(text("aa11")),
        destination: serde_json::from_str(r#"{"country":"DE","area":"101"}"#).unwrap(),
        lines: vec![Bought {
            variant: id::<VariantId>(4),
            product: id::<ProductId>(5),
            sku: text("MUG"),
            title: text("Mug"),
            quantity: Quantity::new(3).unwrap(),
            unit_price: Price::new(euros(1_190)).unwrap(),
            exact_price: None,
            digital: false,
            commission: None,
            keys: false,
            downloads: false,
            gift_cards: false,
            seller: None,
            amount: euros(3_570),
            discount: None,
            tax: Some(LineTax { class: TaxClass::Standard, rate, included: true, amount: euros(570) }),
        }],
        total: euros(3_570),
        payment: id(3),
        pay_by: None,
        reference: None,
        imported: false,
        part_shipping: vec![],
        tax_rounding: byteshop_domain::tax_book::Rounding::Line,
        discounts: vec![],
        shipping: None,
        claims: vec![],
    };
    event::<Order>(ORDER, &order::Event::Placed(placement))
}

fn paid() -> Recorded {
    let invoice = Some(text("INV-2026-000001"));
    event::<Order>(
        ORDER,
        &order::Event::Paid {
            payment: id(3),
            commit: vec![],
            invoice,
            seller: None,
            invoices: vec![],
            stock_moved: true,
            keys: vec![],
            in_part: false,
        },
    )
}

fn one_is_cancelled() -> Recorded {
    let line = ReturnLine { variant: id(4), quantity: Quantity::ONE, amount: euros(1_190) };
    event::<Order>(
        ORDER,
        &order::Event::LinesCancelled {
            lines: vec![line],
            amount: euros(1_190),
            shipping: None,
            reason: CancelReason::BuyerRequest,
            was_paid: false,
            refund: None,
            credit_note: None,
            written_off: vec![],
        },
    )
}

fn cancelled(was_paid: bool) -> Recorded {
    let reason = CancelReason::PaymentWindowPassed;
    let cancelled = order::Event::Cancelled {
        reason,
        payment: id(3),
        was_paid,
        release: vec![],
        due: None,
        credit_note: None,
        further_notes: vec![],
        lost: vec![],
        stock_moved: true,
    };
    event::<Order>(ORDER, &cancelled)
}

fn captured() -> Recorded {
    let captured = payment::Event::Captured {
        order: id(ORDER),
        amount: euros(3_570),
        method: Method::Test,
        reference: text("ref"),
        covers: vec![],
    };
    event::<Payment>(3, &captured)
}

fn said(row: &Row) -> Vec<(&str, i64)> {
    let lines = row.entry.iter().flat_map(|entry| &entry.lines);
    lines.map(|line| (line.account.as_str(), line.debit.amount - line.credit.amount)).collect()
}

#[test]
fn an_order_has_its_entry_when_it_is_paid() {
    let key = id::<OrderId>(ORDER).to_string();
    let before = rows::<Ledger>(vec![placed()]);
    assert_eq!((before[&key].entry.as_ref(), before[&key].unpaid.len()), (None, 1));
    let after = &rows::<Ledger>(vec![placed(), paid()])[&key];
    assert_eq!(said(after), [("customers", 3_570), ("sales", -3_000), ("sales_tax/DE/19", -570)]);
    let entry = after.entry.as_ref().unwrap();
    assert_eq!((entry.position, entry.kind, entry.order), (2, ledger::Kind::Sale, Some(id(ORDER))));
    assert_eq!((&entry.document, entry.currency), (&Some(text("INV-2026-000001")), Currency::EUR));
    assert!(after.unpaid.is_empty());
}

/// The same mugs, of a seller who is charged 3.00 with 19 % of tax.
fn placed_with_a_seller(seller: SellerId) -> Recorded {
    let order::Event::Placed(mut placement) = placed().event::<Order>().unwrap().unwrap() else {
        panic!("it is placed")
    };
    let rate = TaxRate::new(190_000).unwrap();
    for line in &mut placement.lines {
        let tax = CommissionTax { rate, amount: euros(57) };
        line.seller = Some(seller);
        line.commission = Some(Commission { amount: euros(300), tax: Some(tax), rule: None });
    }
    event::<Order>(ORDER, &order::Event::Placed(placement))
}

#[test]
fn a_seller_is_owed_its_part_and_sees_why() {
    let (seller, other) = (id::<SellerId>(71), id::<SellerId>(72));
    let row = &rows::<Ledger>(vec![placed_with_a_seller(seller), one_is_cancelled(), paid()])
        [&id::<OrderId>(ORDER).to_string()];
    let payable = format!("seller_payable/{seller}");
    let lines = [("customers", 2_380), (payable.as_str(), -1_762), ("commission", -200), ("commission_tax/19", -38)];
    assert_eq!(said(row), [&lines[..], &[("sales_tax/DE/19", -380)]].concat());
    let statement = StatementRow::of(row.clone(), seller).unwrap();
    let amounts = [statement.gross, statement.tax, statement.commission, statement.commission_tax];
    assert_eq!(amounts, [2_380, 380, 200, 38].map(|amount| Some(euros(amount))));
    assert_eq!(
        (statement.amount, statement.kind, statement.order),
        (euros(1_762), ledger::Kind::Sale, Some(id(ORDER)))
    );
    assert_eq!(StatementRow::of(row.clone(), other), None);
}

#[test]
fn what_was_cancelled_before_the_payment_is_not_sold() {
    let rows = rows::<Ledger>(vec![placed(), one_is_cancelled(), paid()]);
    assert_eq!(
        said(&rows[&id::<OrderId>(ORDER).to_string()]),
        [("customers", 2_380), ("sales", -2_000), ("sales_tax/DE/19", -380)]
    );
}

#[test]
fn an_order_that_is_never_paid_leaves_no_row_and_one_that_is_cancelled_later_keeps_its_sale() {
    assert!(rows::<Ledger>(vec![placed(), cancelled(false)]).is_empty());
    let sold = rows::<Ledger>(vec![placed(), paid()]);
    assert_eq!(rows::<Ledger>(vec![placed(), paid(), cancelled(true)]), sold);
}

#[test]
fn payments_refunds_and_credit_notes_have_rows_of_their_own() {
    let refunded = |refund| {
        let refunded =
            payment::Event::Refunded { order: id(ORDER), amount: euros(500), refund, cause: None, to: None, of: None };
        event::<Payment>(3, &refunded)
    };
    let requested = event::<Payment>(3, &payment::Event::CaptureRequested { order: id(ORDER) });
    let rows = rows::<Ledger>(vec![captured(), requested, refunded(Some(id(8))), refunded(None)]);
    let payment = id::<PaymentId>(3);
    let keys = [payment.to_string(), format!("{payment}/refund"), id::<RefundId>(8).to_string()];
    assert_eq!(rows.keys().cloned().collect::<Vec<_>>(), keys);
    assert_eq!(said(&rows[&keys[0]]), [("clearing", 3_570), ("customers", -3_570)]);
    assert_eq!(said(&rows[&keys[2]]), [("customers", 500), ("clearing", -500)]);
}

#[test]
fn money_that_staff_received_and_returned_is_on_the_account_of_the_bank() {
    let (receipt, refund) = (id::<ReceiptId>(6), id::<RefundId>(8));
    let (reference, day) = (text("statement"), chrono::NaiveDate::default());
    let received = payment::Event::ReceiptRecorded {
        order: id(ORDER),
        receipt,
        kind: ManualKind::BankTransfer,
        amount: euros(700),
        reference,
        received_on: day,
        note: None,
    };
    let voided =
        payment::Event::ReceiptVoided { order: id(ORDER), receipt, amount: euros(700), reason: text("a typo") };
    let settled = payment::Event::RefundSettled { order: id(ORDER), refund, reference: text("back"), settled_on: day };
    let refunded = payment::Event::Refunded {
        order: id(ORDER),
        amount: euros(300),
        refund: Some(refund),
        cause: None,
        to: None,
        of: None,
    };
    let events = [received, voided, settled, refunded].map(|it| event::<Payment>(3, &it));
    let rows = rows::<Ledger>(events.into());
    assert_eq!(said(&rows[&receipt.to_string()]), [("bank", 700), ("customers", -700)]);
    assert_eq!(said(&rows[&format!("{receipt}/voided")]), [("customers", 700), ("bank", -700)]);
    assert_eq!(said(&rows[&refund.to_string()]), [("customers", 300), ("bank", -300)]);
}

#[test]
fn a_row_of_an_unpaid_order_has_nothing_about_its_buyer() {
    let row = rows::<Ledger>(vec![placed()]).into_values().next().unwrap();
    let text = serde_json::to_string(&row).unwrap();
    assert!(text.contains(r#""destination":{"country":"DE"}"#), "{text}");
    assert!(!text.contains("aa11") && !text.contains("acc_"), "{text}");
}

#[test]
fn the_entry_of_a_payout_names_its_transfer_once_that_is_known() {
    use byteshop_domain::payout::{self, Failure, Payout};
    use byteshop_domain::payout_account::Means;
    let (seller, amount, means) = (id::<SellerId>(71), euros(500), Means::Sepa);
    let destination = byteshop_domain::Personal::new(byteshop_domain::Subject(Uuid::nil()), "AA");
    let requested = payout::Event::Requested { seller, amount, means, destination, at: crate::testing::noon() };
    let reference = |text: Option<&str>| text.map(crate::testing::text);
    let paid = |it| payout::Event::Paid { seller, amount, means, reference: reference(it) };
    let failed = |it| {
        let (failure, reference, because) = (Failure::Refused, reference(it), None);
        payout::Event::Failed { seller, amount, means, failure, reference, because }
    };
    let returned = |it| {
        let (failure, reference, because) = (Failure::SentBack, reference(it), None);
        payout::Event::Returned { seller, amount, means, failure, reference, because }
    };
    let own = id::<PayoutId>(7).to_string();
    for (then, kinds) in [
        (vec![], vec![("payout", own.as_str())]),
        (vec![paid(Some("t 1"))], vec![("payout", "t 1"), ("payout_paid", "t 1")]),
        (vec![paid(None)], vec![("payout", &own), ("payout_paid", &own)]),
        (vec![failed(Some("t 2"))], vec![("payout", "t 2"), ("payout_failed", "t 2")]),
        // What brought it back is another transfer.
        (
            vec![paid(Some("t 1")), returned(Some("t 3"))],
            vec![("payout", "t 1"), ("payout_paid", "t 1"), ("payout_returned", "t 3")],
        ),
    ] {
        let history = [vec![requested.clone()], then].concat();
        let rows = rows::<Ledger>(history.iter().map(|it| event::<Payout>(7, it)).collect());
        for (kind, document) in kinds {
            let entry = rows[&format!("{own}/{kind}")].entry.as_ref().unwrap();
            assert_eq!((entry.kind.as_str(), entry.document.as_ref().unwrap().as_str()), (kind, document));
        }
    }
}
