//! Rules of gift cards as goods: each piece issues one card, a refund takes back what is left, and the ledger has what the cards have.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::aftersales::{self, Claim, Verdict, Wanted};
use crate::cart::Destination;
use crate::credit_note;
use crate::decider::{Actor, Asked};
use crate::dispute::{Cause, Dispute};
use crate::ledger::{Entry, Line as LedgerLine};
use crate::order::{self, Buyer, Line, Order, Placement};
use crate::payment::{self, Method, Payment};
use crate::product::{self, Product};
use crate::series::{Series, of_credit_notes, of_invoices};
use crate::settlement;
use crate::stock::{self, StockLevel};
use crate::stored_value::{self, Means};
use crate::tax_book::Rounding;
use crate::testing::{cents, id, noon, pieces, price, text};
use crate::{AnyEvent, fold, key_delivery};

const ORDER: u128 = 1;
const PAYMENT: u128 = 2;
/// A gift card for 50.00.
const CARD: u128 = 3;
/// A lamp for 30.00.
const LAMP: u128 = 4;
/// The first gift card; the others follow.
const FIRST: u128 = 1_000;

fn line(variant: u128, number: i64, amount: i64, gift_cards: bool) -> Line {
    Line {
        variant: id(variant),
        product: id(9),
        sku: text("C-1"),
        title: text("Card"),
        quantity: pieces(number),
        unit_price: price(amount),
        exact_price: None,
        digital: gift_cards,
        commission: None,
        keys: gift_cards,
        downloads: false,
        gift_cards,
        seller: None,
        amount: cents(amount * number),
        discount: None,
        tax: None,
    }
}

/// Some gift cards, and perhaps a lamp.
fn placement(cards: i64, lamps: i64) -> Placement {
    let lamp = (lamps > 0).then(|| line(LAMP, lamps, 3_000, false));
    let lines: Vec<Line> = [line(CARD, cards, 5_000, true)].into_iter().chain(lamp).collect();
    Placement {
        buyer: Buyer::default(),
        cart: None,
        access_hash: None,
        destination: Destination::to(text("DE")),
        total: cents(lines.iter().map(|line| line.amount.amount).sum()),
        lines,
        discounts: vec![],
        shipping: None,
        part_shipping: vec![],
        claims: vec![],
        payment: id(PAYMENT),
        pay_by: None,
        reference: None,
        imported: false,
        tax_rounding: Rounding::Line,
    }
}

fn product() -> Product {
    let details = |physical: bool| product::Variant {
        physical,
        ..product::Variant::new(text("C-1"), text("Card"), price(5_000), product::Options::default())
    };
    let created = product::Event::Created {
        title: text("Card"),
        description: text(""),
        category: None,
        attributes: BTreeMap::new(),
        seller: None,
    };
    fold(&[created, product::Event::VariantAdded { variant: id(CARD), details: details(false) }])
}

/// A captured order that waits to be marked paid, and the pool of its gift cards, which are valid for a year.
fn work(cards: i64, lamps: i64) -> Work {
    let asked = Asked { at: noon(), by: Actor::System { name: "test".to_owned() } };
    let mut last = 100;
    let mut work = Work::new(asked, None, move || {
        last += 1;
        Uuid::from_u128(last)
    });
    let placement = placement(cards, lamps);
    let (order, amount): (OrderId, Money) = (id(ORDER), placement.total);
    work.hold::<Product>(id(9), Arc::new(product()));
    for variant in [CARD, LAMP] {
        let opened = stock::Event::Opened { product: id(9), sku: text("C-1") };
        let received = stock::Event::Received { quantity: pieces(10), reason: None };
        let history = if variant == LAMP { vec![opened, received] } else { vec![opened] };
        work.hold::<StockLevel>(id(variant), Arc::new(fold(&history)));
    }
    work.begin::<KeyPool>(key_pool::id(id(CARD)));
    let cards = key_pool::GiftCards { days: Some(365) };
    key_delivery::set_gift_cards(&mut work, id(9), id(CARD), cards).unwrap();
    for line in &placement.lines {
        let reserve = stock::Command::Reserve { order, quantity: line.quantity, expires_at: None };
        work.decide::<StockLevel>(line.variant, &reserve).unwrap();
    }
    let reference = text("1");
    let captured = payment::Event::Captured { order, amount, method: Method::Test, reference, covers: vec![] };
    let history = [payment::Event::Opened { order, amount }, captured];
    work.hold::<Payment>(id(PAYMENT), Arc::new(fold(&history)));
    work.hold::<Order>(order, Arc::new(fold(&[order::Event::Placed(placement)])));
    work.begin::<Series>(of_credit_notes(None, 2026));
    work.begin::<Series>(of_invoices(None, 2026));
    work
}

