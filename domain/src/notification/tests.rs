//! The rules of notifications: once per event, never again without an outcome, and later and later after failures.

use super::*;
use crate::ids::{AccountId, InvitationId, OrderId};
use crate::key_pool::KeyRange;
use crate::payment::Choice;
use crate::payment_book::ManualKind;
use crate::payout_account::Means;
use crate::personal::Subject;
use crate::testing::{cents, given, golden, id as number, noon, pieces, price, text, well_said};
use crate::{Personal, codec};

fn notice() -> Notice {
    Notice {
        recipient: Recipient::Account(number(1)),
        channel: Channel::Email,
        locale: Locale::En,
        message: Message::OrderPaid { order: number(2) },
    }
}

fn queued() -> Event {
    Event::Queued(notice())
}

fn attempted(attempt: u32) -> Event {
    Event::Attempted { attempt }
}

fn failed() -> Event {
    Event::Failed { reason: text("SMTP 451"), retry_at: noon() }
}

fn not_now(spread: u16) -> Outcome {
    Outcome::NotNow { reason: text("SMTP 451"), spread }
}

fn died(cause: Death) -> Event {
    Event::Died { cause, reason: text("SMTP 550") }
}

fn conclude(attempt: u32, outcome: Outcome) -> Command {
    Command::Conclude { attempt, outcome }
}

#[test]
fn one_that_is_queued_twice_is_there_once() {
    given::<Notification>([]).when(&Command::Queue(notice())).then([queued()]);
    given::<Notification>([queued()]).when(&Command::Queue(notice())).then_nothing();
    let skip = Command::Skip { notice: notice(), because: Skip::Preference };
    given::<Notification>([]).when(&skip).then([queued(), Event::Skipped { because: Skip::Preference }]);
    given::<Notification>([queued()]).when(&skip).then_nothing();
}

#[test]
fn the_id_names_event_template_channel_and_person() {
    let of = |position, template, channel, account| {
        id(position, template, channel, &Recipient::Account(number::<AccountId>(account)))
    };
    let one = of(7, Template::OrderPaid, Channel::Email, 1);
    assert_eq!(one, of(7, Template::OrderPaid, Channel::Email, 1));
    for other in [
        of(8, Template::OrderPaid, Channel::Email, 1),
        of(7, Template::OrderPlaced, Channel::Email, 1),
        of(7, Template::OrderPaid, Channel::Sms, 1),
        of(7, Template::OrderPaid, Channel::Email, 2),
    ] {
        assert_ne!(one, other);
    }
    assert_eq!(one.to_string(), "ntf_4bhffhpaq6acrry1rsynwj4zen", "it can never change");
}

#[test]
fn an_attempt_is_made_once() {
    given::<Notification>([queued()]).when(&Command::Attempt { attempt: 1 }).then([attempted(1)]);
    for history in [
        vec![queued(), attempted(1)],
        vec![queued(), attempted(1), failed()],
        vec![queued(), attempted(1), Event::Sent { reference: text("250") }],
        vec![queued(), attempted(1), died(Death::Refused)],
        vec![queued(), Event::Skipped { because: Skip::Erased }],
    ] {
        given::<Notification>(history).when(&Command::Attempt { attempt: 1 }).then_refused(Rejection::OtherAttempt);
    }
    given::<Notification>([queued(), attempted(1), failed()])
        .when(&Command::Attempt { attempt: 2 })
        .then([attempted(2)]);
    given::<Notification>([]).when(&Command::Attempt { attempt: 1 }).then_refused(Rejection::Missing);
}

#[test]
fn only_one_that_waits_is_due() {
    let due = |history: &[Event]| crate::fold::<Notification>(history).due();
    assert_eq!(due(&[]), None);
    assert_eq!(due(&[queued()]), Some(1));
    assert_eq!(due(&[queued(), attempted(1)]), None);
    assert_eq!(due(&[queued(), attempted(1), failed()]), Some(2));
    assert_eq!(due(&[queued(), Event::Skipped { because: Skip::Preference }]), None);
}

#[test]
fn an_attempt_has_one_outcome() {
    let history = || [queued(), attempted(1)];
    let reference = || text::<Label>("250");
    for (outcome, event) in [
        (Outcome::Taken { reference: reference() }, Event::Sent { reference: reference() }),
        (Outcome::Refused { reason: text("SMTP 550") }, died(Death::Refused)),
        (Outcome::Unknown { reason: text("SMTP 550") }, died(Death::OutcomeUnknown)),
        (Outcome::Pointless { because: Skip::Erased }, Event::Skipped { because: Skip::Erased }),
    ] {
        given::<Notification>(history()).when(&conclude(1, outcome.clone())).then([event.clone()]);
        let over = [queued(), attempted(1), event];
        given::<Notification>(over).when(&conclude(1, outcome)).then_refused(Rejection::OtherAttempt);
    }
    given::<Notification>(history()).when(&conclude(2, not_now(0))).then_refused(Rejection::OtherAttempt);
}

