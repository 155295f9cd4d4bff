//! Rules of payments: nothing charged without a record, nothing kept that is not due.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;
use crate::ids::Id as _;
use crate::testing::{cents, given, golden, id, noon, text, well_said};

mod cover;
mod direct;
mod dispute;
mod elsewhere;
mod fee;
mod manual;

fn opened() -> Event {
    Event::Opened { order: id(1), amount: cents(3500) }
}

fn attempted(reference: &str) -> Event {
    Event::Attempted {
        method: Method::Test,
        reference: text(reference),
        capture: CaptureMode::Automatic,
        return_url: None,
    }
}

fn attempt(reference: &str) -> Command {
    Command::Attempt {
        method: Method::Test,
        reference: text(reference),
        capture: CaptureMode::Automatic,
        return_url: None,
    }
}

fn at_paypal(reference: &str) -> Event {
    Event::Attempted {
        method: Method::Paypal,
        reference: text(reference),
        capture: CaptureMode::Automatic,
        return_url: None,
    }
}

fn registration() -> Registration {
    let page = Some(text("https://www.paypal.com/checkoutnow?token=5O190127TN364715T"));
    Registration { id: text("5O190127TN364715T"), amount: cents(3500), page, direct: None }
}

fn registered(reference: &str) -> Event {
    Event::Registered { reference: text(reference), registration: registration() }
}

fn register(reference: &str, registration: Registration) -> Command {
    Command::RecordRegistration { reference: text(reference), registration }
}

fn conclude(reference: &str, outcome: ProviderOutcome) -> Command {
    Command::RecordOutcome { reference: text(reference), outcome }
}

fn authorized(reference: &str) -> Event {
    Event::Authorized { order: id(1), reference: text(reference), expires_at: None }
}

fn captured(reference: &str) -> Event {
    Event::Captured {
        order: id(1),
        amount: cents(3500),
        method: Method::Test,
        reference: text(reference),
        covers: vec![],
    }
}

fn declined(reference: &str, reason: DeclineReason) -> Event {
    Event::Declined { reference: text(reference), reason }
}

fn void(reason: VoidReason) -> Command {
    Command::Void { reason }
}

fn released(reason: VoidReason) -> Command {
    Command::RecordReleased { reason }
}

fn voided(reason: VoidReason) -> Event {
    Event::Voided { order: id(1), reason }
}

fn refunded() -> Event {
    Event::Refunded { order: id(1), amount: cents(3500), refund: None, cause: None, to: None, of: None }
}

fn declined_times(times: u8) -> Vec<Event> {
    let one = |number: u8| [attempted(&number.to_string()), declined(&number.to_string(), DeclineReason::Declined)];
    [opened()].into_iter().chain((1..=times).flat_map(one)).collect()
}

fn stage(history: &[Event]) -> Stage {
    crate::fold::<Payment>(history).live().unwrap().stage
}

const CANCELLED: VoidReason = VoidReason::OrderCancelled;

#[test]
fn it_is_opened_once() {
    let open = |amount| Command::Open { order: id(1), amount: cents(amount) };
    given::<Payment>([]).when(&open(3500)).then([opened()]);
    given::<Payment>([opened()]).when(&open(3500)).then_nothing();
    given::<Payment>([opened()]).when(&open(1)).then_refused(Rejection::Exists);
    given::<Payment>([]).when(&open(-1)).then_refused(Rejection::Negative);
    given::<Payment>([]).when(&attempt("1")).then_refused(Rejection::Missing);
}

#[test]
fn one_attempt_at_a_time() {
    given::<Payment>([opened()]).when(&attempt("1")).then([attempted("1")]);
    given::<Payment>([opened(), attempted("1")]).when(&attempt("1")).then_nothing();
    given::<Payment>([opened(), attempted("1")]).when(&attempt("2")).then_refused(Rejection::InProgress);
    given::<Payment>([opened(), attempted("1"), authorized("1")])
        .when(&attempt("2"))
        .then_refused(Rejection::AlreadyAuthorized);
}

#[test]
fn a_declined_attempt_leaves_it_open_for_another() {
    let outcome = ProviderOutcome::Declined { reason: DeclineReason::InsufficientFunds };
    let no = declined("1", DeclineReason::InsufficientFunds);
    given::<Payment>([opened(), attempted("1")]).when(&conclude("1", outcome)).then([no.clone()]);
    let history = [opened(), attempted("1"), no];
    given::<Payment>(history.clone()).when(&conclude("1", outcome)).then_nothing();
    given::<Payment>(history.clone()).when(&attempt("1")).then_refused(Rejection::ReferenceUsed);
    given::<Payment>(history).when(&attempt("2")).then([attempted("2")]);
}

#[test]
fn the_last_attempt_that_is_declined_fails_it() {
    let history = [declined_times(REFUSALS_MAX - 1), vec![attempted("9")]].concat();
    let outcome = ProviderOutcome::Declined { reason: DeclineReason::Declined };
    let failed = Event::Failed { order: id(1), reason: FailureReason::TooManyAttempts };
    let last = [declined("9", DeclineReason::Declined), failed];
    given::<Payment>(history.clone()).when(&conclude("9", outcome)).then(last.clone());
    let over = [&history[..], &last[..]].concat();
    given::<Payment>(over).when(&attempt("10")).then_refused(Rejection::Closed);
}

#[test]
fn a_payment_that_was_declined_too_often_takes_no_other_attempt() {
    given::<Payment>(declined_times(REFUSALS_MAX)).when(&attempt("9")).then_refused(Rejection::TooManyAttempts);
    given::<Payment>(declined_times(REFUSALS_MAX - 1)).when(&attempt("9")).then([attempted("9")]);
}

#[test]
fn an_attempt_that_never_arrived_is_as_good_as_declined() {
    let lost = declined("1", DeclineReason::NotReceived);
    let history = [opened(), attempted("1")];
    given::<Payment>(history.clone()).when(&conclude("1", ProviderOutcome::NotFound)).then([lost.clone()]);
    // It did arrive, later than it was looked for.
    let late = [&history[..], &[lost]].concat();
    given::<Payment>(late).when(&conclude("1", ProviderOutcome::Authorized)).then([authorized("1")]);
}