fn ids(count: u128) -> Vec<StoredValueId> {
    (0..count).map(|number| id(FIRST + number)).collect()
}

/// The order with its gift cards, after its payment.
fn paid(cards: i64, lamps: i64) -> Work {
    let mut work = work(cards, lamps);
    let made = ids(u128::try_from(cards).unwrap());
    for card in &made {
        work.begin::<StoredValue>(*card);
    }
    settlement::mark_paid(&mut work, id(ORDER), id(PAYMENT), &Cards::from([(id(CARD), made)])).unwrap();
    work
}

fn balance(work: &Work, card: u128) -> i64 {
    work.get::<StoredValue>(id(FIRST + card)).unwrap().live().unwrap().balance.amount
}

/// Spends some of a card.
fn spend(work: &mut Work, card: u128, amount: i64) {
    let (order, amount) = (id(77), cents(amount));
    work.decide::<StoredValue>(id(FIRST + card), &Command::Hold { order, amount }).unwrap();
    work.decide::<StoredValue>(id(FIRST + card), &Command::Redeem { order, amount }).unwrap();
}

/// Staff refunds an amount for so many gift cards.
fn refund(work: &mut Work, amount: i64, cards: i64) -> Result<(), Refused> {
    let keys: Vec<Demand> =
        (cards > 0).then(|| Demand { variant: id(CARD), quantity: pieces(cards) }).into_iter().collect();
    let wanted = Wanted { reason: &text("a mistake"), keys: &keys, part: None, to_credit: false };
    aftersales::refund(work, id(PAYMENT), cents(amount), &wanted)
}

/// What the entries of the ledger have on an account.
fn on_account(work: Work, account: &str) -> i64 {
    let state = work.get::<Order>(id(ORDER)).unwrap();
    let sale = Entry::of_sale(id(ORDER), state.live().unwrap());
    let of_event = |event: &AnyEvent| {
        if let AnyEvent::CreditNote(_, event) = event {
            Entry::of_credit_note(event)
        } else if let AnyEvent::StoredValue(_, event) = event {
            Entry::of_stored_value(event)
        } else {
            None
        }
    };
    let events = work.decided().events;
    let entries: Vec<Entry> = sale.into_iter().chain(events.iter().filter_map(of_event)).collect();
    let amount = |line: &LedgerLine| line.debit.amount - line.credit.amount;
    for entry in &entries {
        assert_eq!(entry.lines.iter().map(amount).sum::<i64>(), 0, "{entry:?}");
    }
    entries.iter().flat_map(|entry| &entry.lines).filter(|line| line.account == account).map(amount).sum()
}

#[test]
fn each_piece_issues_a_card_worth_its_price() {
    let work = paid(2, 1);
    let state = work.get::<Order>(id(ORDER)).unwrap();
    assert_eq!(state.live().unwrap().gift_cards(), ids(2));
    for card in [0, 1] {
        let state = work.get::<StoredValue>(id(FIRST + card)).unwrap();
        let opened = state.live().unwrap();
        assert_eq!(opened.balance, cents(5_000));
        assert_eq!(opened.expires_at(), Some(noon() + TimeDelta::days(365)));
    }
    assert_eq!(on_account(paid(2, 1), "gift_cards"), -10_000);
    assert_eq!(on_account(paid(2, 1), "sales"), -3_000);
    assert_eq!(on_account(paid(2, 1), "customers"), 13_000);
    // The same payment again issues nothing.
    let mut again = paid(1, 0);
    settlement::mark_paid(&mut again, id(ORDER), id(PAYMENT), &Cards::new()).unwrap();
    let sold = |event: &AnyEvent| matches!(event, AnyEvent::StoredValue(..));
    assert_eq!(again.decided().events.iter().filter(|event| sold(event)).count(), 1);
}

#[test]
fn an_order_is_not_paid_without_a_card_for_each_code() {
    for made in [vec![], ids(1), ids(3)] {
        let mut work = work(2, 0);
        for card in &made {
            work.begin::<StoredValue>(*card);
        }
        let count = i64::try_from(made.len()).unwrap();
        let paid = settlement::mark_paid(&mut work, id(ORDER), id(PAYMENT), &Cards::from([(id(CARD), made)]));
        assert_eq!(paid, Err(Rejection::Empty { left: count }.into()));
    }
}

