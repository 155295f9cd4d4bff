//! Rules of sessions.

use uuid::Uuid;

use super::*;
use crate::Subject;
use crate::testing::{given, golden, id, noon, well_said};

fn sealed<T>(plain: &str) -> Personal<T> {
    Personal::new(Subject(Uuid::from_u128(7)), plain)
}

fn started(at: DateTime<Utc>) -> Event {
    let (secret, client) = (sealed("secret"), sealed("client"));
    Event::Started {
        account: id(7),
        role: Role::Customer,
        secret,
        client,
        at,
        expires_at: at + IDLE,
        second_factor: false,
    }
}

fn start(longest: TimeDelta) -> Command {
    Command::Start {
        account: id(7),
        role: Role::Customer,
        secret: sealed("secret"),
        client: sealed("client"),
        second_factor: false,
        longest,
    }
}

fn refreshed(generation: u32, at: DateTime<Utc>) -> Event {
    Event::Refreshed { generation, client: sealed("client"), at, expires_at: at + IDLE }
}

fn refresh(generation: u32) -> Command {
    Command::Refresh { generation, client: sealed("client"), longest: LIFETIME }
}

fn revoke(reason: Reason) -> Command {
    Command::Revoke { reason }
}

const REUSED: Event = Event::Revoked { reason: Reason::Reuse };

#[test]
fn it_starts_once() {
    let start = start(LIFETIME);
    given::<Session>([]).when(&start).then([started(noon())]);
    given::<Session>([started(noon())]).when(&start).then_refused(Rejection::Exists);
    given::<Session>([]).when(&refresh(0)).then_refused(Rejection::Missing);
    given::<Session>([]).when(&revoke(Reason::Logout)).then_refused(Rejection::Missing);
}

#[test]
fn the_newest_token_gives_the_next_one() {
    given::<Session>([started(noon())]).when(&refresh(0)).then([refreshed(1, noon())]);
    given::<Session>([started(noon()), refreshed(1, noon())]).when(&refresh(1)).then([refreshed(2, noon())]);
}

#[test]
fn the_last_token_may_be_shown_again_for_a_while() {
    let history = |at| [started(at), refreshed(1, at)];
    given::<Session>(history(noon() - RETRY)).when(&refresh(0)).then_nothing();
    given::<Session>(history(noon() - RETRY - TimeDelta::milliseconds(1))).when(&refresh(0)).then([REUSED]);
}

#[test]
fn an_older_token_ends_the_session() {
    let history = [started(noon()), refreshed(1, noon()), refreshed(2, noon())];
    given::<Session>(history.clone()).when(&refresh(0)).then([REUSED]);
    given::<Session>(history.into_iter().chain([REUSED])).when(&refresh(2)).then_refused(Rejection::Ended);
}

#[test]
fn it_ends_by_itself() {
    given::<Session>([started(noon() - IDLE)]).when(&refresh(0)).then([refreshed(1, noon())]);
    given::<Session>([started(noon() - IDLE - TimeDelta::seconds(1))]).when(&refresh(0)).then_refused(Rejection::Ended);
    // However often it is refreshed.
    let begun = noon() - LIFETIME + TimeDelta::days(1);
    let history = [started(begun), refreshed(1, noon() - TimeDelta::days(1))];
    let last = Event::Refreshed {
        generation: 2,
        client: sealed("client"),
        at: noon(),
        expires_at: noon() + TimeDelta::days(1),
    };
    given::<Session>(history).when(&refresh(1)).then([last]);
}

#[test]
fn it_lives_no_longer_than_it_may_however_often_it_is_refreshed() {
    let hours = TimeDelta::hours(12);
    let begun = |at: DateTime<Utc>, lasts| Event::Started {
        account: id(7),
        role: Role::Admin,
        secret: sealed("secret"),
        client: sealed("client"),
        at,
        expires_at: at + lasts,
        second_factor: true,
    };
    let start = Command::Start {
        account: id(7),
        role: Role::Admin,
        secret: sealed("secret"),
        client: sealed("client"),
        second_factor: true,
        longest: hours,
    };
    given::<Session>([]).when(&start).then([begun(noon(), hours)]);
    let refresh = |longest| Command::Refresh { generation: 0, client: sealed("client"), longest };
    let last = Event::Refreshed {
        generation: 1,
        client: sealed("client"),
        at: noon(),
        expires_at: noon() + TimeDelta::hours(1),
    };
    given::<Session>([begun(noon() - TimeDelta::hours(11), hours)]).when(&refresh(hours)).then([last]);
    // It began when sessions lived longer.
    let old = given::<Session>([begun(noon() - TimeDelta::days(3), IDLE)]).when(&refresh(hours));
    old.then_refused(Rejection::Ended);
}

