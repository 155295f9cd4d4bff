//! Rules of money that staff records: every receipt is captured, kept for an open payment, or requested back.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::*;
use crate::ids::ReceiptId;
use crate::payment_book::ManualKind;
use crate::{Personal, Subject};

fn today() -> NaiveDate {
    noon().date_naive()
}

fn choice(method: &str, pay_by: Option<DateTime<Utc>>) -> Choice {
    Choice {
        method: text(method),
        kind: ManualKind::BankTransfer,
        title: text("Bank transfer"),
        instructions: text("IBAN DE02 1203 0000 0000 2020 51\nHolder: ByteShop"),
        amount: cents(3500),
        reference: text("0000-0000-0010"),
        pay_by,
    }
}

pub(super) fn choose(method: &str) -> Command {
    Command::ChooseMethod { choice: Box::new(choice(method, Some(noon()))) }
}

fn chosen(method: &str) -> Event {
    Event::MethodChosen { order: id(1), choice: Box::new(choice(method, Some(noon()))) }
}

fn new(receipt: u128, amount: i64) -> NewReceipt {
    NewReceipt {
        receipt: id(receipt),
        kind: None,
        amount: cents(amount),
        reference: text(&format!("statement {receipt}")),
        received_on: today(),
        note: None,
        surplus: false,
    }
}

fn record(new: NewReceipt) -> Command {
    Command::RecordReceipt(Box::new(new))
}

fn receive(receipt: u128, amount: i64) -> Command {
    record(new(receipt, amount))
}

fn with_surplus(number: u128, amount: i64) -> Command {
    receipt(number, amount, true)
}

pub(super) fn receipt(receipt: u128, amount: i64, surplus: bool) -> Command {
    record(NewReceipt { surplus, ..new(receipt, amount) })
}

fn received(receipt: u128, kind: ManualKind, amount: i64) -> Event {
    Event::ReceiptRecorded {
        order: id(1),
        receipt: id(receipt),
        kind,
        amount: cents(amount),
        reference: text(&format!("statement {receipt}")),
        received_on: today(),
        note: None,
    }
}

fn transferred(receipt: u128, amount: i64) -> Event {
    received(receipt, ManualKind::BankTransfer, amount)
}

fn taken(receipt: u128, method: Method, amount: i64) -> Event {
    let reference = text(&format!("statement {receipt}"));
    Event::Captured { order: id(1), amount: cents(amount), method, reference, covers: vec![] }
}

fn not_due(receipt: u128, amount: i64) -> Event {
    Event::RefundRequested {
        order: id(1),
        refund: RefundId::from_uuid(id::<ReceiptId>(receipt).uuid()),
        amount: cents(amount),
        cause: RefundCause::NotDue,
        retries: None,
        manual: true,
        to: None,
        of: None,
    }
}

fn by_hand(refund: u128, amount: i64) -> Event {
    let cause = RefundCause::OrderCancelled;
    Event::RefundRequested {
        order: id(1),
        refund: id(refund),
        amount: cents(amount),
        cause,
        retries: None,
        manual: true,
        to: None,
        of: None,
    }
}

pub(super) fn void_receipt(receipt: u128) -> Command {
    Command::VoidReceipt { receipt: id(receipt), reason: text("another order") }
}

fn receipt_voided(receipt: u128) -> Event {
    let (receipt, amount) = (id(receipt), cents(1000));
    Event::ReceiptVoided { order: id(1), receipt, amount, reason: text("another order") }
}

pub(super) fn settle(refund: u128) -> Command {
    Command::SettleRefund { refund: id(refund), reference: text("back 1"), settled_on: today() }
}

fn settled(refund: u128) -> Event {
    Event::RefundSettled { order: id(1), refund: id(refund), reference: text("back 1"), settled_on: today() }
}

fn opened_payment(history: &[Event]) -> Opened {
    crate::fold::<Payment>(history).live().unwrap().clone()
}

