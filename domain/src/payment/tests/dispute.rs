//! Rules of disputes of a payment: no cent goes back by a refund and by a dispute.

use super::*;
use crate::dispute::refund_of;

pub(super) fn open(dispute: u128, amount: i64) -> Command {
    Command::Dispute { dispute: id(dispute), amount: cents(amount) }
}

pub(super) fn release(dispute: u128) -> Command {
    Command::ReleaseDispute { dispute: id(dispute) }
}

pub(super) fn lose(dispute: u128, amount: i64) -> Command {
    Command::LoseDispute { dispute: id(dispute), amount: cents(amount) }
}

pub(super) fn disputed(dispute: u128, amount: i64, claimed: i64) -> Event {
    let (amount, claimed) = (cents(amount), cents(claimed));
    Event::Disputed { order: id(1), dispute: id(dispute), amount, claimed, by_hand: false }
}

pub(super) fn released(dispute: u128, amount: i64) -> Event {
    Event::DisputeReleased { order: id(1), dispute: id(dispute), amount: cents(amount), by_hand: false }
}

pub(super) fn lost(dispute: u128, amount: i64) -> Event {
    let (refund, cause) = (Some(refund_of(id(dispute))), Some(RefundCause::Dispute { id: id(dispute) }));
    Event::Refunded { order: id(1), amount: cents(amount), refund, cause, to: None, of: None }
}

fn opened_after(history: &[Event]) -> Opened {
    crate::fold::<Payment>(history).live().unwrap().clone()
}

#[test]
fn what_is_disputed_is_not_refunded_until_it_is_won() {
    given::<Payment>([super::opened()]).when(&open(21, 100)).then_refused(Rejection::NotCaptured);
    given::<Payment>(taken()).when(&open(21, 3500)).then([disputed(21, 3500, 3500)]);
    let held = after(&taken(), &[disputed(21, 2000, 2000)]);
    given::<Payment>(held.clone()).when(&open(21, 2000)).then_nothing();
    let left = Rejection::TooMuchRefunded { left: cents(1500) };
    given::<Payment>(held.clone()).when(&refund(1, Some(1501))).then_refused(left);
    given::<Payment>(held.clone()).when(&refund(1, None)).then([requested(1, 1500)]);
    assert_eq!(opened_after(&held).ensure_undisputed(), Err(Rejection::Disputed { held: cents(2000) }));
    given::<Payment>(held.clone()).when(&release(21)).then([released(21, 2000)]);
    let won = after(&held, &[released(21, 2000)]);
    given::<Payment>(won.clone()).when(&release(21)).then_nothing();
    assert_eq!((opened_after(&won).refundable(), opened_after(&won).disputed()), (cents(3500), cents(0)));
    for amount in [0, 3501] {
        given::<Payment>(taken())
            .when(&open(21, amount))
            .then_refused(Rejection::TooMuchDisputed { most: cents(3500) });
    }
}

#[test]
fn what_was_refunded_before_is_not_held_and_not_lost_again() {
    let some = after(&taken(), &[requested(1, 1000)]);
    given::<Payment>(some.clone()).when(&open(21, 3500)).then([disputed(21, 2500, 3500)]);
    let held = after(&some, &[disputed(21, 2500, 3500), given_back(1, 1000)]);
    given::<Payment>(held.clone()).when(&lose(21, 3500)).then([lost(21, 2500)]);
    let over = after(&held, &[lost(21, 2500)]);
    assert_eq!((stage(&over), opened_after(&over).refunded), (Stage::Refunded, cents(3500)));
    given::<Payment>(over.clone()).when(&lose(21, 3500)).then_nothing();
    given::<Payment>(over.clone()).when(&open(21, 3500)).then_nothing();
    // Of a payment that was refunded in full a dispute holds nothing.
    let all = after(&taken(), &[requested(1, 3500), given_back(1, 3500)]);
    given::<Payment>(all.clone()).when(&open(21, 3500)).then([disputed(21, 0, 3500)]);
    let nothing = after(&all, &[disputed(21, 0, 3500)]);
    given::<Payment>(nothing).when(&lose(21, 3500)).then([released(21, 0)]);
}

