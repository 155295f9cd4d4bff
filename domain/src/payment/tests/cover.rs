//! Rules of what gift cards and store credit pay: never more than is to be paid, and refunds in a fixed order, to the cent.

use super::*;
use crate::stored_value::{Cover, Means};

fn card(number: u128, amount: i64) -> Cover {
    Cover { means: Means::GiftCard { card: id(900 + number) }, amount: cents(amount) }
}

fn credit(amount: i64) -> Cover {
    Cover { means: Means::StoreCredit { account: id(5) }, amount: cents(amount) }
}

fn covered(number: u128, amount: i64) -> Event {
    Event::Covered { order: id(1), cover: card(number, amount) }
}

fn uncovered(number: u128, amount: i64) -> Event {
    Event::Uncovered { order: id(1), cover: card(number, amount) }
}

fn captured(amount: i64, method: Method, reference: &str, covers: Vec<Cover>) -> Event {
    Event::Captured { order: id(1), amount: cents(amount), method, reference: text(reference), covers }
}

fn cause() -> RefundCause {
    RefundCause::Staff { reason: text("a scratch") }
}

fn requested(refund: RefundId, amount: i64, to: Option<Means>, of: Option<RefundId>) -> Event {
    let (cause, retries) = (cause(), None);
    Event::RefundRequested { order: id(1), refund, amount: cents(amount), cause, retries, manual: false, to, of }
}

fn requested_to(refund: u128, amount: i64, to: Means, of: Option<u128>) -> Event {
    requested(id(refund), amount, Some(to), of.map(id))
}

fn refunded_to(refund: u128, amount: i64, to: Means, of: Option<u128>) -> Event {
    let (refund, cause) = (Some(id(refund)), Some(cause()));
    Event::Refunded { order: id(1), amount: cents(amount), refund, cause, to: Some(to), of: of.map(id) }
}

fn cover(cover: Cover) -> Command {
    Command::Cover { cover }
}

fn refund(refund: u128, amount: i64) -> Command {
    Command::RequestRefund { refund: id(refund), amount: Some(cents(amount)), cause: cause(), to: None }
}

fn by_covers(covers: Vec<Cover>) -> Event {
    captured(3_500, Method::StoredValue, "stored value", covers)
}

#[test]
fn an_order_is_covered_in_part_or_in_full() {
    given::<Payment>([opened()]).when(&cover(card(1, 1_500))).then([covered(1, 1_500)]);
    given::<Payment>([opened()])
        .when(&cover(card(1, 3_500)))
        .then([covered(1, 3_500), by_covers(vec![card(1, 3_500)])]);
    let one = [opened(), covered(1, 1_500)];
    given::<Payment>(one.clone()).when(&cover(card(1, 1_500))).then_nothing();
    // The amount of the same card is replaced.
    given::<Payment>(one.clone()).when(&cover(card(1, 900))).then([covered(1, 900)]);
    let left = Rejection::MoreThanLeft { left: cents(2_000) };
    given::<Payment>(one.clone()).when(&cover(card(2, 2_001))).then_refused(left);
    given::<Payment>(one.clone())
        .when(&cover(credit(2_000)))
        .then([Event::Covered { order: id(1), cover: credit(2_000) }, by_covers(vec![card(1, 1_500), credit(2_000)])]);
    given::<Payment>(one.clone()).when(&cover(card(2, 0))).then_refused(Rejection::NotAnAmount);
    let uncover = |number| Command::Uncover { means: card(number, 0).means };
    given::<Payment>(one.clone()).when(&uncover(1)).then([uncovered(1, 1_500)]);
    given::<Payment>(one.clone()).when(&uncover(2)).then_refused(Rejection::NotCovered);
    let whole = [opened(), covered(1, 3_500), by_covers(vec![card(1, 3_500)])];
    given::<Payment>(whole.clone()).when(&cover(card(2, 1))).then_refused(Rejection::AlreadyAuthorized);
    given::<Payment>(whole).when(&uncover(1)).then_refused(Rejection::AlreadyAuthorized);
}

#[test]
fn an_order_takes_ten_gift_cards() {
    let ten = (0..10).map(|number| covered(number, 10));
    let history: Vec<Event> = [opened()].into_iter().chain(ten).collect();
    given::<Payment>(history.clone()).when(&cover(card(10, 10))).then_refused(Rejection::TooManyCards);
    given::<Payment>(history.clone()).when(&cover(card(9, 20))).then([covered(9, 20)]);
    given::<Payment>(history).when(&cover(credit(10))).then([Event::Covered { order: id(1), cover: credit(10) }]);
}