/// A captured bank transfer in two parts.
fn paid() -> Vec<Event> {
    let (first, rest) = (transferred(1, 1000), transferred(2, 2500));
    vec![opened(), chosen("sepa"), first, rest, taken(2, Method::BankTransfer, 3500)]
}

#[test]
fn a_buyer_chooses_and_chooses_again_while_nothing_was_received() {
    given::<Payment>([opened()]).when(&choose("sepa")).then([chosen("sepa")]);
    given::<Payment>([opened(), chosen("sepa")]).when(&choose("sepa")).then_nothing();
    given::<Payment>([opened(), chosen("sepa")]).when(&choose("counter")).then([chosen("counter")]);
    given::<Payment>([opened(), chosen("sepa")]).when(&attempt("1")).then([attempted("1")]);
    let received = [opened(), chosen("sepa"), transferred(1, 1000)];
    given::<Payment>(received.clone()).when(&choose("counter")).then_refused(Rejection::PartlyReceived);
    given::<Payment>(received.clone()).when(&attempt("1")).then_refused(Rejection::PartlyReceived);
    let voided = [&received[..], &[receipt_voided(1)]].concat();
    given::<Payment>(voided.clone()).when(&choose("counter")).then([chosen("counter")]);
    given::<Payment>(voided).when(&attempt("1")).then([attempted("1")]);
}

#[test]
fn nothing_is_chosen_while_an_attempt_is_in_progress_or_over() {
    let flying = [opened(), attempted("1")];
    given::<Payment>(flying.clone()).when(&choose("sepa")).then_refused(Rejection::InProgress);
    let held = [&flying[..], &[authorized("1")]].concat();
    given::<Payment>(held).when(&choose("sepa")).then_refused(Rejection::AlreadyAuthorized);
    given::<Payment>(paid()).when(&choose("sepa")).then_refused(Rejection::AlreadyAuthorized);
    given::<Payment>([opened(), voided(CANCELLED)]).when(&choose("sepa")).then_refused(Rejection::Closed);
    let many = (0..CHOICES_MAX).map(|number| chosen(&format!("m{number}")));
    let many: Vec<Event> = [opened()].into_iter().chain(many).collect();
    given::<Payment>(many.clone()).when(&choose("sepa")).then_refused(Rejection::TooManyChoices);
    given::<Payment>(many[..many.len() - 1].to_vec()).when(&choose("sepa")).then([chosen("sepa")]);
}

#[test]
fn receipts_add_up_and_the_last_one_captures_the_payment() {
    let history = [opened(), chosen("sepa")];
    given::<Payment>(history.clone()).when(&receive(1, 1000)).then([transferred(1, 1000)]);
    let part = [&history[..], &[transferred(1, 1000)]].concat();
    assert_eq!((opened_payment(&part).received(), opened_payment(&part).due()), (cents(1000), cents(2500)));
    let captured = taken(2, Method::BankTransfer, 3500);
    given::<Payment>(part).when(&receive(2, 2500)).then([transferred(2, 2500), captured]);
    let whole = opened_payment(&paid());
    assert_eq!((whole.received(), whole.due(), whole.captured()), (cents(3500), cents(0), cents(3500)));
    assert_eq!((whole.at_provider(), whole.is_last(&text("statement 2"))), (None, false));
}

#[test]
fn without_a_choice_the_money_was_received_elsewhere_unless_staff_says_how() {
    let elsewhere = received(1, ManualKind::Elsewhere, 3500);
    given::<Payment>([opened()]).when(&receive(1, 3500)).then([elsewhere, taken(1, Method::Elsewhere, 3500)]);
    let kind = Some(ManualKind::BankTransfer);
    given::<Payment>([opened()])
        .when(&record(NewReceipt { kind, ..new(1, 3500) }))
        .then([transferred(1, 3500), taken(1, Method::BankTransfer, 3500)]);
}