#[test]
fn pending_and_unknown_are_asked_again_at_their_time() {
    let (first, later) = (noon(), noon() + TimeDelta::minutes(1));
    let pended = |check_at| Event::Pended { reference: text("1"), check_at };
    let unresolved = |check_at| Event::Unresolved { reference: text("1"), check_at };
    let history = [opened(), attempted("1")];
    let pending = |check_at| conclude("1", ProviderOutcome::Pending { check_at });
    let unknown = |check_at| conclude("1", ProviderOutcome::Unknown { check_at });
    given::<Payment>(history.clone()).when(&pending(first)).then([pended(first)]);
    given::<Payment>(history.clone()).when(&unknown(first)).then([unresolved(first)]);
    let waiting = [&history[..], &[pended(first)]].concat();
    given::<Payment>(waiting.clone()).when(&pending(first)).then_nothing();
    given::<Payment>(waiting.clone()).when(&pending(later)).then([pended(later)]);
    given::<Payment>(waiting.clone()).when(&unknown(later)).then([unresolved(later)]);
    given::<Payment>(waiting).when(&conclude("1", ProviderOutcome::Authorized)).then([authorized("1")]);
}

#[test]
fn news_of_another_attempt_is_refused() {
    let history = [opened(), attempted("1"), declined("1", DeclineReason::Declined), attempted("2")];
    given::<Payment>(history).when(&conclude("1", ProviderOutcome::Authorized)).then_refused(Rejection::OtherAttempt);
    given::<Payment>([opened()])
        .when(&conclude("1", ProviderOutcome::Authorized))
        .then_refused(Rejection::OtherAttempt);
}

#[test]
fn news_that_comes_twice_changes_nothing_and_news_that_contradicts_is_refused() {
    let history = [opened(), attempted("1"), authorized("1"), captured("1")];
    for outcome in [ProviderOutcome::Authorized, ProviderOutcome::Pending { check_at: noon() }] {
        given::<Payment>(history.clone()).when(&conclude("1", outcome)).then_nothing();
    }
    for outcome in [ProviderOutcome::Failed, ProviderOutcome::Cancelled, ProviderOutcome::NotFound] {
        let refused = Rejection::ConcludedOtherwise;
        given::<Payment>(history.clone()).when(&conclude("1", outcome)).then_refused(refused);
    }
}

const LEFT: [(ProviderOutcome, DeclineReason); 2] =
    [(ProviderOutcome::Failed, DeclineReason::ProviderError), (ProviderOutcome::Cancelled, DeclineReason::BuyerLeft)];

#[test]
fn an_attempt_that_is_left_or_fails_leaves_it_open_for_another() {
    for (outcome, reason) in LEFT {
        let history = [opened(), attempted("1")];
        given::<Payment>(history.clone()).when(&conclude("1", outcome)).then([declined("1", reason)]);
        let open = [&history[..], &[declined("1", reason)]].concat();
        given::<Payment>(open.clone()).when(&conclude("1", outcome)).then_nothing();
        given::<Payment>(open.clone()).when(&attempt("2")).then([attempted("2")]);
        // It succeeded after all: that is accepted while nothing else was tried, and released then.
        let granted = conclude("1", ProviderOutcome::Authorized);
        given::<Payment>(open.clone()).when(&granted).then([authorized("1")]);
        let again = [&open[..], &[attempted("2")]].concat();
        given::<Payment>(again.clone()).when(&granted).then_refused(Rejection::OtherAttempt);
        let orphaned = Command::ReleaseOrphaned { reference: text("1") };
        given::<Payment>(again).when(&orphaned).then([Event::StrayReleased { reference: text("1") }]);
        // It was to be void.
        let requested = Event::VoidRequested { reason: CANCELLED };
        let waiting = [&history[..], &[requested]].concat();
        given::<Payment>(waiting).when(&conclude("1", outcome)).then([declined("1", reason), voided(CANCELLED)]);
    }
}

#[test]
fn attempts_that_are_left_count_as_no_refusal_but_have_an_end() {
    let left = |number: u8| {
        let reference = format!("left-{number}");
        [attempted(&reference), declined(&reference, LEFT[usize::from(number % 2)].1)]
    };
    let some = [declined_times(REFUSALS_MAX - 1), (1..=3).flat_map(left).collect()].concat();
    given::<Payment>(some.clone()).when(&attempt("9")).then([attempted("9")]);
    let more: Vec<Event> = (4..=ATTEMPTS_MAX - REFUSALS_MAX).flat_map(left).collect();
    let last = [some, more, vec![attempted("9")]].concat();
    let failed = Event::Failed { order: id(1), reason: FailureReason::TooManyAttempts };
    given::<Payment>(last)
        .when(&conclude("9", ProviderOutcome::Cancelled))
        .then([declined("9", DeclineReason::BuyerLeft), failed]);
}

#[test]
fn an_attempt_from_before_a_reduction_is_released_when_it_succeeds() {
    let history = [opened(), attempted("1"), declined("1", DeclineReason::BuyerLeft)];
    let less = Event::Reduced { amount: cents(2000) };
    given::<Payment>(history.clone()).when(&Command::Reduce { amount: cents(2000) }).then([less.clone()]);
    let reduced = [&history[..], &[less]].concat();
    let granted = conclude("1", ProviderOutcome::Authorized);
    given::<Payment>(reduced.clone()).when(&granted).then_refused(Rejection::OtherAttempt);
    let orphaned = Command::ReleaseOrphaned { reference: text("1") };
    given::<Payment>(reduced).when(&orphaned).then([Event::StrayReleased { reference: text("1") }]);
}

#[test]
fn older_payments_that_failed_or_were_left_are_closed() {
    let failed = Event::Failed { order: id(1), reason: FailureReason::ProviderError };
    let cancelled = Event::Cancelled { order: id(1) };
    for (outcome, event) in [(ProviderOutcome::Failed, failed), (ProviderOutcome::Cancelled, cancelled)] {
        let history = [opened(), attempted("1")];
        let closed = [&history[..], &[event]].concat();
        given::<Payment>(closed.clone()).when(&conclude("1", outcome)).then_nothing();
        given::<Payment>(closed.clone()).when(&attempt("2")).then_refused(Rejection::Closed);
        given::<Payment>(closed.clone()).when(&void(CANCELLED)).then_nothing();
        given::<Payment>(closed).when(&Command::Capture {}).then_refused(Rejection::Closed);
    }
}

