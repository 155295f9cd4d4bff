//! The check of bodies, held against the crate `jsonschema`.

use jsonschema::{Draft, Validator};
use serde_json::json;

use super::super::operation::OPERATIONS;
use super::*;

/// The keywords that the check knows, and those that say nothing about a body.
const KNOWN: [&str; 19] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "enum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "readOnly",
    "required",
    "type",
];

#[test]
fn the_documents_use_only_what_the_check_knows() {
    assert!(!PATTERNS.is_empty());
    for (name, document) in DOCUMENTS.iter() {
        for (schema, value) in document["components"]["schemas"].as_object().unwrap() {
            known(document, value, &format!("{name} {schema}"));
        }
    }
}

fn known(document: &Value, schema: &Value, place: &str) {
    for (key, value) in schema.as_object().unwrap() {
        assert!(KNOWN.contains(&key.as_str()), "{place} has {key}");
        match key.as_str() {
            "$ref" => assert_ne!(resolve(document, schema), schema, "{place}: {value} does not exist"),
            "items" => known(document, value, place),
            "properties" => value.as_object().unwrap().values().for_each(|member| known(document, member, place)),
            "allOf" | "anyOf" | "oneOf" => {
                value.as_array().unwrap().iter().for_each(|part| known(document, part, place));
            }
            _ => {}
        }
    }
}

#[test]
fn each_operation_is_in_its_document() {
    for row in OPERATIONS {
        let (_, described) = described(row.operation);
        assert_eq!(described["operationId"], row.id);
    }
}

fn order() -> Value {
    json!({
        "intent": "CAPTURE",
        "purchase_units": [{
            "reference_id": "one",
            "invoice_id": "1",
            "amount": {"currency_code": "EUR", "value": "12.50", "breakdown": {
                "item_total": {"currency_code": "EUR", "value": "12.50"},
            }},
            "payee": {"email_address": "seller@example.org"},
            "payment_instruction": {"platform_fees": [{"amount": {"currency_code": "EUR", "value": "1.00"}}]},
            "items": [{"name": "Lamp", "quantity": "1", "unit_amount": {"currency_code": "EUR", "value": "12.50"}}],
            "shipping": {"address": {"country_code": "GB", "address_line_1": "1 High Street"}},
        }],
        "payment_source": {"paypal": {"experience_context": {"user_action": "PAY_NOW", "locale": "en-GB"}}},
    })
}

fn payout() -> Value {
    json!({
        "sender_batch_header": {"sender_batch_id": "1", "recipient_type": "EMAIL"},
        "items": [{"receiver": "a@example.org", "amount": {"currency": "EUR", "value": "1.00"}, "purpose": "GOODS"}],
    })
}

fn bodies() -> Vec<(Operation, Value)> {
    let amount = json!({"amount": {"currency_code": "EUR", "value": "1.00"}});
    vec![
        (Operation::CreateOrder, order()),
        (Operation::CaptureAuthorization, amount.clone()),
        (Operation::Reauthorize, amount.clone()),
        (Operation::Refund, amount),
        (Operation::CreatePayout, payout()),
        (Operation::CreateWebhook, json!({"url": "https://shop.example/hook", "event_types": [{"name": "*"}]})),
        (Operation::ResendEvent, json!({"webhook_ids": ["A"]})),
    ]
}

/// The same verdict from the library.
fn judge(operation: Operation) -> Validator {
    let (document, described) = described(operation);
    let body = resolve(document, &described["requestBody"]);
    let mut schema = body.pointer("/content/application~1json/schema").unwrap().clone();
    schema["components"] = document["components"].clone();
    let schema = json!({"allOf": [{"$ref": schema["$ref"]}], "components": schema["components"]});
    jsonschema::options().with_draft(Draft::Draft4).should_validate_formats(false).build(&schema).unwrap()
}

/// Every body that differs from a good one at one place.
fn mutants(body: &Value) -> Vec<Value> {
    let mut pointers = Vec::new();
    places(body, String::new(), &mut pointers);
    let long = "x".repeat(5_000);
    let wrong =
        [json!(null), json!(7), json!(true), json!(""), json!("?"), json!(long), json!({}), json!([]), json!(["a"])];
    let mut mutants = Vec::new();
    for pointer in pointers {
        for value in &wrong {
            let mut mutant = body.clone();
            *mutant.pointer_mut(&pointer).unwrap() = value.clone();
            mutants.push(mutant);
        }
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let mut mutant = body.clone();
        if let Some(Value::Object(members)) = mutant.pointer_mut(parent) {
            members.shift_remove(name);
            mutants.push(mutant);
        }
    }
    mutants
}

fn places(value: &Value, at: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| places(member, format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, format!("{at}/{index}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    // The library does not check addresses here.
    if !at.ends_with("url") {
        found.push(at);
    }
}

#[test]
fn the_check_agrees_with_the_library_on_every_mutant() {
    let mut refused = 0;
    for (operation, body) in bodies() {
        let judge = judge(operation);
        assert_eq!(request(operation, Some(&body)), [], "{operation:?}");
        assert!(judge.is_valid(&body), "{operation:?}");
        for mutant in mutants(&body) {
            let breaches = request(operation, Some(&mutant));
            assert_eq!(breaches.is_empty(), judge.is_valid(&mutant), "{operation:?} {mutant} {breaches:?}");
            refused += usize::from(!breaches.is_empty());
        }
    }
    assert!(refused > 200, "{refused} mutants were refused");
}

#[test]
fn a_fault_names_its_place() {
    let mut body = order();
    body["purchase_units"][0]["amount"]["value"] = json!("1,50");
    body.as_object_mut().unwrap().shift_remove("intent");
    let found = request(Operation::CreateOrder, Some(&body));
    let place = |pointer: &str, wrong| Breach { pointer: pointer.to_owned(), wrong };
    assert!(found.contains(&place("/intent", Wrong::Missing)), "{found:?}");
    assert!(found.contains(&place("/purchase_units/0/amount/value", Wrong::Form)), "{found:?}");
}