#[test]
fn what_is_covered_does_not_change_while_money_is_on_its_way() {
    let history = [opened(), covered(1, 1_500), attempted("1")];
    given::<Payment>(history.clone()).when(&cover(card(2, 1))).then_refused(Rejection::InProgress);
    let uncover = Command::Uncover { means: card(1, 0).means };
    given::<Payment>(history.clone()).when(&uncover).then_refused(Rejection::InProgress);
    let granted = [&history[..], &[authorized("1")]].concat();
    let paid = captured(3_500, Method::Test, "1", vec![card(1, 1_500)]);
    given::<Payment>(granted).when(&Command::Capture {}).then([paid]);
    // An attempt of another amount that succeeds after all is released.
    let left = [opened(), attempted("1"), declined("1", DeclineReason::BuyerLeft), covered(1, 1_500)];
    let late = Command::RecordOutcome { reference: text("1"), outcome: ProviderOutcome::Authorized };
    given::<Payment>(left.clone()).when(&late).then_refused(Rejection::OtherAttempt);
    let state: Payment = crate::fold(&left);
    assert_eq!(state.live().unwrap().earlier, [text("1")]);
}

#[test]
fn what_staff_receives_is_the_rest() {
    let history = [opened(), covered(1, 1_500)];
    let state: Payment = crate::fold(&history);
    assert_eq!((state.live().unwrap().due(), state.live().unwrap().in_money()), (cents(2_000), cents(2_000)));
    let received = given::<Payment>(history.clone()).when(&manual::receipt(7, 2_000, false));
    let events = received.events();
    assert_eq!(events[1], captured(3_500, Method::Elsewhere, "statement 7", vec![card(1, 1_500)]));
    let part =
        [&history[..], &given::<Payment>(history.clone()).when(&manual::receipt(7, 500, false)).events()].concat();
    given::<Payment>(part).when(&cover(card(2, 100))).then_refused(Rejection::PartlyReceived);
}

#[test]
fn a_payment_that_ends_without_its_money_needs_no_gift_card() {
    let void = Command::Void { reason: VoidReason::OrderCancelled };
    let voided = Event::Voided { order: id(1), reason: VoidReason::OrderCancelled };
    let history = [opened(), covered(1, 1_500), covered(2, 100)];
    given::<Payment>(history.clone()).when(&void).then([voided.clone(), uncovered(1, 1_500), uncovered(2, 100)]);
    let over = [&history[..], &[voided, uncovered(1, 1_500), uncovered(2, 100)]].concat();
    given::<Payment>(over.clone()).when(&void).then_nothing();
    given::<Payment>(over).when(&cover(card(1, 1))).then_refused(Rejection::Closed);
}

#[test]
fn a_reduced_amount_releases_what_was_applied_last() {
    let history = [opened(), covered(1, 1_500), covered(2, 1_000)];
    let reduce = |amount| Command::Reduce { amount: cents(amount) };
    let reduced = |amount| Event::Reduced { amount: cents(amount) };
    given::<Payment>(history.clone()).when(&reduce(2_600)).then([reduced(2_600)]);
    let paid = |amount, covers| captured(amount, Method::StoredValue, "stored value", covers);
    let both = vec![card(1, 1_500), card(2, 1_000)];
    given::<Payment>(history.clone()).when(&reduce(2_500)).then([reduced(2_500), paid(2_500, both)]);
    given::<Payment>(history.clone()).when(&reduce(1_600)).then([
        reduced(1_600),
        uncovered(2, 900),
        paid(1_600, vec![card(1, 1_500), card(2, 100)]),
    ]);
    let free = captured(0, Method::Free, "free", vec![]);
    given::<Payment>(history).when(&reduce(0)).then([reduced(0), uncovered(1, 1_500), uncovered(2, 1_000), free]);
}

/// A payment of 35.00: 20.00 by a provider, 10.00 by a gift card, then 5.00 by store credit.
fn mixed() -> Vec<Event> {
    let covers = vec![card(1, 1_000), credit(500)];
    let applied = covers.iter().map(|cover| Event::Covered { order: id(1), cover: *cover });
    let paid = [attempted("1"), authorized("1"), captured(3_500, Method::Test, "1", covers.clone())];
    [opened()].into_iter().chain(applied).chain(paid).collect()
}

/// The amounts of a refund, in money and to each of the two stored values.
fn shares(history: &[Event], amount: i64) -> Vec<(i64, Option<Means>)> {
    let events = given::<Payment>(history.to_vec()).when(&refund(40, amount)).events();
    let share = |event: &Event| {
        let Event::RefundRequested { amount, to, .. } = event else { panic!("{event:?}") };
        (amount.amount, *to)
    };
    events.iter().map(share).collect()
}

