//! Rules of checkout, and that the aggregates accept what it asks of them.

use super::*;
use crate::cart::{Destination, Line};
use crate::decider::{Actor, Asked, Decider};
use crate::product::{self, Product};
use crate::stock::StockLevel;
use crate::testing::{cents, given, id, noon, pieces, price, text};
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
    cart::Event::Created { owner: Some(id(5)), token_hash: None, currency: Currency::EUR }
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
    let offer = |amount, available| Offer { price: price(amount), available, purchasable: true };
    BTreeMap::from([(id(1), offer(amount, available)), (id(7), offer(50, 1))])
}

#[test]
fn a_full_cart_becomes_an_order_with_every_line_reserved() {
    let asked = Asked { at: noon(), by: Actor::Customer { id: id(5) } };
    let done = checkout(&fold::<Cart>(&full()), &offers(100, 2), ids(), noon()).unwrap();
    let reserve = |variant, number| {
        (id(variant), stock::Command::Reserve { order: id(3), quantity: pieces(number), expires_at: Some(noon()) })
    };
    assert_eq!(done.stock, [reserve(1, 2), reserve(7, 1)]);
    assert_eq!(done.payment, payment::Command::Open { order: id(3), amount: cents(250) });
    assert_eq!(done.cart, cart::Command::Close { order: id(3) });
    let events = order::Order::default().decide(&done.order, &asked).unwrap();
    let order: order::Order = fold(&events);
    let placed = order.placed().unwrap();
    assert_eq!((placed.placement.total, placed.placement.lines.len()), (cents(250), 2));
    assert_eq!(placed.placement.buyer.account, Some(id(5)));
    given::<Cart>(full()).when(&done.cart).then([cart::Event::CheckedOut { order: id(3) }]);
}

#[test]
fn what_is_not_ready_is_refused() {
    let refused = |history: &[cart::Event]| checkout(&fold(history), &offers(100, 2), ids(), noon()).unwrap_err();
    assert_eq!(refused(&[]), Rejection::Cart(cart::Rejection::Missing));
    assert_eq!(refused(&[created(), destination()]), Rejection::Empty);
    assert_eq!(refused(&[created(), cart::Event::LineSet(line(1, 2, 100))]), Rejection::NoDestination);
    let closed = [full(), vec![cart::Event::CheckedOut { order: id(8) }]].concat();
    assert_eq!(refused(&closed), Rejection::Cart(cart::Rejection::CheckedOut { order: id(8) }));
}

#[test]
fn a_price_that_changed_and_too_few_pieces_are_problems() {
    use crate::Rejection as _;
    let cart = fold::<Cart>(&full());
    let changed = checkout(&cart, &offers(90, 2), ids(), noon()).unwrap_err();
    assert_eq!(changed.code(), "price_changed");
    let few = checkout(&cart, &offers(100, 1), ids(), noon()).unwrap_err();
    let problem = Problem::NotEnough { variant: id(1), wanted: pieces(2), available: 1 };
    assert_eq!(few, Rejection::Problems(vec![problem]));
    assert_eq!(few.kind(), Kind::Conflict);
    assert_eq!(checkout(&cart, &BTreeMap::new(), ids(), noon()).unwrap_err().code(), "unavailable");
}

#[test]
fn an_offer_is_what_the_product_and_its_stock_say() {
    let mut history = vec![
        product::Event::Created {
            title: text("Lamp"),
            description: text(""),
            category: None,
            attributes: BTreeMap::new(),
        },
        product::Event::VariantAdded {
            variant: id(1),
            details: product::Variant::new(text("L-1"), text("Lamp"), price(100), BTreeMap::new()),
        },
    ];
    let level = fold::<StockLevel>(&[
        stock::Event::Opened { product: id(9), sku: text("L-1") },
        stock::Event::Received { quantity: pieces(5), reason: None },
        stock::Event::Reserved { order: id(8), quantity: pieces(2), expires_at: None },
    ]);
    let draft = fold::<Product>(&history);
    let offer = Offer { price: price(100), available: 3, purchasable: false };
    assert_eq!(Offer::of(&draft, id(1), &level, Currency::EUR), Some(offer));
    history.push(product::Event::Published {});
    let published = fold::<Product>(&history);
    assert_eq!(Offer::of(&published, id(1), &level, Currency::EUR), Some(Offer { purchasable: true, ..offer }));
    assert_eq!(Offer::of(&published, id(2), &level, Currency::EUR), None);
    assert_eq!(Offer::of(&published, id(1), &level, Currency::USD), None);
    assert_eq!(Offer::of(&Product::Missing, id(1), &level, Currency::EUR), None);
}