#[test]
fn pauses_grow_and_are_spread() {
    assert_eq!(pause(1, 0), TimeDelta::milliseconds(22_500));
    assert_eq!(pause(1, 999), TimeDelta::milliseconds(37_500));
    assert_eq!(pause(2, 0), TimeDelta::seconds(90));
    for failures in [7, 8, 100] {
        assert_eq!(pause(failures, 0), TimeDelta::hours(18), "{failures}");
    }
    let retry_at = noon() + TimeDelta::milliseconds(22_500);
    let failed = Event::Failed { reason: text("SMTP 451"), retry_at };
    given::<Notification>([queued(), attempted(1)]).when(&conclude(1, not_now(0))).then([failed]);
}

#[test]
fn one_that_fails_too_often_dies_and_can_be_revived() {
    let mut history = vec![queued()];
    for attempt in 1..ATTEMPTS_MAX {
        history.extend([attempted(attempt), failed()]);
    }
    history.push(attempted(ATTEMPTS_MAX));
    let gave_up = Event::Died { cause: Death::GaveUp, reason: text("SMTP 451") };
    given::<Notification>(history.clone()).when(&conclude(ATTEMPTS_MAX, not_now(0))).then([gave_up.clone()]);
    history.push(gave_up);
    given::<Notification>(history.clone()).when(&Command::Revive {}).then([Event::Revived {}]);
    history.extend([Event::Revived {}, attempted(ATTEMPTS_MAX + 1)]);
    let retry_at = noon() + TimeDelta::milliseconds(22_500);
    given::<Notification>(history)
        .when(&conclude(ATTEMPTS_MAX + 1, not_now(0)))
        .then([Event::Failed { reason: text("SMTP 451"), retry_at }]);
}

#[test]
fn only_a_dead_one_is_revived() {
    for history in
        [vec![queued()], vec![queued(), attempted(1)], vec![queued(), Event::Skipped { because: Skip::Erased }]]
    {
        given::<Notification>(history).when(&Command::Revive {}).then_refused(Rejection::NotDead);
    }
    given::<Notification>([]).when(&Command::Revive {}).then_refused(Rejection::Missing);
}

#[test]
fn every_template_has_its_message() {
    let names: std::collections::BTreeSet<_> = Template::ALL.iter().map(|template| template.as_str()).collect();
    assert_eq!(names.len(), Template::ALL.len());
    let mut said = std::collections::BTreeSet::new();
    for message in messages() {
        let json = serde_json::to_value(&message).unwrap();
        assert_eq!(json["template"], message.template().as_str());
        said.insert(message.template().as_str());
    }
    assert_eq!(said, names);
}

fn messages() -> Vec<Message> {
    [messages_to_people(), messages_to_members(), vec![file_updated()]].concat()
}

fn messages_to_people() -> Vec<Message> {
    let code = || Personal::new(Subject(number::<AccountId>(1).uuid()), "AAECAw");
    let (order, product, variant) = (number::<OrderId>(2), number(3), number(4));
    vec![
        Message::ConfirmEmail { code: code(), expires_at: noon() },
        Message::ResetPassword { code: code(), expires_at: noon() },
        Message::AlreadyRegistered {},
        Message::PasswordChanged {},
        Message::OrderPlaced { order },
        Message::OrderPaid { order },
        Message::OrderCancelled { order, by: CancelledBy::Unpaid, refund_due: false, amount: None },
        Message::OrderRefunded { order, amount: Some(cents(500)) },
        Message::OrderShipped { order, carrier: Some(text("Royal Mail")), tracking: Some(text("RM1")), parcel: None },
        Message::OrderDelivered { order },
        Message::BackInStock { product, variant, title: text("Knife"), variant_title: None },
        Message::PriceDropped {
            product,
            variant,
            title: text("Knife"),
            variant_title: None,
            was: price(500),
            now: price(400),
        },
        Message::ConfirmNewEmail {
            email: Personal::new(Subject(number::<AccountId>(1).uuid()), "other"),
            code: code(),
            expires_at: noon(),
        },
        Message::EmailChangeRequested {},
        Message::OrderLinesCancelled {
            order,
            lines: vec![crate::order::ReturnLine { variant, quantity: pieces(2), amount: cents(700) }],
            amount: cents(700),
            by: CancelledBy::Buyer,
            refund_due: true,
        },
        Message::DeliveryFailed { order },
        Message::DeliveryReturning { order },
        Message::OrderCancelled { order, by: CancelledBy::Shop, refund_due: true, amount: Some(cents(300)) },
        Message::OrderShipped { order, carrier: None, tracking: Some(text("RM1")), parcel: Some(number(5)) },
        Message::ReturnApproved { order, back: number(6) },
        Message::ReturnRejected { order, back: number(6), reason: text("worn") },
        Message::DeliveryLost { order },
        Message::SecondFactorSetUp {},
        Message::SecondFactorRemoved {},
        Message::BackInStock { product, variant, title: text("Knife"), variant_title: Some(text("Knife, red")) },
        Message::PriceDropped {
            product,
            variant,
            title: text("Knife"),
            variant_title: Some(text("Knife, red")),
            was: price(500),
            now: price(400),
        },
        Message::PaymentInstructions {
            order,
            choice: Box::new(Choice {
                method: text("sepa"),
                kind: ManualKind::BankTransfer,
                title: text("Bank transfer"),
                instructions: text("IBAN DE02 1203 0000 0000 2020 51"),
                amount: cents(3500),
                reference: text("7K3Q-X9MW-2FBA"),
                pay_by: Some(noon()),
            }),
        },
        invitation(),
    ]
}

