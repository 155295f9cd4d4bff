//! Rules of money that a provider gave back without being asked: what nothing explains is recorded once, and never beyond what is left.

use super::*;
use crate::dispute::refund_of;
use crate::payment_provider::Provider;

fn back(reference: &str, amount: i64, refund: Option<u128>) -> GivenBack {
    GivenBack { reference: text(reference), refund: refund.map(id), amount: cents(amount), fee_back: cents(0) }
}

fn made(reference: &str, amount: i64) -> MadeElsewhere {
    let reference = text(reference);
    MadeElsewhere {
        refund: refund_at(Provider::Paypal, &reference),
        reference,
        amount: cents(amount),
        fee_back: cents(0),
    }
}

pub(super) fn record(reference: &str, amount: i64) -> Command {
    Command::RecordMadeElsewhere(made(reference, amount))
}

pub(super) fn recorded(reference: &str, amount: i64) -> Event {
    let MadeElsewhere { refund, reference, amount, .. } = made(reference, amount);
    let cause = Some(RefundCause::Provider { reference });
    Event::Refunded { order: id(1), amount, refund: Some(refund), cause, to: None, of: None }
}

fn found(history: &[Event], given_back: &[GivenBack]) -> Vec<(String, i64)> {
    let state = crate::fold::<Payment>(history);
    let found = state.live().unwrap().made_elsewhere(Provider::Paypal, given_back);
    found.iter().map(|it| (it.reference.to_string(), it.amount.amount)).collect()
}

fn said(list: &[(&str, i64)]) -> Vec<(String, i64)> {
    list.iter().map(|(reference, amount)| ((*reference).to_owned(), *amount)).collect()
}

#[test]
fn a_refund_that_the_provider_made_is_recorded_once_and_within_what_is_left() {
    given::<Payment>([super::opened()]).when(&record("R1", 100)).then_refused(Rejection::NotCaptured);
    given::<Payment>(taken()).when(&record("R1", 100)).then([recorded("R1", 100)]);
    let once = after(&taken(), &[recorded("R1", 100)]);
    given::<Payment>(once.clone()).when(&record("R1", 100)).then_nothing();
    given::<Payment>(once.clone())
        .when(&record("R2", 3401))
        .then_refused(Rejection::TooMuchRefunded { left: cents(3400) });
    given::<Payment>(once.clone()).when(&record("R2", 0)).then_refused(Rejection::NotAnAmount);
    given::<Payment>(once.clone()).when(&refund(1, None)).then([requested(1, 3400)]);
    given::<Payment>(once.clone()).when(&record("R2", 3400)).then([recorded("R2", 3400)]);
    assert_eq!(stage(&after(&once, &[recorded("R2", 3400)])), Stage::Refunded);
    // What a dispute holds is not refunded beside it.
    let held = after(&taken(), &[dispute::disputed(21, 3000, 3000)]);
    given::<Payment>(held).when(&record("R1", 501)).then_refused(Rejection::TooMuchRefunded { left: cents(500) });
}

#[test]
fn what_the_shop_asked_for_is_not_made_elsewhere() {
    let asked = after(&taken(), &[requested(1, 1000)]);
    assert_eq!(found(&asked, &[back("R1", 1000, Some(1))]), []);
    let done = after(&asked, &[given_back(1, 1000)]);
    assert_eq!(found(&done, &[back("R1", 1000, Some(1)), back("R2", 200, None)]), said(&[("R2", 200)]));
    // An id of another payment explains nothing.
    assert_eq!(found(&done, &[back("R1", 1000, Some(1)), back("R2", 200, Some(9))]), said(&[("R2", 200)]));
    let known = after(&done, &[recorded("R2", 200)]);
    let all = [back("R1", 1000, Some(1)), back("R2", 200, None), back("R3", 200, None)];
    assert_eq!(found(&known, &all), said(&[("R3", 200)]));
}

#[test]
fn what_a_lost_dispute_explains_is_not_made_elsewhere() {
    let lost = after(&taken(), &[dispute::disputed(21, 500, 500), dispute::lost(21, 500)]);
    assert!(crate::fold::<Payment>(&lost).live().unwrap().refunds.contains_key(&refund_of(id(21))));
    assert_eq!(found(&lost, &[back("R1", 500, None)]), []);
    // Of two that could be the dispute's, one is; one of its amount is taken first.
    assert_eq!(found(&lost, &[back("R1", 500, None), back("R2", 500, None)]).len(), 1);
    assert_eq!(found(&lost, &[back("R1", 400, None), back("R2", 500, None)]), said(&[("R1", 400)]));
    // A dispute that gave back another amount than the provider says: in all, no more than the provider gave back.
    assert_eq!(found(&lost, &[back("R1", 600, None)]), said(&[("R1", 100)]));
    let rest = after(&lost, &[recorded("R1", 100)]);
    assert_eq!(found(&rest, &[back("R1", 600, None)]), []);
    assert_eq!(found(&rest, &[back("R1", 600, None), back("R2", 70, None)]), said(&[("R2", 70)]));
    // A dispute that the provider does not know of as a refund yet explains nothing that is not there.
    assert_eq!(found(&lost, &[]), []);
}
