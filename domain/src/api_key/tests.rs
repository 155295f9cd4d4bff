//! Rules of keys of programs.

use chrono::TimeDelta;

use super::*;
use crate::Actor;
use crate::testing::{given, golden, id, noon, text, well_said};

fn create(scopes: &[Scope]) -> Command {
    create_until(scopes, None)
}

fn create_until(scopes: &[Scope], expires_at: Option<DateTime<Utc>>) -> Command {
    let scopes = scopes.iter().copied().collect();
    Command::Create { name: text("Warehouse"), scopes, hash: text("abc"), expires_at }
}

fn created(scopes: &[Scope]) -> Event {
    created_until(scopes, None, None)
}

fn created_until(scopes: &[Scope], created_by: Option<AccountId>, expires_at: Option<DateTime<Utc>>) -> Event {
    let scopes = scopes.iter().copied().collect();
    Event::Created { name: text("Warehouse"), scopes, hash: text("abc"), created_by, expires_at }
}

#[test]
fn it_is_created_once_and_for_something() {
    given::<ApiKey>([]).when(&create(&[Scope::StockWrite])).then([created(&[Scope::StockWrite])]);
    given::<ApiKey>([]).when(&create(&[])).then_refused(Rejection::NoScope);
    let again = given::<ApiKey>([created(&[Scope::StockWrite])]).when(&create(&[Scope::StockWrite]));
    again.then_refused(Rejection::Exists);
}

#[test]
fn it_says_who_made_it_and_works_until_it_expires() {
    let (scopes, end) = ([Scope::StockWrite], noon() + TimeDelta::days(90));
    let made = created_until(&scopes, Some(id(7)), Some(end));
    let admin = Actor::Admin { id: id(7) };
    given::<ApiKey>([]).by(admin.clone()).when(&create_until(&scopes, Some(end))).then([made.clone()]);
    let late = given::<ApiKey>([]).by(admin).when(&create_until(&scopes, Some(noon())));
    late.then_refused(Rejection::ExpiresInThePast);
    let key = crate::fold::<ApiKey>(&[made]);
    let is_good = |at| key.live().unwrap().is_good(at);
    assert!(is_good(end - TimeDelta::milliseconds(1)) && !is_good(end));
    let revoked = crate::fold::<ApiKey>(&[created(&scopes), Event::Revoked {}]);
    assert!(!revoked.live().unwrap().is_good(noon()));
}

#[test]
fn it_is_revoked_for_good() {
    given::<ApiKey>([]).when(&Command::Revoke {}).then_refused(Rejection::Missing);
    given::<ApiKey>([created(&Scope::ALL)]).when(&Command::Revoke {}).then([Event::Revoked {}]);
    given::<ApiKey>([created(&Scope::ALL), Event::Revoked {}]).when(&Command::Revoke {}).then_nothing();
}

#[test]
fn every_scope_has_one_name() {
    for scope in Scope::ALL {
        assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
        assert_eq!(Scope::named(scope.as_str()), Some(scope));
    }
    assert_eq!(Scope::named("everything"), None);
}

#[test]
fn every_stored_form_is_golden() {
    golden(
        include_str!("golden.json"),
        &[created(&Scope::ALL), Event::Revoked {}, created_until(&[Scope::StockRead], Some(id(7)), Some(noon()))],
    );
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Missing, Rejection::Exists, Rejection::NoScope, Rejection::ExpiresInThePast]);
}
