//! Folds of notification_list.

use byteshop_domain::ids::Id as _;
use byteshop_domain::notification::Message;
use uuid::Uuid;

use super::*;
use crate::testing::{event, noon, rows};

fn queued(recipient: Recipient) -> Event {
    let order = OrderId::from_uuid(Uuid::from_u128(2));
    Event::Queued(Notice {
        recipient,
        channel: Channel::Email,
        locale: Locale::Ru,
        message: Message::OrderPaid { order },
    })
}

fn guest() -> Event {
    queued(Recipient::Order(OrderId::from_uuid(Uuid::from_u128(2))))
}

fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn fold(events: &[Event]) -> Row {
    let rows = rows::<NotificationList>(events.iter().map(|it| event::<Notification>(7, it)).collect());
    rows.into_values().next().unwrap()
}

#[test]
fn it_says_to_whom_about_what_and_how() {
    let account = AccountId::from_uuid(Uuid::from_u128(1));
    let row = fold(&[queued(Recipient::Account(account))]);
    assert_eq!((row.account, row.template.as_str(), row.status), (Some(account), "order_paid", Status::Queued));
    assert_eq!(row.order, Some(OrderId::from_uuid(Uuid::from_u128(2))));
    assert_eq!(fold(&[guest()]).account, None);
}

#[test]
fn it_follows_a_notification_to_its_end() {
    let failed = Event::Failed { reason: label("SMTP 451"), retry_at: noon() };
    let row = fold(&[guest(), Event::Attempted { attempt: 1 }, failed.clone()]);
    assert_eq!((row.status, row.attempts, row.retry_at), (Status::Failed, 1, Some(noon())));
    let sent = [guest(), Event::Attempted { attempt: 1 }, failed, Event::Attempted { attempt: 2 }];
    let row = fold(&[&sent[..], &[Event::Sent { reference: label("250") }]].concat());
    assert_eq!((row.status, row.attempts, row.error, row.retry_at), (Status::Sent, 2, None, None));
    assert!(row.sent_at.is_some());
}

#[test]
fn a_dead_one_says_why_until_it_is_revived() {
    let died = Event::Died { cause: Death::OutcomeUnknown, reason: label("timed out") };
    let row = fold(&[guest(), Event::Attempted { attempt: 1 }, died.clone()]);
    assert_eq!((row.status, row.reason), (Status::Dead, Some(Death::OutcomeUnknown)));
    let row = fold(&[guest(), Event::Attempted { attempt: 1 }, died, Event::Revived {}]);
    assert_eq!((row.status, row.reason), (Status::Queued, None));
    let row = fold(&[guest(), Event::Skipped { because: Skip::Preference }]);
    assert_eq!((row.status, row.skip_reason), (Status::Skipped, Some(Skip::Preference)));
}
