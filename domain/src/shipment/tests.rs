//! Rules of shipments: news comes late, twice and out of order.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::testing::{given, golden, id, noon, pieces, text, well_said};

fn lines() -> Vec<Demand> {
    vec![Demand { variant: id(7), quantity: pieces(2) }]
}

fn carrier() -> Carrier {
    Carrier::Other { name: text("Post") }
}

fn prepared() -> Event {
    Event::Prepared { order: id(1), lines: lines(), carrier: carrier() }
}

fn gone() -> Event {
    Event::HandedOver { order: id(1), carrier: carrier(), tracking: text("T-1"), tracking_url: None, at: noon() }
}

fn at(minutes: i64) -> DateTime<Utc> {
    noon() - TimeDelta::minutes(60 - minutes)
}

fn hear(news: News, minutes: i64) -> Command {
    Command::Hear { news, at: Some(at(minutes)), place: None, reason: None }
}

fn moved(status: News, minutes: i64) -> Event {
    Event::Moved { order: id(1), status, at: at(minutes), place: None }
}

fn delivered(minutes: i64) -> Event {
    Event::Delivered { order: id(1), at: at(minutes) }
}

#[test]
fn it_is_prepared_packed_and_handed_over() {
    let prepare = |lines| Command::Prepare { order: id(1), lines, carrier: carrier() };
    given::<Shipment>([]).when(&prepare(lines())).then([prepared()]);
    given::<Shipment>([]).when(&prepare(vec![])).then_refused(Rejection::NoLines);
    given::<Shipment>([prepared()]).when(&prepare(lines())).then_nothing();
    given::<Shipment>([prepared()]).when(&prepare(vec![])).then_refused(Rejection::Exists);
    let pack = Command::Pack { weight_g: Some(900) };
    let packed = Event::Packed { weight_g: Some(900) };
    given::<Shipment>([prepared()]).when(&pack).then([packed.clone()]);
    given::<Shipment>([prepared(), packed.clone()]).when(&pack).then_nothing();
    let hand_over = |tracking: &str| Command::HandOver { tracking: text(tracking), tracking_url: None };
    let url = Some(text("https://post.example/T-1"));
    let followed = Event::HandedOver {
        order: id(1),
        carrier: carrier(),
        tracking: text("T-1"),
        tracking_url: url.clone(),
        at: noon(),
    };
    let with_url = Command::HandOver { tracking: text("T-1"), tracking_url: url };
    given::<Shipment>([prepared()]).when(&with_url).then([followed]);
    given::<Shipment>([prepared(), packed]).when(&hand_over("T-1")).then([gone()]);
    given::<Shipment>([prepared(), gone()]).when(&hand_over("T-1")).then_nothing();
    given::<Shipment>([prepared(), gone()]).when(&hand_over("T-2")).then_refused(Rejection::OtherTracking);
    given::<Shipment>([prepared(), gone()]).when(&pack).then_refused(Rejection::HandedOver);
    given::<Shipment>([]).when(&pack).then_refused(Rejection::Missing);
}

#[test]
fn it_can_be_given_up_until_it_is_handed_over() {
    let off = Event::Cancelled { order: id(1) };
    given::<Shipment>([prepared()]).when(&Command::Cancel {}).then([off.clone()]);
    given::<Shipment>([prepared(), off.clone()]).when(&Command::Cancel {}).then_nothing();
    given::<Shipment>([prepared(), gone()]).when(&Command::Cancel {}).then_refused(Rejection::HandedOver);
    given::<Shipment>([prepared(), off.clone()]).when(&hear(News::Delivered, 1)).then_refused(Rejection::Cancelled);
    given::<Shipment>([prepared()]).when(&hear(News::Delivered, 1)).then_refused(Rejection::NotHandedOver);
}

#[test]
fn old_news_and_repeated_news_change_nothing() {
    let travels = [prepared(), gone(), moved(News::InTransit, 10), moved(News::OutForDelivery, 20)];
    given::<Shipment>(travels.clone()).when(&hear(News::InTransit, 15)).then_nothing();
    given::<Shipment>(travels.clone()).when(&hear(News::OutForDelivery, 20)).then_nothing();
    given::<Shipment>(travels.clone()).when(&hear(News::OutForDelivery, 25)).then_nothing();
    given::<Shipment>(travels.clone()).when(&hear(News::Delivered, 30)).then([delivered(30)]);
    // However late it comes, that it arrived is the end of it.
    given::<Shipment>(travels.clone()).when(&hear(News::Delivered, 5)).then([delivered(5)]);
    let there = [&travels[..], &[delivered(30)]].concat();
    for news in [News::Delivered, News::AttemptFailed, News::InTransit, News::ReturningToSender] {
        given::<Shipment>(there.clone()).when(&hear(news, 40)).then_nothing();
    }
    // Reports from the future are refused.
    let early =
        Command::Hear { news: News::Delivered, at: Some(noon() + TimeDelta::days(1)), place: None, reason: None };
    given::<Shipment>(travels).when(&early).then([Event::Delivered { order: id(1), at: noon() }]);
}