#[test]
fn a_refund_that_the_provider_refuses_is_held_by_the_dispute_instead() {
    let held = after(&taken(), &[requested(1, 1000), disputed(21, 2500, 3500)]);
    let failed = Event::RefundFailed { order: id(1), refund: id(1), amount: cents(1000) };
    given::<Payment>(held.clone())
        .when(&answered(1, RefundOutcome::Refused))
        .then([failed.clone(), disputed(21, 1000, 3500)]);
    let all = after(&held, &[failed, disputed(21, 1000, 3500)]);
    assert_eq!(opened_after(&all).refundable(), cents(0));
    given::<Payment>(all.clone()).when(&lose(21, 3500)).then([lost(21, 3500)]);
    given::<Payment>(all).when(&lose(21, 500)).then([released(21, 3000), lost(21, 500)]);
}

#[test]
fn a_failed_refund_is_retried_with_what_a_dispute_left_of_it() {
    let asked = |refund: u128, amount: i64, retries: Option<u128>| Event::RefundRequested {
        order: id(1),
        refund: id(refund),
        amount: cents(amount),
        cause: RefundCause::Staff { reason: text("a scratch") },
        retries: retries.map(id),
        manual: false,
        to: None,
        of: None,
    };
    let failed = || Event::RefundFailed { order: id(1), refund: id(1), amount: cents(3500) };
    let history = after(&taken(), &[asked(1, 3500, None), failed(), disputed(21, 2000, 2000), lost(21, 2000)]);
    given::<Payment>(history).when(&retry(1, 2)).then([asked(2, 1500, Some(1))]);
    // Where nothing else went back it is of its own amount, or refused.
    let other = after(&taken(), &[asked(1, 3500, None), failed(), asked(3, 1, None)]);
    given::<Payment>(other).when(&retry(1, 2)).then_refused(Rejection::TooMuchRefunded { left: cents(3499) });
}

#[test]
fn the_refund_of_a_cancelled_order_is_made_again_after_the_outcome_of_a_dispute() {
    let whole = |amount| Event::RefundRequested {
        order: id(1),
        refund: id(1),
        amount: cents(amount),
        cause: RefundCause::OrderCancelled,
        retries: None,
        manual: false,
        to: None,
        of: None,
    };
    let failed = Event::RefundFailed { order: id(1), refund: id(1), amount: cents(3500) };
    let held = after(&taken(), &[whole(3500), disputed(21, 0, 1000), failed, disputed(21, 1000, 1000)]);
    let retry = Command::RetryRefund { failed: id(1), refund: id(2) };
    let settle = Command::SettleRefund { refund: id(1), reference: text("back"), settled_on: noon().date_naive() };
    for again in [&retry, &settle] {
        given::<Payment>(held.clone()).when(again).then_refused(Rejection::Disputed { held: cents(1000) });
    }
    let won = after(&held, &[released(21, 1000)]);
    assert_eq!(opened_after(&won).refundable(), cents(3500));
    assert_eq!(fold_after(&won, &retry).pending_refunds().next().unwrap().1.amount, cents(3500));
    let refunded = after(&held, &[lost(21, 1000)]);
    assert_eq!(fold_after(&refunded, &retry).pending_refunds().next().unwrap().1.amount, cents(2500));
}

/// The payment after a command.
fn fold_after(history: &[Event], command: &Command) -> Opened {
    let state = crate::fold::<Payment>(history);
    let events =
        state.decide(command, &Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } }).unwrap();
    opened_after(&after(history, &events))
}

#[test]
fn several_disputes_hold_no_more_than_there_is() {
    let first = after(&taken(), &[disputed(21, 3000, 3000)]);
    given::<Payment>(first.clone()).when(&open(22, 3000)).then([disputed(22, 500, 3000)]);
    // What one loses is not left for the other.
    let second = after(&first, &[disputed(22, 500, 3000)]);
    given::<Payment>(second).when(&lose(22, 3000)).then([released(21, 2500), disputed(22, 2500, 3000), lost(22, 3000)]);
    let whole = after(&taken(), &[disputed(21, 3500, 3500), disputed(22, 0, 3500)]);
    let moved = [released(21, 3500), disputed(22, 3500, 3500), lost(22, 3500)];
    given::<Payment>(whole.clone()).when(&lose(22, 3500)).then(moved.clone());
    let over = after(&whole, &moved);
    assert_eq!((opened_after(&over).refunded, opened_after(&over).refundable()), (cents(3500), cents(0)));
    given::<Payment>(over.clone()).when(&release(21)).then_nothing();
    given::<Payment>(over).when(&lose(21, 3500)).then([released(21, 0)]);
    let many: Vec<Event> = (0..10).map(|number| disputed(30 + number, 1, 1)).collect();
    given::<Payment>(after(&taken(), &many)).when(&open(21, 1)).then_refused(Rejection::TooManyDisputes);
}