fn messages_to_members() -> Vec<Message> {
    vec![
        Message::KeysRanLow {
            seller: number(8),
            product: number(3),
            variant: number(4),
            title: text("Editor"),
            variant_title: None,
            left: 4,
        },
        Message::KeysRevoked {
            seller: number(8),
            product: number(3),
            variant: number(4),
            title: text("Editor"),
            variant_title: Some(text("Editor, one year")),
            keys: vec![KeyRange { batch: 1, first: 5, count: 1 }],
        },
        Message::PayoutDestinationChosen { seller: number(8), means: None, usable_from: noon(), at_once: false },
        Message::PayoutSent { seller: number(8), amount: cents(3500), means: Means::Sepa },
        payout_failed(false),
        Message::DisputeOpened { seller: number(8), order: number(1), amount: cents(3500) },
        Message::DisputeDue { seller: number(8), order: number(1), respond_by: noon() },
        Message::DisputeEnded { seller: number(8), order: number(1), won: true },
        Message::DisputeForStaff {
            dispute: number(9),
            order: number(1),
            news: DisputeNews::Opened,
            amount: Some(cents(3500)),
            respond_by: Some(noon()),
        },
    ]
}

fn file_updated() -> Message {
    Message::FileUpdated {
        order: number(2),
        product: number(3),
        variant: number(4),
        title: text("Editor"),
        variant_title: None,
        name: text("editor.zip"),
        version: 2,
    }
}

fn payout_failed(is_told_why: bool) -> Message {
    Message::PayoutFailed {
        seller: number(8),
        amount: cents(3500),
        means: Means::Paypal,
        payout: is_told_why.then(|| number(9)),
        returned: is_told_why,
        failure: is_told_why.then_some(crate::payout::Failure::SentBack),
        because: is_told_why.then(|| text("the account is closed")),
    }
}

/// Messages with the fields that older ones lack.
fn told_more() -> impl Iterator<Item = Event> {
    let (means, usable_from) = (Some(Means::Sepa), noon());
    let chosen = Message::PayoutDestinationChosen { seller: number(8), means, usable_from, at_once: true };
    let of = |message| {
        let recipient = Recipient::Account(number(1));
        Event::Queued(Notice { recipient, channel: Channel::Email, locale: Locale::Ru, message })
    };
    let (dispute, order, news) = (number(9), number(1), DisputeNews::Won);
    let message = Message::DisputeForStaff { dispute, order, news, amount: None, respond_by: None };
    let (recipient, channel, locale) = (Recipient::Staff, Channel::Email, Locale::En);
    let to_staff = Event::Queued(Notice { recipient, channel, locale, message });
    [of(chosen), of(payout_failed(true)), to_staff].into_iter()
}

fn invitation() -> Message {
    let sealed = Subject::from(number::<InvitationId>(7));
    Message::SellerInvitation {
        email: Personal::new(sealed, "invited"),
        code: Personal::new(sealed, "AAECAw"),
        seller: number(8),
        role: crate::seller::Role::Staff,
        expires_at: noon(),
    }
}

fn samples() -> Vec<Event> {
    let recipients = [Recipient::Account(number(1)), Recipient::Order(number(2))].into_iter().cycle();
    let notices = messages().into_iter().zip(recipients).map(|(message, recipient)| {
        Event::Queued(Notice { recipient, channel: Channel::Email, locale: Locale::Ru, message })
    });
    notices
        .chain([
            attempted(1),
            Event::Sent { reference: text("250") },
            failed(),
            died(Death::OutcomeUnknown),
            Event::Skipped { because: Skip::Preference },
            Event::Skipped { because: Skip::TooMany },
            Event::Revived {},
            Event::Queued(Notice {
                recipient: Recipient::Invitation(number(7)),
                channel: Channel::Email,
                locale: Locale::En,
                message: invitation(),
            }),
        ])
        .chain(told_more())
        .collect()
}

#[test]
fn stored_forms_stay_readable() {
    golden(include_str!("golden.json"), &samples());
    for event in samples() {
        let stored = codec::encode(&event).unwrap();
        assert_eq!(codec::decode::<Event>(&stored.event_type, stored.schema, &stored.data).unwrap(), event);
    }
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Missing, Rejection::NotDead, Rejection::OtherAttempt]);
}