#[test]
fn a_refund_takes_back_the_last_cards() {
    let mut work = paid(3, 0);
    refund(&mut work, 5_000, 1).unwrap();
    assert_eq!([0, 1, 2].map(|card| balance(&work, card)), [5_000, 5_000, 0]);
    refund(&mut work, 10_000, 2).unwrap();
    assert_eq!([0, 1, 2].map(|card| balance(&work, card)), [0, 0, 0]);
    let payment = work.get::<Payment>(id(PAYMENT)).unwrap();
    assert_eq!(payment.live().unwrap().refundable(), cents(0));
    assert_eq!(on_account(work, "gift_cards"), 0);
}

#[test]
fn what_was_spent_of_a_card_is_not_refunded() {
    let mut work = paid(1, 0);
    spend(&mut work, 0, 3_000);
    let hold = |left| Err(order::Rejection::GiftCardsHold { left: cents(left) }.into());
    let beside = |left| Err(order::Rejection::TooMuchBesideGiftCards { left: cents(left) }.into());
    assert_eq!(refund(&mut paid(1, 0), 4_999, 1), hold(5_000));
    assert_eq!(refund(&mut paid(1, 0), 100, 0), beside(0));
    let mut more = paid(1, 0);
    spend(&mut more, 0, 3_000);
    // All that was paid is more than what is left.
    assert_eq!(refund(&mut more, 5_000, 0), beside(2_000));
    refund(&mut work, 2_000, 1).unwrap();
    assert_eq!(balance(&work, 0), 0);
    assert_eq!(refund(&mut work, 3_000, 0), beside(0));
    // The rest of the liability ended when the card paid.
    assert_eq!(on_account(work, "gift_cards"), -3_000);
}

#[test]
fn goods_beside_cards_are_refunded_without_them() {
    let mut work = paid(1, 1);
    let beside = |left| Err(order::Rejection::TooMuchBesideGiftCards { left: cents(left) }.into());
    assert_eq!(refund(&mut paid(1, 1), 3_001, 0), beside(3_000));
    refund(&mut work, 1_000, 0).unwrap();
    assert_eq!(balance(&work, 0), 5_000);
    // The card with the rest of the goods.
    refund(&mut work, 7_000, 1).unwrap();
    assert_eq!(balance(&work, 0), 0);
    assert_eq!(on_account(work, "gift_cards"), 0);
}

/// The bank gives the buyer an amount back.
fn dispute(work: &mut Work, number: u32, amount: i64) {
    let claim = Claim {
        payment: id(PAYMENT),
        provider: None,
        reference: text(&format!("recall {number}")),
        cause: Cause::Unauthorized,
        amount: cents(amount),
        respond_by: None,
    };
    work.begin::<Dispute>(claim.id());
    aftersales::open_dispute(work, &claim).unwrap();
    let lost = Verdict::Lost { amount: None, fee: None };
    aftersales::conclude_dispute(work, claim.id(), lost).unwrap();
}

fn is_blocked(work: &Work, card: u128) -> bool {
    work.get::<StoredValue>(id(FIRST + card)).unwrap().live().unwrap().is_blocked()
}

#[test]
fn what_a_dispute_lost_of_cards_is_not_refunded_with_them_again() {
    let hold = |left| Err(order::Rejection::GiftCardsHold { left: cents(left) }.into());
    let beside = |left| Err(order::Rejection::TooMuchBesideGiftCards { left: cents(left) }.into());
    let lost = |amount: i64| {
        let mut work = paid(2, 0);
        dispute(&mut work, 1, amount);
        work
    };
    // As many of the last cards are blocked as hold what is lost.
    for (amount, blocked) in [(1, [false, true]), (5_000, [false, true]), (5_001, [true, true])] {
        assert_eq!([0, 1].map(|card| is_blocked(&lost(amount), card)), blocked, "{amount}");
    }
    assert_eq!(refund(&mut lost(2_000), 1, 0), beside(0));
    assert_eq!(refund(&mut lost(2_000), 2_999, 1), hold(3_000));
    assert_eq!(refund(&mut lost(2_000), 3_001, 1), beside(3_000));
    let mut work = lost(2_000);
    refund(&mut work, 3_000, 1).unwrap();
    assert_eq!([0, 1].map(|card| balance(&work, card)), [5_000, 0]);
    refund(&mut work, 5_000, 1).unwrap();
    let payment = work.get::<Payment>(id(PAYMENT)).unwrap();
    assert_eq!(payment.live().unwrap().refundable(), cents(0));
    assert_eq!(on_account(work, "gift_cards"), 0);
    // All that is left is of both cards.
    let mut work = lost(2_000);
    refund(&mut work, 8_000, 0).unwrap();
    assert_eq!([0, 1].map(|card| balance(&work, card)), [0, 0]);
    assert_eq!(on_account(work, "sales"), 0);
    let twice = || {
        let mut work = lost(2_000);
        dispute(&mut work, 2, 4_000);
        work
    };
    assert!(is_blocked(&twice(), 0));
    assert_eq!(refund(&mut twice(), 3_999, 2), hold(4_000));
    refund(&mut twice(), 4_000, 2).unwrap();
}