#[test]
fn only_what_is_authorized_is_captured_and_once() {
    given::<Payment>([opened(), attempted("1")]).when(&Command::Capture {}).then_refused(Rejection::NotAuthorized);
    let history = [opened(), attempted("1"), authorized("1")];
    given::<Payment>(history.clone()).when(&Command::Capture {}).then([captured("1")]);
    given::<Payment>([&history[..], &[captured("1")]].concat()).when(&Command::Capture {}).then_nothing();
}

#[test]
fn it_is_voided_before_it_is_captured() {
    given::<Payment>([opened()]).when(&void(CANCELLED)).then([voided(CANCELLED)]);
    given::<Payment>([opened(), voided(CANCELLED)]).when(&void(CANCELLED)).then_nothing();
    given::<Payment>([opened(), voided(CANCELLED)]).when(&attempt("1")).then_refused(Rejection::Closed);
    let history = [opened(), attempted("1"), authorized("1")];
    // The provider holds the amount: a process that did not see its release did not see its authorization.
    given::<Payment>(history.clone()).when(&void(CANCELLED)).then_refused(Rejection::AlreadyAuthorized);
    given::<Payment>(history.clone()).when(&released(CANCELLED)).then([voided(CANCELLED)]);
    // Capture is on its way: only a cancelled order stops it.
    let by_buyer = void(VoidReason::BuyerRequest);
    given::<Payment>(history.clone()).when(&by_buyer).then_refused(Rejection::AlreadyAuthorized);
    let taken = [&history[..], &[captured("1")]].concat();
    given::<Payment>(taken.clone()).when(&void(CANCELLED)).then_refused(Rejection::Captured);
    given::<Payment>(taken).when(&released(CANCELLED)).then_refused(Rejection::Captured);
}

#[test]
fn a_void_while_an_attempt_is_under_way_waits_for_its_outcome() {
    let requested = Event::VoidRequested { reason: VoidReason::BuyerRequest };
    let history = [opened(), attempted("1")];
    given::<Payment>(history.clone()).when(&void(VoidReason::BuyerRequest)).then([requested.clone()]);
    let waiting = [&history[..], &[requested]].concat();
    given::<Payment>(waiting.clone()).when(&void(CANCELLED)).then_nothing();
    let no = declined("1", DeclineReason::NotReceived);
    given::<Payment>(waiting.clone())
        .when(&conclude("1", ProviderOutcome::NotFound))
        .then([no, voided(VoidReason::BuyerRequest)]);
    let authorized_attempt = [&waiting[..], &[authorized("1")]].concat();
    given::<Payment>(authorized_attempt.clone()).when(&Command::Capture {}).then_refused(Rejection::VoidRequested);
    given::<Payment>(authorized_attempt.clone()).when(&void(VoidReason::BuyerRequest)).then_nothing();
    given::<Payment>(authorized_attempt.clone()).when(&void(CANCELLED)).then_refused(Rejection::AlreadyAuthorized);
    // The first one who asked has the reason.
    let told = [VoidReason::OrderCancelled, VoidReason::BuyerRequest];
    for reason in told {
        given::<Payment>(authorized_attempt.clone()).when(&released(reason)).then([voided(VoidReason::BuyerRequest)]);
    }
}

fn refund(refund: u128, amount: Option<i64>) -> Command {
    Command::RequestRefund {
        refund: id(refund),
        amount: amount.map(cents),
        cause: RefundCause::OrderCancelled,
        to: None,
    }
}

fn requested(refund: u128, amount: i64) -> Event {
    let cause = RefundCause::OrderCancelled;
    Event::RefundRequested {
        order: id(1),
        refund: id(refund),
        amount: cents(amount),
        cause,
        retries: None,
        manual: false,
        to: None,
        of: None,
    }
}

fn retried(refund: u128, failed: u128, amount: i64) -> Event {
    let (cause, retries) = (RefundCause::OrderCancelled, Some(id(failed)));
    Event::RefundRequested {
        order: id(1),
        refund: id(refund),
        amount: cents(amount),
        cause,
        retries,
        manual: false,
        to: None,
        of: None,
    }
}

fn given_back(refund: u128, amount: i64) -> Event {
    let cause = Some(RefundCause::OrderCancelled);
    Event::Refunded { order: id(1), amount: cents(amount), refund: Some(id(refund)), cause, to: None, of: None }
}

fn answered(refund: u128, outcome: RefundOutcome) -> Command {
    Command::RecordRefundOutcome { refund: id(refund), outcome }
}

fn taken() -> Vec<Event> {
    vec![opened(), attempted("1"), authorized("1"), captured("1")]
}

fn after(history: &[Event], more: &[Event]) -> Vec<Event> {
    [history, more].concat()
}

#[test]
fn what_was_captured_is_refunded_piece_by_piece_and_never_more() {
    given::<Payment>([opened()]).when(&refund(1, None)).then_refused(Rejection::NotCaptured);
    given::<Payment>(taken()).when(&refund(1, None)).then([requested(1, 3500)]);
    given::<Payment>(taken()).when(&refund(1, Some(1000))).then([requested(1, 1000)]);
    for amount in [0, -1] {
        given::<Payment>(taken()).when(&refund(1, Some(amount))).then_refused(Rejection::NotAnAmount);
    }
    let some = after(&taken(), &[requested(1, 1000)]);
    given::<Payment>(some.clone()).when(&refund(1, Some(1000))).then_nothing();
    given::<Payment>(some.clone()).when(&refund(1, Some(2))).then_refused(Rejection::RefundExists);
    // What is on its way back cannot go back once more.
    let left = Rejection::TooMuchRefunded { left: cents(2500) };
    given::<Payment>(some.clone()).when(&refund(2, Some(2501))).then_refused(left);
    given::<Payment>(some.clone()).when(&refund(2, None)).then([requested(2, 2500)]);
    given::<Payment>(some.clone()).when(&answered(1, RefundOutcome::Done)).then([given_back(1, 1000)]);
    let done = after(&some, &[given_back(1, 1000)]);
    given::<Payment>(done.clone()).when(&answered(1, RefundOutcome::Done)).then_nothing();
    given::<Payment>(done.clone())
        .when(&answered(1, RefundOutcome::Refused))
        .then_refused(Rejection::ConcludedOtherwise);
    given::<Payment>(done.clone()).when(&answered(9, RefundOutcome::Done)).then_refused(Rejection::NoSuchRefund);
    assert_eq!(stage(&done), Stage::Captured);
    let all = after(&done, &[requested(2, 2500), given_back(2, 2500)]);
    assert_eq!(stage(&all), Stage::Refunded);
    given::<Payment>(all.clone()).when(&refund(3, None)).then_nothing();
    given::<Payment>(all).when(&refund(3, Some(1))).then_refused(Rejection::TooMuchRefunded { left: cents(0) });
}