#[test]
fn a_failed_delivery_is_repeated_or_returned() {
    let failed = |minutes| Event::AttemptFailed { order: id(1), at: at(minutes), reason: None };
    let tried = [prepared(), gone(), failed(10)];
    given::<Shipment>(tried.clone()).when(&hear(News::AttemptFailed, 20)).then([failed(20)]);
    given::<Shipment>(tried.clone()).when(&hear(News::OutForDelivery, 20)).then([moved(News::OutForDelivery, 20)]);
    let turned = Event::ReturningToSender { order: id(1), at: at(20), reason: None };
    given::<Shipment>(tried.clone()).when(&hear(News::ReturningToSender, 20)).then([turned.clone()]);
    let back = [&tried[..], &[turned]].concat();
    given::<Shipment>(back.clone()).when(&hear(News::InTransit, 30)).then_nothing();
    let here = Event::ReturnedToSender { order: id(1) };
    given::<Shipment>(back.clone()).when(&Command::TakeBack {}).then([here.clone()]);
    given::<Shipment>([&back[..], &[here]].concat()).when(&Command::TakeBack {}).then_nothing();
    given::<Shipment>([prepared()]).when(&Command::TakeBack {}).then_refused(Rejection::NotHandedOver);
    given::<Shipment>([prepared(), gone(), delivered(1)])
        .when(&Command::TakeBack {})
        .then_refused(Rejection::Delivered);
}

#[test]
fn a_lost_one_is_found_at_times_and_nothing_else_is_said_of_it() {
    let under_way = [prepared(), gone(), moved(News::InTransit, 1)];
    let lost = Event::Lost { order: id(1), at: at(20), reason: None };
    given::<Shipment>([prepared()]).when(&hear(News::Lost, 20)).then_refused(Rejection::NotHandedOver);
    given::<Shipment>(under_way.clone()).when(&hear(News::Lost, 20)).then([lost.clone()]);
    let history = [&under_way[..], &[lost]].concat();
    assert_eq!(crate::fold::<Shipment>(&history).live().unwrap().status, Stage::Lost);
    for news in [News::Lost, News::InTransit, News::OutForDelivery, News::AttemptFailed, News::ReturningToSender] {
        given::<Shipment>(history.clone()).when(&hear(news, 30)).then_nothing();
    }
    given::<Shipment>(history.clone()).when(&hear(News::Delivered, 30)).then([delivered(30)]);
    // When it arrived before it was said to be lost, it has arrived all the same.
    given::<Shipment>(history.clone()).when(&hear(News::Delivered, 10)).then([delivered(10)]);
    let here = Event::ReturnedToSender { order: id(1) };
    given::<Shipment>(history.clone()).when(&Command::TakeBack {}).then([here.clone()]);
    for over in [delivered(30), here] {
        let over = [&history[..], &[over]].concat();
        given::<Shipment>(over).when(&hear(News::Lost, 40)).then_nothing();
    }
    let back = Event::ReturningToSender { order: id(1), at: at(2), reason: None };
    let lost = Event::Lost { order: id(1), at: at(20), reason: None };
    given::<Shipment>([&under_way[..], &[back]].concat()).when(&hear(News::Lost, 20)).then([lost]);
}

#[test]
fn it_is_asked_for_only_while_it_travels() {
    let wait = Command::Wait { check_at: noon() };
    given::<Shipment>([prepared(), gone()]).when(&wait).then([Event::Waited { check_at: noon() }]);
    given::<Shipment>([prepared(), gone(), delivered(1)]).when(&wait).then_nothing();
}

#[test]
fn every_stored_form_is_golden() {
    let simulated = |story: Option<&str>| Carrier::Simulated { story: story.map(text) };
    golden(
        include_str!("golden.json"),
        &[
            prepared(),
            Event::Prepared { order: id(1), lines: lines(), carrier: simulated(None) },
            Event::Prepared { order: id(1), lines: lines(), carrier: simulated(Some("attempt_failed")) },
            Event::Packed { weight_g: None },
            Event::Packed { weight_g: Some(900) },
            Event::Cancelled { order: id(1) },
            gone(),
            moved(News::InTransit, 1),
            Event::Moved { order: id(1), status: News::OutForDelivery, at: noon(), place: Some(text("Berlin")) },
            Event::AttemptFailed { order: id(1), at: noon(), reason: None },
            Event::AttemptFailed { order: id(1), at: noon(), reason: Some(text("nobody there")) },
            delivered(60),
            Event::ReturningToSender { order: id(1), at: noon(), reason: None },
            Event::ReturnedToSender { order: id(1) },
            Event::Lost { order: id(1), at: noon(), reason: None },
            Event::Lost { order: id(1), at: noon(), reason: Some(text("a fire")) },
            Event::Waited { check_at: noon() },
            Event::HandedOver {
                order: id(1),
                carrier: carrier(),
                tracking: text("T-1"),
                tracking_url: Some(text("https://post.example/T-1")),
                at: noon(),
            },
        ],
    );
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::Exists,
        R::NoLines,
        R::Cancelled,
        R::HandedOver,
        R::NotHandedOver,
        R::Delivered,
        R::NotReturning,
        R::OtherTracking,
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn news_in_any_order_and_number_ends_delivered_once(
        news in proptest::collection::vec((0..5usize, 0..60i64), 0..80),
    ) {
        let asked = Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } };
        let kinds =
            [News::InTransit, News::OutForDelivery, News::AttemptFailed, News::Delivered, News::Lost];
        let mut state = crate::fold::<Shipment>(&[prepared(), gone()]);
        let mut arrivals = 0;
        for (kind, minutes) in news.into_iter().chain([(3, 59)]) {
            let events = state.decide(&hear(kinds[kind], minutes), &asked).unwrap();
            arrivals += events.iter().filter(|event| matches!(event, Event::Delivered { .. })).count();
            state = events.iter().fold(state, Shipment::evolve);
        }
        prop_assert_eq!(arrivals, 1);
        prop_assert!(state.live().unwrap().news.len() <= NEWS_MAX + 2);
    }
}
