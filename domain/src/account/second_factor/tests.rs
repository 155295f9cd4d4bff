//! Rules of second factors and standing grants.

use uuid::Uuid;

use super::*;
use crate::account::{self, Account, Grant};
use crate::testing::{given, id, noon, text};
use crate::{Actor, Locale, Subject};

const ADA: Uuid = Uuid::from_u128(7);

fn sealed<T>(plain: &str) -> Personal<T> {
    Personal::new(Subject(ADA), plain)
}

fn member() -> Vec<Event> {
    let registered = Event::Registered { email: sealed("email"), password: sealed("hash"), locale: Locale::En };
    vec![registered, Event::Confirmed {}]
}

fn enrolled(at: DateTime<Utc>) -> Event {
    Event::TotpEnrolled { secret: sealed("totp"), at }
}

fn confirmed() -> Event {
    Event::TotpConfirmed { step: 100, code_hashes: vec![text("aa"), text("bb")], at: noon() }
}

fn protected() -> Vec<Event> {
    member().into_iter().chain([enrolled(noon()), confirmed()]).collect()
}

fn with(mut history: Vec<Event>, more: impl IntoIterator<Item = Event>) -> Vec<Event> {
    history.extend(more);
    history
}

fn totp(enrolment: u32, step: u64) -> Proof {
    Proof::Totp { enrolment, step }
}

fn recovery(hash: &str) -> Proof {
    Proof::Recovery { code_hash: text(hash) }
}

fn log_in(proof: impl Into<Option<Proof>>) -> account::Command {
    account::Command::LogIn { seen: 1, session: id(1), proof: proof.into() }
}

fn change(command: Command) -> account::Command {
    account::Command::SecondFactor(command)
}

fn confirm(enrolment: u32) -> account::Command {
    change(Command::Confirm { enrolment, step: 100, code_hashes: vec![text("aa"), text("bb")] })
}

#[test]
fn a_secret_counts_once_its_first_code_was_shown() {
    let enrol = change(Command::Enrol { secret: sealed("totp") });
    given::<Account>(member()).when(&enrol).then([enrolled(noon())]);
    given::<Account>(with(member(), [enrolled(noon())])).when(&log_in(None)).then([logged_in()]);
    given::<Account>(with(member(), [enrolled(noon())])).when(&confirm(1)).then([confirmed()]);
    given::<Account>(member()).when(&confirm(0)).then_refused(Rejection::NoEnrolment);
    let late = with(member(), [enrolled(noon() - ENROL_WITHIN)]);
    given::<Account>(late).when(&confirm(1)).then_refused(Rejection::NoEnrolment);
    // Of two secrets that were given out the last one counts.
    let twice = || with(member(), [enrolled(noon()), enrolled(noon())]);
    given::<Account>(twice()).when(&confirm(1)).then_refused(Rejection::NoEnrolment);
    given::<Account>(twice()).when(&confirm(2)).then([confirmed()]);
    given::<Account>(protected()).when(&enrol).then_refused(Rejection::SecondFactorExists);
    given::<Account>(protected()).when(&confirm(1)).then_refused(Rejection::NoEnrolment);
}

fn logged_in() -> Event {
    Event::LoggedIn { session: id(1) }
}

#[test]
fn a_log_in_takes_a_code_and_each_code_counts_once() {
    let used = |step| Event::TotpUsed { step };
    given::<Account>(protected()).when(&log_in(None)).then_refused(Rejection::SecondFactorRequired);
    given::<Account>(protected()).when(&log_in(totp(1, 101))).then([used(101), logged_in()]);
    // The code that confirmed it, one that was used, and one of the time before.
    for step in [99, 100] {
        given::<Account>(protected()).when(&log_in(totp(1, step))).then_refused(Rejection::CodeUsed);
    }
    let later = || with(protected(), [used(102)]);
    for step in [101, 102] {
        given::<Account>(later()).when(&log_in(totp(1, step))).then_refused(Rejection::CodeUsed);
    }
    given::<Account>(later()).when(&log_in(totp(1, 103))).then([used(103), logged_in()]);
    let prove = account::Command::Prove { seen: 1, proof: Some(totp(1, 103)) };
    given::<Account>(later()).when(&prove).then([used(103)]);
    given::<Account>(member()).when(&account::Command::Prove { seen: 1, proof: None }).then_nothing();
    let stale = account::Command::Prove { seen: 2, proof: None };
    given::<Account>(member()).when(&stale).then_refused(Rejection::PasswordChanged);
}

#[test]
fn a_recovery_code_counts_once() {
    let used = || Event::RecoveryCodeUsed { code_hash: text("aa") };
    given::<Account>(protected()).when(&log_in(recovery("aa"))).then([used(), logged_in()]);
    let once = || with(protected(), [used()]);
    given::<Account>(once()).when(&log_in(recovery("aa"))).then_refused(Rejection::CodeUsed);
    given::<Account>(protected()).when(&log_in(recovery("cc"))).then_refused(Rejection::CodeUsed);
    let other = Event::RecoveryCodeUsed { code_hash: text("bb") };
    given::<Account>(once()).when(&log_in(recovery("bb"))).then([other, logged_in()]);
}

#[test]
fn a_code_of_a_secret_that_was_replaced_counts_nothing() {
    let again = Event::TotpConfirmed { step: 90, code_hashes: vec![], at: noon() };
    let replaced = || with(protected(), [Event::TotpRemoved {}, enrolled(noon()), again.clone()]);
    given::<Account>(replaced()).when(&log_in(totp(1, 101))).then_refused(Rejection::SecondFactorChanged);
    let used = Event::TotpUsed { step: 101 };
    given::<Account>(replaced()).when(&log_in(totp(2, 101))).then([used, logged_in()]);
    let removed = with(protected(), [Event::TotpRemoved {}]);
    given::<Account>(removed).when(&log_in(totp(1, 101))).then_refused(Rejection::SecondFactorChanged);
}

#[test]
fn its_owner_removes_it_and_another_admin_resets_it() {
    let (remove, reset) = (change(Command::Remove {}), change(Command::Reset {}));
    given::<Account>(protected()).when(&remove).then([Event::TotpRemoved {}]);
    given::<Account>(with(member(), [enrolled(noon())])).when(&remove).then([Event::TotpRemoved {}]);
    given::<Account>(member()).when(&remove).then_nothing();
    let by = |number| Actor::Admin { id: id(number) };
    given::<Account>(protected()).by(by(8)).when(&reset).then([Event::TotpRemoved {}]);
    given::<Account>(protected()).by(by(7)).when(&reset).then_refused(Rejection::OwnAccount);
    let open = with(protected(), [Event::TotpRemoved {}]);
    given::<Account>(open).when(&log_in(None)).then([logged_in()]);
}

#[test]
fn a_banned_account_grants_no_more_access() {
    let grant = Grant::ApiKey { id: id(9) };
    let record = account::Command::RecordGrant { grant };
    let granted = Event::AccessGranted { grant };
    let (owner, key) = (Actor::Admin { id: id(7) }, Actor::Service { key: id(9) });
    given::<Account>(member()).by(owner.clone()).when(&record).then([granted.clone()]);
    given::<Account>(with(member(), [granted.clone()])).by(owner.clone()).when(&record).then_nothing();
    let banned = || with(member(), [Event::Banned { reason: None }]);
    given::<Account>(banned()).by(owner).when(&record).then_refused(Rejection::Banned);
    // A key that was not revoked with the ban stays valid.
    given::<Account>(banned()).by(key).when(&record).then([granted]);
}
