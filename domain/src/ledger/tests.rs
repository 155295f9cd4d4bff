//! The entries of each event.

use super::*;
use crate::Currency;
use crate::commission::CommissionTax;
use crate::dispute;
use crate::payment::RefundCause;
use crate::testing::{id, text};

fn euros(amount: i64) -> Money {
    Money { amount, currency: Currency::EUR }
}

/// The lines as accountants write them: debits positive, credits negative.
fn said(entry: Option<Entry>) -> Vec<(String, i64)> {
    let lines = entry.map(|entry| entry.lines).unwrap_or_default();
    lines.into_iter().map(|line| (line.account, line.debit.amount - line.credit.amount)).collect()
}

fn captured(method: Method, amount: i64) -> payment::Event {
    payment::Event::Captured { order: id(1), amount: euros(amount), method, reference: text("ref-1"), covers: vec![] }
}

fn line(account: &str, amount: i64) -> (String, i64) {
    (account.to_owned(), amount)
}

#[test]
fn a_capture_is_money_at_the_provider_that_a_customer_paid() {
    let entry = Entry::of_payment(&captured(Method::Test, 1_190), None).unwrap();
    assert_eq!((entry.kind, entry.order, entry.document.clone()), (Kind::Capture, Some(id(1)), Some(text("ref-1"))));
    assert_eq!(said(Some(entry)), [line("clearing", 1_190), line("customers", -1_190)]);
    assert_eq!(Entry::of_payment(&captured(Method::Free, 0), None), None);
}

#[test]
fn money_of_imported_orders_has_an_account_of_its_own() {
    let entry = Entry::of_payment(&captured(Method::External, 500), None);
    assert_eq!(said(entry), [line("imported", 500), line("customers", -500)]);
}

#[test]
fn a_fee_of_a_provider_is_an_expense_of_the_house() {
    let charged = |amount| {
        let event = payment::Event::FeeCharged { order: id(1), reference: text("ref-1"), amount: euros(amount) };
        Entry::of_payment(&event, None)
    };
    let entry = charged(99).unwrap();
    assert_eq!(
        (entry.kind, entry.order, entry.document.clone()),
        (Kind::ProviderFee, Some(id(1)), Some(text("ref-1")))
    );
    assert_eq!(said(Some(entry)), [line("provider_fees", 99), line("clearing", -99)]);
    assert_eq!(said(charged(-19)), [line("clearing", 19), line("provider_fees", -19)]);
}

#[test]
fn what_a_provider_moves_between_a_seller_and_a_buyer_is_not_the_house_s() {
    let (order, seller, amount) = (id(1), id(71), euros(900));
    let paid = payment::Event::SellerPaid { order, seller, reference: text("ref-1"), amount };
    let entry = Entry::of_payment(&paid, None).unwrap();
    assert_eq!((entry.kind, entry.order, entry.document.clone()), (Kind::SellerPaid, Some(order), Some(text("ref-1"))));
    let account = Account::SellerPayable(seller).to_string();
    assert_eq!(entry.owed_to_sellers(), [(seller, euros(-900))]);
    assert_eq!(said(Some(entry)), [line(&account, 900), line("clearing", -900)]);
    let charged = payment::Event::SellerCharged { order, seller, refund: id(2), amount };
    let entry = Entry::of_payment(&charged, None).unwrap();
    assert_eq!((entry.kind, entry.order, entry.document.clone()), (Kind::SellerCharged, Some(order), None));
    assert_eq!(said(Some(entry)), [line("clearing", 900), line(&account, -900)]);
}

#[test]
fn a_refund_reverses_a_capture() {
    let cause = Some(RefundCause::OrderCancelled);
    let refunded =
        payment::Event::Refunded { order: id(1), amount: euros(300), refund: Some(id(2)), cause, to: None, of: None };
    assert_eq!(said(Entry::of_payment(&refunded, None)), [line("customers", 300), line("clearing", -300)]);
    let requested = payment::Event::CaptureRequested { order: id(1) };
    assert_eq!(Entry::of_payment(&requested, None), None);
}