#[test]
fn refunds_return_money_first_and_then_what_was_applied_last() {
    let (of_card, of_credit) = (Some(card(1, 0).means), Some(credit(0).means));
    assert_eq!(shares(&mixed(), 1_999), [(1_999, None)]);
    assert_eq!(shares(&mixed(), 2_001), [(2_000, None), (1, of_credit)]);
    assert_eq!(shares(&mixed(), 3_500), [(2_000, None), (500, of_credit), (1_000, of_card)]);
    let first = [mixed(), given::<Payment>(mixed()).when(&refund(30, 1_999)).events()].concat();
    assert_eq!(shares(&first, 1_501), [(1, None), (500, of_credit), (1_000, of_card)]);
    assert_eq!(shares(&first, 1), [(1, None)]);
    let too_much = Rejection::TooMuchRefunded { left: cents(1_501) };
    given::<Payment>(first).when(&refund(40, 1_502)).then_refused(too_much);
    // The parts of one refund are known by it, and the request is made once.
    let events = given::<Payment>(mixed()).when(&refund(30, 3_500)).events();
    let parts: Vec<_> = events
        .iter()
        .map(|event| matches!(event, Event::RefundRequested { of: Some(of), .. } if *of == id(30)))
        .collect();
    assert_eq!(parts, [false, true, true]);
    given::<Payment>([mixed(), events].concat()).when(&refund(30, 3_500)).then_nothing();
}

#[test]
fn what_goes_to_store_credit_instead_is_not_returned_as_money_too() {
    let (of_card, to_credit) = (Some(card(1, 0).means), credit(0).means);
    let redirect = |amount| {
        let (amount, cause, to) = (Some(cents(amount)), cause(), Some(to_credit));
        Command::RequestRefund { refund: id(30), amount, cause, to }
    };
    let after = |amount| [mixed(), given::<Payment>(mixed()).when(&redirect(amount)).events()].concat();
    assert_eq!(after(700).last(), Some(&requested_to(30, 700, to_credit, None)));
    // 5.00 of it are what the store credit paid, 2.00 are money that stays.
    assert_eq!(shares(&after(700), 2_800), [(1_800, None), (1_000, of_card)]);
    assert_eq!(shares(&after(3_000), 500), [(500, of_card)]);
}

#[test]
fn a_refused_refund_is_retried_as_money() {
    let refused = Command::RecordRefundOutcome { refund: id(30), outcome: RefundOutcome::Refused };
    let asked = [mixed(), given::<Payment>(mixed()).when(&refund(30, 3_500)).events()].concat();
    let failed = [asked.clone(), given::<Payment>(asked).when(&refused).events()].concat();
    let retry = given::<Payment>(failed).when(&Command::RetryRefund { failed: id(30), refund: id(31) }).events();
    let again = Event::RefundRequested {
        order: id(1),
        refund: id(31),
        amount: cents(2_000),
        cause: cause(),
        retries: Some(id(30)),
        manual: false,
        to: None,
        of: None,
    };
    assert_eq!(retry, [again]);
}

#[test]
fn what_covers_a_payment_is_golden() {
    let means = card(1, 1).means;
    golden(
        include_str!("../golden.json"),
        &[
            covered(1, 1_500),
            uncovered(1, 1_500),
            Event::Covered { order: id(1), cover: credit(700) },
            captured(3_500, Method::StoredValue, "stored value", vec![card(1, 3_500)]),
            requested_to(2, 700, means, Some(1)),
            refunded_to(2, 700, means, Some(1)),
        ],
    );
}

proptest! {
    /// Whatever is refunded in whichever steps: no means gets more than it paid, and in the end each has exactly that.
    #[test]
    fn any_steps_of_refunds_end_at_what_each_means_paid(steps in proptest::collection::vec(1..900i64, 1..40)) {
        let mut payment: Payment = crate::fold(&mixed());
        let mut back = std::collections::BTreeMap::<Option<Means>, i64>::new();
        let all = (100..).zip(steps.into_iter().chain([3_500]));
        for (number, step) in all {
            let amount = step.min(payment.live().unwrap().refundable().amount);
            let asked = Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } };
            for event in payment.decide(&refund(number, amount), &asked).unwrap_or_default() {
                let Event::RefundRequested { amount, to, .. } = &event else { panic!("{event:?}") };
                *back.entry(*to).or_default() += amount.amount;
                payment = payment.evolve(&event);
            }
        }
        let expected = [(None, 2_000), (Some(card(1, 0).means), 1_000), (Some(credit(0).means), 500)];
        prop_assert_eq!(back, expected.into());
    }
}