#[test]
fn a_refund_that_the_provider_will_not_do_can_be_asked_for_again() {
    let asked = after(&taken(), &[requested(1, 1000)]);
    let failed = Event::RefundFailed { order: id(1), refund: id(1), amount: cents(1000) };
    given::<Payment>(asked.clone()).when(&answered(1, RefundOutcome::Refused)).then([failed.clone()]);
    let check_at = noon();
    let silent = answered(1, RefundOutcome::Unknown { check_at });
    given::<Payment>(asked.clone()).when(&silent).then([Event::Delayed { check_at }]);
    let over = after(&asked, &[failed]);
    given::<Payment>(over.clone()).when(&silent).then_nothing();
    given::<Payment>(over.clone()).when(&refund(2, None)).then([requested(2, 3500)]);
    // It happened after all, later than it was given up.
    given::<Payment>(over.clone()).when(&answered(1, RefundOutcome::Done)).then([given_back(1, 1000)]);
    let rest = after(&over, &[requested(2, 3500)]);
    given::<Payment>(rest.clone()).when(&answered(1, RefundOutcome::Done)).then_refused(Rejection::ConcludedOtherwise);
}

fn retry(failed: u128, refund: u128) -> Command {
    Command::RetryRefund { failed: id(failed), refund: id(refund) }
}

fn asked_by(cause: &RefundCause, refund: u128, amount: i64, retries: Option<u128>) -> Event {
    let (cause, retries) = (cause.clone(), retries.map(id));
    Event::RefundRequested {
        order: id(1),
        refund: id(refund),
        amount: cents(amount),
        cause,
        retries,
        manual: false,
        to: None,
        of: None,
    }
}

fn refused(refund: u128, amount: i64) -> Event {
    Event::RefundFailed { order: id(1), refund: id(refund), amount: cents(amount) }
}

#[test]
fn a_refund_that_the_provider_refused_is_retried_by_its_id() {
    let staff = RefundCause::Staff { reason: text("a scratch") };
    let asked = after(&taken(), &[asked_by(&staff, 1, 1000, None)]);
    let over = after(&asked, &[refused(1, 1000)]);
    let rest = after(&over, &[requested(2, 3500)]);
    given::<Payment>(asked).when(&retry(1, 3)).then_refused(Rejection::NotFailed);
    given::<Payment>(over.clone()).when(&retry(9, 3)).then_refused(Rejection::NoSuchRefund);
    let retried = asked_by(&staff, 3, 1000, Some(1));
    given::<Payment>(over.clone()).when(&retry(1, 3)).then([retried.clone()]);
    let left = Rejection::TooMuchRefunded { left: cents(0) };
    given::<Payment>(rest).when(&retry(1, 3)).then_refused(left);
    let again = after(&over, &[retried]);
    given::<Payment>(again.clone()).when(&retry(1, 3)).then_nothing();
    given::<Payment>(again.clone()).when(&retry(1, 4)).then_refused(Rejection::RetriedAlready { retry: id(3) });
    // What is refused again is tried again in its turn.
    let once_more = asked_by(&staff, 4, 1000, Some(3));
    given::<Payment>(after(&again, &[refused(3, 1000)])).when(&retry(3, 4)).then([once_more]);
    given::<Payment>(after(&again, &[given_back(3, 1000)])).when(&retry(3, 4)).then_refused(Rejection::NotFailed);
}

#[test]
fn a_cancelled_order_is_refunded_in_full_whatever_was_retried_before() {
    let lines = RefundCause::LinesCancelled;
    let both = [asked_by(&lines, 1, 1000, None), refused(1, 1000), requested(2, 3500), refused(2, 3500)];
    let failed = after(&taken(), &both);
    given::<Payment>(failed.clone()).when(&retry(2, 3)).then([retried(3, 2, 3500)]);
    let some = after(&failed, &[asked_by(&lines, 3, 1000, Some(1))]);
    given::<Payment>(some.clone()).when(&retry(2, 4)).then([retried(4, 2, 2500)]);
    let whole = after(&failed, &[retried(3, 2, 3500)]);
    let left = Rejection::TooMuchRefunded { left: cents(0) };
    given::<Payment>(whole).when(&retry(1, 4)).then_refused(left);
}

#[test]
fn nothing_is_paid_and_given_back_without_a_provider() {
    let nothing = Event::Opened { order: id(1), amount: cents(0) };
    let free = Event::Captured {
        order: id(1),
        amount: cents(0),
        method: Method::Free,
        reference: text("free"),
        covers: vec![],
    };
    let open = Command::Open { order: id(1), amount: cents(0) };
    given::<Payment>([]).when(&open).then([nothing.clone(), free.clone()]);
    given::<Payment>([nothing.clone(), free.clone()]).when(&refund(1, None)).then([given_back(1, 0)]);
    given::<Payment>([nothing, free, given_back(1, 0)]).when(&refund(1, None)).then_nothing();
    let less = |amount| Command::Reduce { amount: cents(amount) };
    let reduced = |amount| Event::Reduced { amount: cents(amount) };
    let free = Event::Captured {
        order: id(1),
        amount: cents(0),
        method: Method::Free,
        reference: text("free"),
        covers: vec![],
    };
    given::<Payment>([opened()]).when(&less(0)).then([reduced(0), free]);
    given::<Payment>([opened()]).when(&less(1)).then([reduced(1)]);
    given::<Payment>([opened()]).when(&less(3500)).then_nothing();
    given::<Payment>([opened()]).when(&less(3501)).then_refused(Rejection::NotAnAmount);
    given::<Payment>([opened(), attempted("1")]).when(&less(1)).then_refused(Rejection::InProgress);
}