#[test]
fn a_dispute_holds_money_until_it_is_released_or_lost() {
    let (order, dispute, amount) = (id(1), id(8), euros(300));
    for (by_hand, account) in [(false, "clearing"), (true, "bank")] {
        let held = payment::Event::Disputed { order, dispute, amount, claimed: euros(500), by_hand };
        assert_eq!(said(Entry::of_payment(&held, None)), [line("disputes", 300), line(account, -300)]);
        let released = payment::Event::DisputeReleased { order, dispute, amount, by_hand };
        assert_eq!(said(Entry::of_payment(&released, None)), [line(account, 300), line("disputes", -300)]);
        let lost = |beyond: Option<i64>, fee: Option<i64>| {
            let (beyond, fee) = (beyond.map(euros), fee.map(euros));
            let (sellers, named, shares, credit_note) = (vec![], None, vec![], None);
            let lost =
                dispute::Event::Lost { order, sellers, amount, named, shares, beyond, fee, by_hand, credit_note };
            Entry::of_dispute(&lost).map(|entry| (entry.kind, said(Some(entry))))
        };
        let fee = vec![line("provider_fees", 15), line(account, -15)];
        assert_eq!(lost(None, Some(15)), Some((Kind::DisputeFee, fee)));
        let beyond = vec![line("customers", 20), line(account, -20)];
        assert_eq!(lost(Some(20), None), Some((Kind::DisputeLost, beyond)));
        assert_eq!(lost(None, None), None);
        let corrected = |difference: i64| {
            let (fee, difference) = (Some(euros(1)), euros(difference));
            let entry = Entry::of_dispute(&dispute::Event::FeeCorrected { order, fee, difference, by_hand });
            (entry.as_ref().map(|entry| entry.kind), said(entry))
        };
        let more = vec![line("provider_fees", 5), line(account, -5)];
        assert_eq!(corrected(5), (Some(Kind::DisputeFee), more));
        let less = vec![line(account, 5), line("provider_fees", -5)];
        assert_eq!(corrected(-5), (Some(Kind::DisputeFee), less));
    }
    let cause = Some(RefundCause::Dispute { id: dispute });
    let lost = payment::Event::Refunded { order, amount, refund: Some(id(8)), cause, to: None, of: None };
    let entry = Entry::of_payment(&lost, None).unwrap();
    assert_eq!(entry.kind, Kind::DisputeLost);
    assert_eq!(said(Some(entry)), [line("customers", 300), line("disputes", -300)]);
}

fn taxed(ppm: u32, net: i64, tax: i64) -> Taxed {
    Taxed { rate: TaxRate::new(ppm).unwrap(), included: true, net: euros(net), tax: euros(tax) }
}

fn note(total: i64, taxes: Option<Vec<Taxed>>, refund: bool) -> credit_note::Event {
    credit_note::Event::Issued(credit_note::Content {
        reference: text("CN-2026-000001"),
        buyer: crate::order::Buyer { account: None, reference: None },
        country: Country::new("DE").unwrap(),
        lines: vec![],
        shipping: None,
        total: euros(total),
        taxes,
        order: Some(id(1)),
        refund: refund.then(|| id(2)),
        dispute: None,
        reason: None,
        seller: None,
        supplier: None,
        sellers: vec![],
        gift_cards: None,
    })
}

#[test]
fn a_credit_note_reduces_sales_and_each_tax() {
    let entry = Entry::of_credit_note(&note(1_297, Some(vec![taxed(190_000, 1_000, 190), taxed(88_750, 98, 9)]), true));
    let lines = [line("sales", 1_098), line("sales_tax/DE/8.875", 9), line("sales_tax/DE/19", 190)];
    assert_eq!(said(entry), [&lines[..], &[line("customers", -1_297)]].concat());
    let imported = Entry::of_credit_note(&note(100, None, false));
    assert_eq!(said(imported), [line("sales", 100), line("imported", -100)]);
    assert_eq!(Entry::of_credit_note(&note(0, Some(vec![]), false)), None);
}

#[test]
fn what_a_seller_has_is_owed_to_it_less_the_commission() {
    let seller: SellerId = id(71);
    let rate = TaxRate::new(190_000).unwrap();
    let share = SellerShare {
        seller,
        amount: euros(714),
        tax: euros(114),
        commission: euros(60),
        commission_tax: Some(CommissionTax { rate, amount: euros(11) }),
        supplies: false,
    };
    let credit_note::Event::Issued(content) = note(1_190, Some(vec![taxed(190_000, 1_000, 190)]), true);
    let shared = credit_note::Content { sellers: vec![share], ..content };
    let entry = Entry::of_credit_note(&credit_note::Event::Issued(shared)).unwrap();
    assert_eq!((owed(&entry.lines, seller), owed(&entry.lines, id(72))), (Some(euros(-529)), None));
    assert_eq!(entry.sellers, [share]);
    let payable = format!("seller_payable/{seller}");
    let lines = [line(&payable, 529), line("sales", 400), line("commission", 60), line("commission_tax/19", 11)];
    let of_tax = [line("sales_tax/DE/19", 190), line("customers", -1_190)];
    assert_eq!(said(Some(entry)), [&lines[..], &of_tax].concat());
}

#[test]
fn a_seller_that_supplies_in_its_own_name_owes_the_tax_itself() {
    let seller: SellerId = id(71);
    let (amount, tax, commission) = (euros(714), euros(114), euros(60));
    let share = SellerShare { seller, amount, tax, commission, commission_tax: None, supplies: true };
    let credit_note::Event::Issued(content) = note(714, Some(vec![taxed(190_000, 600, 114)]), true);
    let legal = crate::Personal::new(crate::Subject::from(seller), "legal");
    let supplier = Some(crate::issuer::Supplier { seller, handle: text("kettles"), legal });
    let own = credit_note::Content { sellers: vec![share], supplier, ..content };
    let entry = Entry::of_credit_note(&credit_note::Event::Issued(own));
    let payable = format!("seller_payable/{seller}");
    assert_eq!(said(entry), [line(&payable, 654), line("commission", 60), line("customers", -714)]);
}

