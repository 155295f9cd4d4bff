//! Rules of carts.

use super::*;
use crate::Subject;
use crate::testing::{cents, given, golden, id, pieces, price, text, well_said};

fn created() -> Event {
    Event::Created { owner: None, token_hash: Some(text("3q2+7w==")), currency: Currency::EUR }
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

fn destination() -> Destination {
    let sealed = Personal::new(Subject(uuid::Uuid::from_u128(9)), "AAECAwQF");
    let area = Destination::area_of(&text("10115"));
    Destination { area, address: Some(sealed), locale: Some(Locale::En), ..Destination::to(text("DE")) }
}

fn open_cart(lines: &[Line]) -> Vec<Event> {
    [created()].into_iter().chain(lines.iter().cloned().map(Event::LineSet)).collect()
}

#[test]
fn it_is_created_once() {
    let create = Command::Create { owner: None, token_hash: Some(text("3q2+7w==")), currency: Currency::EUR };
    given::<Cart>([]).when(&create).then([created()]);
    given::<Cart>([created()]).when(&create).then_refused(Rejection::Exists);
    given::<Cart>([]).when(&Command::Empty {}).then_refused(Rejection::Missing);
}

#[test]
fn a_line_is_set_and_not_added_to() {
    let set = |number| Command::SetLine(line(1, number, 100));
    given::<Cart>(open_cart(&[])).when(&set(2)).then([Event::LineSet(line(1, 2, 100))]);
    given::<Cart>(open_cart(&[line(1, 2, 100)])).when(&set(2)).then_nothing();
    let state = crate::fold::<Cart>(&open_cart(&[line(1, 2, 100), line(2, 1, 50), line(1, 3, 100)]));
    let lines = &state.open().unwrap().lines;
    assert_eq!(lines, &[line(1, 3, 100), line(2, 1, 50)]);
    assert_eq!(state.open().unwrap().total(), Ok(cents(350)));
}

#[test]
fn lines_go_and_the_cart_empties() {
    let remove = |variant| Command::RemoveLine { variant: id(variant) };
    let history = open_cart(&[line(1, 2, 100)]);
    given::<Cart>(history.clone()).when(&remove(1)).then([Event::LineRemoved { variant: id(1) }]);
    given::<Cart>(history.clone()).when(&remove(2)).then_nothing();
    given::<Cart>(history).when(&Command::Empty {}).then([Event::Emptied {}]);
    given::<Cart>(open_cart(&[])).when(&Command::Empty {}).then_nothing();
}

#[test]
fn there_are_not_endless_lines() {
    let lines: Vec<_> = (0..LINES_MAX).map(|number| line(number as u128, 1, 1)).collect();
    given::<Cart>(open_cart(&lines)).when(&Command::SetLine(line(500, 1, 1))).then_refused(Rejection::TooManyLines);
    given::<Cart>(open_cart(&lines)).when(&Command::SetLine(line(5, 2, 1))).then([Event::LineSet(line(5, 2, 1))]);
}

#[test]
fn all_is_in_one_currency_and_the_sum_fits() {
    let mut pounds = line(1, 1, 1);
    pounds.unit_price = Price::new(Money::new(1, Currency::GBP)).unwrap();
    let refused = Rejection::OtherCurrency { currency: Currency::EUR };
    given::<Cart>(open_cart(&[])).when(&Command::SetLine(pounds)).then_refused(refused);
    let dear = |variant| line(variant, 1_000_000, crate::money::PRICE_MAX);
    let history: Vec<_> = (1..=9).map(dear).collect();
    given::<Cart>(open_cart(&history)).when(&Command::SetLine(dear(10))).then_refused(Rejection::TooExpensive);
}

#[test]
fn a_destination_is_set_once() {
    let set = Command::SetDestination { destination: destination() };
    let happened = Event::DestinationSet { destination: destination() };
    given::<Cart>([created()]).when(&set).then([happened.clone()]);
    given::<Cart>([created(), happened]).when(&set).then_nothing();
}

#[test]
fn a_cart_that_was_checked_out_stays_as_it_is() {
    let history = [created(), Event::LineSet(line(1, 1, 1)), Event::CheckedOut { order: id(7) }];
    for command in [
        Command::SetLine(line(1, 2, 1)),
        Command::RemoveLine { variant: id(1) },
        Command::Empty {},
        Command::SetDestination { destination: destination() },
        Command::Close { order: id(8) },
    ] {
        given::<Cart>(history.clone()).when(&command).then_refused(Rejection::CheckedOut { order: id(7) });
    }
    given::<Cart>(history).when(&Command::Close { order: id(7) }).then_nothing();
}

#[test]
fn problems_say_what_keeps_each_line_from_being_bought() {
    let cart = crate::fold::<Cart>(&open_cart(&[
        line(1, 2, 100),
        line(2, 2, 100),
        line(3, 2, 100),
        line(4, 2, 100),
        line(5, 2, 100),
    ]));
    let offer = |amount, available, purchasable| Offer { price: price(amount), available, purchasable };
    let offers = BTreeMap::from([
        (id(1), offer(100, 2, true)),
        (id(2), offer(120, 0, true)),
        (id(3), offer(100, 1, true)),
        (id(4), offer(100, 9, false)),
    ]);
    let problems = cart.open().unwrap().problems(&offers);
    let expected = [
        Problem::PriceChanged { variant: id(2), was: price(100), now: price(120) },
        Problem::NotEnough { variant: id(3), wanted: pieces(2), available: 1 },
        Problem::Unavailable { variant: id(4) },
        Problem::Unavailable { variant: id(5) },
    ];
    assert_eq!(problems, expected);
    let json = serde_json::to_value(&problems[1]).unwrap();
    assert_eq!(json["code"], problems[1].code());
}

#[test]
fn the_hash_of_the_token_is_not_part_of_the_state_that_is_shown() {
    let state = crate::fold::<Cart>(&[created()]);
    assert!(!serde_json::to_string(&state).unwrap().contains("3q2"));
}

#[test]
fn every_stored_form_is_golden() {
    let bare = Destination::to(text("United Kingdom"));
    golden(
        include_str!("golden.json"),
        &[
            created(),
            Event::Created { owner: Some(id(5)), token_hash: None, currency: Currency::JPY },
            Event::LineSet(line(1, 2, 1999)),
            Event::LineRemoved { variant: id(1) },
            Event::Emptied {},
            Event::DestinationSet { destination: destination() },
            Event::DestinationSet { destination: bare },
            Event::CheckedOut { order: id(7) },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::CheckedOut { order: id(1) },
        R::OtherCurrency { currency: Currency::EUR },
        R::TooManyLines,
        R::TooExpensive,
    ]);
}
