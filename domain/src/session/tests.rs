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
    Event::Started { account: id(7), role: Role::Customer, secret, client, at, expires_at: at + IDLE }
}

fn refreshed(generation: u32, at: DateTime<Utc>) -> Event {
    Event::Refreshed { generation, client: sealed("client"), at, expires_at: at + IDLE }
}

fn refresh(generation: u32) -> Command {
    Command::Refresh { generation, client: sealed("client") }
}

fn revoke(reason: Reason) -> Command {
    Command::Revoke { reason }
}

const REUSED: Event = Event::Revoked { reason: Reason::Reuse };

#[test]
fn it_starts_once() {
    let start =
        Command::Start { account: id(7), role: Role::Customer, secret: sealed("secret"), client: sealed("client") };
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
    ];
    let mut samples = vec![started(noon()), refreshed(1, noon())];
    samples.extend(reasons.map(|reason| Event::Revoked { reason }));
    golden(include_str!("golden.json"), &samples);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Missing, Rejection::Exists, Rejection::Ended]);
}