#[test]
fn what_was_paid_elsewhere_is_refunded_there() {
    let external = Event::Captured {
        order: id(1),
        amount: cents(3500),
        method: Method::External,
        reference: text("4"),
        covers: vec![],
    };
    given::<Payment>([opened(), external]).when(&refund(1, None)).then_refused(Rejection::PaidElsewhere);
}

#[test]
fn an_authorization_that_is_not_captured_expires() {
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let until = noon() + AUTHORIZED_FOR;
    let authorization = Event::Authorized { order: id(1), reference: text("1"), expires_at: Some(until) };
    let history = [opened(), manual];
    given::<Payment>(history.clone()).when(&conclude("1", ProviderOutcome::Authorized)).then([authorization.clone()]);
    let waiting = after(&history, &[authorization]);
    given::<Payment>(waiting.clone()).when(&released(VoidReason::Expired)).then([voided(VoidReason::Expired)]);
    given::<Payment>(waiting.clone()).when(&Command::Capture {}).then([captured("1")]);
    let taken = after(&waiting, &[captured("1")]);
    given::<Payment>(taken).when(&void(VoidReason::Expired)).then_refused(Rejection::Captured);
}

#[test]
fn money_for_which_goods_leave_does_not_run_out() {
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let authorization = |until| Event::Authorized { order: id(1), reference: text("1"), expires_at: Some(until) };
    let waiting = [opened(), manual.clone(), authorization(noon() + AUTHORIZED_FOR)];
    let request = Command::RequestCapture {};
    let requested = Event::CaptureRequested { order: id(1) };
    given::<Payment>(waiting.clone()).when(&request).then([requested.clone()]);
    let expire = Command::RequestVoid { reason: VoidReason::Expired };
    let expired = Event::VoidRequested { reason: VoidReason::Expired };
    // Whichever of the two is written down first is done.
    let capturing = after(&waiting, &[requested]);
    given::<Payment>(capturing.clone()).when(&request).then_nothing();
    given::<Payment>(capturing.clone()).when(&expire).then_nothing();
    given::<Payment>(waiting.clone()).when(&expire).then([expired.clone()]);
    let voiding = after(&waiting, &[expired]);
    given::<Payment>(voiding.clone()).when(&request).then_refused(Rejection::AuthorizationExpired);
    given::<Payment>(voiding).when(&expire).then_nothing();
    given::<Payment>([opened(), manual, authorization(noon())])
        .when(&request)
        .then_refused(Rejection::AuthorizationExpired);
    given::<Payment>([opened()]).when(&request).then_refused(Rejection::NotAuthorized);
    // Only a cancelled order stops a requested capture; from then on it is not captured any more.
    let off = Command::RequestVoid { reason: CANCELLED };
    let stopped = Event::VoidRequested { reason: CANCELLED };
    given::<Payment>(capturing.clone()).when(&off).then([stopped.clone()]);
    let stopped = after(&capturing, &[stopped]);
    given::<Payment>(stopped.clone()).when(&Command::Capture {}).then_refused(Rejection::VoidRequested);
    given::<Payment>(stopped).when(&request).then_refused(Rejection::VoidRequested);
    given::<Payment>(capturing).when(&Command::Capture {}).then([captured("1")]);
}

#[test]
fn an_authorization_expires_only_while_it_is_held() {
    let until = noon() + AUTHORIZED_FOR;
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let held = Event::Authorized { order: id(1), reference: text("1"), expires_at: Some(until) };
    let expires_at = |history: &[Event]| crate::fold::<Payment>(history).live().unwrap().expires_at();
    let history = [opened(), manual, held];
    assert_eq!(expires_at(&history[..2]), None);
    assert_eq!(expires_at(&history), Some(until));
    assert_eq!(expires_at(&after(&history, &[Event::CaptureRequested { order: id(1) }])), None);
    assert_eq!(expires_at(&after(&history, &[Event::VoidRequested { reason: CANCELLED }])), None);
    assert_eq!(expires_at(&after(&history, &[captured("1")])), None);
}

#[test]
fn payments_of_older_shops_that_wrote_delayed_for_every_request_mean_the_same() {
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let held = Event::Authorized { order: id(1), reference: text("1"), expires_at: Some(noon() + AUTHORIZED_FOR) };
    let delayed = || Event::Delayed { check_at: noon() };
    let handed_over = [opened(), manual, held, delayed()];
    assert_eq!(stage(&handed_over), Stage::Authorized(Authorization::Capturing));
    given::<Payment>(handed_over.clone()).when(&Command::RequestCapture {}).then_nothing();
    given::<Payment>(handed_over.clone()).when(&Command::RequestVoid { reason: VoidReason::Expired }).then_nothing();
    given::<Payment>(handed_over.clone()).when(&Command::Capture {}).then([captured("1")]);
    let expired = after(&handed_over[..3], &[Event::VoidRequested { reason: VoidReason::Expired }, delayed()]);
    assert_eq!(stage(&expired), Stage::Authorized(Authorization::Voiding { reason: VoidReason::Expired }));
    given::<Payment>(expired).when(&released(CANCELLED)).then([voided(VoidReason::Expired)]);
}

#[test]
fn only_what_is_captured_at_once_is_captured_with_the_answer_of_the_provider() {
    let is_granted_at_once = |history: &[Event]| crate::fold::<Payment>(history).live().unwrap().is_granted_at_once();
    let history = [opened(), attempted("1"), authorized("1")];
    assert!(!is_granted_at_once(&history[..2]));
    assert!(is_granted_at_once(&history));
    assert!(!is_granted_at_once(&after(&history, &[Event::VoidRequested { reason: CANCELLED }])));
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let held = Event::Authorized { order: id(1), reference: text("1"), expires_at: Some(noon()) };
    let requested = [opened(), manual, held, Event::CaptureRequested { order: id(1) }];
    assert!(!is_granted_at_once(&requested[..3]));
    // The provider was asked to hold it, so it is yet to be asked to capture it.
    assert!(!is_granted_at_once(&requested));
}

