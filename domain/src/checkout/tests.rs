//! Rules of checkout, and that the aggregates accept what it asks of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::*;
use crate::cart::{Destination, Line};
use crate::commission_book;
use crate::decider::{Actor, Asked, Decider};
use crate::ids::AccountId;
use crate::pricing::{Candidate, Input, Item};
use crate::product::{self, Product};
use crate::promotion::{Status, Terms};
use crate::seller::{self, Seller};
use crate::shipping_book::ShippingBook;
use crate::stock::StockLevel;
use crate::tax_book::TaxBook;
use crate::testing::{cents, given, id, noon, pieces, price, text};
use crate::usage::Customer;
use crate::{Currency, fold};

fn ids() -> Ids {
    Ids { cart: id(2), order: id(3), payment: id(4) }
}

fn line(variant: u128, number: i64, amount: i64) -> Line {
    Line {
        variant: id(variant),
        product: id(9),
        sku: text("L-1"),
        title: text("Lamp"),
        quantity: pieces(number),
        unit_price: price(amount),
    }
}

fn created() -> cart::Event {
    let (owner, token_hash, currency, days) = (Some(id(5)), None, Currency::EUR, cart::LIFETIME_DAYS);
    cart::Event::Created { owner, token_hash, currency, expires_at: None, days }
}

fn destination() -> cart::Event {
    let destination = Destination::to(text("DE"));
    cart::Event::DestinationSet { destination }
}

fn full() -> Vec<cart::Event> {
    let lines = [line(1, 2, 100), line(7, 1, 50)].map(cart::Event::LineSet);
    [created(), destination()].into_iter().chain(lines).collect()
}

fn offers(amount: i64, available: i64) -> BTreeMap<VariantId, Offer> {
    let offer = |amount, available| Offer {
        price: price(amount),
        available,
        purchasable: true,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
    };
    BTreeMap::from([(id(1), offer(amount, available)), (id(7), offer(50, 1))])
}

/// What a cart costs at the prices in it, in a shop without taxes, where sending costs nothing.
fn quoted(cart: &Cart, promotions: Vec<Candidate<'_>>) -> Quote {
    let lines = cart.live().map(|it| it.lines.clone()).unwrap_or_default();
    let item = |line: &Line| Item {
        variant: line.variant,
        product: line.product,
        seller: None,
        categories: vec![],
        unit_price: line.unit_price,
        quantity: line.quantity,
        tax_class: product::TaxClass::Standard,
        weight_g: None,
        physical: true,
        gift_card: false,
    };
    let input = Input {
        currency: Currency::EUR,
        at: noon(),
        items: lines.iter().map(item).collect(),
        destination: None,
        lacks: &BTreeSet::new(),
        service: None,
        tax: &TaxBook::default(),
        shipping: &ShippingBook::default(),
        sellers: vec![],
        promotions,
        unknown: vec![],
        customers: vec![Customer::account(id(5))],
        account: None,
        orders: 0,
        counters: vec![],
    };
    pricing::quote(&input).unwrap()
}

fn check_out(history: &[cart::Event], offers: &BTreeMap<VariantId, Offer>) -> Result<Checkout, Rejection> {
    let cart = fold::<Cart>(history);
    let quote = quoted(&cart, vec![]);
    checkout(&Basis { offers, ..on(&cart, &quote) }, ids())
}

/// What a checkout is decided on: no goods of sellers, and no expected total.
fn on<'a>(cart: &'a Cart, quote: &'a Quote) -> Basis<'a> {
    static BOOK: LazyLock<CommissionBook> = LazyLock::new(CommissionBook::default);
    static CATEGORIES: BTreeMap<VariantId, Vec<CategoryId>> = BTreeMap::new();
    static OFFERS: BTreeMap<VariantId, Offer> = BTreeMap::new();
    let charges = Charges { book: &BOOK, categories: &CATEGORIES };
    let (at, pay_by, expected, seen) = (noon(), noon(), None, None);
    Basis { cart, offers: &OFFERS, quote, charges, at, pay_by, expected, seen }
}

#[test]
fn a_full_cart_becomes_an_order_with_every_line_reserved() {
    let asked = Asked { at: noon(), by: Actor::Customer { id: id(5) } };
    let done = check_out(&full(), &offers(100, 2)).unwrap();
    let reserve = |variant, number| {
        (id(variant), stock::Command::Reserve { order: id(3), quantity: pieces(number), expires_at: Some(noon()) })
    };
    assert_eq!(done.stock, [reserve(1, 2), reserve(7, 1)]);
    assert_eq!(done.payment, payment::Command::Open { order: id(3), amount: cents(250) });
    assert_eq!(done.cart, cart::Command::Close { order: id(3) });
    let events = order::Order::default().decide(&done.order, &asked).unwrap();
    let order: order::Order = fold(&events);
    let placed = order.live().unwrap();
    assert_eq!((placed.placement.total, placed.placement.lines.len()), (cents(250), 2));
    assert_eq!(placed.placement.buyer.account, Some(id(5)));
    given::<Cart>(full()).when(&done.cart).then([cart::Event::CheckedOut { order: id(3) }]);
}

