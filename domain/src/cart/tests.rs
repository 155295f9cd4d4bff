//! Rules of carts.

use serde_json::json;

use super::*;
use crate::address::Address;
use crate::money::Price;
use crate::testing::{cents, given, golden, id, noon, pieces, price, text, well_said};
use crate::{Locale, Personal, Subject};

fn created() -> Event {
    Event::Created {
        owner: None,
        token_hash: Some(text("3q2+7w==")),
        currency: Currency::EUR,
        expires_at: Some(noon() + month()),
        days: LIFETIME_DAYS,
    }
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

fn month() -> TimeDelta {
    TimeDelta::days(i64::from(LIFETIME_DAYS))
}

fn open_cart(lines: &[Line]) -> Vec<Event> {
    [created()].into_iter().chain(lines.iter().cloned().map(Event::LineSet)).collect()
}

#[test]
fn it_is_created_once() {
    let create = Command::Create {
        owner: None,
        token_hash: Some(text("3q2+7w==")),
        currency: Currency::EUR,
        days: LIFETIME_DAYS,
    };
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
    let lines = &state.open(noon()).unwrap().lines;
    assert_eq!(lines, &[line(1, 3, 100), line(2, 1, 50)]);
    assert_eq!(state.open(noon()).unwrap().total(), Ok(cents(350)));
}

#[test]
fn lines_go_and_the_cart_empties() {
    let remove = |variant| Command::RemoveLine { variant: id(variant) };
    let history = open_cart(&[line(1, 2, 100)]);
    given::<Cart>(history.clone()).when(&remove(1)).then([Event::LineRemoved { variant: id(1) }]);
    let two = open_cart(&[line(1, 2, 500), line(2, 1, 300)]);
    let left: Cart = crate::fold(&[&two[..], &[Event::LineRemoved { variant: id(1) }]].concat());
    assert_eq!(left.live().unwrap().lines, [line(2, 1, 300)]);
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
fn a_country_is_named_by_its_code_and_older_carts_are_still_read() {
    let germany = || crate::text::Country::new("Germany").unwrap();
    let set = Command::SetDestination { destination: Destination::to(germany()) };
    let refused = Rejection::CountryUnknown { country: germany() };
    given::<Cart>([created()]).when(&set).then_refused(refused.clone());
    let old = Event::DestinationSet { destination: Destination::to(germany()) };
    given::<Cart>([created(), old.clone()]).when(&set).then_refused(refused);
    let state = crate::fold::<Cart>(&[created(), old]);
    assert_eq!(state.open(noon()).unwrap().destination, Some(Destination::to(germany())));
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

fn code(text: &str) -> CouponCode {
    CouponCode::new(text).unwrap()
}

#[test]
fn codes_are_set_once_each_and_not_endless_many() {
    let set = |codes: &[&str]| Command::SetCoupons { codes: codes.iter().map(|it| code(it)).collect() };
    let happened = |codes: &[&str]| Event::CouponsSet { codes: codes.iter().map(|it| code(it)).collect() };
    given::<Cart>([created()]).when(&set(&["abc", "ABC", "def"])).then([happened(&["ABC", "DEF"])]);
    given::<Cart>([created(), happened(&["ABC"])]).when(&set(&["abc"])).then_nothing();
    given::<Cart>([created(), happened(&["ABC"])]).when(&set(&[])).then([happened(&[])]);
    let many = ["AA1", "AA2", "AA3", "AA4", "AA5", "AA6"];
    given::<Cart>([created()]).when(&set(&many)).then_refused(Rejection::TooManyCodes);
}

#[test]
fn a_service_is_chosen_once() {
    let choose = Command::ChooseShipping { service: text("parcel"), seller: None };
    let happened = Event::ShippingChosen { service: text("parcel"), seller: None };
    given::<Cart>([created()]).when(&choose).then([happened.clone()]);
    given::<Cart>([created(), happened]).when(&choose).then_nothing();
}

#[test]
fn another_cart_is_put_into_it_once() {
    let codes = vec![code("SPRING")];
    let merge = |lines: &[Line]| Command::Merge { from: id(3), lines: lines.to_vec(), codes: codes.clone() };
    let history = open_cart(&[line(1, 2, 100), line(2, 1, 50)]);
    let merged = [
        Event::Merged { from: id(3) },
        Event::LineSet(line(1, 5, 100)),
        Event::LineSet(line(4, 1, 10)),
        Event::CouponsSet { codes: codes.clone() },
    ];
    given::<Cart>(history.clone()).when(&merge(&[line(1, 3, 100), line(4, 1, 10)])).then(merged.clone());
    given::<Cart>([history.clone(), merged.to_vec()].concat()).when(&merge(&[line(1, 3, 100)])).then_nothing();
    // What a line cannot hold is cut off.
    let much = open_cart(&[line(1, 999_999, 1)]);
    let full = [Event::Merged { from: id(3) }, Event::LineSet(line(1, 1_000_000, 1))];
    let plain = Command::Merge { from: id(3), lines: vec![line(1, 5, 1)], codes: vec![] };
    given::<Cart>(much).when(&plain).then(full);
    let many: Vec<_> = (0..LINES_MAX).map(|number| line(number as u128 + 10, 1, 1)).collect();
    given::<Cart>(history.clone()).when(&merge(&many)).then_refused(Rejection::TooManyLines);
    let mut pounds = line(1, 1, 1);
    pounds.unit_price = Price::new(Money::new(1, Currency::GBP)).unwrap();
    given::<Cart>(history).when(&merge(&[pounds])).then_refused(Rejection::OtherCurrency { currency: Currency::EUR });
}

#[test]
fn what_was_put_into_another_cart_stays_as_it_is() {
    let into = |cart| Command::MergeInto { cart: id(cart) };
    let history = [created(), Event::MergedInto { cart: id(4) }];
    given::<Cart>([created()]).when(&into(4)).then([Event::MergedInto { cart: id(4) }]);
    given::<Cart>(history.clone()).when(&into(4)).then_nothing();
    for command in [into(5), Command::SetLine(line(1, 2, 1)), Command::Close { order: id(8) }] {
        given::<Cart>(history.clone()).when(&command).then_refused(Rejection::Merged { cart: id(4) });
    }
}

#[test]
fn a_cart_that_nobody_changes_is_given_up() {
    let ending = |left: TimeDelta| Event::Extended { expires_at: noon() + left };
    let set = Command::SetLine(line(1, 1, 1));
    let over = [created(), ending(TimeDelta::zero())];
    given::<Cart>(over.clone()).when(&set).then_refused(Rejection::Expired);
    given::<Cart>(over).when(&Command::MergeInto { cart: id(4) }).then_refused(Rejection::Expired);
    // A change in the second half of its time puts the end off, one in the first does not.
    let happened = Event::LineSet(line(1, 1, 1));
    let late = [created(), ending(TimeDelta::days(15))];
    given::<Cart>(late).when(&set).then([happened.clone(), ending(month())]);
    let early = [created(), ending(TimeDelta::days(16))];
    given::<Cart>(early).when(&set).then([happened.clone()]);
    // A cart that was made for a week stays a week with every change, whatever is usual by then.
    let week = |left: TimeDelta| {
        let (owner, token_hash, currency) = (None, None, Currency::EUR);
        [Event::Created { owner, token_hash, currency, expires_at: Some(noon() + left), days: 7 }]
    };
    let create = Command::Create { owner: None, token_hash: None, currency: Currency::EUR, days: 7 };
    given::<Cart>([]).when(&create).then(week(TimeDelta::days(7)));
    given::<Cart>(week(TimeDelta::days(3))).when(&set).then([happened.clone(), ending(TimeDelta::days(7))]);
    given::<Cart>(week(TimeDelta::days(4))).when(&set).then([happened]);
}

#[test]
fn a_cart_is_discarded_once_and_never_one_that_was_checked_out() {
    let discard = Command::Discard {};
    let discarded = Event::Discarded { at: noon() };
    given::<Cart>([]).when(&discard).then_refused(Rejection::Missing);
    given::<Cart>([created()]).when(&discard).then([discarded.clone()]);
    let gone = [created(), Event::LineSet(line(1, 1, 1)), discarded.clone()];
    given::<Cart>(gone.clone()).when(&discard).then_nothing();
    for command in [Command::SetLine(line(1, 2, 1)), Command::Empty {}, Command::MergeInto { cart: id(4) }] {
        given::<Cart>(gone.clone()).when(&command).then_refused(Rejection::Expired);
    }
    // Neither does a clock that is behind, nor a checkout that is half done, open it again.
    let later = [created(), Event::Discarded { at: noon() + TimeDelta::seconds(2) }];
    given::<Cart>(later.clone()).when(&Command::SetLine(line(1, 2, 1))).then_refused(Rejection::Expired);
    given::<Cart>(later).when(&Command::Close { order: id(7) }).then_refused(Rejection::Expired);
    // What was written into it is still there when it is given up or in another cart, and not its own when it is an order's.
    let over = Event::Extended { expires_at: noon() };
    for before in [over, Event::MergedInto { cart: id(4) }] {
        given::<Cart>([created(), before]).when(&discard).then([discarded.clone()]);
    }
    let ordered = [created(), Event::CheckedOut { order: id(7) }];
    given::<Cart>(ordered).when(&discard).then_refused(Rejection::CheckedOut { order: id(7) });
}

#[test]
fn a_state_shows_what_closed_a_cart() {
    let facts = |events: &[Event]| {
        let state = crate::fold::<Cart>([created()].iter().chain(events));
        let json = serde_json::to_value(&state).unwrap();
        (json["merged_into"].clone(), json["order"].clone(), json.get("discarded").cloned())
    };
    let (nothing, other, order) = (|| json!(null), id::<CartId>(4), id::<OrderId>(7));
    let (merged, discarded) = (Event::MergedInto { cart: other }, Event::Discarded { at: noon() });
    assert_eq!(facts(&[]), (nothing(), nothing(), None));
    assert_eq!(facts(&[Event::CheckedOut { order }]), (nothing(), json!(order), None));
    assert_eq!(facts(std::slice::from_ref(&merged)), (json!(other), nothing(), None));
    assert_eq!(facts(&[merged, discarded.clone()]), (json!(other), nothing(), Some(json!(true))));
    assert_eq!(facts(&[discarded]), (nothing(), nothing(), Some(json!(true))));
}

#[test]
fn a_cart_that_was_merged_and_then_discarded_is_still_the_merged_one() {
    let history = [created(), Event::MergedInto { cart: id(4) }, Event::Discarded { at: noon() }];
    given::<Cart>(history.clone()).when(&Command::Discard {}).then_nothing();
    given::<Cart>(history.clone()).when(&Command::MergeInto { cart: id(4) }).then_nothing();
    for command in [Command::Empty {}, Command::Close { order: id(8) }] {
        given::<Cart>(history.clone()).when(&command).then_refused(Rejection::Merged { cart: id(4) });
    }
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
    let offer = |amount, available, purchasable| Offer {
        price: price(amount),
        available,
        purchasable,
        keys: false,
        downloads: false,
        gift_cards: false,
        seller: None,
    };
    let offers = BTreeMap::from([
        (id(1), offer(100, 2, true)),
        (id(2), offer(120, 0, true)),
        (id(3), offer(100, 1, true)),
        (id(4), offer(100, 9, false)),
    ]);
    let problems = cart.open(noon()).unwrap().problems(&offers);
    let expected = [
        Problem::PriceChanged { variant: id(2), was: price(100), now: price(120) },
        Problem::NotEnough { variant: id(2), wanted: pieces(2), available: 0 },
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
    let nothing_said = Address::to(text("DE"));
    golden(
        include_str!("golden.json"),
        &[
            created(),
            Event::Created {
                owner: Some(id(5)),
                token_hash: None,
                currency: Currency::JPY,
                expires_at: None,
                days: LIFETIME_DAYS,
            },
            Event::Created {
                owner: Some(id(5)),
                token_hash: None,
                currency: Currency::JPY,
                expires_at: Some(noon() + TimeDelta::days(7)),
                days: 7,
            },
            Event::Extended { expires_at: noon() + month() },
            Event::CouponsSet { codes: vec![code("SPRING")] },
            Event::ShippingChosen { service: text("parcel"), seller: Some(id(71)) },
            Event::ShippingChosen { service: text("parcel"), seller: None },
            Event::Merged { from: id(3) },
            Event::MergedInto { cart: id(4) },
            Event::LineSet(line(1, 2, 1999)),
            Event::LineRemoved { variant: id(1) },
            Event::Emptied {},
            Event::DestinationSet { destination: destination() },
            Event::DestinationSet { destination: bare },
            Event::DestinationSet { destination: Destination { lacks: nothing_said.lacks(), ..destination() } },
            Event::DestinationSet { destination: Destination { email_hash: Some(text("a1b2")), ..destination() } },
            Event::DestinationSet {
                destination: Destination {
                    email_hash: Some(text("a1b2")),
                    mailbox_hash: Some(text("c3d4")),
                    ..destination()
                },
            },
            Event::CheckedOut { order: id(7) },
        ],
    );
}

#[test]
fn a_cart_is_changed_so_many_times_and_can_still_be_bought_or_discarded() {
    let change = |index: u32| Event::LineSet(line(1, 1 + i64::from(index % 2), 1999));
    let changed = |times: u32| std::iter::once(created()).chain((1..times).map(change));
    let set = Command::SetLine(line(1, 7, 1999));
    given::<Cart>(changed(CHANGES_MAX - 1)).when(&set).then([Event::LineSet(line(1, 7, 1999))]);
    given::<Cart>(changed(CHANGES_MAX)).when(&set).then_refused(Rejection::TooManyChanges);
    given::<Cart>(changed(CHANGES_MAX)).when(&Command::Empty {}).then_refused(Rejection::TooManyChanges);
    // What changes nothing is no change.
    given::<Cart>(changed(CHANGES_MAX)).when(&Command::RemoveLine { variant: id(9) }).then_nothing();
    given::<Cart>(changed(CHANGES_MAX))
        .when(&Command::Close { order: id(7) })
        .then([Event::CheckedOut { order: id(7) }]);
    given::<Cart>(changed(CHANGES_MAX)).when(&Command::Discard {}).then([Event::Discarded { at: noon() }]);
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
        R::TooManyCodes,
        R::TooManyChanges,
        R::Expired,
        R::Merged { cart: id(1) },
        R::TooExpensive,
        R::CountryUnknown { country: text("Narnia") },
    ]);
}
