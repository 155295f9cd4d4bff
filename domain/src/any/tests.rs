//! The list of contexts is complete, and each is found by its prefix and its category.

use std::collections::BTreeSet;

use super::*;
use crate::testing::id;

#[test]
fn prefixes_and_categories_are_unique() {
    let prefixes: BTreeSet<_> = AGGREGATES.iter().map(|it| it.prefix).collect();
    let categories: BTreeSet<_> = AGGREGATES.iter().map(|it| it.category).collect();
    assert_eq!((prefixes.len(), categories.len()), (AGGREGATES.len(), AGGREGATES.len()));
}

#[test]
fn an_id_says_what_it_names() {
    let variant: crate::ids::VariantId = id(7);
    let (aggregate, stream) = locate(&variant.to_string()).unwrap();
    assert_eq!((aggregate.category, stream), ("stock", variant.uuid()));
    assert_eq!(id_of("stock", stream), Some(variant.to_string()));
    assert_eq!(locate("nope_00000000000000000000000000"), None);
    assert_eq!(locate("ord"), None);
    assert_eq!(id_of("nope", stream), None);
}

#[test]
fn every_form_of_the_catalogue_is_decoded_and_folded() {
    let forms = catalogue();
    assert!(forms.len() >= 40);
    for form in &forms {
        let data = form.example.to_string();
        let event = AnyEvent::decode(form.category, Uuid::nil(), &form.event_type, form.schema, &data).unwrap();
        assert_eq!(event.category(), form.category);
        state_json(form.category, [(&*form.event_type, form.schema, &*data)]).unwrap();
    }
}

#[test]
fn a_state_is_told_as_json() {
    let opened = r#"{"product":"prod_00000000000000000000000009","sku":"L-1"}"#;
    let received = r#"{"quantity":5}"#;
    let state = state_json("stock", [("opened", 1, opened), ("received", 1, received)]).unwrap();
    assert_eq!((&state["on_hand"], &state["sku"]), (&5.into(), &"L-1".into()));
    assert!(state_json("order", []).unwrap().is_null());
}

#[test]
fn an_unknown_category_and_bad_data_are_unreadable() {
    let read = |category, data| AnyEvent::decode(category, Uuid::nil(), "opened", 1, data);
    assert!(matches!(read("nope", "{}"), Err(CodecError::Unreadable { .. })));
    assert!(matches!(read("stock", "{}"), Err(CodecError::Unreadable { .. })));
    assert!(matches!(state_json("nope", []), Err(CodecError::Unreadable { .. })));
}
