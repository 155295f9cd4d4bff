//! Rules of parcels over several aggregates: what happens to a parcel happens to its order, and to the stock when it is lost.

use super::*;
use crate::aftersales::tests::{lamps, stock_after, work};
use crate::order::Fulfilment;
use crate::payment::{Authorization, CaptureMode, Method, ProviderOutcome};
use crate::testing::{id, pieces, text};

const ORDER: u128 = 1;
const PAYMENT: u128 = 2;

/// A paid order of three lamps, one parcel of which has these pieces and was handed over.
fn sent(number: i64) -> (Work, ShipmentId) {
    let mut work = work(true);
    let parcel = packed(&mut work, number);
    send(&mut work, parcel);
    (work, parcel)
}

fn packed(work: &mut Work, number: i64) -> ShipmentId {
    prepare(work, id(ORDER), &[lamps(number)], &Carrier::Other { name: text("Post") }).unwrap()
}

fn send(work: &mut Work, parcel: ShipmentId) {
    work.decide::<Shipment>(parcel, &shipment::Command::Pack { weight_g: None }).unwrap();
    hand_over(work, parcel, &text("T-1"), None).unwrap();
}

fn report(work: &mut Work, parcel: ShipmentId, news: News) {
    hear(work, parcel, &Heard { news, at: None, place: None, reason: None }).unwrap();
}

fn fulfilment(work: &Work) -> Fulfilment {
    work.get::<Order>(id::<OrderId>(ORDER)).unwrap().live().unwrap().progress.fulfilment
}

fn stage(work: &Work, parcel: ShipmentId) -> Stage {
    work.get::<Shipment>(parcel).unwrap().live().unwrap().status
}

#[test]
fn the_pieces_of_a_cancelled_parcel_can_be_packed_again() {
    let mut work = work(true);
    let parcel = packed(&mut work, 3);
    let carrier = Carrier::Other { name: text("Post") };
    assert!(prepare(&mut work, id(ORDER), &[lamps(1)], &carrier).is_err(), "all pieces are packed");
    cancel(&mut work, parcel).unwrap();
    packed(&mut work, 3);
}

#[test]
fn an_order_is_fulfilled_by_its_parcels_and_completed_when_they_arrive() {
    let (mut work, parcel) = sent(2);
    assert_eq!((fulfilment(&work), stage(&work, parcel)), (Fulfilment::PartlyFulfilled, Stage::HandedOver));
    let other = packed(&mut work, 1);
    send(&mut work, other);
    assert_eq!(fulfilment(&work), Fulfilment::Fulfilled);
    for parcel in [parcel, other] {
        report(&mut work, parcel, News::Delivered);
    }
    let order = work.get::<Order>(id::<OrderId>(ORDER)).unwrap();
    assert_eq!(order.live().unwrap().stage(), crate::order::Stage::Completed);
}

#[test]
fn the_pieces_of_a_lost_parcel_are_lost_to_the_stock_once_and_can_be_replaced() {
    let (mut work, parcel) = sent(3);
    for _ in 0..2 {
        report(&mut work, parcel, News::Lost);
    }
    assert_eq!(stage(&work, parcel), Stage::Lost);
    packed(&mut work, 3);
    let order = id(ORDER);
    let lost = stock::Event::LostInTransit { order, quantity: pieces(3) };
    let replaced = stock::Event::Replaced { order, quantity: pieces(3) };
    let (on_hand, _, happened) = stock_after(work);
    assert_eq!((on_hand, happened), (4, vec![lost, replaced]));
}

#[test]
fn a_lost_parcel_that_arrives_was_not_lost() {
    let (mut work, parcel) = sent(3);
    report(&mut work, parcel, News::Lost);
    report(&mut work, parcel, News::Delivered);
    let order = id(ORDER);
    let lost = stock::Event::LostInTransit { order, quantity: pieces(3) };
    let found = stock::Event::FoundInTransit { order, quantity: pieces(3) };
    assert_eq!(stage(&work, parcel), Stage::Delivered);
    assert_eq!(stock_after(work).2, [lost, found]);
}

#[test]
fn a_parcel_of_a_paid_order_requests_no_capture() {
    let (work, _) = sent(3);
    let events = work.decided().events;
    assert!(!events.iter().any(|event| matches!(event, crate::AnyEvent::Payment(..))), "{events:?}");
}

/// An order of three lamps whose payment is authorized, and is to be captured later.
fn authorized() -> Work {
    let mut work = work(false);
    let attempt = payment::Command::Attempt {
        method: Method::Test,
        reference: text("1"),
        capture: CaptureMode::Manual,
        return_url: None,
    };
    let outcome = payment::Command::RecordOutcome { reference: text("1"), outcome: ProviderOutcome::Authorized };
    for command in [attempt, outcome] {
        work.decide::<Payment>(id(PAYMENT), &command).unwrap();
    }
    work.decide::<Order>(id(ORDER), &order::Command::MarkAuthorized { payment: id(PAYMENT) }).unwrap();
    work
}

#[test]
fn the_first_parcel_of_an_authorized_order_requests_its_capture() {
    let mut work = authorized();
    let parcel = packed(&mut work, 1);
    send(&mut work, parcel);
    let payment = work.get::<Payment>(id(PAYMENT)).unwrap();
    assert_eq!(payment.live().unwrap().stage, payment::Stage::Authorized(Authorization::Capturing));
}

#[test]
fn the_pieces_of_a_refused_parcel_can_be_sent_again() {
    let (mut work, parcel) = sent(3);
    report(&mut work, parcel, News::ReturningToSender);
    take_back(&mut work, parcel).unwrap();
    packed(&mut work, 3);
}
