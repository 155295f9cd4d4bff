//! Rules of payments to the account of a seller: what the provider moves there is recorded, and the house has its fee.

use super::*;
use crate::dispute::refund_of;
use crate::payment_provider::Provider;

const CAPTURED: i64 = 3500;
const FEE: i64 = 351;

fn to_seller() -> Registration {
    let direct = Direct { seller: id(71), account: text("SELLERB234567"), fee: cents(FEE), unit: 1 };
    Registration { direct: Some(direct), ..registration() }
}

pub(super) fn registered_direct() -> Event {
    Event::Registered { reference: text("pay-1"), registration: to_seller() }
}

pub(super) fn seller_paid(amount: i64) -> Event {
    Event::SellerPaid { order: id(1), seller: id(71), reference: text("pay-1"), amount: cents(amount) }
}

pub(super) fn seller_charged(refund: RefundId, amount: i64) -> Event {
    Event::SellerCharged { order: id(1), seller: id(71), refund, amount: cents(amount) }
}

fn paypal_captured() -> Event {
    let (method, reference) = (Method::Paypal, text("pay-1"));
    Event::Captured { order: id(1), amount: cents(CAPTURED), method, reference, covers: vec![] }
}

fn taken_by_seller() -> Vec<Event> {
    let events = [at_paypal("pay-1"), registered_direct(), authorized("pay-1"), paypal_captured()];
    after(&[opened()], &[&events[..], &[seller_paid(CAPTURED - FEE)]].concat())
}

fn held(history: &[Event]) -> i64 {
    crate::fold::<Payment>(history).live().unwrap().held_at_provider().amount
}

#[test]
fn a_capture_pays_the_seller_what_is_left_without_the_fee() {
    let history = [opened(), at_paypal("pay-1"), registered_direct(), authorized("pay-1")];
    given::<Payment>(history).when(&Command::Capture {}).then([paypal_captured(), seller_paid(CAPTURED - FEE)]);
    assert_eq!(held(&taken_by_seller()), FEE);
    let to_house = [opened(), at_paypal("pay-1"), registered("pay-1"), authorized("pay-1")];
    given::<Payment>(to_house).when(&Command::Capture {}).then([paypal_captured()]);
}

#[test]
fn a_refund_takes_from_the_seller_what_the_house_does_not_give_back_of_its_fee() {
    let asked = after(&taken_by_seller(), &[requested(2, 1000)]);
    let done = Command::RecordRefundOutcome { refund: id(2), outcome: RefundOutcome::Done };
    // 351 × 1000 / 3500 = 100.28….
    let events = [given_back(2, 1000), seller_charged(id(2), 900)];
    given::<Payment>(asked.clone()).when(&done).then(events.clone());
    assert_eq!(held(&after(&asked, &events)), FEE - 100);
    // What the provider refuses, and what staff settles, takes nothing from the seller.
    let refused = Command::RecordRefundOutcome { refund: id(2), outcome: RefundOutcome::Refused };
    let failed = Event::RefundFailed { order: id(1), refund: id(2), amount: cents(1000) };
    given::<Payment>(asked).when(&refused).then([failed]);
}

#[test]
fn a_lost_dispute_and_a_reversal_take_what_the_provider_says() {
    let lost = [dispute::lost(21, CAPTURED), seller_charged(refund_of(id(21)), CAPTURED)];
    let disputed = after(&taken_by_seller(), &[dispute::disputed(21, CAPTURED, CAPTURED)]);
    given::<Payment>(disputed.clone()).when(&dispute::lose(21, CAPTURED)).then(lost.clone());
    assert_eq!(held(&after(&disputed, &lost)), FEE);
    let reference: crate::text::Reference = text("R1");
    let refund = refund_at(Provider::Paypal, &reference);
    let made = MadeElsewhere { refund, reference, amount: cents(1000), fee_back: cents(30) };
    given::<Payment>(taken_by_seller())
        .when(&Command::RecordMadeElsewhere(made))
        .then([elsewhere::recorded("R1", 1000), seller_charged(refund, 970)]);
}

#[test]
fn the_fee_goes_back_in_what_the_provider_can_move() {
    let of = |unit, refunded| {
        let registration = to_seller();
        let direct = registration.direct.clone().map(|direct| Direct { unit, ..direct });
        Registration { direct, ..registration }.fee_back(cents(refunded)).unwrap().amount
    };
    assert_eq!([of(1, 1000), of(100, 1000), of(100, 999), of(100, 3500)], [100, 100, 100, 300]);
    assert_eq!(registration().fee_back(cents(1000)), None);
}

proptest! {
    /// However a payment is refunded, the house never gives back more than its fee, and each part is what is asked of the provider.
    #[test]
    fn the_house_gives_back_no_more_than_its_fee(fee in 0..=CAPTURED, cuts in proptest::collection::vec(1..CAPTURED, 0..9)) {
        let registration = to_seller();
        let direct = registration.direct.clone().map(|direct| Direct { fee: cents(fee), ..direct });
        let registration = Registration { direct, ..registration };
        let mut cuts = cuts;
        cuts.extend([0, CAPTURED]);
        cuts.sort_unstable();
        let refunds = cuts.windows(2).map(|pair| pair[1] - pair[0]);
        let back = |refund| registration.fee_back(cents(refund)).unwrap().amount;
        let parts: Vec<(i64, i64)> = refunds.map(|refund| (refund, back(refund))).collect();
        prop_assert!(parts.iter().all(|(refund, back)| (0..=*refund).contains(back)));
        let sum: i64 = parts.iter().map(|(_, back)| back).sum();
        let rounded = i64::try_from(parts.len()).unwrap();
        prop_assert!(sum <= fee && fee - sum < rounded);
    }
}
