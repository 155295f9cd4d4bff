//! Tests of the vault: what it remembers, and for how long.

use serde_json::json;

use super::*;

const ADA: Subject = Subject(Uuid::from_u128(1));

/// A vault whose Postgres does not answer: it has only what it remembers.
fn vault(keys: DataKeys) -> Vault {
    Vault::new(Log::open("postgres://127.0.0.1:1/none").unwrap(), keys)
}

fn row(keys: &DataKeys, key: &SubjectKey) -> Row {
    let (wrapped, by) = keys.wrap(ADA, key).unwrap();
    Row { subject: ADA.0, wrapped: Some(wrapped), wrapped_by: by.to_string() }
}

#[tokio::test]
async fn what_a_vault_remembers_is_sealed_and_opened_without_postgres() {
    let keys = DataKeys::new([1; KEY], &[]);
    let vault = vault(keys.clone());
    assert!(vault.recall(ADA).is_none());
    vault.remember(row(&keys, &SubjectKey::random().unwrap())).unwrap();
    let sealed = vault.seal(ADA, &"Ada".to_owned()).await.unwrap();
    assert_eq!(vault.open(&sealed).await.unwrap(), Some("Ada".to_owned()));
    let text = json!({"name": sealed}).to_string();
    assert_eq!(vault.open_json(&text).await.unwrap(), r#"{"name":"Ada"}"#);
}

#[tokio::test]
async fn a_key_is_remembered_for_a_while_and_an_erasure_for_ever() {
    let keys = DataKeys::new([1; KEY], &[]);
    let vault = vault(keys.clone());
    vault.remember(row(&keys, &SubjectKey::random().unwrap())).unwrap();
    let sealed = vault.seal(ADA, &"Ada".to_owned()).await.unwrap();
    let long_ago = Instant::now().checked_sub(FRESH).unwrap();
    vault.remembered().get_mut(&ADA).unwrap().1 = long_ago;
    assert!(vault.recall(ADA).is_none());
    vault.remember(Row { subject: ADA.0, wrapped: None, wrapped_by: String::new() }).unwrap();
    vault.remembered().get_mut(&ADA).unwrap().1 = long_ago;
    assert!(vault.recall(ADA).is_some_and(|key| key.is_none()));
    assert_eq!(vault.open(&sealed).await.unwrap(), None);
    assert_eq!(vault.open_json(&json!([sealed]).to_string()).await.unwrap(), "[null]");
    let refused = vault.seal(ADA, &"Ada".to_owned()).await.unwrap_err();
    assert_eq!(refused.to_string(), StoreError::from(SealError::Erased).to_string());
}

#[tokio::test]
async fn a_key_without_the_name_of_its_data_key_is_broken() {
    let keys = DataKeys::new([1; KEY], &[]);
    let nameless = Row { wrapped_by: "?".into(), ..row(&keys, &SubjectKey::random().unwrap()) };
    assert!(vault(keys).remember(nameless).is_err());
}

#[tokio::test]
async fn after_a_rotation_the_file_of_the_data_keys_is_read_again() {
    let file = std::env::temp_dir().join(format!("byteshop-data-keys-{}", Clock.new_id()));
    let (old, new) = (DataKeys::new([1; KEY], &[]), DataKeys::new([2; KEY], &[[1; KEY]]));
    std::fs::write(&file, new.to_text()).unwrap();
    let key = SubjectKey::random().unwrap();
    assert!(vault(old.clone()).remember(row(&new, &key)).is_err(), "there is no file to read");
    let vault = vault(old.kept_in(file.clone()));
    assert!(vault.remember(row(&new, &key)).unwrap().is_some());
    assert_eq!(vault.keys_now().count(), 2);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn sealed_values_are_found_however_deep_they_lie() {
    let subject = Uuid::from_u128(5);
    let sealed = json!({"$sealed": "AA", "subject": subject});
    let mut value = json!({"a": [{"b": sealed}, 1], "c": {"$sealed": "no subject"}, "d": sealed});
    let mut seen = 0;
    walk(&mut value, &mut |found, text| {
        assert_eq!((found, text), (Subject(subject), "AA"));
        seen += 1;
        Some(json!("open"))
    });
    assert_eq!(seen, 2);
    assert_eq!(value, json!({"a": [{"b": "open"}, 1], "c": {"$sealed": "no subject"}, "d": "open"}));
}