#[test]
fn a_payment_to_be_voided_is_not_held_for_later() {
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let given_up = Event::VoidRequested { reason: VoidReason::BuyerRequest };
    given::<Payment>([opened(), manual, given_up])
        .when(&conclude("1", ProviderOutcome::Authorized))
        .then([authorized("1")]);
}

#[test]
fn a_silent_provider_is_asked_again_for_what_was_wanted() {
    let capturing = [opened(), attempted("1"), authorized("1")];
    let silent = Command::RecordNoAnswer { check_at: noon() };
    let delayed = Event::Delayed { check_at: noon() };
    given::<Payment>(capturing.clone()).when(&silent).then([delayed.clone()]);
    let requested = Event::VoidRequested { reason: CANCELLED };
    given::<Payment>(capturing.clone()).when(&Command::RequestVoid { reason: CANCELLED }).then([requested.clone()]);
    let voiding = after(&capturing, &[requested]);
    given::<Payment>(voiding.clone()).when(&silent).then([delayed]);
    // That it is to be voided is no silence: it is asked for at once, and patiently only when the provider is silent.
    let patience = |history: &[Event]| crate::fold::<Payment>(history).live().unwrap().patience();
    assert_eq!((patience(&capturing), patience(&voiding)), (PATIENCE, PATIENCE));
    assert_eq!(patience(&after(&voiding, &[Event::Delayed { check_at: noon() }])), PATIENCE * 2);
    // Of what is held nothing was asked, and what is captured is settled.
    let manual =
        Event::Attempted { method: Method::Test, reference: text("1"), capture: CaptureMode::Manual, return_url: None };
    let held = Event::Authorized { order: id(1), reference: text("1"), expires_at: None };
    given::<Payment>([opened(), manual, held]).when(&silent).then_nothing();
    given::<Payment>(taken()).when(&silent).then_nothing();
}

#[test]
fn the_amount_of_an_orphaned_attempt_is_released() {
    let history =
        [opened(), attempted("1"), declined("1", DeclineReason::NotReceived), attempted("2"), authorized("2")];
    let orphaned = |reference: &str| Command::ReleaseOrphaned { reference: text(reference) };
    let released = Event::StrayReleased { reference: text("1") };
    given::<Payment>(history.clone()).when(&orphaned("1")).then([released.clone()]);
    given::<Payment>(history.clone()).when(&orphaned("2")).then_nothing();
    given::<Payment>(after(&history, std::slice::from_ref(&released))).when(&orphaned("1")).then_nothing();
    let later = |reference: &str| Command::RecordNoAnswerOrphaned { reference: text(reference), check_at: noon() };
    let silent = Event::StrayUnresolved { reference: text("1"), check_at: noon() };
    given::<Payment>(history.clone()).when(&later("1")).then([silent]);
    given::<Payment>(history.clone()).when(&later("3")).then_nothing();
    given::<Payment>(after(&history, &[released])).when(&later("1")).then_nothing();
}

#[test]
fn a_payment_of_the_past_is_recorded_whole() {
    let record = |amount| Command::Record { order: id(1), amount: cents(amount), reference: text("489434") };
    let external = Event::Captured {
        order: id(1),
        amount: cents(3500),
        method: Method::External,
        reference: text("489434"),
        covers: vec![],
    };
    given::<Payment>([]).when(&record(3500)).then([opened(), external.clone()]);
    given::<Payment>([opened(), external.clone()]).when(&record(3500)).then_nothing();
    given::<Payment>([opened(), external]).when(&record(1)).then_refused(Rejection::Exists);
}

#[test]
fn a_reversal_says_what_the_provider_is_asked() {
    let reversal = |history: &[Event]| crate::fold::<Payment>(history).live().unwrap().reversal();
    let reference = text::<ProviderReference>("1");
    let mut history = vec![opened()];
    assert_eq!(reversal(&history), Reversal::Void);
    history.push(attempted("1"));
    assert_eq!(reversal(&history), Reversal::Void);
    history.push(authorized("1"));
    assert_eq!(reversal(&history), Reversal::RequestVoid);
    history.push(Event::VoidRequested { reason: CANCELLED });
    assert_eq!(reversal(&history), Reversal::Release { reference });
    history.push(captured("1"));
    assert_eq!(reversal(&history), Reversal::Refund);
    history.push(refunded());
    assert_eq!(reversal(&history), Reversal::Nothing);
}

#[test]
fn its_state_says_where_it_is() {
    let state = crate::fold::<Payment>(&[opened(), attempted("1")]);
    assert_eq!(serde_json::to_value(&state).unwrap()["status"], "attempted");
    let state = serde_json::to_value(crate::fold::<Payment>(&[opened(), attempted("1"), authorized("1")])).unwrap();
    assert_eq!((&state["status"], &state["authorization"]), (&"authorized".into(), &"capturing".into()), "{state}");
    assert_eq!(stage(&[opened(), voided(CANCELLED)]), Stage::Voided { reason: CANCELLED });
}

fn because(cause: RefundCause) -> Event {
    Event::RefundRequested {
        order: id(1),
        refund: id(2),
        amount: cents(100),
        cause,
        retries: None,
        manual: false,
        to: None,
        of: None,
    }
}

#[test]
fn a_provider_registers_an_attempt_once_and_its_page_is_shown_while_it_waits() {
    let other = Registration { id: text("2GG279541U471931P"), ..registration() };
    given::<Payment>([opened(), at_paypal("1")]).when(&register("1", registration())).then([registered("1")]);
    given::<Payment>([opened(), at_paypal("1"), registered("1")]).when(&register("1", registration())).then_nothing();
    given::<Payment>([opened(), at_paypal("1"), registered("1")])
        .when(&register("1", other.clone()))
        .then_refused(Rejection::ReferenceUsed);
    given::<Payment>([opened(), at_paypal("1")])
        .when(&register("2", registration()))
        .then_refused(Rejection::OtherAttempt);
    // An attempt that is over may still turn out to have succeeded, and then the provider has to be asked about it.
    let left = declined("1", DeclineReason::NotReceived);
    given::<Payment>([opened(), at_paypal("1"), left.clone()])
        .when(&register("1", registration()))
        .then([registered("1")]);
    given::<Payment>([opened(), at_paypal("1"), left.clone(), at_paypal("2")]).when(&register("1", other)).then([
        Event::Registered {
            reference: text("1"),
            registration: Registration { id: text("2GG279541U471931P"), ..registration() },
        },
    ]);
    let shown = |events: &[Event]| {
        let payment = events.iter().fold(Payment::default(), Payment::evolve);
        payment.live().unwrap().page().cloned()
    };
    let pended = Event::Pended { reference: text("1"), check_at: noon() };
    let waiting = [opened(), at_paypal("1"), registered("1"), pended];
    assert_eq!(shown(&waiting), registration().page);
    assert_eq!(shown(&waiting[..3]), None);
    assert_eq!(shown(&[&waiting[..], &[left]].concat()), None);
}