#[test]
fn more_than_what_is_due_is_accepted_only_knowingly_and_goes_back() {
    let part = [opened(), chosen("sepa"), transferred(1, 1000)];
    let due = cents(2500);
    given::<Payment>(part.clone()).when(&receive(2, 2501)).then_refused(Rejection::MoreThanDue { due });
    given::<Payment>(part).when(&with_surplus(2, 2600)).then([
        transferred(2, 2600),
        taken(2, Method::BankTransfer, 3500),
        not_due(2, 100),
    ]);
    // Paid twice.
    given::<Payment>(paid()).when(&receive(3, 3500)).then_refused(Rejection::MoreThanDue { due: cents(0) });
    given::<Payment>(paid()).when(&with_surplus(3, 3500)).then([transferred(3, 3500), not_due(3, 3500)]);
    let twice = [paid(), vec![transferred(3, 3500), not_due(3, 3500)]].concat();
    assert_eq!(opened_payment(&twice).refundable(), cents(3500), "what was captured is untouched");
}

#[test]
fn what_makes_no_sense_is_not_recorded() {
    let refused = |new: NewReceipt, rejection| given::<Payment>([opened()]).when(&record(new)).then_refused(rejection);
    refused(new(1, 0), Rejection::NotAReceipt);
    refused(new(1, -1), Rejection::NotAReceipt);
    let dollars = crate::money::Money::new(1, crate::Currency::USD);
    refused(NewReceipt { amount: dollars, ..new(1, 1) }, Rejection::NotAReceipt);
    let received_on = today() + TimeDelta::days(2);
    refused(NewReceipt { received_on, ..new(1, 1) }, Rejection::ReceivedInFuture { received_on });
    let received_on = today() - TimeDelta::days(DAYS_AGO_MAX + 1);
    refused(NewReceipt { received_on, ..new(1, 1) }, Rejection::ReceivedLongAgo { received_on });
    let most = cents(RECEIVED_MAX);
    for amount in [RECEIVED_MAX + 1, i64::MAX] {
        refused(NewReceipt { surplus: true, ..new(1, amount) }, Rejection::TooMuchReceived { most });
    }
    let tomorrow = NewReceipt { received_on: today() + TimeDelta::days(1), ..new(1, 1) };
    let outcome = crate::fold::<Payment>(&[opened()]);
    let asked = |at| Asked { at, by: crate::Actor::System { name: "test".to_owned() } };
    // It is tomorrow already at the other end of the world.
    assert!(outcome.decide(&record(tomorrow.clone()), &asked(noon())).is_ok());
    assert!(outcome.decide(&record(tomorrow), &asked(noon() - TimeDelta::hours(3))).is_err());
    given::<Payment>([]).when(&receive(1, 1)).then_refused(Rejection::Missing);
    let enormous = record(NewReceipt { surplus: true, ..new(2, i64::MAX) });
    given::<Payment>([opened(), transferred(1, 1)]).when(&enormous).then_refused(Rejection::TooMuchReceived { most });
    let full = (1..=RECEIPTS_MAX as u128).map(|number| transferred(number, 1));
    let full: Vec<Event> = [opened()].into_iter().chain(full).collect();
    given::<Payment>(full.clone()).when(&receive(999, 1)).then_refused(Rejection::TooManyReceipts);
    given::<Payment>(full[..full.len() - 1].to_vec()).when(&receive(999, 1)).then([received(
        999,
        ManualKind::Elsewhere,
        1,
    )]);
}

#[test]
fn the_same_money_counts_once() {
    let history = [opened(), transferred(1, 1000)];
    given::<Payment>(history.clone()).when(&receive(1, 1000)).then_nothing();
    let again = NewReceipt { reference: text("statement 1"), ..new(2, 1000) };
    let rejection = Rejection::ReferenceReceived { receipt: id(1) };
    given::<Payment>(history.clone()).when(&record(again.clone())).then_refused(rejection);
    // The first one was a mistake.
    let voided = [&history[..], &[receipt_voided(1)]].concat();
    assert!(crate::fold::<Payment>(&voided).decide(&record(again), &asked_now()).is_ok());
}

fn asked_now() -> Asked {
    Asked { at: noon(), by: crate::Actor::System { name: "test".to_owned() } }
}

