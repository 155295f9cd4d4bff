//! Folds of account_list.

use byteshop_domain::{Locale, Subject};
use uuid::Uuid;

use super::*;
use crate::testing::{event, rows};

fn sealed<T>(text: &str) -> Personal<T> {
    Personal::new(Subject(Uuid::from_u128(7)), text)
}

fn registered() -> Recorded {
    event::<Account>(7, &Event::Registered { email: sealed("e"), password: sealed("p"), locale: Locale::En })
}

fn status(events: &[Event]) -> Option<Status> {
    let events = [registered()].into_iter().chain(events.iter().map(|it| event::<Account>(7, it)));
    rows::<AccountList>(events.collect()).into_values().next().map(|row| row.status)
}

#[test]
fn it_says_how_far_an_account_is() {
    let banned = || Event::Banned { reason: None };
    assert_eq!(status(&[]), Some(Status::Unconfirmed));
    assert_eq!(status(&[Event::Confirmed {}]), Some(Status::Active));
    assert_eq!(status(&[banned()]), Some(Status::Banned));
    assert_eq!(status(&[banned(), Event::Confirmed {}]), Some(Status::Banned));
    assert_eq!(status(&[banned(), Event::Confirmed {}, Event::Unbanned {}]), Some(Status::Active));
    assert_eq!(status(&[banned(), Event::Unbanned {}]), Some(Status::Unconfirmed));
    assert_eq!(status(&[Event::Confirmed {}, Event::Erased {}]), None);
}

#[test]
fn what_is_personal_stays_sealed() {
    let profile = Event::ProfileChanged { profile: sealed("pr") };
    let role = Event::RoleSet { role: Role::Support };
    let rows = rows::<AccountList>(vec![registered(), event::<Account>(7, &profile), event::<Account>(7, &role)]);
    let row = rows.values().next().unwrap();
    assert_eq!((&row.email, &row.profile, row.role), (&sealed("e"), &Some(sealed("pr")), Role::Support));
}