#[test]
fn every_stored_form_is_golden() {
    let external = Event::Captured {
        order: id(1),
        amount: cents(0),
        method: Method::External,
        reference: text("4"),
        covers: vec![],
    };
    golden(
        include_str!("golden.json"),
        &[
            opened(),
            attempted("pay-1"),
            authorized("pay-1"),
            Event::Pended { reference: text("pay-1"), check_at: noon() },
            Event::Unresolved { reference: text("pay-1"), check_at: noon() },
            at_paypal("pay-1"),
            registered("pay-1"),
            Event::Registered { reference: text("pay-1"), registration: Registration { page: None, ..registration() } },
            declined("pay-1", DeclineReason::Declined),
            declined("pay-1", DeclineReason::InsufficientFunds),
            declined("pay-1", DeclineReason::NotReceived),
            declined("pay-1", DeclineReason::BuyerLeft),
            declined("pay-1", DeclineReason::ProviderError),
            Event::Failed { order: id(1), reason: FailureReason::ProviderError },
            Event::Failed { order: id(1), reason: FailureReason::TooManyAttempts },
            Event::Cancelled { order: id(1) },
            Event::CaptureRequested { order: id(1) },
            Event::VoidRequested { reason: VoidReason::BuyerRequest },
            voided(VoidReason::OrderCancelled),
            voided(VoidReason::StaffRequest),
            captured("pay-1"),
            external,
            refunded(),
            Event::Attempted {
                method: Method::Test,
                reference: text("pay-1"),
                capture: CaptureMode::Manual,
                return_url: None,
            },
            Event::Attempted {
                method: Method::Test,
                reference: text("pay-1"),
                capture: CaptureMode::Automatic,
                return_url: Some(text("https://shop.example.org/thanks")),
            },
            Event::Authorized { order: id(1), reference: text("pay-1"), expires_at: Some(noon()) },
            Event::Captured {
                order: id(1),
                amount: cents(0),
                method: Method::Free,
                reference: text("free"),
                covers: vec![],
            },
            voided(VoidReason::Expired),
            Event::Reduced { amount: cents(100) },
            Event::Delayed { check_at: noon() },
            Event::StrayReleased { reference: text("pay-1") },
            Event::StrayUnresolved { reference: text("pay-1"), check_at: noon() },
            requested(2, 100),
            because(RefundCause::LinesCancelled),
            because(RefundCause::Return { id: id(3) }),
            because(RefundCause::Staff { reason: text("a scratch") }),
            Event::RefundFailed { order: id(1), refund: id(2), amount: cents(100) },
            given_back(2, 100),
            retried(3, 2, 100),
        ],
    );
}

#[test]
fn every_stored_form_of_a_dispute_is_golden() {
    let requested = Event::RefundRequested {
        order: id(1),
        refund: id(2),
        amount: cents(100),
        cause: RefundCause::Dispute { id: id(21) },
        retries: None,
        manual: false,
        to: None,
        of: None,
    };
    let samples = [requested, dispute::disputed(21, 100, 200), dispute::released(21, 100), dispute::lost(21, 100)];
    golden(include_str!("golden.json"), &samples);
    golden(include_str!("golden.json"), &[fee::charged(99), elsewhere::recorded("R1", 100)]);
    let direct = [direct::registered_direct(), direct::seller_paid(900), direct::seller_charged(id(2), 90)];
    golden(include_str!("golden.json"), &direct);
}

#[test]
fn rejections_are_well_said() {
    use Rejection as R;
    well_said(&[
        R::Missing,
        R::OnDelivery,
        R::Exists,
        R::Negative,
        R::InProgress,
        R::ReferenceUsed,
        R::AlreadyAuthorized,
        R::Closed,
        R::OtherAttempt,
        R::ConcludedOtherwise,
        R::NotAuthorized,
        R::VoidRequested,
        R::AuthorizationExpired,
        R::Captured,
        R::NotCaptured,
        R::NothingToCover,
        R::MoreThanLeft { left: cents(100) },
        R::TooManyCards,
        R::NotCovered,
        R::TooManyAttempts,
        R::NoSuchRefund,
        R::RefundExists,
        R::NotFailed,
        R::RetriedAlready { retry: id(1) },
        R::NotAnAmount,
        R::TooMuchRefunded { left: cents(0) },
        R::PaidElsewhere,
        R::PartlyReceived,
        R::TooManyChoices,
        R::NotAReceipt,
        R::MoreThanDue { due: cents(0) },
        R::TooMuchReceived { most: cents(3500) },
        R::ReceivedLongAgo { received_on: noon().date_naive() },
        R::ReceivedInFuture { received_on: noon().date_naive() },
        R::ReferenceReceived { receipt: id(1) },
        R::TooManyReceipts,
        R::NoSuchReceipt,
        R::ReceiptInUse,
        R::RefundInProgress,
        R::RefundDone,
        R::SettledLongAgo { settled_on: noon().date_naive() },
        R::SettledInFuture { settled_on: noon().date_naive() },
        R::Disputed { held: cents(100) },
        R::TooMuchDisputed { most: cents(3500) },
        R::TooManyDisputes,
    ]);
}