#[test]
fn nothing_is_recorded_while_it_is_unknown_whether_the_provider_has_the_money() {
    given::<Payment>([opened(), attempted("1")]).when(&with_surplus(1, 1)).then_refused(Rejection::InProgress);
    // The provider holds the amount, so nothing else is due.
    let held = [opened(), attempted("1"), authorized("1")];
    given::<Payment>(held.clone()).when(&receive(1, 1)).then_refused(Rejection::MoreThanDue { due: cents(0) });
    given::<Payment>(held).when(&with_surplus(1, 100)).then([received(1, ManualKind::Elsewhere, 100), not_due(1, 100)]);
}

#[test]
fn a_mistake_is_voided_while_the_payment_is_open() {
    let part = [opened(), transferred(1, 1000)];
    given::<Payment>(part.clone()).when(&void_receipt(1)).then([receipt_voided(1)]);
    let voided_once = [&part[..], &[receipt_voided(1)]].concat();
    assert_eq!(opened_payment(&voided_once).received(), cents(0));
    given::<Payment>(voided_once).when(&void_receipt(1)).then_nothing();
    given::<Payment>(part).when(&void_receipt(2)).then_refused(Rejection::NoSuchReceipt);
    given::<Payment>(paid()).when(&void_receipt(1)).then_refused(Rejection::ReceiptInUse);
    let off = [opened(), transferred(1, 1000), voided(CANCELLED), not_due(1, 1000)];
    given::<Payment>(off).when(&void_receipt(1)).then_refused(Rejection::ReceiptInUse);
}

#[test]
fn what_was_received_of_a_cancelled_order_goes_back_to_the_cent() {
    let part = [opened(), chosen("sepa"), transferred(1, 1000), transferred(2, 500)];
    given::<Payment>(part).when(&void(CANCELLED)).then([voided(CANCELLED), not_due(2, 1500)]);
    given::<Payment>([opened(), chosen("sepa")]).when(&void(CANCELLED)).then([voided(CANCELLED)]);
    let mistaken = [opened(), transferred(1, 1000), receipt_voided(1)];
    given::<Payment>(mistaken).when(&void(CANCELLED)).then([voided(CANCELLED)]);
    // It arrived after the order had expired.
    let off = [opened(), voided(CANCELLED)];
    given::<Payment>(off)
        .when(&with_surplus(1, 3500))
        .then([received(1, ManualKind::Elsewhere, 3500), not_due(1, 3500)]);
}

#[test]
fn what_was_received_may_suffice_once_lines_are_cancelled() {
    let part = [opened(), chosen("sepa"), transferred(1, 1000)];
    let reduce = |amount| Command::Reduce { amount: cents(amount) };
    let reduced = |amount| Event::Reduced { amount: cents(amount) };
    given::<Payment>(part.clone()).when(&reduce(1001)).then([reduced(1001)]);
    let exact = [reduced(1000), taken(1, Method::BankTransfer, 1000)];
    given::<Payment>(part.clone()).when(&reduce(1000)).then(exact);
    let less = [reduced(900), taken(1, Method::BankTransfer, 900), not_due(1, 100)];
    given::<Payment>(part.clone()).when(&reduce(900)).then(less);
    let free = Event::Captured {
        order: id(1),
        amount: cents(0),
        method: Method::Free,
        reference: text("free"),
        covers: vec![],
    };
    given::<Payment>(part).when(&reduce(0)).then([reduced(0), free, not_due(1, 1000)]);
}

#[test]
fn an_attempt_that_succeeded_after_all_sends_the_receipts_back() {
    let history = [opened(), attempted("1"), declined("1", DeclineReason::NotReceived), transferred(1, 1000)];
    let granted = conclude("1", ProviderOutcome::Authorized);
    given::<Payment>(history.clone()).when(&granted).then([authorized("1"), not_due(1, 1000)]);
    // The receipts were complete before: the amount of the attempt is released.
    let captured = [&history[..], &[transferred(2, 2500), taken(2, Method::BankTransfer, 3500)]].concat();
    given::<Payment>(captured.clone()).when(&granted).then_refused(Rejection::OtherAttempt);
    assert_eq!(opened_payment(&captured).earlier, [text("1")]);
    let orphaned = Command::ReleaseOrphaned { reference: text("1") };
    given::<Payment>(captured).when(&orphaned).then([Event::StrayReleased { reference: text("1") }]);
}

