//! Folds of api_key_list.

use super::*;
use crate::testing::{event, rows, text};

#[test]
fn a_revoked_key_stays_in_the_list() {
    let created = Event::Created {
        name: text("Shop"),
        scopes: [Scope::CatalogRead].into(),
        hash: text("abc"),
        created_by: None,
        expires_at: None,
    };
    let rows = rows::<ApiKeyList>(vec![
        event::<ApiKey>(1, &created),
        event::<ApiKey>(2, &created),
        event::<ApiKey>(2, &Event::Revoked {}),
    ]);
    let revoked: Vec<bool> = rows.values().map(|row| row.revoked_at.is_some()).collect();
    assert_eq!(revoked, [false, true]);
    assert!(!serde_json::to_string(&rows).unwrap().contains("abc"), "the hash is nobody's business");
}