#[test]
fn sessions_of_staff_last_hours_and_of_others_months() {
    let hours = TimeDelta::hours(12);
    assert_eq!([Role::Support, Role::Admin].map(|role| longest(role, hours)), [hours; 2]);
    assert_eq!([Role::Customer, Role::Seller].map(|role| longest(role, hours)), [LIFETIME; 2]);
    assert_eq!(longest(Role::Admin, LIFETIME * 2), LIFETIME);
}

#[test]
fn a_token_is_worth_as_much_for_a_log_out_as_for_a_refresh() {
    let show = |generation| Command::Show { generation };
    let history = [started(noon() - RETRY), refreshed(1, noon() - RETRY)];
    given::<Session>(history.clone()).when(&show(1)).then_nothing();
    given::<Session>(history.clone()).when(&show(0)).then_nothing();
    let later = [started(noon() - RETRY * 2), refreshed(1, noon() - RETRY * 2)];
    given::<Session>(later).when(&show(0)).then([REUSED]);
    for reason in [Reason::Logout, Reason::Reuse, Reason::PasswordChanged] {
        let ended = history.clone().into_iter().chain([Event::Revoked { reason }]);
        given::<Session>(ended).when(&show(1)).then_refused(Rejection::Ended);
    }
    let over = [started(noon() - IDLE - TimeDelta::seconds(1))];
    given::<Session>(over).when(&show(0)).then_refused(Rejection::Ended);
}

#[test]
fn a_proof_of_identity_is_fresh_for_ten_minutes() {
    let at = |history: &[Event]| crate::decider::fold::<Session>(history);
    let fresh = |history: &[Event]| at(history).live().unwrap().is_fresh(noon());
    assert!(fresh(&[started(noon() - FRESH + TimeDelta::milliseconds(1))]));
    assert!(!fresh(&[started(noon() - FRESH)]));
    // A refresh proves nothing: the holder of the token can do it.
    assert!(!fresh(&[started(noon() - FRESH), refreshed(1, noon())]));
    let proven = Event::Authenticated { second_factor: true, at: noon() - TimeDelta::minutes(1) };
    assert!(fresh(&[started(noon() - FRESH), proven.clone()]));
    assert!(at(&[started(noon()), proven.clone()]).live().unwrap().second_factor);
    assert!(!fresh(&[started(noon()), proven, Event::Revoked { reason: Reason::Logout }]));
    let authenticate = Command::Authenticate { second_factor: false };
    let proof = Event::Authenticated { second_factor: false, at: noon() };
    given::<Session>([started(noon())]).when(&authenticate).then([proof]);
    let ended = [started(noon()), Event::Revoked { reason: Reason::Banned }];
    given::<Session>(ended).when(&authenticate).then_refused(Rejection::Ended);
}

#[test]
fn it_is_revoked_once_and_the_first_reason_stays() {
    let revoked = Event::Revoked { reason: Reason::Banned };
    given::<Session>([started(noon())]).when(&revoke(Reason::Banned)).then([revoked.clone()]);
    given::<Session>([started(noon()), revoked]).when(&revoke(Reason::Logout)).then_nothing();
}

#[test]
fn every_stored_form_is_golden() {
    let reasons = [
        Reason::Logout,
        Reason::LogoutAll,
        Reason::Reuse,
        Reason::PasswordChanged,
        Reason::EmailChanged,
        Reason::RoleChanged,
        Reason::Surplus,
        Reason::Banned,
        Reason::Erased,
        Reason::SecondFactorChanged,
    ];
    let strong = Event::Started {
        account: id(7),
        role: Role::Admin,
        secret: sealed("secret"),
        client: sealed("client"),
        at: noon(),
        expires_at: noon() + TimeDelta::hours(12),
        second_factor: true,
    };
    let mut samples = vec![started(noon()), refreshed(1, noon()), strong];
    samples.extend([true, false].map(|second_factor| Event::Authenticated { second_factor, at: noon() }));
    samples.extend(reasons.map(|reason| Event::Revoked { reason }));
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Missing, Rejection::Exists, Rejection::Ended]);
}