#[test]
fn an_entry_keeps_its_stored_form() {
    let entry = Entry::of_payment(&captured(Method::Test, 5), None).unwrap();
    let form = concat!(
        r#"{"kind":"capture","order":"ord_00000000000000000000000001","document":"ref-1","lines":["#,
        r#"{"account":"clearing","debit":{"amount":5,"currency":"EUR"},"credit":{"amount":0,"currency":"EUR"}},"#,
        r#"{"account":"customers","debit":{"amount":0,"currency":"EUR"},"credit":{"amount":5,"currency":"EUR"}}]}"#,
    );
    assert_eq!(serde_json::to_string(&entry).unwrap(), form);
    assert_eq!(serde_json::from_str::<Entry>(form).unwrap(), entry);
}

#[test]
fn what_staff_receives_and_returns_is_on_the_account_of_the_bank() {
    let received = payment::Event::ReceiptRecorded {
        order: id(1),
        receipt: id(4),
        kind: crate::payment_book::ManualKind::BankTransfer,
        amount: euros(700),
        reference: text("statement 4"),
        received_on: chrono::NaiveDate::default(),
        note: None,
    };
    let entry = Entry::of_payment(&received, None).unwrap();
    assert_eq!((entry.kind, entry.document.clone()), (Kind::Receipt, Some(text("statement 4"))));
    assert_eq!(said(Some(entry)), [line("bank", 700), line("customers", -700)]);
    let voided =
        payment::Event::ReceiptVoided { order: id(1), receipt: id(4), amount: euros(700), reason: text("a typo") };
    assert_eq!(said(Entry::of_payment(&voided, None)), [line("customers", 700), line("bank", -700)]);
    // The receipts that captured the payment have their entries already.
    assert_eq!(Entry::of_payment(&captured(Method::BankTransfer, 700), None), None);
    let refunded = payment::Event::Refunded {
        order: id(1),
        amount: euros(300),
        refund: Some(id(2)),
        cause: None,
        to: None,
        of: None,
    };
    let entry = Entry::of_payment(&refunded, Some(&text("back 2"))).unwrap();
    assert_eq!(entry.document, Some(text("back 2")));
    assert_eq!(said(Some(entry)), [line("customers", 300), line("bank", -300)]);
}

#[test]
fn gift_cards_and_store_credit_are_owed_until_they_pay() {
    use crate::stored_value::Event;
    let card = Means::GiftCard { card: id(9) };
    let credit = Means::StoreCredit { account: id(5) };
    let covers = vec![Cover { means: card, amount: euros(700) }, Cover { means: credit, amount: euros(90) }];
    let paid = |method, amount| {
        let (order, reference, covers) = (id(1), text("ref-1"), covers.clone());
        said(Entry::of_payment(
            &payment::Event::Captured { order, amount: euros(amount), method, reference, covers },
            None,
        ))
    };
    let covered = [line("gift_cards", 700), line("store_credit", 90)];
    let by_provider = [&[line("clearing", 400)], &covered[..], &[line("customers", -1_190)]].concat();
    assert_eq!(paid(Method::Test, 1_190), by_provider);
    // The receipts of the rest have their own entries.
    assert_eq!(paid(Method::BankTransfer, 1_190), [&covered[..], &[line("customers", -790)]].concat());
    assert_eq!(paid(Method::StoredValue, 790), [&covered[..], &[line("customers", -790)]].concat());
    let back = |to| {
        let (order, amount, refund) = (id(1), euros(300), Some(id(2)));
        said(Entry::of_payment(
            &payment::Event::Refunded { order, amount, refund, cause: None, to: Some(to), of: None },
            None,
        ))
    };
    assert_eq!(back(card), [line("customers", 300), line("gift_cards", -300)]);
    assert_eq!(back(credit), [line("customers", 300), line("store_credit", -300)]);
    let (amount, reason) = (euros(500), text("a gift"));
    let of = |event: Event| Entry::of_stored_value(&event).map(|entry| (entry.kind, said(Some(entry))));
    let issued = of(Event::Issued { amount, expires_at: None, reason: text("a gift") });
    assert_eq!(issued, Some((Kind::GiftCard, vec![line("goodwill", 500), line("gift_cards", -500)])));
    let granted = of(Event::Granted { account: id(5), amount, reason: text("sorry") });
    assert_eq!(granted, Some((Kind::Grant, vec![line("goodwill", 500), line("store_credit", -500)])));
    let withdrawn = of(Event::Withdrawn { amount, reason });
    assert_eq!(withdrawn, Some((Kind::Withdrawal, vec![line("store_credit", 500), line("goodwill", -500)])));
    let expired = of(Event::Expired { amount });
    assert_eq!(expired, Some((Kind::Expiry, vec![line("gift_cards", 500), line("breakage", -500)])));
    assert_eq!(of(Event::Redeemed { order: id(1), amount }), None);
}