#[test]
fn each_line_keeps_the_seller_that_its_product_is_of() {
    let mut offers = offers(100, 2);
    offers.get_mut(&id(7)).unwrap().seller = Some(id(61));
    let order::Command::Place(placement) = check_out(&full(), &offers).unwrap().order else { panic!("it is placed") };
    assert_eq!(placement.lines.iter().map(|line| line.seller).collect::<Vec<_>>(), [None, Some(id(61))]);
}

#[test]
fn what_is_not_ready_is_refused() {
    let refused = |history: &[cart::Event]| check_out(history, &offers(100, 2)).unwrap_err();
    assert_eq!(refused(&[]), Rejection::Cart(cart::Rejection::Missing));
    assert_eq!(refused(&[created(), destination()]), Rejection::Empty);
    assert_eq!(refused(&[created(), cart::Event::LineSet(line(1, 2, 100))]), Rejection::NoDestination);
    let closed = [full(), vec![cart::Event::CheckedOut { order: id(8) }]].concat();
    assert_eq!(refused(&closed), Rejection::Cart(cart::Rejection::CheckedOut { order: id(8) }));
}

#[test]
fn a_price_that_changed_and_too_few_pieces_are_problems() {
    use crate::Rejection as _;
    let cart = full();
    let changed = check_out(&cart, &offers(90, 2)).unwrap_err();
    assert_eq!(changed.code(), "price_changed");
    let few = check_out(&cart, &offers(100, 1)).unwrap_err();
    let problem = Problem::NotEnough { variant: id(1), wanted: pieces(2), available: 1 };
    assert_eq!(few, Rejection::Problems(vec![problem]));
    assert_eq!(few.kind(), Kind::Conflict);
    assert_eq!(check_out(&cart, &BTreeMap::new()).unwrap_err().code(), "unavailable");
}

#[test]
fn discounts_and_claims_go_into_the_order_and_the_total_is_held_to_what_was_shown() {
    let cart = fold::<Cart>(&full());
    let terms: Terms = serde_json::from_value(serde_json::json!({
        "label": "Ten off", "code": "TEN", "benefit": {"kind": "percent", "percent_bps": 1000},
        "limits": {"total": 1, "per_customer": 1}
    }))
    .unwrap();
    let candidate = |used| Candidate {
        promotion: id(8),
        version: 3,
        status: Status::Active,
        terms: &terms,
        used,
        used_by_customer: 0,
    };
    let quote = quoted(&cart, vec![candidate(0)]);
    let offers = offers(100, 2);
    let basis = Basis { offers: &offers, expected: Some(cents(225)), ..on(&cart, &quote) };
    let done = checkout(&basis, ids()).unwrap();
    assert_eq!((done.usages.len(), &done.payment), (2, &payment::Command::Open { order: id(3), amount: cents(225) }));
    let asked = Asked { at: noon(), by: Actor::Customer { id: id(5) } };
    let order: order::Order = fold(&order::Order::default().decide(&done.order, &asked).unwrap());
    let placement = &order.live().unwrap().placement;
    assert_eq!((placement.discounts[0].version, placement.discount()), (3, Ok(cents(25))));
    assert_eq!((placement.lines[0].off(), placement.subtotal()), (cents(20), Ok(cents(250))));
    assert_eq!(placement.claims, done.usages.iter().map(|(usage, _)| *usage).collect::<Vec<_>>());
    let changed = checkout(&Basis { expected: Some(cents(224)), ..basis }, ids()).unwrap_err();
    assert_eq!(changed, Rejection::OtherTotal { expected: cents(224), now: cents(225) });
    assert_eq!(crate::Rejection::pointer(&changed).as_deref(), Some("/expected_total"));
    // Without a word of theirs they are held to what they were last shown, and never to what they expect no more.
    let shown = |seen, expected| checkout(&Basis { expected, seen: Some(cents(seen)), ..basis }, ids()).err();
    assert_eq!(shown(224, None), Some(Rejection::TotalChanged { seen: cents(224), now: cents(225) }));
    assert_eq!((shown(225, None), shown(224, Some(cents(225)))), (None, None));
    let too_many = Rejection::TooManyUnpaid { most: 2 };
    crate::testing::well_said(&[Rejection::Empty, Rejection::NoDestination, changed, too_many]);
    let used_up = quoted(&cart, vec![candidate(1)]);
    let refused = checkout(&Basis { quote: &used_up, ..basis }, ids()).unwrap_err();
    assert_eq!(crate::Rejection::code(&refused), "coupon_used_up");
}

