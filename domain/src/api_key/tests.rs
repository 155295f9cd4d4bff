//! Rules of keys of programs.

use super::*;
use crate::testing::{given, golden, text, well_said};

fn create(scopes: &[Scope]) -> Command {
    Command::Create { name: text("Warehouse"), scopes: scopes.iter().copied().collect(), hash: text("abc") }
}

fn created(scopes: &[Scope]) -> Event {
    Event::Created { name: text("Warehouse"), scopes: scopes.iter().copied().collect(), hash: text("abc") }
}

#[test]
fn it_is_created_once_and_for_something() {
    given::<ApiKey>([]).when(&create(&[Scope::StockWrite])).then([created(&[Scope::StockWrite])]);
    given::<ApiKey>([]).when(&create(&[])).then_refused(Rejection::NoScope);
    let again = given::<ApiKey>([created(&[Scope::StockWrite])]).when(&create(&[Scope::StockWrite]));
    again.then_refused(Rejection::Exists);
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
    golden(include_str!("golden.json"), &[created(&Scope::ALL), Event::Revoked {}]);
}

#[test]
fn rejections_are_well_said() {
    well_said(&[Rejection::Missing, Rejection::Exists, Rejection::NoScope]);
}