#[test]
fn a_dispute_takes_first_what_was_paid_for_goods_beside_cards() {
    let beside = |left| Err(order::Rejection::TooMuchBesideGiftCards { left: cents(left) }.into());
    let lost = || {
        let mut work = paid(1, 1);
        dispute(&mut work, 1, 2_000);
        work
    };
    assert!(!is_blocked(&lost(), 0));
    assert_eq!(refund(&mut lost(), 1_001, 0), beside(1_000));
    let mut work = lost();
    refund(&mut work, 1_000, 0).unwrap();
    dispute(&mut work, 2, 500);
    assert!(is_blocked(&work, 0));
    refund(&mut work, 4_500, 1).unwrap();
    assert_eq!(on_account(work, "gift_cards"), 0);
    // What was spent stays paid, less what is lost.
    let spent = || {
        let mut work = paid(1, 1);
        spend(&mut work, 0, 3_000);
        dispute(&mut work, 1, 4_000);
        work
    };
    assert_eq!(refund(&mut spent(), 1_001, 1), beside(1_000));
    let mut work = spent();
    refund(&mut work, 1_000, 1).unwrap();
    assert_eq!(balance(&work, 0), 0);
}

#[test]
fn a_card_that_pays_an_order_at_this_moment_is_not_taken_back() {
    let mut work = paid(1, 0);
    work.decide::<StoredValue>(id(FIRST), &Command::Hold { order: id(77), amount: cents(100) }).unwrap();
    let refused = Err(stored_value::Rejection::Pays { held: cents(100) }.into());
    assert_eq!(refund(&mut work, 5_000, 1), refused);
}

#[test]
fn a_credit_note_says_what_it_takes_back_of_cards_without_tax() {
    let mut work = paid(1, 0);
    refund(&mut work, 5_000, 1).unwrap();
    let of_note = |event: AnyEvent| {
        if let AnyEvent::CreditNote(_, credit_note::Event::Issued(note)) = event { Some(note) } else { None }
    };
    let notes: Vec<_> = work.decided().events.into_iter().filter_map(of_note).collect();
    assert_eq!(notes.len(), 1);
    assert_eq!((notes[0].gift_cards, notes[0].taxes.clone()), (Some(cents(5_000)), Some(vec![])));
}

#[test]
fn cards_are_neither_sent_back_nor_bought_with_cards() {
    let mut work = paid(1, 0);
    let line = Demand { variant: id(CARD), quantity: pieces(1) };
    let why = crate::returns::Why::Other;
    let back = aftersales::request_return(&mut work, id(ORDER), &[line], why, None, noon());
    assert_eq!(back.map(drop), Err(order::Rejection::GiftCardsNotReturned.into()));
    let mut work = self::work(1, 1);
    let (order, amount) = (id(ORDER), cents(8_000));
    work.hold::<Payment>(id(PAYMENT), Arc::new(fold(&[payment::Event::Opened { order, amount }])));
    let covered = settlement::cover(&mut work, order, Means::GiftCard { card: id(FIRST) }, None);
    assert_eq!(covered.map(drop), Err(stored_value::Rejection::ForGiftCards.into()));
}

#[test]
fn an_order_has_a_bounded_number_of_cards() {
    let place = |cards| {
        let place = order::Command::Place(Box::new(placement(cards, 0)));
        let mut work = work(1, 0);
        work.begin::<Order>(id(5));
        work.decide::<Order>(id(5), &place)
    };
    assert_eq!(place(order::GIFT_CARDS_MAX), Ok(true));
    assert_eq!(place(order::GIFT_CARDS_MAX + 1), Err(order::Rejection::TooManyGiftCards.into()));
}