fn refund_outcome() -> impl Strategy<Value = RefundOutcome> {
    prop_oneof![
        Just(RefundOutcome::Done),
        Just(RefundOutcome::Refused),
        Just(RefundOutcome::Unknown { check_at: noon() }),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    let reference = || (1..4u8).prop_map(|number| number.to_string());
    let outcome = prop_oneof![
        Just(ProviderOutcome::Authorized),
        Just(ProviderOutcome::Pending { check_at: noon() }),
        Just(ProviderOutcome::Declined { reason: DeclineReason::Declined }),
        Just(ProviderOutcome::Cancelled),
        Just(ProviderOutcome::Failed),
        Just(ProviderOutcome::Unknown { check_at: noon() }),
        Just(ProviderOutcome::NotFound),
    ];
    prop_oneof![
        3 => reference().prop_map(|reference| attempt(&reference)),
        4 => (reference(), outcome).prop_map(|(reference, outcome)| conclude(&reference, outcome)),
        2 => Just(Command::Capture {}),
        1 => Just(Command::RequestCapture {}),
        1 => prop_oneof![
            Just(void(CANCELLED)),
            Just(Command::RequestVoid { reason: CANCELLED }),
            Just(released(CANCELLED)),
        ],
        1 => (1..4u128, proptest::option::of(-1..3600i64)).prop_map(|(id, amount)| refund(id, amount)),
        1 => (1..4u128, refund_outcome()).prop_map(|(id, outcome)| answered(id, outcome)),
        // The refund of what is not due has the id of its receipt, so these differ from the ids of other refunds.
        3 => (11..19u128, 1..4000i64, any::<bool>()).prop_map(|(id, amount, surplus)| manual::receipt(id, amount, surplus)),
        1 => (11..19u128).prop_map(manual::void_receipt),
        2 => (1..19u128).prop_map(manual::settle),
        1 => Just(manual::choose("sepa")),
        1 => (1..3500i64).prop_map(|amount| Command::Reduce { amount: cents(amount) }),
        2 => (21..24u128, 1..4000i64).prop_map(|(id, amount)| dispute::open(id, amount)),
        1 => (21..24u128).prop_map(dispute::release),
        1 => (21..24u128, 1..4000i64).prop_map(|(id, amount)| dispute::lose(id, amount)),
        1 => (1..4u8, 1..4000i64).prop_map(|(number, amount)| elsewhere::record(&format!("R{number}"), amount)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_sequence_of_commands_takes_money_twice(commands in proptest::collection::vec(any_command(), 1..40)) {
        let asked = Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } };
        let mut state = Payment::default().evolve(&opened());
        let mut history = vec![opened()];
        for command in &commands {
            let events = state.decide(command, &asked).unwrap_or_default();
            state = events.iter().fold(state, Payment::evolve);
            history.extend(events);
        }
        let count = |wanted: fn(&Event) -> bool| history.iter().filter(|event| wanted(event)).count();
        let captures = count(|event| matches!(event, Event::Captured { .. }));
        let attempts = count(|event| matches!(event, Event::Attempted { .. }));
        let authorized = count(|event| matches!(event, Event::Authorized { .. }));
        let voids = count(|event| matches!(event, Event::Voided { .. }));
        prop_assert!(captures <= 1 && attempts <= usize::from(ATTEMPTS_MAX));
        let by_hand = count(|event| matches!(event, Event::Captured { method, .. } if method.is_manual()));
        prop_assert!(captures <= authorized + by_hand && voids + captures <= 1);
        let refunded: i64 = history
            .iter()
            .filter_map(|event| {
                if let Event::Refunded { amount, cause, .. } = event
                    && *cause != Some(RefundCause::NotDue)
                {
                    return Some(amount.amount);
                }
                None
            })
            .sum();
        let it = state.live().unwrap();
        let of_captured = it.pending_refunds().filter(|(_, refund)| refund.cause != RefundCause::NotDue);
        let pending: i64 = of_captured.map(|(_, refund)| refund.amount.amount).sum();
        // captured = refundable + on its way back + disputed + refunded, and none of them is less than nothing.
        let disputed = it.disputed().amount;
        prop_assert_eq!(it.captured().amount, it.refundable().amount + pending + disputed + refunded);
        prop_assert!(it.disputes.values().all(|it| (0..=it.claimed.amount).contains(&it.held.amount)), "{:?}", it);
        prop_assert_eq!(it.given_back().amount, pending + refunded);
        prop_assert!(it.refundable().amount >= 0 && it.refunded.amount == refunded);
        // received = captured by hand + returned, or kept for an open payment and less than its amount.
        prop_assert_eq!(it.not_due(), 0);
        let back = it.refunds.values().filter(|refund| refund.cause == RefundCause::NotDue);
        let back: i64 = back.map(|refund| refund.amount.amount).sum();
        let captured = if by_hand > 0 { it.captured().amount } else { 0 };
        let kept = it.received().amount - captured - back;
        prop_assert!(kept == 0 || it.stage == Stage::Open && (0..it.amount.amount).contains(&kept), "{:?}", it);
    }
}

#[test]
fn only_an_attempt_that_the_provider_has_gives_way_to_another() {
    let replaceable =
        |history: &[Event]| crate::fold::<Payment>(history).live().unwrap().replaceable().map(ToString::to_string);
    let pended = || Event::Pended { reference: text("1"), check_at: noon() };
    let unresolved = || Event::Unresolved { reference: text("1"), check_at: noon() };
    let waits = [opened(), attempted("1"), pended()];
    assert_eq!(replaceable(&waits), Some("1".to_owned()));
    let wanted_back = Event::VoidRequested { reason: VoidReason::BuyerRequest };
    for history in [
        vec![opened()],
        vec![opened(), attempted("1")],
        vec![opened(), attempted("1"), unresolved()],
        vec![opened(), attempted("1"), authorized("1")],
        [&waits[..], &[wanted_back]].concat(),
        [&waits[..], &[declined("1", DeclineReason::BuyerLeft)]].concat(),
    ] {
        assert_eq!(replaceable(&history), None, "{history:?}");
    }
    // The last attempt that there can be is not given up for one that is refused.
    let left = |number: u8| [attempted(&number.to_string()), declined(&number.to_string(), DeclineReason::BuyerLeft)];
    let many = |times: u8| -> Vec<Event> { [opened()].into_iter().chain((2..=times).flat_map(left)).collect() };
    let last = [attempted("1"), pended()];
    assert!(replaceable(&[many(ATTEMPTS_MAX - 1), last.to_vec()].concat()).is_some());
    assert_eq!(replaceable(&[many(ATTEMPTS_MAX), last.to_vec()].concat()), None);
}