#[test]
fn staff_settles_the_refunds_that_no_provider_makes() {
    given::<Payment>(paid()).when(&refund(7, None)).then([by_hand(7, 3500)]);
    let history = [paid(), vec![by_hand(7, 3500)]].concat();
    let done = [settled(7), given_back(7, 3500)];
    given::<Payment>(history.clone()).when(&settle(7)).then(done.clone());
    given::<Payment>(history.clone()).when(&settle(8)).then_refused(Rejection::NoSuchRefund);
    given::<Payment>(history.clone()).when(&answered(7, RefundOutcome::Done)).then_refused(Rejection::NoSuchRefund);
    let settled_on = today() + TimeDelta::days(2);
    let early = Command::SettleRefund { refund: id(7), reference: text("back 1"), settled_on };
    given::<Payment>(history.clone()).when(&early).then_refused(Rejection::SettledInFuture { settled_on });
    let settled_on = today() - TimeDelta::days(DAYS_AGO_MAX + 1);
    let late = Command::SettleRefund { refund: id(7), reference: text("back 1"), settled_on };
    given::<Payment>(history.clone()).when(&late).then_refused(Rejection::SettledLongAgo { settled_on });
    let over = [&history[..], &done[..]].concat();
    assert_eq!(stage(&over), Stage::Refunded);
    given::<Payment>(over.clone()).when(&settle(7)).then_nothing();
    let other = Command::SettleRefund { refund: id(7), reference: text("back 2"), settled_on: today() };
    given::<Payment>(over).when(&other).then_refused(Rejection::RefundDone);
}

#[test]
fn what_was_not_due_is_no_part_of_the_captured_amount() {
    let refund = RefundId::from_uuid(id::<ReceiptId>(3).uuid());
    let history = [paid(), vec![transferred(3, 3500), not_due(3, 3500)]].concat();
    let back = Event::Refunded {
        order: id(1),
        amount: cents(3500),
        refund: Some(refund),
        cause: Some(RefundCause::NotDue),
        to: None,
        of: None,
    };
    given::<Payment>(history.clone()).when(&settle(3)).then([settled(3), back.clone()]);
    let after = opened_payment(&[history, vec![settled(3), back]].concat());
    assert_eq!((after.refunded, after.refundable(), after.stage), (cents(0), cents(3500), Stage::Captured));
}

#[test]
fn staff_settles_a_refund_that_the_provider_refused_for_good() {
    let history = [opened(), attempted("1"), authorized("1"), captured("1")];
    let asked = [&history[..], &[requested(7, 3500)]].concat();
    given::<Payment>(asked.clone()).when(&settle(7)).then_refused(Rejection::RefundInProgress);
    let failed = [&asked[..], &[Event::RefundFailed { order: id(1), refund: id(7), amount: cents(3500) }]].concat();
    given::<Payment>(failed.clone()).when(&settle(7)).then([settled(7), given_back(7, 3500)]);
    let again = [&failed[..], &[retried(8, 7, 3500)]].concat();
    given::<Payment>(again).when(&settle(7)).then_refused(Rejection::RetriedAlready { retry: id(8) });
    // A part of a cancelled order was refunded otherwise since: only the rest goes back.
    let part = RefundCause::Staff { reason: text("a scratch") };
    let otherwise = [&failed[..], &[asked_by(&part, 9, 500, None)]].concat();
    given::<Payment>(otherwise.clone()).when(&settle(7)).then([settled(7), given_back(7, 3000)]);
    let less = opened_payment(&[&otherwise[..], &[settled(7), given_back(7, 3000)]].concat());
    assert_eq!((less.refunds[&id(7)].amount, less.refundable()), (cents(3000), cents(0)));
    let all = [&failed[..], &[asked_by(&part, 9, 3500, None)]].concat();
    given::<Payment>(all).when(&settle(7)).then_refused(Rejection::TooMuchRefunded { left: cents(0) });
}