#[test]
fn a_line_of_a_seller_records_what_the_seller_is_charged() {
    let (cart, mut offers) = (fold::<Cart>(&full()), offers(100, 2));
    let quote = quoted(&cart, vec![]);
    let rule = |json: serde_json::Value| commission_book::Event::RuleSet(serde_json::from_value(json).unwrap());
    let lamps = rule(serde_json::json!({"rule": "lamps", "category": id::<CategoryId>(6), "rate_ppm": 100_000}));
    let all = rule(serde_json::json!({"rule": "all", "fixed": [{"amount": 7, "currency": "EUR"}]}));
    let book = fold::<CommissionBook>(&[lamps, all, commission_book::Event::TaxSet { tax_ppm: 200_000 }]);
    let categories = BTreeMap::from([(id(1), vec![id(5), id(6)])]);
    let charges = Charges { book: &book, categories: &categories };
    let lines = |offers: &BTreeMap<VariantId, Offer>| {
        let done = checkout(&Basis { offers, charges, ..on(&cart, &quote) }, ids()).unwrap();
        let order::Command::Place(placement) = done.order else { panic!("{:?}", done.order) };
        let said = |line: &order::Line| {
            let Commission { amount, tax, rule } = line.commission.clone()?;
            Some((amount.amount, tax.map(|tax| tax.amount.amount), rule.map(|it| (it.rule.to_string(), it.version))))
        };
        placement.lines.iter().map(said).collect::<Vec<_>>()
    };
    assert_eq!(lines(&offers), [None, None]);
    for offer in offers.values_mut() {
        offer.seller = Some(id(71));
    }
    let of_rule = |amount, tax, name: &str, version| Some((amount, Some(tax), Some((name.to_owned(), version))));
    assert_eq!(lines(&offers), [of_rule(20, 4, "lamps", 1), of_rule(7, 1, "all", 2)]);
}

#[test]
fn an_offer_is_what_the_product_and_its_stock_say() {
    let mut history = vec![
        product::Event::Created {
            title: text("Lamp"),
            description: text(""),
            category: None,
            attributes: BTreeMap::new(),
            seller: None,
        },
        product::Event::VariantAdded {
            variant: id(1),
            details: product::Variant::new(text("L-1"), text("Lamp"), price(100), product::Options::new()),
        },
    ];
    let level = fold::<StockLevel>(&[
        stock::Event::Opened { product: id(9), sku: text("L-1") },
        stock::Event::Received { quantity: pieces(5), reason: None },
        stock::Event::Reserved { order: id(8), quantity: pieces(2), expires_at: None },
    ]);
    let draft = fold::<Product>(&history);
    let offer = Offer {
        price: price(100),
        available: 3,
        purchasable: false,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
    };
    assert_eq!(Offer::of(&draft, None, id(1), &level, Currency::EUR), Some(offer));
    history.push(product::Event::Published {});
    let published = fold::<Product>(&history);
    assert_eq!(Offer::of(&published, None, id(1), &level, Currency::EUR), Some(Offer { purchasable: true, ..offer }));
    assert_eq!(Offer::of(&published, None, id(2), &level, Currency::EUR), None);
    assert_eq!(Offer::of(&published, None, id(1), &level, Currency::USD), None);
    // A product of a seller is for sale as long as its seller sells.
    let product::Event::Created { seller, .. } = &mut history[0] else { panic!("{history:?}") };
    *seller = Some(id(7));
    let of_seller = fold::<Product>(&history);
    let offered = |seller: Option<&Seller>| Offer::of(&of_seller, seller, id(1), &level, Currency::EUR).unwrap();
    let applied = seller::Event::Applied {
        handle: text("kettles"),
        name: text("Kettles"),
        description: text(""),
        country: text("DE"),
        contact: crate::Personal::new(crate::Subject::from(id::<AccountId>(1)), "contact"),
        owner: id(1),
        at: noon(),
    };
    let mut events = vec![applied, seller::Event::Approved { at: noon() }];
    assert!(offered(Some(&fold(&events))).purchasable);
    assert!(!offered(None).purchasable);
    events.push(seller::Event::Suspended { reason: text("late") });
    assert!(!offered(Some(&fold(&events))).purchasable);
    assert_eq!(Offer::of(&Product::Missing, None, id(1), &level, Currency::EUR), None);
}

#[test]
fn the_first_problems_are_told_and_that_there_are_more() {
    let problem = |number: u128| cart::Problem::Unavailable { variant: id(number) };
    let some: Vec<_> = (1..=4).map(problem).collect();
    assert_eq!(told(&some[..1]), some[0].to_string());
    assert_eq!(told(&some[..3]), format!("{}; {}; {}", some[0], some[1], some[2]));
    assert_eq!(told(&some), format!("{}; {}; {}; and more", some[0], some[1], some[2]));
}