#[test]
fn every_stored_form_of_receipts_is_golden() {
    let note = Personal::new(Subject(uuid::Uuid::from_u128(7)), "AAECAw");
    let Event::ReceiptRecorded { order, receipt, kind, amount, reference, received_on, .. } = transferred(5, 3500)
    else {
        return;
    };
    let noted = Event::ReceiptRecorded { order, receipt, kind, amount, reference, received_on, note: Some(note) };
    let without_end = Event::MethodChosen { order: id(1), choice: Box::new(choice("counter", None)) };
    golden(
        include_str!("../golden.json"),
        &[
            chosen("sepa"),
            without_end,
            received(5, ManualKind::Elsewhere, 3500),
            noted,
            receipt_voided(5),
            taken(5, Method::BankTransfer, 3500),
            taken(5, Method::Elsewhere, 3500),
            by_hand(6, 100),
            not_due(5, 100),
            settled(6),
            Event::Refunded {
                order: id(1),
                amount: cents(100),
                refund: Some(id(5)),
                cause: Some(RefundCause::NotDue),
                to: None,
                of: None,
            },
        ],
    );
}

fn on_delivery() -> Vec<Event> {
    let choice = Choice { kind: ManualKind::CashOnDelivery, ..choice("cash", None) };
    vec![opened(), Event::MethodChosen { order: id(1), choice: Box::new(choice) }]
}

#[test]
fn money_that_is_collected_on_delivery_captures_the_payment_when_all_of_it_is_there() {
    let history = on_delivery();
    assert_eq!(opened_payment(&history).due(), cents(3500));
    let first = received(1, ManualKind::CashOnDelivery, 1000);
    given::<Payment>(history.clone()).when(&receive(1, 1000)).then([first.clone()]);
    let part = [history, vec![first]].concat();
    assert_eq!((opened_payment(&part).stage, opened_payment(&part).captured()), (Stage::OnDelivery, cents(0)));
    given::<Payment>(part.clone()).when(&receive(2, 2501)).then_refused(Rejection::MoreThanDue { due: cents(2500) });
    let rest = [received(2, ManualKind::CashOnDelivery, 2500), taken(2, Method::CashOnDelivery, 3500)];
    given::<Payment>(part.clone()).when(&receive(2, 2500)).then(rest);
    given::<Payment>(part.clone()).when(&void_receipt(1)).then([receipt_voided(1)]);
    // What was received is enough for what is left of the order.
    let reduced = [Event::Reduced { amount: cents(1000) }, taken(1, Method::CashOnDelivery, 1000)];
    given::<Payment>(part.clone()).when(&Command::Reduce { amount: cents(1000) }).then(reduced);
    // The order was cancelled: what was received is to be returned.
    let reason = VoidReason::OrderCancelled;
    let voided = [Event::Voided { order: id(1), reason }, not_due(1, 1000)];
    given::<Payment>(part).when(&Command::Void { reason }).then(voided);
}

#[test]
fn a_payment_on_delivery_is_neither_made_in_another_way_nor_voided_without_its_order() {
    let history = on_delivery();
    let pay = attempt("1");
    let void = |reason| Command::Void { reason };
    let by_buyer = [void(VoidReason::BuyerRequest), void(VoidReason::StaffRequest)];
    let means = crate::stored_value::Means::StoreCredit { account: id(9) };
    let cover = Command::Cover { cover: Cover { means, amount: cents(100) } };
    for command in [choose("sepa"), pay, cover, Command::Uncover { means }].into_iter().chain(by_buyer) {
        given::<Payment>(history.clone()).when(&command).then_refused(Rejection::OnDelivery);
    }
    for command in [Command::Capture {}, Command::RequestCapture {}] {
        given::<Payment>(history.clone()).when(&command).then_refused(Rejection::NotAuthorized);
    }
}
